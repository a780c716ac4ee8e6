#include <ATen/Parallel.h>

#include <cstring>

#include "core/kernels/launch.h"

namespace switchyard::kernels {

void subm_panel_cpu(const SubmPanel& p) {
  const auto bytes = static_cast<size_t>(p.row_bytes);
  const auto* x = static_cast<const char*>(p.x);
  auto* panel = static_cast<char*>(p.panel);
  at::parallel_for(0, p.rows, 4096, [&](int64_t from, int64_t to) {
    for (int64_t i = from; i < to; ++i) {
      char* out = panel + static_cast<size_t>(i) * bytes;
      if (p.neighbor[i] < 0) {
        std::memset(out, 0, bytes);
      } else {
        std::memcpy(out, x + static_cast<size_t>(p.neighbor[i]) * bytes, bytes);
      }
    }
  });
}

}  // namespace switchyard::kernels
