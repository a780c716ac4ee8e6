#include "core/kernels/rows.h"

#include "core/kernels/device_call.h"

namespace switchyard {

using namespace kernels;

at::Tensor gather_rows(const at::Tensor& x_TC, const at::Tensor& index_A) {
  const auto x = x_TC.contiguous();
  const int64_t rows = index_A.size(0), width = x.size(1);
  auto out = at::empty({rows, width}, x.options());
  launch(Gather{x.data_ptr(), index_A.data_ptr<int64_t>(), dtype_of(x, "gather_rows"), rows, width,
                out.data_ptr()},
         x.device(), gather_rows_cpu, gather_rows_cuda);
  return out;
}

at::Tensor combine_rows(const at::Tensor& rows_AC, const at::Tensor& weight_A,
                        const at::Tensor& position_A, const at::Tensor& token_offset) {
  const int64_t tokens = token_offset.size(0) - 1, width = rows_AC.size(1);
  auto out = at::empty({tokens, width}, rows_AC.options());
  const void* weight = weight_A.defined() ? weight_A.data_ptr() : nullptr;
  launch(Combine{rows_AC.data_ptr(), weight, position_A.data_ptr<int64_t>(),
                 token_offset.data_ptr<int64_t>(), dtype_of(rows_AC, "combine_rows"), tokens, width,
                 out.data_ptr()},
         out.device(), combine_rows_cpu, combine_rows_cuda);
  return out;
}

}  // namespace switchyard
