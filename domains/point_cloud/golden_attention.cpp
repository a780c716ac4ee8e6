#include "domains/point_cloud/golden_net.h"
#include "domains/point_cloud/model/dense_sub_layers.h"

namespace switchyard::point_golden {
namespace {

at::ScalarType dtype_from_name(const std::string& name) {
  if (name == "f16") return at::kHalf;
  if (name == "bf16") return at::kBFloat16;
  if (name == "f32") return at::kFloat;
  check(name == "f64", "compute_dtype", "got '", name, "'; valid: f16, bf16, f32, f64");
  return at::kDouble;
}

AttentionConfig attention_config(const Json& config) {
  const auto flag = [&](const char* key) { return config.at(key).get<bool>(); };
  AttentionConfig out;
  out.channels = config.at("channels").get<int64_t>();
  out.heads = config.at("num_heads").get<int64_t>();
  out.patch_size = config.at("patch_size").get<int64_t>();
  out.mode = patch_mode(config, "mode");
  out.qkv_bias = flag("qkv_bias");
  if (given(config, "qk_scale")) out.qk_scale = config.at("qk_scale").get<double>();
  out.enable_rpe = flag("enable_rpe");
  out.upcast_attention = flag("upcast_attention");
  out.upcast_softmax = flag("upcast_softmax");
  return out;
}

/// The weights of the case, rounded to `dtype` like the reference's.
std::unique_ptr<SerializedAttention> make_attention(const GoldenCase& c,
                                                    const AttentionConfig& config,
                                                    at::ScalarType dtype) {
  auto attention = std::make_unique<SerializedAttention>(
      config, std::make_unique<LinearSubLayer>(config.channels));
  c.load_weights(*attention);
  attention->to(c.device, dtype);
  return attention;
}

/// Groups of equal patches one patch behind the other, in the order of `patches`.
at::Tensor in_patch_order(const std::vector<at::Tensor>& groups, const Patches& patches) {
  std::map<int64_t, int64_t> used;
  std::vector<at::Tensor> parts;
  for (size_t i = 0; i + 1 < patches.cu_seqlens.size(); ++i) {
    const int64_t length = patches.cu_seqlens[i + 1] - patches.cu_seqlens[i];
    const auto group = std::find_if(groups.begin(), groups.end(),
                                    [&](const auto& g) { return g.size(-1) == length; });
    parts.push_back(group->select(0, used[length]++).reshape(-1));
  }
  return at::cat(parts);
}

void compare_patches(const GoldenCase& c, const AttentionConfig& config, const PointLevel& level,
                     int64_t row, GoldenResult& result, const std::vector<at::Tensor>& groups) {
  const auto patches = make_patches(level.offset(), config.patch_size, config.mode);
  const auto cu = index_tensor(patches.cu_seqlens);
  result.compare("outputs/slot_point", level.curves().order_RN.select(0, row).cpu().index_select(
                                           0, index_tensor(patches.pad)));
  result.compare("outputs/patch_len", cu.diff());
  if (c.has("outputs/attn")) result.compare("outputs/attn", in_patch_order(groups, patches));
}

/// outputs/feat_f64: equally rounded weights and input, plain double. With double input an upcast
/// must have lowered the precision.
void compare_plain_double(const GoldenCase& c, AttentionConfig config, at::ScalarType dtype,
                          const at::Tensor& y, GoldenResult& result) {
  const bool upcast = config.upcast_attention || config.upcast_softmax;
  config.upcast_attention = config.upcast_softmax = false;
  const auto attention = make_attention(c, config, dtype);
  attention->to(c.device, at::kDouble);
  const auto level = level_of(c);
  ForwardContext context;
  context.start(level->tokens({}));
  const auto x = c.input("feat").to(dtype).to(at::kDouble);
  const auto plain =
      attention->forward(x, *level, c.config.at("order_index").get<int64_t>(), context);
  check(!upcast || dtype != at::kDouble || !at::equal(plain, y), c.name,
        "an upcast from double to float changed nothing");
  result.compare("outputs/feat_f64", y);
}

}  // namespace

void run_attention(const GoldenCase& c, GoldenResult& result) {
  const auto config = attention_config(c.config);
  // Cases of a given precision run in it, whatever the precision of this run.
  const bool reduced = c.has("outputs/feat_f64");
  const auto dtype =
      reduced ? dtype_from_name(c.config.at("compute_dtype").get<std::string>()) : c.dtype;
  const auto attention = make_attention(c, config, dtype);
  const auto x = c.input("feat").to(dtype).requires_grad_(true);
  const int64_t row = c.config.at("order_index").get<int64_t>();
  const auto level = level_of(c);
  compare_patches(c, config, *level, row, result, attention->probabilities(x, *level, row));
  ForwardContext context;
  context.start(level->tokens({}));
  const auto y = attention->forward(x, *level, row, context);
  result.compare("outputs/pre_proj", attention->attend(x, *level, row));
  result.compare("outputs/feat", y);
  if (reduced) compare_plain_double(c, config, dtype, y, result);
  if (!c.has("outputs/loss")) return;
  const auto loss = pull(c, y);
  loss.backward();
  result.compare("outputs/loss", loss);
  result.compare("grads/inputs/feat", x.grad());
  result.compare_module(*attention);
}

}  // namespace switchyard::point_golden
