#include "tests/test.h"

#include "core/io/tfrecord.h"

using namespace switchyard;

TEST_CASE("CRC-32C gives the check values of RFC 3720", "[io][tfrecord]") {
  CHECK(crc32c("123456789") == 0xe3069283u);
  CHECK(crc32c(std::string(32, '\0')) == 0x8a9136aau);
  CHECK(crc32c(std::string(32, '\xff')) == 0x62a8ab43u);
  CHECK(crc32c("") == 0);
}

TEST_CASE("records come back whole, damaged and torn ones do not", "[io][tfrecord]") {
  const std::string first = to_tfrecord("abc"), second = to_tfrecord("");
  CHECK(first.size() == 8 + 4 + 3 + 4);
  std::vector<std::string> seen;
  const auto walk = [&](const std::string& file) {
    seen.clear();
    return walk_tfrecords(file, [&](std::string_view data) {
      seen.emplace_back(data);
      return true;
    });
  };
  const std::string file = first + second;
  CHECK(walk(file) == file.size());
  CHECK(seen == std::vector<std::string>{"abc", ""});
  for (size_t size = 0; size < first.size(); ++size) CHECK(walk(file.substr(0, size)) == 0);
  for (size_t i = 0; i < first.size(); ++i) {
    std::string damaged = file;
    damaged[i] = static_cast<char>(damaged[i] ^ 64);
    CHECK(walk(damaged) == 0);
  }
  CHECK(walk_tfrecords(file, [](std::string_view data) { return !data.empty(); }) == first.size());
}
