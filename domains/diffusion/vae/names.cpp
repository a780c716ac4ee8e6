#include "domains/diffusion/vae/names.h"

#include <set>

namespace switchyard {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

const std::string kFirstStage = "first_stage_model.", kUpBlocks = "decoder.up_blocks.";

/// In this order: the middle's resnets have other names than those of a level.
const Pairs kLdm = {{".mid_block.resnets.0.", ".mid.block_1."},
                    {".mid_block.resnets.1.", ".mid.block_2."},
                    {".mid_block.attentions.0.", ".mid.attn_1."},
                    {".down_blocks.", ".down."},
                    {".up_blocks.", ".up."},
                    {".resnets.", ".block."},
                    {".downsamplers.0.", ".downsample."},
                    {".upsamplers.0.", ".upsample."},
                    {".conv_shortcut.", ".nin_shortcut."},
                    {".conv_norm_out.", ".norm_out."},
                    {".group_norm.", ".norm."},
                    {".to_q.", ".q."},
                    {".to_k.", ".k."},
                    {".to_v.", ".v."},
                    {".to_out.0.", ".proj_out."}};
const Pairs kLegacy = {{".to_q.", ".query."},
                       {".to_k.", ".key."},
                       {".to_v.", ".value."},
                       {".to_out.0.", ".proj_attn."}};

std::string replaced(std::string name, const Pairs& pairs) {
  for (const auto& [from, to] : pairs) {
    const size_t at = name.find(from);
    if (at != std::string::npos) name.replace(at, from.size(), to);
  }
  return name;
}

bool is_attention_weight(const std::string& own) {
  return own.find(".attentions.") != std::string::npos && own.ends_with(".weight") &&
         own.find("norm") == std::string::npos;
}

at::Tensor as_linear(const at::Tensor& weight) {
  const bool conv = weight.dim() == 4 && weight.size(2) == 1 && weight.size(3) == 1;
  return conv ? weight.flatten(1) : weight;
}

bool of_training(const std::string& name) {
  return name.starts_with("loss.") || name.starts_with("model_ema.");
}

/// The autoencoder's part of a file, its names without the prefix.
NamedTensors first_stage(const NamedTensors& tensors) {
  const bool whole = std::any_of(tensors.begin(), tensors.end(),
                                 [](const auto& t) { return t.first.starts_with(kFirstStage); });
  NamedTensors out;
  for (const auto& [name, tensor] : tensors) {
    if (whole && !name.starts_with(kFirstStage)) continue;
    const std::string rest = whole ? name.substr(kFirstStage.size()) : name;
    if (!of_training(rest)) out.emplace_back(rest, tensor);
  }
  return out;
}

/// Own name of every other one.
std::map<std::string, std::string> own_names(const std::vector<ParamView>& views, int64_t levels) {
  std::map<std::string, std::string> out;
  for (const ParamView& view : views) {
    out[ldm_vae_name(view.name, levels)] = view.name;
    out[legacy_vae_name(view.name)] = view.name;
  }
  return out;
}

}  // namespace

std::string ldm_vae_name(const std::string& own, int64_t levels) {
  std::string name = own;
  if (name.starts_with(kUpBlocks)) {
    char& level = name[kUpBlocks.size()];
    level = static_cast<char>('0' + levels - 1 - (level - '0'));
  }
  return replaced(name, kLdm);
}

std::string legacy_vae_name(const std::string& own) { return replaced(own, kLegacy); }

NamedTensors own_vae_names(const std::vector<ParamView>& views, int64_t levels,
                           const NamedTensors& tensors, std::string& note) {
  const auto own = own_names(views, levels);
  NamedTensors out = first_stage(tensors);
  std::set<std::string> seen;
  size_t changed = 0;
  for (auto& [name, tensor] : out) {
    const auto found = own.find(name);
    const std::string given = name;
    if (found != own.end()) name = found->second;
    changed += name != given;
    if (is_attention_weight(name)) tensor = as_linear(tensor);
    check(seen.insert(name).second, "VAE weights", "two names become one: got '", given,
          "', which is '", name, "'");
  }
  const auto say = [&](size_t count, const char* before, const char* behind) {
    if (count > 0) note += cat(note.empty() ? "" : ", ", before, count, behind);
  };
  say(changed, "", " from another published scheme");
  say(tensors.size() - out.size(), "without other parts (", ")");
  return out;
}

NamedTensors ldm_vae_names(const NamedTensors& tensors, int64_t levels) {
  NamedTensors out;
  for (const auto& [name, tensor] : tensors)
    out.emplace_back(ldm_vae_name(name, levels),
                     is_attention_weight(name) ? tensor.unsqueeze(-1).unsqueeze(-1) : tensor);
  return out;
}

}  // namespace switchyard
