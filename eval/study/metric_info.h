#pragma once
// What tables and the report must know of a metric besides its name.

#include <string>

namespace switchyard {

struct MetricInfo {
  std::string name;  ///< before the protocol: "fid" of "fid@features=NAME"
  bool higher_is_better = true;
  double scale = 1;  ///< tables hold the metric times this
  std::string unit;  ///< "%" or nothing
  int decimals = 1;  ///< as printed

  /// What a title says behind the name: ", %", " × 1000" or nothing.
  std::string suffix() const;
  /// "higher is better"
  std::string direction() const {
    return higher_is_better ? "higher is better" : "lower is better";
  }
  /// A difference as an advantage of the first side: positive is better.
  double gain(double difference) const { return higher_is_better ? difference : -difference; }
  /// "beats" or "loses" where an interval of the difference excludes 0, else "undecided".
  std::string verdict(double lo, double hi) const;
  /// The least difference that is printed.
  double resolution() const;
};

/// Of "miou@...", "loss@...", "mse@...", "fid@...", "sfid@...", "kid@...", "is@...",
/// "precision@...", "recall@..."; any other counts as a percentage, higher is better, like miou.
const MetricInfo& metric_info(const std::string& metric);

}  // namespace switchyard
