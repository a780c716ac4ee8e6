#pragma once
// What the golden kinds of layers and whole nets share.

#include "core/moe/assignment.h"
#include "core/moe/trace.h"
#include "domains/point_cloud/golden_parts.h"
#include "domains/point_cloud/model/ptv3.h"

namespace switchyard::point_golden {

at::Tensor index_tensor(const std::vector<int64_t>& values);
/// Whether the config has a value other than null.
bool given(const Json& config, const char* key);
PatchMode patch_mode(const Json& config, const char* key);

/// Compares every routing decision under outputs/router/<prefix><site>/.
class RouterComparison : public TraceSink {
 public:
  RouterComparison(const GoldenCase& c, GoldenResult& result, std::string prefix = "")
      : c_(c), result_(result), prefix_(std::move(prefix)) {}
  void record(const std::string& site, const RouterOutput& routed, const ForwardContext&) override;

 private:
  const GoldenCase& c_;
  GoldenResult& result_;
  std::string prefix_;
};

/// The level of inputs/grid_coord with the four curves.
std::shared_ptr<PointLevel> level_of(const GoldenCase& c);
/// Compares what the net shows under `prefix`; takes the stored drop path masks.
PointHooks hooks_of(const GoldenCase& c, GoldenResult& result, const std::string& prefix);

Ptv3Params net_params(const Json& config);
/// hooks_of a whole net, with the stored order permutations.
/// A pass as `net` stands, with every routing decision going to `trace`.
inline ForwardContext traced_context(const Module& net, TraceSink& trace) {
  ForwardContext context;
  context.training = net.training();
  context.trace = &trace;
  return context;
}
PointHooks net_hooks(const GoldenCase& c, GoldenResult& result);
/// The net's input, `feat` given.
PointInput net_input(const GoldenCase& c, const at::Tensor& feat_NC);
void compare_levels(const GoldenCase& c, const Ptv3Output& out, GoldenResult& result);

}  // namespace switchyard::point_golden
