#pragma once

#include "core/moe/expert_loop.h"
#include "core/nn/module.h"

namespace switchyard {

struct BankShape {
  int64_t experts, in, hidden, out;  ///< hidden 0: the experts are one linear map
  bool gated, bias;
  std::string first = "fc1", second = "fc2";  ///< published names of a plain expert's layers
  bool xavier = false;  ///< Xavier uniform and zero biases instead of PyTorch's default
};

/// E two-layer MLPs with stacked weights. Gated: down(act(gate x) * up x), gate and up in one
/// storage [E, 2H, C]; plain: fc2(act(fc1 x)). Published per expert:
/// {gate_proj,up_proj,down_proj}.{weight,bias} or {fc1,fc2}.{weight,bias} (or other names of the
/// shape), below "<e>." when `numbered`. Or E linear maps [E, out, in], published as {weight,bias}.
class ExpertBank : public Module {
 public:
  ExpertBank(const BankShape& shape, Activation activation, bool numbered);

  /// x [T, in] -> [T, out]. One fused pass over all experts.
  at::Tensor forward(const at::Tensor& x_TC, const Assignment& assignment) const;
  /// The same by a plain loop over the experts: what the fused pass is tested against.
  at::Tensor forward_reference(const at::Tensor& x_TC, const Assignment& assignment) const;
  /// One expert on every row, weight 1.
  at::Tensor forward_expert(const at::Tensor& x_TC, int64_t expert) const;
  /// What forward() hands to expert_mlp(), in the type that autocast asks for.
  ExpertOperands operands(const at::Tensor& x_TC, const Assignment& assignment) const;

 private:
  ExpertWeights weights(std::optional<at::ScalarType> type) const;
  void add_linear();
  void add_mlp();
  std::vector<ParamView> linear_views(const at::Tensor& storage, bool bias) const;
  std::vector<ParamView> in_views(const at::Tensor& storage, bool bias) const;
  std::vector<ParamView> out_views(const at::Tensor& storage, bool bias) const;
  std::string prefix(int64_t expert) const;
  bool gated() const { return shape_.gated && shape_.hidden > 0; }
  Init init(int64_t in, int64_t out, bool bias) const;

  BankShape shape_;
  Activation activation_;
  bool numbered_;
  at::Tensor *in_, *out_ = nullptr, *in_bias_ = nullptr, *out_bias_ = nullptr;
};

}  // namespace switchyard
