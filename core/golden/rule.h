#pragma once
// How strictly the files of one golden set are compared. Every set documents its own rule; here it
// becomes a least denominator and a limit.

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "core/golden/golden.h"

namespace switchyard {

/// error = max|a - b| / max(max|b|, floor), computed in double; it must not exceed the limit.
/// Infinities must stand in the same places with the same sign and count nowhere else; NaN fails.
struct GoldenRule {
  /// `tensor`: its full name; `largest`: largest absolute value among all floating tensors of its
  /// group in the file, the first part of the name ("outputs", "grads").
  std::function<double(const GoldenCase&, const std::string& tensor, double largest)> floor;
  /// Nothing where the case is not meant for the precision of this run.
  std::function<std::optional<double>(const GoldenCase&, const std::string& tensor)> limit;
  /// Where it holds, error = max(|a - b| / |b|) over the elements, without a floor. Null: nowhere.
  std::function<bool(const GoldenCase&, const std::string& tensor)> each_element = nullptr;
  /// What stands before a weight's key in the name of its gradient.
  std::string weight_gradients = "grads/";
};

using GoldenMetadata = std::map<std::string, std::string>;

struct GoldenSet {
  std::string name;
  std::function<bool(const GoldenMetadata&)> owns;  ///< whether a file belongs to the set
  GoldenRule rule;
};

/// The mark of most sets: metadata `format` with this value.
std::function<bool(const GoldenMetadata&)> golden_format(const std::string& format);
/// Fails if the name is taken.
void register_golden_set(GoldenSet set);
/// The first set that owns such a file; nullptr if none does.
const GoldenSet* find_golden_set(const GoldenMetadata& metadata);
/// "grads/stem.weight" -> "grads"
std::string golden_group(const std::string& tensor);

}  // namespace switchyard
