#include "core/kernels/blocked_mlp.h"

#include <ATen/Parallel.h>
#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/ops/addmm.h>
#include <ATen/ops/mm.h>

#include "core/kernels/expert_activation.h"
#include "core/kernels/rows.h"

namespace switchyard {
namespace {

using Block = RowGroups::Block;
constexpr int64_t kTaskRows = 4096, kBlockRows = 512, kNarrow = 1 << 16;

template <class Run>
void for_tasks(RowGroups& groups, Run&& run) {
  const auto& tasks = groups.blocks(kTaskRows);
  at::parallel_for(0, std::ssize(tasks), 1, [&](int64_t first, int64_t last) {
    const at::AutoDispatchBelowADInplaceOrView no_autograd;
    for (int64_t i = first; i < last; ++i) run(i, tasks[static_cast<size_t>(i)]);
  });
}

/// Calls run(first row, rows) for the blocks of a task.
template <class Run>
void for_blocks(const Block& task, Run&& run) {
  for (int64_t begin = 0; begin < task.rows; begin += kBlockRows)
    run(task.begin + begin, std::min(kBlockRows, task.rows - begin));
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

void forward_block(const FusedMlpInput& input, int64_t expert, const at::Tensor& token,
                   const at::Tensor& entry, at::Tensor z, at::Tensor rows) {
  const ExpertWeights& w = input.experts;
  const auto x = input.x_TC.index_select(0, token), in = w.in_ENC.select(0, expert).t();
  if (w.in_bias.defined())
    at::addmm_out(z, w.in_bias.select(0, expert), x, in);
  else
    at::mm_out(z, x, in);
  at::mm_out(rows, expert_activation(hidden_of(input, z, entry)), w.out_EDH.select(0, expert).t());
}

}  // namespace

bool blocked_mlp_fits(const ExpertSetting& s) {
  const int64_t in_width = s.gated ? 2 * s.hidden : s.hidden;
  return s.device == at::kCPU && (s.type == at::kFloat || s.type == at::kDouble) &&
         in_width * s.channels <= kNarrow && s.out * s.hidden <= kNarrow;
}

at::Tensor blocked_mlp_rows(const FusedMlpInput& input, const at::Tensor& z, RowGroups& groups) {
  const auto& x = input.x_TC;
  auto rows_AD = at::empty({input.token_of.size(0), input.experts.out_EDH.size(1)}, x.options());
  for_tasks(groups, [&](int64_t, const Block& task) {
    const int64_t most = std::min(kBlockRows, task.rows);
    const auto scratch =
        z.defined() ? z : at::empty({most, input.experts.in_ENC.size(1)}, x.options());
    for_blocks(task, [&](int64_t begin, int64_t rows) {
      forward_block(input, task.group, input.token_of.narrow(0, begin, rows),
                    input.entry.narrow(0, begin, rows),
                    scratch.narrow(0, z.defined() ? begin : 0, rows),
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
    for_blocks(task, [&](int64_t begin, int64_t rows) {
      const auto token = input.token_of.narrow(0, begin, rows),
                 entry = input.entry.narrow(0, begin, rows);
      const auto dy = dy_TD.index_select(0, token);
      const auto own = at::arange(rows, entry.options());
      const auto grad = expert_activation_backward(hidden_of(input, z.narrow(0, begin, rows), own),
                                                   at::mm(dy, w.out_EDH.select(0, task.group)),
                                                   weight_A.index_select(0, entry));
      out.dweight.index_copy_(0, entry, grad.dweight);
      d_out.of(i).addmm_(dy.t(), grad.scaled);
      d_in.of(i).addmm_(grad.dz.t(), input.x_TC.index_select(0, token));
      if (w.in_bias.defined()) d_bias.of(i).add_(grad.dz.sum(0));
      auto dx = dx_AC.narrow(0, begin, rows);
      at::mm_out(dx, grad.dz, w.in_ENC.select(0, task.group));
    });
  });
  out.dx_TC = combine_rows(dx_AC, {}, input.position, input.token_offset);
  out.d_in = d_in.total();
  out.d_out = d_out.total();
  if (w.in_bias.defined()) out.d_in_bias = d_bias.total();
  return out;
}

}  // namespace switchyard
