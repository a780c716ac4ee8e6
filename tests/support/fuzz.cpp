#include "tests/test.h"

#include "tests/support/fuzz.h"

#include <fstream>

#include "core/base/random.h"
#include "core/io/file.h"

namespace switchyard::test {
namespace {

std::string damaged(std::string bytes, RandomStream& stream) {
  for (int64_t i = stream.below(4); i >= 0; --i)
    bytes[stream.below(bytes.size())] = static_cast<char>(stream.below(256));
  if (stream.chance(.3)) bytes.resize(stream.below(bytes.size()));
  return bytes;
}

}  // namespace

int64_t refusals(const std::filesystem::path& path, const std::function<void()>& read,
                 int64_t rounds) {
  const std::string good = read_text(path);
  RandomStream stream(7, "fuzz");
  int64_t count = 0;
  for (int64_t i = 0; i < rounds; ++i) {
    std::ofstream(path, std::ios::binary) << damaged(good, stream);
    try {
      read();
    } catch (const Error&) {
      ++count;
    }
  }
  std::ofstream(path, std::ios::binary) << good;
  return count;
}

}  // namespace switchyard::test
