#pragma once
// Statistics of the report and the tables. Percentiles, t and Welch intervals, paired bootstrap and
// sign permutation, Spearman, entropy, Jensen-Shannon. Undefined values are NaN (`kUndefined`),
// never 0; files write them as null.

#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "core/base/random.h"

namespace switchyard {

inline constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();
inline bool defined(double x) { return x == x; }

using Row = std::vector<double>;
using Table = std::vector<Row>;  ///< rows may differ in length
using Indices = std::vector<int64_t>;
using IndexTable = std::vector<Indices>;

/// 0 .. n-1
Indices all_indices(int64_t n);

/// Linear interpolation at position (n-1) q/100 of the sorted defined values; kUndefined if none.
double percentile(Row values, double q);
/// Means and deviations over the values given; kUndefined for too few (0, or 1 for `sample`).
double mean(const Row& values);
double population_deviation(const Row& values);
double sample_deviation(const Row& values);

/// Student's t: P(|T| > |t|), and the t with P(T <= t) = p. `df` > 0, need not be an integer.
double t_two_sided(double t, double df);
double t_quantile(double p, double df);

struct MeanInterval {
  int64_t n = 0;
  double mean = kUndefined, sd = kUndefined, lo = kUndefined, hi = kUndefined;
  double half_width() const { return (hi - lo) / 2; }
};
/// t interval of a mean; no interval under `min_values` values.
MeanInterval t_interval(const Row& values, double level = 0.95, int64_t min_values = 3);

/// "beats" or "loses" only if the interval excludes 0, else "undecided".
std::string verdict(double lo, double hi);

struct Difference {
  double diff = kUndefined, lo = kUndefined, hi = kUndefined, df = kUndefined, p = kUndefined;
  std::string verdict = "undecided";
};
/// Welch interval of mean(a) - mean(b); both sides need `min_values` values.
Difference welch(const Row& a, const Row& b, double level = 0.95, int64_t min_values = 3);

struct TwinDifference {
  int64_t twin =
      1;  ///< index of the better twin: highest mean (lowest if lower is better), first on ties
  Difference difference;
};
/// Model 0 minus its better twin. `values[m]` holds the seeds of model m; needs two models.
TwinDifference better_twin_difference(const Table& values, bool higher_is_better = true,
                                      double level = 0.95);

struct PairedBootstrap {
  double diff = kUndefined, lo = kUndefined, hi = kUndefined, share_not_above_0 = kUndefined;
  Row replicates;
};
/// mean(a) - mean(b) over the same items; each row of `resamples` lists the items of a replicate.
PairedBootstrap paired_bootstrap(const Row& a, const Row& b, const IndexTable& resamples,
                                 double level = 0.95);
/// (1 + #{|mean of signed differences| >= observed}) / (1 + R); each row of `signs` is +1 or -1.
double paired_sign_permutation(const Row& a, const Row& b, const IndexTable& signs);

/// `draws` resamples with replacement of 0..n-1.
IndexTable draw_resamples(int64_t n, int64_t draws, RandomStream stream);

/// Rank correlation with average ranks; kUndefined for a constant side or under two values.
double spearman(const Row& x, const Row& y);

/// Entropy in bits of a distribution given by non-negative weights (any sum); kUndefined if all are
/// 0.
double entropy_bits(const Row& weights);
/// Jensen-Shannon divergence in bits of two non-negative rows, each scaled to sum 1; below 1e-12 ->
/// 0; kUndefined if a row is all 0.
double js_bits(const Row& a, const Row& b);

}  // namespace switchyard
