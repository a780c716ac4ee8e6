#define CATCH_CONFIG_RUNNER
#include "tests/test.h"

#include <unistd.h>

#include "core/train/runtime.h"

namespace switchyard::test {

TempDir::TempDir() {
  std::string pattern =
      (std::filesystem::temp_directory_path() / "switchyard-test-XXXXXX").string();
  path_ = ::mkdtemp(pattern.data());
}
TempDir::~TempDir() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace switchyard::test

int main(int argc, char** argv) {
  switchyard::init_runtime(0, /*deterministic=*/false);
  return Catch::Session().run(argc, argv);
}
