#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace switchyard {

/// Counts 2 x multiply-adds of every matrix product that runs on any thread while it lives: mm,
/// addmm, bmm, baddbmm, _grouped_mm (the rows that are in use), attention, convolutions, and what
/// our kernels report below. One lives at a time.
class FlopCounter {
 public:
  FlopCounter();
  ~FlopCounter();
  FlopCounter(const FlopCounter&) = delete;
  FlopCounter& operator=(const FlopCounter&) = delete;
  /// Waits for the device where it alone knows a number of rows.
  int64_t flops() const;

 private:
  uint64_t handle_;
};

/// A product [rows, inner] x [inner, columns] that is no operator of torch.
void count_product(int64_t rows, int64_t inner, int64_t columns);
/// Likewise of groups of rows: the last of `ends` says how many there are, perhaps on a GPU.
void count_grouped(const at::Tensor& ends, int64_t inner, int64_t columns);

}  // namespace switchyard
