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

MoEConfig moe_config(int64_t experts, int64_t k, double hidden_mult, bool gated,
                     const std::string& activation, bool bias, int64_t shared) {
  register_routers();
  MoEConfig config;
  ConfigNode& selector = config.router.child("selector");
  selector.child("type") = ConfigNode(std::string("topk"));
  selector.child("k") = ConfigNode(k);
  config.experts = {experts, hidden_mult, {}, gated, activation, bias, shared};
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
