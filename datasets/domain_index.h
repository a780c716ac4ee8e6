#pragma once
// Which samples of a dataset belong to which data domain of an experiment.

#include "datasets/dataset.h"

namespace switchyard {

/// A data domain as a config names it: "livox"; "ika_sensor@train" for another split of it;
/// "sketch:dog", "sketch:dog@train" for its samples of one class alone (a cell).
struct DomainSpec {
  std::string name;                       ///< as written; what tables show
  std::string domain, class_name, split;  ///< what the dataset calls them; no class: all of them
  static DomainSpec parse(const std::string& text, const std::string& default_split);
  static std::vector<DomainSpec> parse(const std::vector<std::string>& texts,
                                       const std::string& default_split);
};

class DomainIndex {
 public:
  /// `left_out`: samples of these cells are in no domain. Where a class is named, every sample of
  /// the domain is read for its `label`.
  /// Errors: a domain without samples in its split, with the domains that have some; an unknown
  /// class; samples without a label.
  DomainIndex(const Dataset& dataset, const std::vector<DomainSpec>& domains,
              const std::vector<DomainSpec>& left_out = {});

  /// Keeps at most `count` random samples of every domain.
  void keep_few(int64_t count, RandomStream stream);
  /// (domain, sample) in order of domain, then of the dataset.
  const std::vector<std::pair<int64_t, int64_t>>& samples() const { return samples_; }
  const std::vector<int64_t>& of_domain(int64_t domain) const { return by_domain_[domain]; }
  /// (domain, sample) of a training draw: domains in turn, a random sample with replacement.
  std::pair<int64_t, int64_t> draw(const Draw& draw) const;

 private:
  std::vector<std::pair<int64_t, int64_t>> samples_;
  std::vector<std::vector<int64_t>> by_domain_;
};

}  // namespace switchyard
