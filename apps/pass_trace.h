#pragma once

#include "apps/model_run.h"

namespace switchyard {

/// Records the routing of a generator's passes: a sequence is an item in one pass, "3@t=0.500" or
/// "3@t=0.500#null"; passes without condition are a data domain of their own.
class PassTrace {
 public:
  /// `task` makes data.
  PassTrace(Task& task, int64_t step, std::vector<Generator::Item> items);

  /// Traces this pass if it is the first at its noise level, of 16.
  void prepare(const Generator::Pass& pass, ForwardContext& context);
  /// Nothing where the model has no MoE site.
  void write(const std::filesystem::path& path) const;

 private:
  TraceRecorder::BatchInfo batch_of(const Generator::Pass& pass) const;

  std::vector<Generator::Item> items_;
  at::Tensor places_;
  int64_t no_condition_;  ///< number of that domain
  TraceRecorder recorder_;
  std::map<bool, int64_t> last_level_ = {{false, -1}, {true, -1}};
};

}  // namespace switchyard
