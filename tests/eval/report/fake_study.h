#pragma once
// A small study folder with planted structure: five domains of which two unseen, four experts, five
// sites on three levels, eight groups that every domain shares.

#include <filesystem>

namespace switchyard::test {

struct FakeStudy {
  int64_t seeds = 3;
  bool twins = true;    ///< also an "active" and a "total" arm
  bool traced = true;   ///< trace, samples and probe results
  double strength = 1;  ///< of the domains' hold on the experts
};

void write_fake_study(const std::filesystem::path& folder, const FakeStudy& options = {});

}  // namespace switchyard::test
