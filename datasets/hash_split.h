#pragma once

#include <string>

#include "core/base/params.h"

namespace switchyard {

/// A seeded split of data that come with none: a sample is in "test" or "train" by the hash of its
/// uri, so adding samples moves no other.
struct HashSplit {
  int64_t seed = 0;
  double test_share = .2;
  static void declare(Fields<HashSplit>& f);
  std::string split_of(const std::string& uri) const;
};

}  // namespace switchyard
