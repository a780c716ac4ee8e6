#include <ATen/native/CPUBlas.h>
#include <ATen/ops/addmm.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/zeros.h>

#include "core/base/flop_counter.h"
#include "core/kernels/block_product.h"

namespace switchyard {
namespace {

// A piece of the right matrix stays in the second-level cache.
constexpr int64_t kColumns = 256, kRight = 1 << 17;
// oneDNN compiles a kernel per size, and sizes follow the routing: large ones are cut into a
// multiple of kTile and a rest, so that few kernels serve all.
constexpr int64_t kTile = 16, kWhole = 64;
// Below so many rows at::mm is faster with so few weights.
constexpr int64_t kFew = 6, kNarrow = 1 << 16;

template <class Run>
void for_pieces(int64_t size, int64_t most, Run&& run) {
  for (int64_t begin = 0, count; begin < size; begin += count) {
    count = std::min(most, size - begin);
    if (count > kWhole) count -= count % kTile;
    run(begin, count);
  }
}

void multiply_floats(const at::Tensor& a, const at::Tensor& b, const at::Tensor& c, bool add) {
  const int64_t lda = a.stride(0), ldb = b.stride(0), ldc = c.stride(0);
  const float *left = a.const_data_ptr<float>(), *right = b.const_data_ptr<float>();
  float* out = c.data_ptr<float>();
  for_pieces(b.size(1), kColumns, [&](int64_t n, int64_t columns) {
    for_pieces(a.size(1), kRight / columns, [&](int64_t k, int64_t depth) {
      for_pieces(a.size(0), a.size(0), [&](int64_t m, int64_t rows) {
        at::native::cpublas::brgemm(rows, columns, depth, lda, ldb, ldc, add || k > 0,
                                    left + m * lda + k, right + k * ldb + n, out + m * ldc + n);
      });
    });
  });
}

/// to[c][r] = from[r][c] for a tile of kTile rows.
void transpose_tile(const float* __restrict from, int64_t from_stride, int64_t columns,
                    float* __restrict to, int64_t to_stride) {
  int64_t c = 0;
  for (; c + kTile <= columns; c += kTile)
    for (int64_t j = 0; j < kTile; ++j)
      for (int64_t i = 0; i < kTile; ++i)
        to[(c + j) * to_stride + i] = from[i * from_stride + c + j];
  for (; c < columns; ++c)
    for (int64_t i = 0; i < kTile; ++i) to[c * to_stride + i] = from[i * from_stride + c];
}

void transpose(const at::Tensor& from, const at::Tensor& to) {
  const int64_t rows = from.size(0), columns = from.size(1), from_stride = from.stride(0),
                to_stride = to.stride(0);
  const float* in = from.const_data_ptr<float>();
  float* out = to.data_ptr<float>();
  int64_t r = 0;
  for (; r + kTile <= rows; r += kTile)
    transpose_tile(in + r * from_stride, from_stride, columns, out + r, to_stride);
  for (; r < rows; ++r)
    for (int64_t c = 0; c < columns; ++c) out[c * to_stride + r] = in[r * from_stride + c];
}

at::Tensor transposed(const at::Tensor& x) {
  auto out = at::empty({x.size(1), x.size(0)}, x.options());
  transpose(x, out);
  return out;
}

bool is_float(const at::Tensor& t) { return t.scalar_type() == at::kFloat; }

}  // namespace

void multiply(const at::Tensor& a, const at::Tensor& b, at::Tensor c, bool add) {
  if (is_float(a)) {
    count_product(a.size(0), a.size(1), b.size(1));
    multiply_floats(a, b, c, add);
  } else {
    add ? c.addmm_(a, b) : at::mm_out(c, a, b);
  }
}

TransposedProduct::TransposedProduct(const at::Tensor& weight_NK, int64_t rows)
    : weight_NK_(weight_NK) {
  const int64_t n = weight_NK.size(0), k = weight_NK.size(1);
  plain_ = !is_float(weight_NK) || rows < (n * k <= kNarrow ? kFew : 2);
  if (!plain_ && rows * (n + k) >= n * k) weight_KN_ = transposed(weight_NK);
}

void TransposedProduct::operator()(const at::Tensor& x_RK, at::Tensor y_RN) const {
  if (plain_) {
    at::mm_out(y_RN, x_RK, weight_NK_.t());
  } else if (weight_KN_.defined()) {
    multiply(x_RK, weight_KN_, y_RN);
  } else {
    const int64_t rows = (x_RK.size(0) + kTile - 1) / kTile * kTile;
    const auto x_KR = at::zeros({x_RK.size(1), rows}, x_RK.options()),
               y_NR = at::empty({y_RN.size(1), rows}, y_RN.options());
    transpose(x_RK, x_KR);
    count_product(x_RK.size(0), x_RK.size(1), y_RN.size(1));
    multiply_floats(weight_NK_, x_KR, y_NR, false);
    transpose(y_NR.narrow(1, 0, x_RK.size(0)), y_RN);
  }
}

OuterSum::OuterSum(const at::Tensor& sum_NK, int64_t rows) : sum_NK_(sum_NK) {
  const int64_t n = sum_NK.size(0), k = sum_NK.size(1);
  if (is_float(sum_NK) && rows * n > rows * k + n * k)
    sum_KN_ = at::empty({k, n}, sum_NK.options());
}

void OuterSum::add(const at::Tensor& dy_RN, const at::Tensor& x_RK) {
  if (!is_float(x_RK))
    multiply(dy_RN.t(), x_RK, sum_NK_, begun_);
  else if (sum_KN_.defined())
    multiply(transposed(x_RK), dy_RN, sum_KN_, begun_);
  else
    multiply(transposed(dy_RN), x_RK, sum_NK_, begun_);
  begun_ = true;
}

void OuterSum::finish() {
  if (sum_KN_.defined()) transpose(sum_KN_, sum_NK_);
}

}  // namespace switchyard
