#include "core/kernels/blocked_mlp.h"

#include <ATen/Parallel.h>
#include <ATen/core/LegacyTypeDispatch.h>

#include "core/kernels/block_product.h"
#include "core/kernels/expert_activation.h"
#include "core/kernels/rows.h"

namespace switchyard {
namespace {

using Block = RowGroups::Block;
constexpr int64_t kTaskRows = 4096, kBlockElements = 1 << 16, kLeastRows = 64, kNarrow = 1 << 16;

template <class Run>
void for_tasks(RowGroups& groups, Run&& run) {
  const auto& tasks = groups.blocks(kTaskRows);
  at::parallel_for(0, std::ssize(tasks), 1, [&](int64_t first, int64_t last) {
    const at::AutoDispatchBelowADInplaceOrView no_autograd;
    for (int64_t i = first; i < last; ++i) run(i, tasks[static_cast<size_t>(i)]);
  });
}

/// Rows of a block with z of this width.
int64_t block_rows(int64_t width) { return std::max(kLeastRows, kBlockElements / width); }

/// Calls run(first row, rows) for the blocks of a task.
template <class Run>
void for_blocks(const Block& task, int64_t most, Run&& run) {
  for (int64_t begin = 0; begin < task.rows; begin += most)
    run(task.begin + begin, std::min(most, task.rows - begin));
}

ExpertHidden hidden_of(const FusedMlpInput& input, const at::Tensor& z, const at::Tensor& entry) {
  return {z, {}, entry, entry, input.activation, input.gated};
}

/// One gradient per expert; further tasks of an expert have one of their own, added in order.
class TaskSums {
 public:
  TaskSums(const at::Tensor& like, const std::vector<Block>& tasks)
      : sum_(at::zeros_like(like)), tasks_(tasks) {
    int64_t more = 0;
    for (size_t i = 0; i < tasks.size(); ++i) place_.push_back(is_first(i) ? -1 : more++);
    auto sizes = like.sizes().vec();
    sizes[0] = more;
    more_ = at::zeros(sizes, like.options());
  }
  at::Tensor of(int64_t task) const {
    const auto i = static_cast<size_t>(task);
    return place_[i] < 0 ? sum_.select(0, tasks_[i].group) : more_.select(0, place_[i]);
  }
  at::Tensor total() {
    for (size_t i = 0; i < tasks_.size(); ++i)
      if (place_[i] >= 0) sum_.select(0, tasks_[i].group).add_(more_.select(0, place_[i]));
    return sum_;
  }

 private:
  bool is_first(size_t i) const { return i == 0 || tasks_[i - 1].group != tasks_[i].group; }

  at::Tensor sum_, more_;
  const std::vector<Block>& tasks_;
  std::vector<int64_t> place_;
};

}  // namespace

bool blocked_mlp_fits(const ExpertSetting& s) {
  const int64_t in_width = s.gated ? 2 * s.hidden : s.hidden;
  return s.device == at::kCPU &&
         (s.type == at::kFloat || (s.type == at::kDouble && in_width * s.channels <= kNarrow &&
                                   s.out * s.hidden <= kNarrow));
}

at::Tensor blocked_mlp_rows(const FusedMlpInput& input, const at::Tensor& z, RowGroups& groups) {
  const auto& x = input.x_TC;
  const ExpertWeights& w = input.experts;
  auto rows_AD = at::empty({input.token_of.size(0), w.out_EDH.size(1)}, x.options());
  const int64_t width = w.in_ENC.size(1), most = block_rows(width);
  for_tasks(groups, [&](int64_t, const Block& task) {
    const TransposedProduct in(w.in_ENC.select(0, task.group), task.rows),
        out(w.out_EDH.select(0, task.group), task.rows);
    const auto scratch =
        z.defined() ? z : at::empty({std::min(most, task.rows), width}, x.options());
    for_blocks(task, most, [&](int64_t begin, int64_t rows) {
      const auto hidden = scratch.narrow(0, z.defined() ? begin : 0, rows);
      in(x.index_select(0, input.token_of.narrow(0, begin, rows)), hidden);
      if (w.in_bias.defined()) hidden.add_(w.in_bias.select(0, task.group));
      out(expert_activation(hidden_of(input, hidden, input.entry.narrow(0, begin, rows))),
          rows_AD.narrow(0, begin, rows));
    });
  });
  return rows_AD;
}

FusedMlpGrad blocked_mlp_backward(const FusedMlpInput& input, const at::Tensor& z,
                                  const at::Tensor& dy_TD, const at::Tensor& weight_A,
                                  RowGroups& groups) {
  const ExpertWeights& w = input.experts;
  const auto& tasks = groups.blocks(kTaskRows);
  TaskSums d_in(w.in_ENC, tasks), d_out(w.out_EDH, tasks);
  TaskSums d_bias(w.in_bias.defined() ? w.in_bias : w.in_ENC.select(2, 0), tasks);
  FusedMlpGrad out;
  const auto dx_AC = at::empty({z.size(0), w.in_ENC.size(2)}, z.options());
  out.dweight = at::empty_like(weight_A);
  for_tasks(groups, [&](int64_t i, const Block& task) {
    OuterSum in_sum(d_in.of(i), task.rows), out_sum(d_out.of(i), task.rows);
    for_blocks(task, block_rows(z.size(1)), [&](int64_t begin, int64_t rows) {
      const auto token = input.token_of.narrow(0, begin, rows),
                 entry = input.entry.narrow(0, begin, rows);
      const auto dy = dy_TD.index_select(0, token);
      const auto own = at::arange(rows, entry.options());
      const auto da = at::empty({rows, w.out_EDH.size(2)}, z.options());
      multiply(dy, w.out_EDH.select(0, task.group), da);
      const auto grad = expert_activation_backward(hidden_of(input, z.narrow(0, begin, rows), own),
                                                   da, weight_A.index_select(0, entry));
      out.dweight.index_copy_(0, entry, grad.dweight);
      out_sum.add(dy, grad.scaled);
      in_sum.add(grad.dz, input.x_TC.index_select(0, token));
      if (w.in_bias.defined()) d_bias.of(i).add_(grad.dz.sum(0));
      multiply(grad.dz, w.in_ENC.select(0, task.group), dx_AC.narrow(0, begin, rows));
    });
    in_sum.finish();
    out_sum.finish();
  });
  out.dx_TC = combine_rows(dx_AC, {}, input.position, input.token_offset);
  out.d_in = d_in.total();
  out.d_out = d_out.total();
  if (w.in_bias.defined()) out.d_in_bias = d_bias.total();
  return out;
}

}  // namespace switchyard
