#include <ATen/Parallel.h>

#include <cstring>

#include "core/kernels/subm_conv.h"

namespace switchyard::kernels {

void subm_panel_cpu(const at::Tensor& x_NC, const at::Tensor& neighbor_NK, int64_t begin,
                    const at::Tensor& panel_BJ) {
  const auto bytes = static_cast<size_t>(x_NC.size(1) * x_NC.element_size());
  const int64_t offsets = neighbor_NK.size(1);
  const auto* x = static_cast<const char*>(x_NC.const_data_ptr());
  const auto* neighbor = neighbor_NK.const_data_ptr<int32_t>() + begin * offsets;
  auto* panel = static_cast<char*>(panel_BJ.mutable_data_ptr());
  at::parallel_for(0, panel_BJ.size(0) * offsets, 4096, [&](int64_t from, int64_t to) {
    for (int64_t i = from; i < to; ++i) {
      char* out = panel + static_cast<size_t>(i) * bytes;
      if (neighbor[i] < 0) {
        std::memset(out, 0, bytes);
      } else {
        std::memcpy(out, x + static_cast<size_t>(neighbor[i]) * bytes, bytes);
      }
    }
  });
}

}  // namespace switchyard::kernels
