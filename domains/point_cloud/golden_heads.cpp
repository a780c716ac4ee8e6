// Golden kinds of Point Prompt Training and of segmentors for mixed batches.
#include "domains/point_cloud/golden_net.h"
#include "domains/point_cloud/model/segmentor.h"

namespace switchyard::point_golden {
namespace {

std::unique_ptr<LanguageHead> language_head(const GoldenCase& c, int64_t channels,
                                            const Json& valid_index) {
  return std::make_unique<LanguageHead>(channels, c.tensor("weights/class_embedding"), 0.,
                                        valid_index.get<std::vector<std::vector<int64_t>>>());
}

std::unique_ptr<SegmentationHead> prompt_head(const GoldenCase& c, int64_t channels) {
  const auto& head = c.config.at("head");
  if (head.at("type") == "language") return language_head(c, channels, head.at("valid_index"));
  return std::make_unique<DecoupledHead>(channels,
                                         head.at("num_classes").get<std::vector<int64_t>>());
}

std::vector<int64_t> conditions_of(const GoldenCase& c, int64_t same_for_all) {
  return std::vector<int64_t>(offset_of(c).size() - 1, same_for_all);
}

/// Loss and gradients of logits by dataset: outputs/head/<j>/..., outputs/loss.
at::Tensor mixed_loss(const GoldenCase& c, const std::vector<LogitPart>& parts,
                      GoldenResult& result) {
  size_t j = 0;
  const auto loss_of_part = [&](const at::Tensor& logits, const at::Tensor& label) {
    auto loss = logits.narrow(0, 0, 0).sum();
    for (const auto& config : c.config.at("criteria"))
      loss = loss + criterion(config, logits, label);
    const std::string at = "outputs/head/" + std::to_string(j) + "/";
    result.compare(at + "dataset", at::scalar_tensor(parts[j].condition, at::kLong));
    result.compare(at + "index", parts[j].index_M);
    result.compare(at + "logits", logits);
    result.compare(at + "loss", loss);
    ++j;
    return loss;
  };
  return mean_over_parts(parts, c.input("segment").to(c.device), loss_of_part);
}

}  // namespace

void run_ppt(const GoldenCase& c, GoldenResult& result) {
  auto params = net_params(c.config);
  params.context_channels = c.file.get("weights/embedding_table.weight").size(1);
  PointSegmentor net(params, prompt_head(c, params.out_channels()));
  c.load_weights(net);
  net.train(c.config.at("train").get<bool>());
  const auto x = c.input("feat").requires_grad_(true);
  RouterComparison trace(c, result, "backbone.");
  ForwardContext context = traced_context(net, trace);
  context.condition = conditions_of(c, c.config.at("condition_index").get<int64_t>());
  const auto out = net.run(net_input(c, x), context, net_hooks(c, result));
  const auto logits = join_logits(out.parts);
  auto loss = logits.narrow(0, 0, 0).sum();
  for (const auto& config : c.config.at("criteria")) {
    const auto part = criterion(config, logits, c.input("segment").to(c.device));
    const bool is_lovasz = config.at("type") == "LovaszLoss";
    result.compare(is_lovasz ? "outputs/loss_lovasz" : "outputs/loss_ce", part);
    loss = loss + part;
  }
  for (const auto& [name, value] : context.losses()) loss = loss + value;
  loss.backward();
  compare_levels(c, out.backbone, result);
  result.compare("outputs/backbone_feat", out.backbone.feat_NC);
  result.compare("outputs/logits", logits);
  result.compare("outputs/loss", loss);
  result.compare("grads/inputs/feat", x.grad());
  result.compare_module(net);
}

void run_mixed_head(const GoldenCase& c, GoldenResult& result) {
  const auto x = c.input("feat").requires_grad_(true);
  const auto& valid_index = c.config.at("valid_index");
  const auto head = language_head(c, x.size(1), valid_index);
  c.load_weights(*head);
  const auto parts = apply_head(*head, x, offset_of(c), list_of(c.input("condition")),
                                static_cast<int64_t>(valid_index.size()));
  const auto loss = mixed_loss(c, parts, result);
  loss.backward();
  result.compare("outputs/loss", loss);
  result.compare("grads/inputs/feat", x.grad());
  result.compare_module(*head);
}

void run_ptmoe_seg(const GoldenCase& c, GoldenResult& result) {
  auto params = net_params(c.config);
  const auto& valid_index = c.config.at("valid_index");
  params.conditions = static_cast<int64_t>(valid_index.size());
  PointSegmentor net(params, language_head(c, params.out_channels(), valid_index));
  c.load_weights(net);
  net.train(c.config.at("train").get<bool>());
  const auto x = c.input("feat").requires_grad_(true);
  RouterComparison trace(c, result, "backbone.");
  ForwardContext context = traced_context(net, trace);
  context.condition = list_of(c.input("condition"));
  const auto out = net.run(net_input(c, x), context, net_hooks(c, result));
  auto loss = mixed_loss(c, out.parts, result);
  for (const auto& [name, value] : context.losses()) loss = loss + value;
  loss.backward();
  compare_levels(c, out.backbone, result);
  result.compare("outputs/backbone_feat", out.backbone.feat_NC);
  result.compare("outputs/loss", loss);
  result.compare("grads/inputs/feat", x.grad());
  result.compare_module(net);
}

}  // namespace switchyard::point_golden
