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

/// Calls run(block) for the blocks of a task.
template <class Run>
void for_blocks(const Block& task, int64_t most, Run&& run) {
  for (int64_t begin = 0; begin < task.rows; begin += most)
    run(Block{task.group, task.begin + begin, std::min(most, task.rows - begin)});
}

at::Tensor rows_of(const at::Tensor& all, const Block& b) { return all.narrow(0, b.begin, b.rows); }

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

/// The forward pass of one task's blocks: z goes to `z`, the output to `rows_RD`.
struct ForwardTask {
  const FusedMlpInput& input;
  TransposedProduct in, out;
  at::Tensor bias_N;

  ForwardTask(const FusedMlpInput& operands, const ExpertWeights& w, const Block& task)
      : input(operands),
        in(w.in_ENC.select(0, task.group), task.rows),
        out(w.out_EDH.select(0, task.group), task.rows) {
    if (w.in_bias.defined()) bias_N = w.in_bias.select(0, task.group);
  }
  void operator()(const Block& b, const at::Tensor& z, const at::Tensor& rows_RD) const {
    in(input.x_TC.index_select(0, rows_of(input.token_of, b)), z);
    if (bias_N.defined()) z.add_(bias_N);
    out(expert_activation(hidden_of(input, z, rows_of(input.entry, b))), rows_RD);
  }
};

/// What the backward pass of all blocks reads and writes.
struct Backward {
  const FusedMlpInput& input;
  ExpertWeights experts;
  at::Tensor z, dy_TD, weight_A, dx_AC, dweight_A;
};
/// Gradients of the weights from one task.
struct WeightSums {
  OuterSum in, out;
  at::Tensor bias_N;
};

void backward_block(const Backward& p, const Block& b, WeightSums& sums) {
  const ExpertWeights& w = p.experts;
  const auto token = rows_of(p.input.token_of, b), entry = rows_of(p.input.entry, b);
  const auto dy = p.dy_TD.index_select(0, token), own = at::arange(b.rows, entry.options());
  const auto da = at::empty({b.rows, w.out_EDH.size(2)}, dy.options());
  multiply(dy, w.out_EDH.select(0, b.group), da);
  const auto grad = expert_activation_backward(hidden_of(p.input, rows_of(p.z, b), own), da,
                                               p.weight_A.index_select(0, entry));
  at::Tensor dweight = p.dweight_A;
  dweight.index_copy_(0, entry, grad.dweight);
  sums.out.add(dy, grad.scaled);
  sums.in.add(grad.dz, p.input.x_TC.index_select(0, token));
  if (w.in_bias.defined()) sums.bias_N.add_(grad.dz.sum(0));
  multiply(grad.dz, w.in_ENC.select(0, b.group), rows_of(p.dx_AC, b));
}

}  // namespace

bool blocked_mlp_fits(const ExpertSetting& s) {
  const int64_t in_width = s.gated ? 2 * s.hidden : s.hidden;
  const bool narrow = in_width * s.channels <= kNarrow && s.out * s.hidden <= kNarrow,
             empty = s.channels == 0 || s.hidden == 0 || s.out == 0;
  return s.device == at::kCPU && !empty &&
         (s.type == at::kFloat || (s.type == at::kDouble && narrow));
}

at::Tensor blocked_mlp_rows(const FusedMlpInput& input, const at::Tensor& z, RowGroups& groups) {
  const ExpertWeights w = contiguous(input.experts);
  const auto options = input.x_TC.options();
  auto rows_AD = at::empty({input.token_of.size(0), w.out_EDH.size(1)}, options);
  const int64_t width = w.in_ENC.size(1), most = block_rows(width);
  for_tasks(tasks_of(w, groups), [&](int64_t, const Block& task) {
    const ForwardTask run(input, w, task);
    const auto scratch = z.defined() ? z : at::empty({std::min(most, task.rows), width}, options);
    for_blocks(task, most, [&](const Block& b) {
      run(b, z.defined() ? rows_of(z, b) : scratch.narrow(0, 0, b.rows), rows_of(rows_AD, b));
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
  const Backward p{input,
                   w,
                   z,
                   dy_TD,
                   weight_A,
                   at::empty({z.size(0), w.in_ENC.size(2)}, z.options()),
                   at::empty_like(weight_A)};
  for_tasks(tasks, [&](int64_t i, const Block& task) {
    WeightSums sums{{d_in.of(i), task.rows}, {d_out.of(i), task.rows}, d_bias.of(i).zero_()};
    for_blocks(task, block_rows(z.size(1)), [&](const Block& b) { backward_block(p, b, sums); });
    sums.in.finish();
    sums.out.finish();
  });
  return {combine_rows(p.dx_AC, {}, input.position, input.token_offset), p.dweight_A, d_in.total(),
          w.in_bias.defined() ? d_bias.total() : at::Tensor(), d_out.total()};
}

}  // namespace switchyard
