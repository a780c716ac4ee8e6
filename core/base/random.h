#pragma once
// Counter-based random streams. A stream is a pure function of its key (seed, purpose, step, item),
// so prefetch order, resume and thread count cannot change what is drawn. There is no global
// generator. Mixing function: SplitMix64 (Steele, Lea, Flood 2014).

#include <cstdint>
#include <string_view>
#include <vector>

namespace switchyard {

/// Finaliser of SplitMix64.
uint64_t mix64(uint64_t z);
/// FNV-1a, 64 bit.
uint64_t hash64(std::string_view text);

class RandomStream {
 public:
  /// `purpose` names what the draws are for ("crop", "init"), so that purposes stay independent.
  RandomStream(uint64_t seed, std::string_view purpose, uint64_t step = 0, uint64_t item = 0);
  explicit RandomStream(uint64_t key) : key_(key) {}

  /// An independent stream below this one; does not advance this one.
  RandomStream child(std::string_view purpose, uint64_t item = 0) const;

  uint64_t next() { return mix64(key_ + ++counter_ * 0x9E3779B97F4A7C15ull); }
  /// [0, 1) with 53 bits.
  double uniform() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  /// Standard normal (Box-Muller, one of the pair).
  double normal();
  double normal(double mean, double deviation) { return mean + deviation * normal(); }
  bool chance(double probability) { return uniform() < probability; }
  /// 0 .. n-1; n >= 1. Bias below 2^-32 for n < 2^32.
  int64_t below(int64_t n);
  /// Index drawn with probability proportional to `weights`.
  int64_t weighted(const std::vector<double>& weights);
  /// A permutation of 0 .. n-1.
  std::vector<int64_t> permutation(int64_t n);

 private:
  uint64_t key_;
  uint64_t counter_ = 0;
};

}  // namespace switchyard
