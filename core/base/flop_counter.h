#pragma once

#include <cstdint>
#include <memory>

namespace switchyard {

/// Counts 2 x multiply-adds of every matrix product (mm, addmm, bmm, baddbmm, _grouped_mm,
/// attention, count_product()) that runs on any thread while it lives.
class FlopCounter {
 public:
  FlopCounter();
  ~FlopCounter();
  FlopCounter(const FlopCounter&) = delete;
  FlopCounter& operator=(const FlopCounter&) = delete;
  int64_t flops() const;

 private:
  uint64_t handle_;
};

/// A product [rows, inner] x [inner, columns] that is no operator of torch.
void count_product(int64_t rows, int64_t inner, int64_t columns);

}  // namespace switchyard
