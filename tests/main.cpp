#define CATCH_CONFIG_RUNNER
#include "tests/test.h"

#include <unistd.h>
#include <cstdlib>

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
  // As init_runtime() does: cuBLAS reads it once, and torch's deterministic mode asks for it.
  ::setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", /*overwrite=*/0);
  return Catch::Session().run(argc, argv);
}
