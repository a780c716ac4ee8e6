// The corpus of the fuzzers, inputs that once broke a parser included, by the ordinary tests.

#include <filesystem>

#include "core/io/file.h"
#include "tests/fuzz/targets.h"
#include "tests/test.h"

using namespace switchyard;
namespace fs = std::filesystem;

TEST_CASE("every input of the fuzzing corpus is read or refused", "[fuzz]") {
  const fs::path corpus = test::data_dir() / "fuzz/corpus";
  int64_t inputs = 0;
  for (const auto& [name, target] : fuzz::targets()) {
    INFO(name);
    REQUIRE(fs::is_directory(corpus / name));
    for (const auto& entry : fs::directory_iterator(corpus / name)) {
      INFO(entry.path().string());
      const auto file = MappedFile::open(entry.path());
      CHECK_NOTHROW(fuzz::run(target, file->bytes()));
      ++inputs;
    }
  }
  CHECK(inputs >= int64_t(fuzz::targets().size()));
}
