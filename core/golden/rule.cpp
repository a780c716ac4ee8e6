#include "core/golden/rule.h"

#include <algorithm>
#include <deque>

#include "core/base/error.h"

namespace switchyard {
namespace {

std::deque<GoldenSet>& sets() {
  static std::deque<GoldenSet> all;
  return all;
}

}  // namespace

std::string golden_group(const std::string& tensor) { return tensor.substr(0, tensor.find('/')); }

std::function<bool(const GoldenMetadata&)> golden_format(const std::string& format) {
  return [format](const GoldenMetadata& metadata) {
    const auto found = metadata.find("format");
    return found != metadata.end() && found->second == format;
  };
}

void register_golden_set(GoldenSet set) {
  const bool taken = std::any_of(sets().begin(), sets().end(),
                                 [&](const GoldenSet& other) { return other.name == set.name; });
  check(!taken, "golden set", "registered twice: got '", set.name, "'");
  sets().push_back(std::move(set));
}

const GoldenSet* find_golden_set(const GoldenMetadata& metadata) {
  for (const GoldenSet& set : sets()) {
    if (set.owns(metadata)) return &set;
  }
  return nullptr;
}

}  // namespace switchyard
