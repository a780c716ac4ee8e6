#include "core/kernels/grouped_mm.h"

#include <ATen/Parallel.h>
#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/ops/_grouped_mm.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/sum.h>

#include <limits>

namespace switchyard {
namespace {

constexpr int64_t kBlockRows = 512;
constexpr int64_t kNarrowWeight = 256 * 256;  // elements
constexpr int64_t kColumns = 8;               // the narrowest that at::_grouped_mm takes
constexpr int64_t kWholeGroup = std::numeric_limits<int64_t>::max();

bool one_call(const at::Tensor& x, int64_t n, int64_t k) {
  return x.is_cuda() && x.scalar_type() == at::kBFloat16 && n % 8 == 0 && k % 8 == 0 &&
         x.size(0) > 0;
}

bool narrow(const at::Tensor& x, int64_t n, int64_t k) {
  return x.is_cpu() && n * k <= kNarrowWeight;
}

/// Calls run(index, block) for every block; narrow blocks side by side.
template <class Run>
void for_blocks(RowGroups& groups, bool is_narrow, Run&& run) {
  const auto& blocks = groups.blocks(is_narrow ? kBlockRows : kWholeGroup);
  const auto count = static_cast<int64_t>(blocks.size());
  const auto some = [&](int64_t begin, int64_t end) {
    const at::AutoDispatchBelowADInplaceOrView no_autograd;
    for (int64_t i = begin; i < end; ++i) run(i, blocks[static_cast<size_t>(i)]);
  };
  is_narrow ? at::parallel_for(0, count, 1, some) : some(0, count);
}

/// Adds the blocks' products to their groups in order.
at::Tensor sum_blocks(const at::Tensor& parts, const std::vector<RowGroups::Block>& blocks,
                      int64_t groups) {
  auto out = at::zeros({groups, parts.size(1), parts.size(2)}, parts.options());
  for (size_t i = 0; i < blocks.size(); ++i) {
    out.select(0, blocks[i].group).add_(parts.select(0, static_cast<int64_t>(i)));
  }
  return out;
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

const std::vector<RowGroups::Block>& RowGroups::blocks(int64_t limit) {
  if (limit == limit_) return blocks_;
  limit_ = limit;
  blocks_.clear();
  const auto& offset = host();
  for (size_t e = 0; e + 1 < offset.size(); ++e) {
    for (int64_t begin = offset[e]; begin < offset[e + 1];) {
      const int64_t rows = std::min(limit, offset[e + 1] - begin);
      blocks_.push_back({static_cast<int64_t>(e), begin, rows});
      begin += rows;
    }
  }
  return blocks_;
}

at::Tensor grouped_linear(const at::Tensor& x_AK, const at::Tensor& weight_ENK, RowGroups& groups) {
  const int64_t n = weight_ENK.size(1), k = weight_ENK.size(2);
  if (one_call(x_AK, n, k)) return at::_grouped_mm(x_AK, weight_ENK.transpose(1, 2), groups.ends());
  auto out = at::empty({x_AK.size(0), n}, x_AK.options());
  for_blocks(groups, narrow(x_AK, n, k), [&](int64_t, const RowGroups::Block& b) {
    auto y = out.narrow(0, b.begin, b.rows);
    at::mm_out(y, x_AK.narrow(0, b.begin, b.rows), weight_ENK.select(0, b.group).t());
  });
  return out;
}

at::Tensor grouped_linear_dx(const at::Tensor& dy_AN, const at::Tensor& weight_ENK,
                             RowGroups& groups) {
  const int64_t n = weight_ENK.size(1), k = weight_ENK.size(2);
  if (one_call(dy_AN, n, k)) return at::_grouped_mm(dy_AN, weight_ENK, groups.ends());
  auto out = at::empty({dy_AN.size(0), k}, dy_AN.options());
  for_blocks(groups, narrow(dy_AN, n, k), [&](int64_t, const RowGroups::Block& b) {
    auto y = out.narrow(0, b.begin, b.rows);
    at::mm_out(y, dy_AN.narrow(0, b.begin, b.rows), weight_ENK.select(0, b.group));
  });
  return out;
}

at::Tensor grouped_linear_dw(const at::Tensor& dy_AN, const at::Tensor& x_AK, RowGroups& groups) {
  const int64_t n = dy_AN.size(1), k = x_AK.size(1);
  if (one_call(dy_AN, n, k)) return at::_grouped_mm(dy_AN.t(), x_AK, groups.ends());
  const bool is_narrow = narrow(dy_AN, n, k);
  const auto& blocks = groups.blocks(is_narrow ? kBlockRows : kWholeGroup);
  auto parts = at::empty({static_cast<int64_t>(blocks.size()), n, k}, dy_AN.options());
  for_blocks(groups, is_narrow, [&](int64_t i, const RowGroups::Block& b) {
    auto y = parts.select(0, i);
    at::mm_out(y, dy_AN.narrow(0, b.begin, b.rows).t(), x_AK.narrow(0, b.begin, b.rows));
  });
  return sum_blocks(parts, blocks, static_cast<int64_t>(groups.host().size()) - 1);
}

at::Tensor grouped_sum(const at::Tensor& dy_AN, const at::Tensor& weight_A, RowGroups& groups) {
  const int64_t rows = dy_AN.size(0);
  if (one_call(dy_AN, dy_AN.size(1), kColumns)) {
    const auto weight = weight_A.defined() ? weight_A : at::ones({rows}, dy_AN.options());
    const auto weight_AK = weight.unsqueeze(1).expand({rows, kColumns}).contiguous();
    return grouped_linear_dw(dy_AN, weight_AK, groups).select(2, 0);
  }
  const auto scaled = weight_A.defined() ? dy_AN * weight_A.unsqueeze(1) : dy_AN;
  const auto count = static_cast<int64_t>(groups.host().size()) - 1;
  auto out = at::zeros({count, dy_AN.size(1)}, dy_AN.options());
  for (const auto& block : groups.blocks(kWholeGroup))
    out.select(0, block.group).copy_(scaled.narrow(0, block.begin, block.rows).sum(0));
  return out;
}

}  // namespace switchyard
