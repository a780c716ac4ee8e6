#pragma once
// Golden cases in tests.

#include <filesystem>
#include <string>
#include <vector>

#include "core/golden/golden.h"

namespace switchyard::test {

/// Runs the cases of `kinds` below `folder`; fails the test unless there are some and all pass.
void check_golden(const std::string& folder, const std::vector<std::string>& kinds,
                  GoldenPrecision precision);
/// The same in double and in single precision.
void check_golden(const std::string& folder, const std::vector<std::string>& kinds);

/// Spoils every expected tensor of the file, one after the other, by one value; fails the test
/// unless every such case fails.
void check_notices_faults(const std::filesystem::path& file);

}  // namespace switchyard::test
