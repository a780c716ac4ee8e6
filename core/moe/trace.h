#pragma once
// The one hook for every routing analysis. A sink is handed every MoE site's decisions of a pass.
//
// File schema "switchyard.trace/1": one safetensors file per split and checkpoint step,
// trace/<split>-<step>.safetensors.
//   metadata "switchyard" = JSON {schema, split, step, domains: [{name, seen}], classes: [..],
//     groups: [..], uris: [S], sites: [{name, level, experts, k}], levels: L, sampling: "..."};
//     `experts` counts routed slots 0..E-1; null and shared slots follow them.
//   seq.domain [S] i64, seq.group [S] i64 (index into groups, -1 none), seq.time [S] f32 (optional:
//   place along an order of the sequences, 0 .. 1, as a noise level)
//   level<j>.seq_offset [S+1] i64, level<j>.coords [T_j, c] f32 (optional),
//   level<j>.label [T_j] i64 (-1 unlabelled; a pooled label is the majority, ties lowest),
//   level<j>.member_of [T_0] i64 for j >= 1: the token of level j that holds each finest token
//   site<i>.token_offset [T+1] i64, site<i>.slot [A] i16, site<i>.weight [A] f16 (0 for null slots
//   and dropped ones),
//   site<i>.kept [A] u8 (optional: 0 = dropped by capacity), site<i>.scores [T, columns] f16
//   (optional): softmax of the router's logits, 0 for slots that hooks added

#include <ATen/core/Tensor.h>

#include <string>

namespace switchyard {

struct RouterOutput;
class ForwardContext;

class TraceSink {
 public:
  virtual ~TraceSink() = default;
  /// Called once per MoE site and pass, at the level `context.depth()`.
  virtual void record(const std::string& site, const RouterOutput& routed,
                      const ForwardContext& context) = 0;
};

}  // namespace switchyard
