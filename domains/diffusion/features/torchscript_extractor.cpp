#include "domains/diffusion/features/torchscript_extractor.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/upsample_bilinear2d.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/serialization/import.h>

#include "core/base/error.h"
#include "core/io/sha256.h"

namespace switchyard {
namespace {

constexpr const char* kOutputs[] = {"pooled", "spatial", "logits"};

at::Tensor& output(FeatureSet& set, size_t i) {
  return i == 0 ? set.pooled : i == 1 ? set.spatial : set.logits;
}

std::string first_line(const std::exception& error) { return split(error.what(), '\n').front(); }

at::Tensor tensor_of(const c10::IValue& value, const std::string& where, const std::string& name) {
  if (value.isNone()) return {};
  check(value.isTensor(), where, "output ", name, ": got ", value.tagKind(), ", expected a tensor");
  return value.toTensor();
}

FeatureSet from_tuple(const c10::IValue& value, const std::string& where) {
  const auto& elements = value.toTupleRef().elements();
  check(!elements.empty() && elements.size() <= std::size(kOutputs), where,
        "outputs: got a tuple of ", elements.size(),
        ", expected (pooled, spatial, logits) or its beginning");
  FeatureSet out;
  for (size_t i = 0; i < elements.size(); ++i)
    output(out, i) = tensor_of(elements[i], where, kOutputs[i]);
  return out;
}

FeatureSet from_dictionary(const c10::IValue& value, const std::string& where) {
  FeatureSet out;
  for (const auto& entry : value.toGenericDict()) {
    check(entry.key().isString(), where, "outputs: got a dictionary without names");
    const std::string name = entry.key().toStringRef();
    check_name(where, "output", name, {std::begin(kOutputs), std::end(kOutputs)});
    for (size_t i = 0; i < std::size(kOutputs); ++i)
      if (name == kOutputs[i]) output(out, i) = tensor_of(entry.value(), where, name);
  }
  return out;
}

FeatureSet features_of(const c10::IValue& value, const std::string& where) {
  if (value.isTensor()) return {value.toTensor(), {}, {}};
  if (value.isTuple()) return from_tuple(value, where);
  check(value.isGenericDict(), where, "outputs: got ", value.tagKind(),
        ", expected a tensor, a tuple or a dictionary");
  return from_dictionary(value, where);
}

/// Checks shapes and makes every output f32; [B, D, 1, 1] becomes [B, D].
void tidy(FeatureSet& set, int64_t images, const std::string& where) {
  if (set.pooled.defined() && set.pooled.dim() == 4 && set.pooled.size(2) * set.pooled.size(3) == 1)
    set.pooled = set.pooled.flatten(1);
  for (size_t i = 0; i < std::size(kOutputs); ++i) {
    at::Tensor& x = output(set, i);
    if (!x.defined()) continue;
    const bool spatial = &x == &set.spatial;
    check(x.dim() == (spatial ? 4 : 2) && x.size(0) == images, where, "output ", kOutputs[i],
          ": got shape ", to_text(x.sizes().vec()), " for ", images, " images, expected ",
          spatial ? "[B, C, h, w]" : "[B, D]");
    x = x.to(at::kFloat);
  }
}

std::string id_of(const TorchScriptParams& params) {
  std::string id = cat(std::filesystem::path(params.path).stem().string(), "-",
                       sha256_file(params.path).substr(0, 12));
  if (params.resize > 0) id += cat("-r", params.resize);
  for (const auto& flag : params.flags) id += "+" + flag;
  return id;
}

}  // namespace

struct TorchScriptExtractor::Program {
  torch::jit::Module module;
};

void TorchScriptParams::declare(Fields<TorchScriptParams>& f) {
  f.add("path", &TorchScriptParams::path, "TorchScript file");
  f.add("input", &TorchScriptParams::input, "what the program takes, of 0 .. 255",
        Choices{{"u8", "float"}});
  f.add("resize", &TorchScriptParams::resize, "bilinear to this side first; 0: as they are",
        at_least(0));
  f.add("flags", &TorchScriptParams::flags, "keyword arguments set to true: [return_features]");
}

TorchScriptExtractor::TorchScriptExtractor(const TorchScriptParams& params, at::Device device)
    : params_(params), device_(device), id_(id_of(params)) {
  try {
    program_ = std::make_unique<Program>(Program{torch::jit::load(params.path, device)});
  } catch (const std::exception& error) {
    fail(params.path, "is no TorchScript file: ", first_line(error));
  }
  program_->module.eval();
  std::vector<std::string> names;
  for (const auto& argument :
       program_->module.get_method("forward").function().getSchema().arguments())
    names.push_back(argument.name());
  for (const auto& flag : params.flags) check_name(params.path, "argument of forward", flag, names);
}

TorchScriptExtractor::~TorchScriptExtractor() = default;

at::Tensor TorchScriptExtractor::prepared(const at::Tensor& images_BCHW) const {
  const at::Tensor images = images_BCHW.to(device_);
  if (params_.resize == 0) return params_.input == "u8" ? images : images.to(at::kFloat);
  const at::Tensor resized = at::upsample_bilinear2d(
      images.to(at::kFloat), {params_.resize, params_.resize}, /*align_corners=*/false);
  return params_.input == "u8" ? resized.round().clamp(0, 255).to(at::kByte) : resized;
}

FeatureSet TorchScriptExtractor::extract(const at::Tensor& images_BCHW) {
  check_images(images_BCHW, params_.path);
  at::NoGradGuard no_grad;
  std::unordered_map<std::string, c10::IValue> flags;
  for (const auto& flag : params_.flags) flags.emplace(flag, true);
  c10::IValue value;
  try {
    value = program_->module.forward({prepared(images_BCHW)}, flags);
  } catch (const std::exception& error) {
    fail(params_.path, "the program failed: ", first_line(error));
  }
  FeatureSet out = features_of(value, params_.path);
  tidy(out, images_BCHW.size(0), params_.path);
  return out;
}

}  // namespace switchyard
