#pragma once
// Bookkeeping of one golden case: what was compared, the worst error, what was left out.

#include <map>
#include <set>

#include "core/golden/golden.h"
#include "core/golden/rule.h"

namespace switchyard {

class GoldenComparison : public GoldenResult {
 public:
  /// Both references must outlive this object.
  GoldenComparison(const GoldenCase& golden, const GoldenRule& rule);

  void compare(const std::string& name, const at::Tensor& actual) override;
  void compare_module(const Module& module, const std::string& prefix) override;

  /// Expected tensors that were neither compared nor match a glob of `skip`.
  std::vector<std::string> missing(const std::vector<std::string>& skip) const;
  /// Fills error, limit, worst_tensor, note and passed.
  void finish(const std::vector<std::string>& skip, GoldenReport::Line& line) const;

 private:
  void compare_floating(const std::string& name, const at::Tensor& expected,
                        const at::Tensor& actual);
  void fail_tensor(const std::string& name, const std::string& what);
  void record(const std::string& name, double error, double limit);

  const GoldenCase& golden_;
  const GoldenRule& rule_;
  std::map<std::string, double> largest_;  ///< per group
  std::set<std::string> compared_;
  std::string worst_tensor_, first_failure_;
  double worst_error_ = 0, worst_limit_ = 0, worst_share_ = -1;
};

/// Everything in the file that is neither a weight nor an input.
std::vector<std::string> expected_tensors(const SafeTensors& file);

}  // namespace switchyard
