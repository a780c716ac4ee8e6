#include "core/kernels/row_index.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/searchsorted.h>
#include <ATen/ops/sort.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/custom_function.h>

#include "core/base/text.h"
#include "core/kernels/rows.h"

namespace switchyard {
namespace {

class TakeRows : public torch::autograd::Function<TakeRows> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* ctx, const at::Tensor& x_NC,
                            const at::Tensor& index, const at::Tensor& position,
                            const at::Tensor& offset) {
    ctx->save_for_backward({position, offset});
    return gather_rows(x_NC, index);
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* ctx,
                                                 torch::autograd::variable_list grads) {
    const auto saved = ctx->get_saved_variables();
    return {combine_rows(grads[0].contiguous(), {}, saved[0], saved[1]), {}, {}, {}};
  }
};

}  // namespace

RowIndex::RowIndex(const at::Tensor& index_A, int64_t rows, at::Device device)
    : index_(index_A.contiguous()) {
  if (index_.is_cpu())
    transpose_on_cpu(rows);
  else
    transpose_on_device(rows);
  index_ = index_.to(device);
  position_ = position_.to(device);
  offset_ = offset_.to(device);
}

void RowIndex::transpose_on_cpu(int64_t rows) {
  const int64_t* row = index_.const_data_ptr<int64_t>();
  offset_ = at::zeros({rows + 1}, at::kLong);
  position_ = at::empty_like(index_);
  int64_t *end = offset_.data_ptr<int64_t>(), *out = position_.data_ptr<int64_t>();
  for (int64_t a = 0; a < index_.numel(); ++a) {
    check(row[a] >= 0 && row[a] < rows, "RowIndex", "index out of range: got ", row[a],
          " at position ", a, ", expected 0 .. ", rows - 1);
    ++end[row[a] + 1];
  }
  std::partial_sum(end, end + rows + 1, end);
  std::vector<int64_t> next(end, end + rows);
  for (int64_t a = 0; a < index_.numel(); ++a) out[next[static_cast<size_t>(row[a])]++] = a;
}

void RowIndex::transpose_on_device(int64_t rows) {
  const auto [sorted, position] = at::sort(index_, std::optional<bool>(true), 0);
  position_ = position;
  offset_ = at::searchsorted(sorted, at::arange(rows + 1, index_.options()));
}

at::Tensor take_rows(const at::Tensor& x_NC, const RowIndex& index) {
  check(x_NC.dim() == 2 && x_NC.size(0) == index.rows(), "take_rows", "shape: got ",
        to_text(x_NC.sizes().vec()), ", expected [", index.rows(), ", C]");
  return TakeRows::apply(x_NC, index.index(), index.position(), index.offset());
}

}  // namespace switchyard
