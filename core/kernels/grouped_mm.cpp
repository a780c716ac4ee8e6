#include "core/kernels/grouped_mm.h"

#include <ATen/ops/_grouped_mm.h>
#include <ATen/ops/addmm.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/sum.h>

namespace switchyard {
namespace {

bool one_call(const at::Tensor& x, int64_t n, int64_t k) {
  return x.is_cuda() && x.scalar_type() == at::kBFloat16 && n % 8 == 0 && k % 8 == 0 &&
         x.size(0) > 0;
}

template <class Run>
void for_groups(RowGroups& groups, Run&& run) {
  const auto& offset = groups.host();
  for (size_t e = 0; e + 1 < offset.size(); ++e)
    run(static_cast<int64_t>(e), offset[e], offset[e + 1] - offset[e]);
}

}  // namespace

const std::vector<int64_t>& RowGroups::host() {
  if (host_.empty()) {
    const auto offset = offset_.to(at::kCPU);
    host_.assign(offset.data_ptr<int64_t>(), offset.data_ptr<int64_t>() + offset.size(0));
  }
  return host_;
}

const at::Tensor& RowGroups::ends() {
  if (!ends_.defined()) ends_ = offset_.slice(0, 1).to(at::kInt);
  return ends_;
}

at::Tensor grouped_linear(const at::Tensor& x_AK, const at::Tensor& weight_ENK,
                          const at::Tensor& bias_EN, RowGroups& groups) {
  const int64_t n = weight_ENK.size(1);
  if (!bias_EN.defined() && one_call(x_AK, n, x_AK.size(1))) {
    return at::_grouped_mm(x_AK, weight_ENK.transpose(1, 2), groups.ends());
  }
  auto out = at::empty({x_AK.size(0), n}, x_AK.options());
  for_groups(groups, [&](int64_t e, int64_t begin, int64_t rows) {
    if (rows == 0) return;
    auto y = out.narrow(0, begin, rows);
    const auto x = x_AK.narrow(0, begin, rows), w = weight_ENK.select(0, e).t();
    bias_EN.defined() ? at::addmm_out(y, bias_EN.select(0, e), x, w) : at::mm_out(y, x, w);
  });
  return out;
}

at::Tensor grouped_linear_dx(const at::Tensor& dy_AN, const at::Tensor& weight_ENK,
                             RowGroups& groups) {
  const int64_t k = weight_ENK.size(2);
  if (one_call(dy_AN, dy_AN.size(1), k)) return at::_grouped_mm(dy_AN, weight_ENK, groups.ends());
  auto out = at::empty({dy_AN.size(0), k}, dy_AN.options());
  for_groups(groups, [&](int64_t e, int64_t begin, int64_t rows) {
    if (rows == 0) return;
    auto y = out.narrow(0, begin, rows);
    at::mm_out(y, dy_AN.narrow(0, begin, rows), weight_ENK.select(0, e));
  });
  return out;
}

at::Tensor grouped_linear_dw(const at::Tensor& dy_AN, const at::Tensor& x_AK, RowGroups& groups) {
  if (one_call(dy_AN, dy_AN.size(1), x_AK.size(1))) {
    return at::_grouped_mm(dy_AN.t(), x_AK, groups.ends());
  }
  const auto count = static_cast<int64_t>(groups.host().size()) - 1;
  auto out = at::zeros({count, dy_AN.size(1), x_AK.size(1)}, dy_AN.options());
  for_groups(groups, [&](int64_t e, int64_t begin, int64_t rows) {
    if (rows == 0) return;
    auto y = out.select(0, e);
    at::mm_out(y, dy_AN.narrow(0, begin, rows).t(), x_AK.narrow(0, begin, rows));
  });
  return out;
}

at::Tensor grouped_sum(const at::Tensor& dy_AN, RowGroups& groups) {
  const auto count = static_cast<int64_t>(groups.host().size()) - 1;
  auto out = at::zeros({count, dy_AN.size(1)}, dy_AN.options());
  for_groups(groups, [&](int64_t e, int64_t begin, int64_t rows) {
    if (rows > 0) out.select(0, e).copy_(dy_AN.narrow(0, begin, rows).sum(0));
  });
  return out;
}

}  // namespace switchyard
