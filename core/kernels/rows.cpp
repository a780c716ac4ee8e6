#include "core/kernels/rows.h"

#include "core/kernels/device_call.h"

namespace switchyard {

using namespace kernels;

at::Tensor gather_rows(const at::Tensor& x_TC, const at::Tensor& index_A) {
  const auto x = x_TC.contiguous();
  auto out = at::empty({index_A.size(0), x.size(1)}, x.options());
  launch(Gather{x.data_ptr(), index_A.data_ptr<int64_t>(), index_A.size(0),
                x.size(1) * x.element_size(), out.data_ptr()},
         x.device(), gather_rows_cpu, gather_rows_cuda);
  return out;
}

at::ScalarType row_weight_type(const at::Tensor& rows) {
  return rows.element_size() < 4 ? at::kFloat : rows.scalar_type();
}

at::Tensor combine_rows(const at::Tensor& rows_AC, const at::Tensor& weight_A,
                        const at::Tensor& position_A, const at::Tensor& token_offset,
                        const RowBias& bias, bool only_rows_are_new) {
  const int64_t tokens = token_offset.size(0) - 1, width = rows_AC.size(1);
  auto out = at::empty({tokens, width}, rows_AC.options());
  const auto pointer = [](const at::Tensor& t) { return t.defined() ? t.data_ptr() : nullptr; };
  const auto bias_EC = bias.value_EC.defined() ? bias.value_EC.contiguous() : at::Tensor();
  launch(
      Combine{rows_AC.data_ptr(), pointer(weight_A), pointer(bias_EC),
              position_A.data_ptr<int64_t>(), token_offset.data_ptr<int64_t>(),
              static_cast<const int64_t*>(pointer(bias.slot_of)), dtype_of(rows_AC, "combine_rows"),
              rows_AC.size(0), tokens, width, out.data_ptr(), only_rows_are_new},
      out.device(), combine_rows_cpu, combine_rows_cuda);
  return out;
}

}  // namespace switchyard
