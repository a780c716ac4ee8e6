// Names and shapes of the published tensors, point-moe spec sections 1.8, 1.9 and 2.1.
#include <map>

#include "core/base/text.h"
#include "core/config/yaml.h"
#include "domains/point_cloud/model/segmentor.h"
#include "routers/register.h"
#include "tests/test.h"

using namespace switchyard;

namespace {

using Shape = std::vector<int64_t>;
using Keys = std::map<std::string, Shape>;

void add_affine(Keys& keys, const std::string& at, int64_t channels) {
  keys[at + ".weight"] = keys[at + ".bias"] = {channels};
}
void add_linear(Keys& keys, const std::string& at, int64_t in, int64_t out) {
  keys[at + ".weight"] = {out, in};
  keys[at + ".bias"] = {out};
}
void add_batch_norm(Keys& keys, const std::string& at, int64_t channels) {
  add_affine(keys, at, channels);
  keys[at + ".running_mean"] = keys[at + ".running_var"] = {channels};
  keys[at + ".num_batches_tracked"] = {};
}

void add_moe(Keys& keys, const std::string& at, int64_t channels) {
  constexpr int64_t kExperts = 8, kMultiple = 2;
  keys[at + ".gate.weight"] = {kExperts, channels};
  keys[at + ".gate.score_accumulator"] = keys[at + ".expert_token_counter"] = {kExperts};
  for (int64_t e = 0; e < kExperts; ++e) {
    const auto expert = cat(at, ".experts.", e);
    keys[expert + ".gate_proj.weight"] = {kMultiple * channels, channels};
    keys[expert + ".up_proj.weight"] = {kMultiple * channels, channels};
    keys[expert + ".down_proj.weight"] = {channels, kMultiple * channels};
  }
}

void add_blocks(Keys& keys, const std::string& stage, int64_t depth, int64_t channels, bool moe) {
  for (int64_t i = 0; i < depth; ++i) {
    const auto block = cat(stage, ".block", i);
    keys[block + ".cpe.0.weight"] = {channels, 3, 3, 3, channels};
    keys[block + ".cpe.0.bias"] = {channels};
    add_linear(keys, block + ".cpe.1", channels, channels);
    for (const char* norm : {".cpe.2", ".norm1.0", ".norm2.0"})
      add_affine(keys, block + norm, channels);
    add_linear(keys, block + ".attn.qkv", channels, 3 * channels);
    if (moe)
      add_moe(keys, block + ".attn.proj", channels);
    else
      add_linear(keys, block + ".attn.proj", channels, channels);
    add_linear(keys, block + ".mlp.0.fc1", channels, 4 * channels);
    add_linear(keys, block + ".mlp.0.fc2", 4 * channels, channels);
  }
}

Keys published_keys(bool moe) {
  const Shape enc = {32, 64, 128, 256, 512}, depth = {2, 2, 2, 6, 2}, dec = {64, 64, 128, 256, 512};
  Keys keys;
  keys["embedding.stem.conv.weight"] = {32, 5, 5, 5, 6};
  add_batch_norm(keys, "embedding.stem.norm", 32);
  for (size_t s = 0; s < enc.size(); ++s) {
    const auto stage = cat("enc.enc", s);
    add_blocks(keys, stage, depth[s], enc[s], moe);
    if (s == 0) continue;
    add_linear(keys, stage + ".down.proj", enc[s - 1], enc[s]);
    add_batch_norm(keys, stage + ".down.norm.0", enc[s]);
  }
  for (size_t s = 0; s + 1 < dec.size(); ++s) {
    const auto stage = cat("dec.dec", s);
    add_linear(keys, stage + ".up.proj.0", dec[s + 1], dec[s]);
    add_batch_norm(keys, stage + ".up.proj.1", dec[s]);
    add_linear(keys, stage + ".up.proj_skip.0", enc[s], dec[s]);
    add_batch_norm(keys, stage + ".up.proj_skip.1", dec[s]);
    add_blocks(keys, stage, 2, dec[s], moe);
  }
  return keys;
}

Keys keys_of(const Module& net) {
  Keys keys;
  for (const ParamView& view : net.views()) keys[view.name] = view.value().sizes().vec();
  return keys;
}

Ptv3Params large() {
  register_routers();
  Ptv3Params p;
  p.moe = parse_yaml(
      "attn_out_proj: {router: {selector: {type: topk, k: 2}}, experts: {count: 8, hidden_mult: "
      "2}}",
      "test");
  return p;
}

}  // namespace

TEST_CASE("the dense backbone has the published tensors", "[point_cloud]") {
  const Ptv3 net{Ptv3Params()};
  CHECK(keys_of(net) == published_keys(false));
  CHECK(net.views().size() == 486);
  CHECK(count_parameters(net) == 46166272);
}

TEST_CASE("Point-MoE-L has the published tensors", "[point_cloud]") {
  const Ptv3 net(large());
  CHECK(keys_of(net) == published_keys(true));
  CHECK(net.views().size() == 1036);
  CHECK(count_parameters(net) == 99809088);
}

TEST_CASE("the state dict goes from the stem to the coarsest stage and back", "[point_cloud]") {
  std::vector<std::string> parts;
  for (const ParamView& view : Ptv3(large()).views()) {
    const auto names = split(view.name, '.');
    const auto part = names[0] == "embedding" ? names[0] : names[1];
    if (parts.empty() || parts.back() != part) parts.push_back(part);
  }
  CHECK(parts == std::vector<std::string>{"embedding", "enc0", "enc1", "enc2", "enc3", "enc4",
                                          "dec3", "dec2", "dec1", "dec0"});
}

TEST_CASE("Point-MoE-L with its language-guided head has the published size", "[point_cloud]") {
  auto params = large();
  params.conditions = 2;
  const PointSegmentor net(
      params, std::make_unique<LanguageHead>(params.out_channels(), at::zeros({94, 512}), 4.6052,
                                             std::vector<std::vector<int64_t>>{{0, 1}, {2, 3}}));
  // The published count includes the frozen logit_scale, which is a buffer here.
  CHECK(count_parameters(net) + 1 == 99842369);
}
