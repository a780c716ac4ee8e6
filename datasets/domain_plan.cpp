#include "datasets/domain_plan.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/base/text.h"

namespace switchyard {
namespace {

bool same_cell(const DomainSpec& a, const DomainSpec& b) {
  return a.domain == b.domain && a.class_name == b.class_name;
}

/// Whether `part` is all of `whole` or a cell of it.
bool within(const DomainSpec& part, const DomainSpec& whole) {
  return part.domain == whole.domain &&
         (whole.class_name.empty() || whole.class_name == part.class_name);
}

std::vector<std::string> names(const std::vector<DomainSpec>& specs) {
  std::vector<std::string> out;
  for (const auto& spec : specs) out.push_back(spec.name);
  return out;
}

}  // namespace

DomainPlan::DomainPlan(std::vector<DomainSpec> trained, std::vector<DomainSpec> tested,
                       std::vector<DomainSpec> left_out)
    : trained_(std::move(trained)), tested_(std::move(tested)), left_out_(std::move(left_out)) {
  for (const auto& spec : trained_) {
    check(std::any_of(tested_.begin(), tested_.end(),
                      [&](const auto& t) { return t.domain == spec.domain; }),
          "task.test_domains", "a trained domain is not evaluated: expected '", spec.domain,
          "' among ", join(names(tested_)));
  }
}

DomainIndex DomainPlan::training_index(const Dataset& dataset) const {
  return {dataset, trained_, left_out_};
}

std::vector<int64_t> DomainPlan::tested_of_trained() const {
  std::vector<int64_t> out;
  for (const auto& spec : trained_) {
    const auto same = [&](const DomainSpec& t) { return t.domain == spec.domain; };
    out.push_back(std::find_if(tested_.begin(), tested_.end(), same) - tested_.begin());
  }
  return out;
}

bool DomainPlan::is_seen(const DomainSpec& tested) const {
  return std::any_of(trained_.begin(), trained_.end(),
                     [&](const auto& t) { return within(tested, t); }) &&
         std::none_of(left_out_.begin(), left_out_.end(),
                      [&](const auto& l) { return same_cell(tested, l); });
}

std::vector<std::string> DomainPlan::seen() const {
  std::vector<std::string> out;
  for (const auto& spec : tested_) {
    if (is_seen(spec)) out.push_back(spec.name);
  }
  return out;
}

}  // namespace switchyard
