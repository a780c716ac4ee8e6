#include "datasets/hash_split.h"

#include "core/base/random.h"

namespace switchyard {

void HashSplit::declare(Fields<HashSplit>& f) {
  f.add("seed", &HashSplit::seed, "which samples are in test", at_least(0));
  f.add("test_share", &HashSplit::test_share, "expected share of test", between(0, 1));
}

std::string HashSplit::split_of(const std::string& uri) const {
  RandomStream stream(static_cast<uint64_t>(seed), "split", 0, hash64(uri));
  return stream.chance(test_share) ? "test" : "train";
}

}  // namespace switchyard
