#include "tests/test.h"

#include "tests/support/moe.h"

#include "routers/register.h"

namespace switchyard::test {

ForwardContext one_sequence(int64_t tokens, bool training, at::Device device) {
  ForwardContext context;
  context.training = training;
  context.start({at::tensor(std::vector<int64_t>{0, tokens}).to(device), {}, {}, {}, {}});
  return context;
}

at::Tensor normal(at::IntArrayRef shape, const std::string& name) {
  auto out = at::empty(shape, at::kDouble);
  RandomStream stream(7, name);
  for (int64_t i = 0; i < out.numel(); ++i) out.data_ptr<double>()[i] = stream.normal();
  return out;
}

Assignment mixed_slots(int64_t tokens, int64_t slots, bool one, const at::Tensor& weight_A,
                       at::Device device) {
  std::vector<int64_t> offset = {0}, slot_of;
  RandomStream stream(5, "slots");
  for (int64_t t = 0; t < tokens; ++t) {
    const int64_t k = one ? 1 : stream.below(std::min<int64_t>(4, slots));
    const int64_t first = one ? 0 : stream.below(slots - 1);
    for (int64_t i = 0; i < k; ++i)
      slot_of.push_back((first + i) % std::max<int64_t>(1, slots - 1));
    offset.push_back(static_cast<int64_t>(slot_of.size()));
  }
  const auto weight = weight_A.defined() ? weight_A : at::ones({std::ssize(slot_of)}, device);
  return make_assignment(at::tensor(offset).to(device), at::tensor(slot_of, at::kLong).to(device),
                         weight, slots);
}

MoEConfig moe_config(int64_t experts, int64_t k, double hidden_mult, bool gated,
                     const std::string& activation, bool bias, int64_t shared) {
  register_routers();
  MoEConfig config;
  ConfigNode& selector = config.router.child("selector");
  selector.child("type") = ConfigNode(std::string("topk"));
  selector.child("k") = ConfigNode(k);
  config.experts = {experts, hidden_mult, {}, gated, activation, bias, shared, {}};
  return config;
}

MoEConfig linear_config(int64_t experts, int64_t k, bool bias, int64_t shared) {
  MoEConfig config = moe_config(experts, k, 1, true, "gelu", bias, shared);
  config.experts.type = "linear";
  return config;
}

std::unique_ptr<SubLayer> moe_layer(const MoEConfig& config, int64_t in, int64_t out,
                                    at::ScalarType dtype) {
  auto layer = make_moe_layer(config, in, out, "site");
  init_parameters(*layer, 1);
  layer->to(at::kCPU, dtype);
  return layer;
}

ParamView view_of(const Module& module, const std::string& name) {
  for (ParamView& view : module.views()) {
    if (view.name == name) return view;
  }
  FAIL("no view " << name);
  return {};
}

double relative_error(const at::Tensor& a, const at::Tensor& b) {
  if (b.numel() == 0) return a.numel() == 0 ? 0 : 1;
  const auto x = a.detach().to(at::kCPU, at::kDouble), y = b.detach().to(at::kCPU, at::kDouble);
  return (x - y).abs().max().item<double>() / std::max(1e-3, y.abs().max().item<double>());
}

}  // namespace switchyard::test
