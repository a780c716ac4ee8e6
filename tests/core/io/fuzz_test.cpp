// Damaged files are read or refused with an Error; nothing else may happen.

#include <ATen/ops/arange.h>

#include <fstream>

#include "core/base/random.h"
#include "core/io/file.h"
#include "core/io/npy.h"
#include "core/io/safetensors.h"
#include "tests/test.h"

using namespace switchyard;
using namespace switchyard::test;

namespace {

std::string damaged(std::string bytes, RandomStream& stream) {
  for (int64_t i = stream.below(4); i >= 0; --i)
    bytes[stream.below(bytes.size())] = static_cast<char>(stream.below(256));
  if (stream.chance(.3)) bytes.resize(stream.below(bytes.size()));
  return bytes;
}

int64_t refused(const std::filesystem::path& path, const std::function<void()>& read) {
  const std::string good = read_text(path);
  RandomStream stream(7, "fuzz");
  int64_t count = 0;
  for (int i = 0; i < 1000; ++i) {
    std::ofstream(path, std::ios::binary) << damaged(good, stream);
    try {
      read();
    } catch (const Error&) {
      ++count;
    }
  }
  return count;
}

}  // namespace

TEST_CASE("damaged files never crash a reader", "[io][fuzz]") {
  TempDir folder;
  write_npy(folder / "a.npy", at::arange(6).reshape({2, 3}));
  CHECK(refused(folder / "a.npy", [&] { read_npy(folder / "a.npy"); }) > 200);
  write_safetensors(folder / "a", {{"x", at::arange(6)}, {"y", at::arange(3, at::kByte)}},
                    {{"kind", "k"}});
  CHECK(refused(folder / "a", [&] {
          const auto file = SafeTensors::open(folder / "a");
          for (const auto& name : file.names()) file.get(name).sum();
        }) > 200);
}
