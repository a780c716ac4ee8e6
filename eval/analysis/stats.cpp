#include "eval/analysis/stats.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/base/error.h"

namespace switchyard {
namespace {

constexpr double kTinyBits = 1e-12;
constexpr char kWhere[] = "eval/analysis/stats";

double squares(const Row& values) {
  const double center = mean(values);
  double sum = 0;
  for (double x : values) sum += (x - center) * (x - center);
  return sum;
}

// Continued fraction of the incomplete beta function (Lentz's method).
double beta_fraction(double x, double a, double b) {
  constexpr double kTiny = 1e-300, kEps = 1e-16;
  double c = 1, d = 1 - (a + b) * x / (a + 1);
  d = 1 / (std::abs(d) < kTiny ? kTiny : d);
  double result = d;
  const auto step = [&](double numerator) {
    d = 1 + numerator * d;
    c = 1 + numerator / c;
    d = 1 / (std::abs(d) < kTiny ? kTiny : d);
    if (std::abs(c) < kTiny) c = kTiny;
    result *= d * c;
    return d * c;
  };
  for (int m = 1; m <= 10000; ++m) {
    step(m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)));
    if (std::abs(step(-(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))) - 1) < kEps)
      break;
  }
  return result;
}

double incomplete_beta(double x, double a, double b) {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  const double front = std::exp(std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b) +
                                a * std::log(x) + b * std::log1p(-x));
  if (x < (a + 1) / (a + b + 2)) return front * beta_fraction(x, a, b) / a;
  return 1 - front * beta_fraction(1 - x, b, a) / b;
}

Row average_ranks(const Row& values) {
  const auto n = static_cast<int64_t>(values.size());
  Indices order = all_indices(n);
  std::stable_sort(order.begin(), order.end(),
                   [&](auto i, auto j) { return values[i] < values[j]; });
  Row ranks(n);
  for (int64_t begin = 0, end; begin < n; begin = end) {
    for (end = begin + 1; end < n && values[order[end]] == values[order[begin]];) ++end;
    for (int64_t i = begin; i < end; ++i) ranks[order[i]] = (begin + end + 1) / 2.0;
  }
  return ranks;
}

Row differences(const Row& a, const Row& b) {
  check(a.size() == b.size(), kWhere, "paired values differ in number: got ", a.size(), " and ",
        b.size(), ", expected equal numbers");
  Row out(a.size());
  for (size_t i = 0; i < a.size(); ++i) out[i] = a[i] - b[i];
  return out;
}

Row scaled(const Row& weights) {
  const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
  if (!(total > 0)) return {};
  Row out(weights);
  for (double& x : out) x /= total;
  return out;
}

}  // namespace

Indices all_indices(int64_t n) {
  Indices out(n);
  std::iota(out.begin(), out.end(), 0);
  return out;
}

double percentile(Row values, double q) {
  std::erase_if(values, [](double x) { return !defined(x); });
  if (values.empty()) return kUndefined;
  const double position = (values.size() - 1) * q / 100;
  const auto low = std::min(static_cast<size_t>(position), values.size() - 1);
  std::nth_element(values.begin(), values.begin() + low, values.end());
  const double below = values[low];
  if (low + 1 == values.size()) return below;
  const double above = *std::min_element(values.begin() + low + 1, values.end());
  return below + (position - low) * (above - below);
}

double mean(const Row& values) {
  if (values.empty()) return kUndefined;
  return std::accumulate(values.begin(), values.end(), 0.0) / values.size();
}

double population_deviation(const Row& values) {
  return values.empty() ? kUndefined : std::sqrt(squares(values) / values.size());
}

double sample_deviation(const Row& values) {
  return values.size() < 2 ? kUndefined : std::sqrt(squares(values) / (values.size() - 1.0));
}

double t_two_sided(double t, double df) { return incomplete_beta(df / (df + t * t), df / 2, 0.5); }

double t_quantile(double p, double df) {
  check(p > 0 && p < 1 && df > 0, kWhere, "no such t quantile: got p ", p, " and df ", df,
        ", expected 0 < p < 1 and df > 0");
  const double tail = 2 * std::min(p, 1 - p);
  double low = 0, high = 1;
  while (t_two_sided(high, df) > tail && high < 1e300) high *= 2;
  for (int i = 0; i < 200 && low < high; ++i) {
    const double middle = low + (high - low) / 2;
    if (middle == low || middle == high) break;
    (t_two_sided(middle, df) > tail ? low : high) = middle;
  }
  return p < 0.5 ? -high : high;
}

MeanInterval t_interval(const Row& values, double level, int64_t min_values) {
  MeanInterval out;
  out.n = static_cast<int64_t>(values.size());
  out.mean = mean(values);
  out.sd = sample_deviation(values);
  if (out.n < std::max<int64_t>(min_values, 2)) return out;
  const double half =
      out.sd > 0 ? t_quantile((1 + level) / 2, out.n - 1.0) * out.sd / std::sqrt(out.n) : 0;
  out.lo = out.mean - half;
  out.hi = out.mean + half;
  return out;
}

