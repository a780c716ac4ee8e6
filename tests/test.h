#pragma once
// The only way to include Catch2. ATen comes first: otherwise its CHECK replaces Catch2's and
// failed checks are not counted.

#include <ATen/core/Tensor.h>
#include <c10/util/Logging.h>
#ifdef CHECK
#undef CHECK
#endif

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
using Catch::Approx;
#else
#include <catch2/catch.hpp>
#endif

#include <cstdlib>
#include <filesystem>
#include <string>

#include "core/base/error.h"

namespace switchyard::test {

/// Root of the source tree.
std::filesystem::path source_dir();
/// Folder of the small cases and inputs that tests bring along.
inline std::filesystem::path data_dir() { return source_dir() / "tests"; }

/// An environment variable that names data which a test needs; without it null, and the run says
/// that something is skipped.
inline const char* variable_or_warn(const char* name) {
  const char* value = std::getenv(name);
  if (!value) WARN(name << " is not set: skipped");
  return value;
}

/// A fresh folder below the system's temporary folder, removed at the end of the test.
class TempDir {
 public:
  TempDir();
  ~TempDir();
  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

/// Message of the switchyard::Error that `run` throws; fails the test if it throws none or another.
template <class Run>
std::string error_of(Run&& run) {
  try {
    run();
  } catch (const switchyard::Error& error) {
    return error.what();
  }
  FAIL("expected a switchyard::Error, got none");
  return {};
}

}  // namespace switchyard::test
