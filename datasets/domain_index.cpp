#include "datasets/domain_index.h"

#include <algorithm>
#include <set>

#include "core/base/error.h"
#include "core/base/text.h"

namespace switchyard {
namespace {

/// Decides whether a sample is in a domain's split, and in its class where one is named.
class Membership {
 public:
  Membership(const Dataset& dataset, const DomainSpec& spec) : dataset_(dataset), spec_(spec) {
    if (spec.class_name.empty()) return;
    const auto& names = dataset.info().class_names;
    check_name(spec.name, "class", spec.class_name, names);
    label_ = std::find(names.begin(), names.end(), spec.class_name) - names.begin();
  }

  bool holds(int64_t sample, const SampleInfo& info) const {
    if (info.domain != spec_.domain || info.split != spec_.split) return false;
    return label_ < 0 || label_of(sample, info) == label_;
  }

 private:
  int64_t label_of(int64_t sample, const SampleInfo& info) const {
    const Sample read = dataset_.get(sample, {});
    const auto label = read.tensors.find("label");
    check(label != read.tensors.end() && label->second.numel() == 1, info.uri,
          "has no label, which '", spec_.name, "' asks for");
    return label->second.item<int64_t>();
  }

  const Dataset& dataset_;
  const DomainSpec& spec_;
  int64_t label_ = -1;
};

std::vector<Membership> memberships(const Dataset& dataset, const std::vector<DomainSpec>& specs) {
  std::vector<Membership> out;
  for (const auto& spec : specs) out.emplace_back(dataset, spec);
  return out;
}

}  // namespace

DomainSpec DomainSpec::parse(const std::string& text, const std::string& default_split) {
  const size_t at = text.find('@');
  const std::string cell = text.substr(0, at);
  const size_t colon = cell.find(':');
  return {text, cell.substr(0, colon), colon == std::string::npos ? "" : cell.substr(colon + 1),
          at == std::string::npos ? default_split : text.substr(at + 1)};
}

std::vector<DomainSpec> DomainSpec::parse(const std::vector<std::string>& texts,
                                          const std::string& default_split) {
  std::vector<DomainSpec> out;
  for (const auto& text : texts) out.push_back(parse(text, default_split));
  return out;
}

DomainIndex::DomainIndex(const Dataset& dataset, const std::vector<DomainSpec>& domains,
                         const std::vector<DomainSpec>& left_out)
    : by_domain_(domains.size()) {
  const auto in = memberships(dataset, domains), out = memberships(dataset, left_out);
  std::set<std::string> present;
  for (int64_t i = 0; i < dataset.size(); ++i) {
    const SampleInfo info = dataset.sample_info(i);
    present.insert(info.domain + "@" + info.split);
    const auto holds = [&](const Membership& m) { return m.holds(i, info); };
    if (std::any_of(out.begin(), out.end(), holds)) continue;
    for (size_t d = 0; d < domains.size(); ++d) {
      if (holds(in[d])) by_domain_[d].push_back(i);
    }
  }
  for (size_t d = 0; d < domains.size(); ++d) {
    check(!by_domain_[d].empty(), dataset.info().source, "no sample of domain '", domains[d].name,
          "' in split '", domains[d].split, "'; present: ", join({present.begin(), present.end()}));
    for (int64_t i : by_domain_[d]) samples_.emplace_back(static_cast<int64_t>(d), i);
  }
}

std::pair<int64_t, int64_t> DomainIndex::draw(const Draw& draw) const {
  const int64_t domain = draw.item % static_cast<int64_t>(by_domain_.size());
  const auto& samples = by_domain_[static_cast<size_t>(domain)];
  const int64_t pick = draw.stream("pick").below(static_cast<int64_t>(samples.size()));
  return {domain, samples[static_cast<size_t>(pick)]};
}

void DomainIndex::keep_few(int64_t count, RandomStream stream) {
  samples_.clear();
  for (size_t d = 0; d < by_domain_.size(); ++d) {
    auto& samples = by_domain_[d];
    const auto order = stream.permutation(static_cast<int64_t>(samples.size()));
    std::vector<int64_t> few;
    for (size_t i = 0; i < order.size() && static_cast<int64_t>(i) < count; ++i)
      few.push_back(samples[static_cast<size_t>(order[i])]);
    std::sort(few.begin(), few.end());
    samples = std::move(few);
    for (const int64_t sample : samples) samples_.emplace_back(static_cast<int64_t>(d), sample);
  }
}

}  // namespace switchyard
