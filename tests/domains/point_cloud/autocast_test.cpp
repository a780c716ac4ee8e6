// Half precision through whole nets: the types of all parts fit, and the result stays near.
#include "core/train/autocast.h"

#include <ATen/ops/tensor.h>

#include "core/config/yaml.h"
#include "domains/point_cloud/model/segmentor_config.h"
#include "routers/register.h"
#include "tests/support/moe.h"
#include "tests/test.h"

using namespace switchyard;
using namespace switchyard::test;

namespace {

std::unique_ptr<PointSegmentor> make(const std::string& more) {
  register_routers();
  const auto node = parse_yaml(
      "{type: ptv3, in_channels: 2, stride: [2], enc_depths: [1, 1], enc_channels: [8, 8], "
      "enc_num_head: [2, 2], enc_patch_size: [16, 16], dec_depths: [1], dec_channels: [8], "
      "dec_num_head: [2], dec_patch_size: [16], drop_path: 0, shuffle_orders: false" +
          more + "}",
      "test");
  auto net = SegmentorConfig::parse(node, {"near", "far"}).build({"floor", "box", "wall"});
  init_parameters(*net, 3);
  return net;
}

PointInput two_clouds() {
  std::vector<int64_t> grid;
  for (int64_t i = 0; i < 120; ++i) grid.insert(grid.end(), {i % 6, i / 6 % 10, (i * i) % 7});
  const auto all = at::tensor(grid, at::kLong).view({-1, 3});
  return {all.to(at::kFloat), all, normal({120, 2}, "feat").to(at::kFloat), {0, 60, 120}};
}

}  // namespace

TEST_CASE("bf16 and fp16 training reach every weight and stay near single precision",
          "[point_cloud]") {
  const std::string more =
      GENERATE("", ", moe: {attn_out_proj: {experts: {count: 3}}}", ", enable_rpe: true",
               ", upcast_attention: true, upcast_softmax: true, enable_rpe: true",
               ", context_channels: 4, pdnorm_bn: true, pdnorm_ln: true, pdnorm_adaptive: true, "
               "head: {type: language, dim: 6, logit_scale: 0.0}");
  INFO(more);
  const auto input = two_clouds();
  std::vector<at::Tensor> logits;
  for (const auto type : {at::kFloat, at::kBFloat16, at::kHalf}) {
    const auto net = make(more);
    ForwardContext context;
    context.condition = {0, 1};
    {
      const AutocastScope autocast(at::kCPU, type);
      logits.push_back(net->forward(input, context).to(at::kFloat));
    }
    logits.back().square().sum().backward();
    for (const ParamView& view : net->views()) {
      INFO(view.name);
      if (view.trainable) CHECK(view.grad().defined());
      if (view.trainable && view.grad().defined()) CHECK(view.grad().isfinite().all().item<bool>());
    }
  }
  CHECK(relative_error(logits[1], logits[0]) < .1);
  CHECK(relative_error(logits[2], logits[0]) < .02);
}
