#pragma once
// What every block gets as its last argument: what a router may read, and what the step collects.

#include <ATen/core/Tensor.h>

#include <string>
#include <utility>
#include <vector>

#include "core/base/random.h"

namespace switchyard {

class TraceSink;
class BalanceState;
struct RoutingOverride;

/// Per-token fields of one resolution. T tokens, S sequences; tokens of a sequence are contiguous.
struct TokenLevel {
  at::Tensor seq_offset;  ///< [S+1] i64, starts with 0
  at::Tensor order;  ///< [T] i64, rank along the natural order (curve, frame, raster), sequences in
                     ///< turn: those of sequence s are seq_offset[s] .. ; may be undefined
  at::Tensor coords;     ///< [T, c]; may be undefined
  at::Tensor valid;      ///< [T] bool; undefined means all
  at::Tensor member_of;  ///< [T of the next finer level] i64: the token each finer token was pooled
                         ///< into; undefined at the finest level
};

/// One per forward pass; lives on the caller's stack. Per-sequence fields never change during a
/// pass; per-token fields follow the level stack, moved by pooling and unpooling.
class ForwardContext {
 public:
  at::Tensor
      domain_id;       ///< [S] i64 or undefined; a router that reads it at evaluation is an oracle
  at::Tensor task_id;  ///< [S] i64 or undefined
  at::Tensor cond_mask;            ///< [S] bool or undefined: sequences with a condition
  at::Tensor cond;                 ///< [S, c] or undefined
  std::vector<int64_t> condition;  ///< [S] or empty: which of the model's own conditions (prompt,
                                   ///< norm, head) each sequence takes
  bool training = false;
  RandomStream random{0};  ///< keyed by (seed, step); use child(site) for each purpose
  TraceSink* trace = nullptr;
  BalanceState* balance = nullptr;
  const RoutingOverride* routing_override = nullptr;

  /// Sets the finest level and clears the stack, the losses and the reports.
  void start(TokenLevel finest);
  void descend(TokenLevel coarser);
  void ascend();
  const TokenLevel& level() const;
  /// Any level of the stack, 0 = finest .. depth().
  const TokenLevel& level(int64_t depth) const;
  /// 0 = finest. The same number means the same tokens within one pass.
  int64_t depth() const { return static_cast<int64_t>(levels_.size()) - 1; }

  /// Collects an auxiliary loss, already times its coefficient; the trainer adds all of them.
  void add_loss(std::string name, at::Tensor value);
  const std::vector<std::pair<std::string, at::Tensor>>& losses() const { return losses_; }
  /// A value for the metrics that is part of no loss: the largest of a step is logged.
  void report(std::string name, double value) { reports_.emplace_back(std::move(name), value); }
  const std::vector<std::pair<std::string, double>>& reports() const { return reports_; }

 private:
  std::vector<TokenLevel> levels_;
  std::vector<std::pair<std::string, at::Tensor>> losses_;
  std::vector<std::pair<std::string, double>> reports_;
};

}  // namespace switchyard
