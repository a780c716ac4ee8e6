#pragma once
// Which data domains an experiment trains on and which it evaluates.

#include "datasets/domain_index.h"

namespace switchyard {

class DomainPlan {
 public:
  /// `left_out`: cells, "sketch:dog", that training never sees.
  /// Errors: a trained domain that is not evaluated.
  DomainPlan(std::vector<DomainSpec> trained, std::vector<DomainSpec> tested,
             std::vector<DomainSpec> left_out = {});

  const std::vector<DomainSpec>& trained() const { return trained_; }
  const std::vector<DomainSpec>& tested() const { return tested_; }
  /// Samples of the trained domains, without the cells left out.
  DomainIndex training_index(const Dataset& dataset) const;
  DomainIndex test_index(const Dataset& dataset) const { return {dataset, tested_}; }
  /// For every trained domain, the first evaluated one of the same name.
  std::vector<int64_t> tested_of_trained() const;
  /// Evaluated domains that training draws from, as written.
  std::vector<std::string> seen() const;

 private:
  bool is_seen(const DomainSpec& tested) const;
  std::vector<DomainSpec> trained_, tested_, left_out_;
};

}  // namespace switchyard