std::string verdict(double lo, double hi) {
  if (lo > 0) return "beats";
  if (hi < 0) return "loses";
  return "undecided";
}

Difference welch(const Row& a, const Row& b, double level, int64_t min_values) {
  Difference out;
  out.diff = mean(a) - mean(b);
  const auto needed = static_cast<size_t>(std::max<int64_t>(min_values, 2));
  if (a.size() < needed || b.size() < needed) return out;
  const double na = a.size(), nb = b.size();
  const double va = squares(a) / (na - 1) / na, vb = squares(b) / (nb - 1) / nb;
  double half = 0;
  if (va + vb > 0) {
    out.df = (va + vb) * (va + vb) / (va * va / (na - 1) + vb * vb / (nb - 1));
    out.p = t_two_sided(out.diff / std::sqrt(va + vb), out.df);
    half = t_quantile((1 + level) / 2, out.df) * std::sqrt(va + vb);
  }
  out.lo = out.diff - half;
  out.hi = out.diff + half;
  out.verdict = verdict(out.lo, out.hi);
  return out;
}

TwinDifference better_twin_difference(const Table& values, bool higher_is_better, double level) {
  check(values.size() >= 2, kWhere, "no twin to compare with: got ", values.size(),
        " models, expected at least 2");
  TwinDifference out;
  const double sign = higher_is_better ? 1 : -1;
  for (size_t m = 2; m < values.size(); ++m)
    if (sign * mean(values[m]) > sign * mean(values[out.twin])) out.twin = static_cast<int64_t>(m);
  out.difference = welch(values[0], values[out.twin], level);
  return out;
}

PairedBootstrap paired_bootstrap(const Row& a, const Row& b, const IndexTable& resamples,
                                 double level) {
  const Row difference = differences(a, b);
  PairedBootstrap out;
  out.diff = mean(difference);
  int64_t not_above = 0;
  for (const auto& items : resamples) {
    double sum = 0;
    for (int64_t i : items) sum += difference.at(i);
    out.replicates.push_back(items.empty() ? kUndefined : sum / items.size());
    not_above += out.replicates.back() <= 0;
  }
  out.lo = percentile(out.replicates, 50 * (1 - level));
  out.hi = percentile(out.replicates, 50 * (1 + level));
  if (!resamples.empty()) out.share_not_above_0 = double(not_above) / resamples.size();
  return out;
}

double paired_sign_permutation(const Row& a, const Row& b, const IndexTable& signs) {
  const Row difference = differences(a, b);
  const double observed = std::abs(mean(difference));
  int64_t reached = 0;
  for (const auto& row : signs) {
    Row flipped(difference);
    for (size_t i = 0; i < flipped.size(); ++i) flipped[i] *= row.at(i);
    reached += std::abs(mean(flipped)) >= observed;
  }
  return (1.0 + reached) / (1.0 + signs.size());
}

IndexTable draw_resamples(int64_t n, int64_t draws, RandomStream stream) {
  IndexTable out(draws, Indices(n));
  for (auto& row : out)
    for (auto& item : row) item = stream.below(n);
  return out;
}

double spearman(const Row& x, const Row& y) {
  check(x.size() == y.size(), kWhere, "sides differ in length: got ", x.size(), " and ", y.size());
  if (x.size() < 2) return kUndefined;
  const Row rx = average_ranks(x), ry = average_ranks(y);
  const double scale = std::sqrt(squares(rx) * squares(ry));
  if (!(scale > 0)) return kUndefined;
  const double mx = mean(rx), my = mean(ry);
  double sum = 0;
  for (size_t i = 0; i < x.size(); ++i) sum += (rx[i] - mx) * (ry[i] - my);
  return sum / scale;
}

double entropy_bits(const Row& weights) {
  const Row p = scaled(weights);
  if (p.empty()) return kUndefined;
  double bits = 0;
  for (double x : p)
    if (x > 0) bits -= x * std::log2(x);
  return std::max(bits, 0.0);
}

double js_bits(const Row& a, const Row& b) {
  const Row p = scaled(a), q = scaled(b);
  if (p.empty() || q.empty()) return kUndefined;
  double bits = 0;
  for (size_t i = 0; i < p.size(); ++i) {
    const double middle = (p[i] + q[i]) / 2;
    if (p[i] > 0) bits += p[i] * std::log2(p[i] / middle) / 2;
    if (q[i] > 0) bits += q[i] * std::log2(q[i] / middle) / 2;
  }
  return bits < kTinyBits ? 0 : bits;
}

}  // namespace switchyard
