#include "core/train/weight_match.h"

#include <algorithm>
#include <set>

#include "core/base/error.h"
#include "core/train/weight_names.h"

namespace switchyard {
namespace {

const std::string kModule = "module.", kBackbone = "backbone.";

std::string some(const char* kind, const std::vector<std::string>& names) {
  constexpr size_t kShown = 5;
  if (names.empty()) return {};
  const std::vector<std::string> first(names.begin(),
                                       names.begin() + std::min(kShown, names.size()));
  return cat("; ", kind, " ", names.size(), ": ", join(first),
             names.size() > kShown ? ", ..." : "");
}

bool all_have(const NamedTensors& tensors, const std::string& prefix) {
  return !tensors.empty() && std::all_of(tensors.begin(), tensors.end(), [&](const auto& t) {
    return t.first.starts_with(prefix);
  });
}

NamedTensors without(NamedTensors tensors, const std::string& prefix) {
  for (auto& [name, tensor] : tensors) {
    if (name.starts_with(prefix)) name.erase(0, prefix.size());
  }
  return tensors;
}

NamedTensors with(NamedTensors tensors, const std::string& prefix) {
  for (auto& [name, tensor] : tensors) name.insert(0, prefix);
  return tensors;
}

/// Distinct names that `wanted` has too; -1 if two names are one.
int64_t met(const NamedTensors& tensors, const std::set<std::string>& wanted) {
  std::set<std::string> names;
  int64_t count = 0;
  for (const auto& [name, tensor] : tensors) {
    if (!names.insert(name).second) return -1;
    count += static_cast<int64_t>(wanted.count(name));
  }
  return count;
}

/// Tensors that the model does not know keep their names.
NamedTensors with_known(const NamedTensors& tensors, const std::set<std::string>& wanted) {
  NamedTensors out = with(tensors, kBackbone);
  for (size_t i = 0; i < out.size(); ++i) {
    if (!wanted.count(out[i].first)) out[i].first = tensors[i].first;
  }
  return out;
}

NamedTensors align(NamedTensors tensors, const WeightNames* names,
                   const std::set<std::string>& wanted, std::string& note) {
  if (all_have(tensors, kModule)) note = "without '" + kModule + "'";
  tensors = strip_module(std::move(tensors));
  if (names) tensors = names->to_own(tensors, note);
  NamedTensors off = without(tensors, kBackbone), on = with_known(tensors, wanted);
  const int64_t as_is = met(tensors, wanted), met_off = met(off, wanted), met_on = met(on, wanted);
  if (std::max(met_off, met_on) <= as_is) return tensors;
  note += cat(note.empty() ? "" : ", ", met_off >= met_on ? "without '" : "with '", kBackbone, "'");
  return met_off >= met_on ? off : on;
}

}  // namespace

std::string LoadReport::text() const {
  return cat("matched ", matched, some("missing", missing), some("unexpected", unexpected),
             some("of another shape", reshaped),
             renamed.empty() ? "" : "; names of the file taken " + renamed);
}

WeightMatch match_weights(const Module& model, const NamedTensors& tensors) {
  const auto views = model.views();
  const auto* names = dynamic_cast<const WeightNames*>(&model);
  std::set<std::string> wanted;
  for (const ParamView& view : views) wanted.insert(view.name);
  WeightMatch out;
  std::map<std::string, at::Tensor> given;
  for (const auto& [name, tensor] : align(tensors, names, wanted, out.report.renamed)) {
    given[name] = tensor;
    if (!wanted.count(name)) out.report.unexpected.push_back(name);
  }
  for (const ParamView& view : views) {
    const auto found = given.find(view.name);
    const at::Tensor value = view.value();
    const auto expected = value.sizes();
    if (found == given.end()) {
      out.report.missing.push_back(view.name);
    } else if (found->second.sizes() != expected) {
      out.report.reshaped.push_back(cat(view.name, " ", to_text(found->second.sizes().vec()),
                                        " for ", to_text(expected.vec())));
    } else {
      ++out.report.matched;
      out.fitting.emplace_back(view.name, found->second);
    }
  }
  return out;
}

NamedTensors strip_prefix(const NamedTensors& tensors, const std::string& prefix,
                          const std::string& where) {
  const bool any = std::any_of(tensors.begin(), tensors.end(),
                               [&](const auto& t) { return t.first.starts_with(prefix); });
  std::vector<std::string> first;
  for (size_t i = 0; i < std::min<size_t>(3, tensors.size()); ++i)
    first.push_back(tensors[i].first);
  check(any, where, "no name has the prefix: got '", prefix,
        "'; the first names are: ", join(first));
  NamedTensors out = without(tensors, prefix);
  check(met(out, {}) >= 0, where, "two names become one without '", prefix, "'");
  return out;
}

NamedTensors strip_module(NamedTensors tensors) {
  return all_have(tensors, kModule) ? without(std::move(tensors), kModule) : tensors;
}

}  // namespace switchyard
