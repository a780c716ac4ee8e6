#include "datasets/subset.h"

#include <algorithm>
#include <set>

#include "core/io/sha256.h"

namespace switchyard {
namespace {

using Names = std::vector<std::string>;

void check_occur(const Dataset& dataset, const std::string& kind, const Names& wanted,
                 std::string SampleInfo::*field) {
  std::set<std::string> present;
  for (int64_t i = 0; i < dataset.size(); ++i) present.insert(dataset.sample_info(i).*field);
  for (const std::string& name : wanted)
    check_name("subset", kind, name, {present.begin(), present.end()});
}

bool allows(const Names& names, const std::string& name) {
  return names.empty() || std::find(names.begin(), names.end(), name) != names.end();
}

Subset::Keep keep_of(const Dataset& dataset, const SampleChoice& choice) {
  check_occur(dataset, "domain", choice.domains, &SampleInfo::domain);
  check_occur(dataset, "split", choice.splits, &SampleInfo::split);
  return [=](const SampleInfo& sample) {
    return allows(choice.domains, sample.domain) && allows(choice.splits, sample.split);
  };
}

}  // namespace

void SubsetParams::declare(Fields<SubsetParams>& f) {
  f.add("dataset", &SubsetParams::dataset, "the dataset to choose from");
  f.add("domains", &SubsetParams::domains, "data domains to keep; empty: all");
  f.add("splits", &SubsetParams::splits, "splits to keep; empty: all");
}

Subset::Subset(std::shared_ptr<const Dataset> inner, const std::string& name, const Keep& keep)
    : inner_(std::move(inner)), info_(inner_->info()) {
  Sha256 hash;
  hash.update(info_.hash);
  for (int64_t i = 0; i < inner_->size(); ++i) {
    const SampleInfo sample = inner_->sample_info(i);
    if (!keep(sample)) continue;
    rows_.push_back(i);
    hash.update("\n" + sample.uri);
  }
  check(!rows_.empty(), "subset", "no sample is left: got ", name, " of ", inner_->size(),
        " samples");
  info_.hash = hash.hex();
}

Subset::Subset(std::shared_ptr<const Dataset> inner, const SampleChoice& choice)
    : Subset(inner, cat("domains [", join(choice.domains), "], splits [", join(choice.splits), "]"),
             keep_of(*inner, choice)) {}

}  // namespace switchyard
