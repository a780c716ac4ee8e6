#include "core/kernels/blocked_mlp.h"

#include <ATen/Parallel.h>
#include <ATen/core/LegacyTypeDispatch.h>

#include "core/kernels/block_product.h"
#include "core/kernels/expert_activation.h"
#include "core/kernels/rows.h"

namespace switchyard {
namespace {

using Block = RowGroups::Block;
constexpr int64_t kTaskRows = 1024, kBlockElements = 1 << 16, kBlockRows = 64, kNarrow = 1 << 16;

/// Wide weights take more rows to outweigh a copy of them and a sum of their gradients.
const std::vector<Block>& tasks_of(const ExpertWeights& w, RowGroups& groups) {
  const int64_t n = w.in_ENC.size(1), c = w.in_ENC.size(2);
  return groups.blocks(std::max(kTaskRows, 4 * n * c / (n + c)));
}

template <class Run>
void for_tasks(const std::vector<Block>& tasks, Run&& run) {
  at::parallel_for(0, std::ssize(tasks), 1, [&](int64_t first, int64_t last) {
    const at::AutoDispatchBelowADInplaceOrView no_autograd;
    for (int64_t i = first; i < last; ++i) run(i, tasks[static_cast<size_t>(i)]);
  });
}

/// Rows of a block with z of this width.
int64_t block_rows(int64_t width) { return std::max(kBlockRows, kBlockElements / width); }

/// Calls run(first row, rows) for the blocks of a task.
template <class Run>
void for_blocks(const Block& task, int64_t most, Run&& run) {
  for (int64_t begin = 0; begin < task.rows; begin += most)
    run(task.begin + begin, std::min(most, task.rows - begin));
}

ExpertHidden hidden_of(const FusedMlpInput& input, const at::Tensor& z, const at::Tensor& entry) {
  return {z, {}, entry, entry, input.activation, input.gated};
}

ExpertWeights contiguous(const ExpertWeights& w) {
  return {w.in_ENC.contiguous(), w.in_bias, w.out_EDH.contiguous(), {}};
}

/// One gradient per expert, which its first task writes: zeros where there is none. Further tasks
/// write one of their own, added in order.
class TaskSums {
 public:
  TaskSums(const at::Tensor& like, const std::vector<Block>& tasks)
      : sum_(at::empty_like(like)), tasks_(tasks) {
    int64_t more = 0, group = 0;
    for (size_t i = 0; i < tasks.size(); ++i) {
      for (; group < tasks[i].group; ++group) sum_.select(0, group).zero_();
      place_.push_back(group == tasks[i].group ? -1 : more++);
      group = tasks[i].group + 1;
    }
    sum_.narrow(0, group, sum_.size(0) - group).zero_();
    auto sizes = like.sizes().vec();
    sizes[0] = more;
    more_ = at::empty(sizes, like.options());
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
  at::Tensor sum_, more_;
  const std::vector<Block>& tasks_;
  std::vector<int64_t> place_;
};

}  // namespace

bool blocked_mlp_fits(const ExpertSetting& s) {
  const int64_t in_width = s.gated ? 2 * s.hidden : s.hidden;
  const bool narrow = in_width * s.channels <= kNarrow && s.out * s.hidden <= kNarrow,
             empty = s.channels == 0 || s.hidden == 0 || s.out == 0;
  return s.device == at::kCPU && !empty &&
         (s.type == at::kFloat || (s.type == at::kDouble && narrow));
}

at::Tensor blocked_mlp_rows(const FusedMlpInput& input, const at::Tensor& z, RowGroups& groups) {
  const auto& x = input.x_TC;
  const ExpertWeights w = contiguous(input.experts);
  auto rows_AD = at::empty({input.token_of.size(0), w.out_EDH.size(1)}, x.options());
  const int64_t width = w.in_ENC.size(1), most = block_rows(width);
  for_tasks(tasks_of(w, groups), [&](int64_t, const Block& task) {
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
  const ExpertWeights w = contiguous(input.experts);
  const auto& tasks = tasks_of(w, groups);
  TaskSums d_in(w.in_ENC, tasks), d_out(w.out_EDH, tasks);
  TaskSums d_bias(w.in_bias.defined() ? w.in_bias : w.in_ENC.select(2, 0), tasks);
  FusedMlpGrad out;
  const auto dx_AC = at::empty({z.size(0), w.in_ENC.size(2)}, z.options());
  out.dweight = at::empty_like(weight_A);
  for_tasks(tasks, [&](int64_t i, const Block& task) {
    OuterSum in_sum(d_in.of(i), task.rows), out_sum(d_out.of(i), task.rows);
    const auto bias_sum = d_bias.of(i).zero_();
    for_blocks(task, block_rows(z.size(1)), [&](int64_t begin, int64_t rows) {
      const auto token = input.token_of.narrow(0, begin, rows),
                 entry = input.entry.narrow(0, begin, rows);
      const auto dy = dy_TD.index_select(0, token), own = at::arange(rows, entry.options());
      const auto da = at::empty({rows, w.out_EDH.size(2)}, z.options());
      multiply(dy, w.out_EDH.select(0, task.group), da);
      const auto grad = expert_activation_backward(hidden_of(input, z.narrow(0, begin, rows), own),
                                                   da, weight_A.index_select(0, entry));
      out.dweight.index_copy_(0, entry, grad.dweight);
      out_sum.add(dy, grad.scaled);
      in_sum.add(grad.dz, input.x_TC.index_select(0, token));
      if (w.in_bias.defined()) bias_sum.add_(grad.dz.sum(0));
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
