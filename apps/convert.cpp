#include <iostream>

#include "apps/run_config.h"
#include "apps/verbs.h"
#include "core/io/tensor_io.h"
#include "core/train/checkpoint.h"
#include "core/train/load_weights.h"
#include "core/train/weight_names.h"
#include "domains/registry.h"

namespace switchyard {
namespace {

void print_names(const char* kind, const std::vector<std::string>& names) {
  std::cout << kind << " " << names.size() << "\n";
  for (const auto& name : names) std::cout << "  " << name << "\n";
}

/// The network of the node `model` that the overrides compose.
std::unique_ptr<Module> bare_model(const std::vector<std::string>& overrides,
                                   const NamedTensors& weights) {
  const ConfigNode config = config_composer().compose("config", overrides);
  const ConfigNode& node = config.at("model");
  const std::string type = split_type(node, "model").first;
  std::vector<std::string> known;
  for (const auto& [name, build] : bare_models()) known.push_back(name);
  check_name(node.origin().text(), "model", type, known);
  return bare_models().at(type)(node, weights);
}

/// Tensors of the model under the names of another published scheme.
NamedTensors under_names(const Module& model, const NamedTensors& tensors,
                         const std::string& scheme) {
  const auto* names = dynamic_cast<const WeightNames*>(&model);
  check(names != nullptr, "--names", "this model has no other published names: got '", scheme, "'");
  check_name("--names", "naming scheme", scheme, names->schemes());
  return names->to_scheme(tensors, scheme);
}

/// The tensors that fit the model, under its names or those asked for; prints how they do.
NamedTensors fitted(const NamedTensors& tensors, const Arguments& args, const std::string& where) {
  const auto model = bare_model(args.overrides, tensors);
  auto [report, fitting] = match_weights(*model, tensors);
  if (!report.renamed.empty()) std::cout << "names taken " << report.renamed << "\n";
  std::cout << "matched " << report.matched << "\n";
  print_names("missing", report.missing);
  print_names("unexpected", report.unexpected);
  print_names("reshaped", report.reshaped);
  std::cout << std::flush;
  check(report.complete() || args.has("partial"), where,
        "weights do not fit the model: ", report.text(), "; use --partial to write what fits");
  check(report.matched > 0, where, "no tensor fits the model: ", report.text());
  return args.has("names") ? under_names(*model, fitting, args.value("names")) : fitting;
}

int run_convert(const Arguments& args) {
  check(args.paths.size() == 2, "arguments", "expected IN and OUT: got ", args.paths.size(),
        " paths", args.paths.empty() ? "" : ": ", join(args.paths));
  const std::filesystem::path in = weights_file(args.paths[0], args.has("ema")),
                              out = args.paths[1];
  check(!args.has("ema") || in.filename() == kAverageFile, args.paths[0],
        "has no averaged weights: --ema needs a run or checkpoint folder of a training with "
        "trainer.ema_decay > 0");
  NamedTensors tensors = read_tensors(in, args.value("key"));
  check(!tensors.empty(), in.string(), "holds no tensor");
  const std::string first = tensors.front().first;
  tensors = strip_module(std::move(tensors));
  if (tensors.front().first != first) std::cout << "names taken without 'module.'\n";
  if (args.has("strip")) tensors = strip_prefix(tensors, args.value("strip"), in.string());
  check(!args.has("names") || !args.overrides.empty(), "--names",
        "needs the model that the names belong to: expected model=OPTION");
  if (!args.overrides.empty()) tensors = fitted(tensors, args, in.string());
  write_tensors(out, tensors, args.value("wrap"));
  int64_t elements = 0;
  for (const auto& [name, tensor] : tensors) elements += tensor.numel();
  std::cout << "wrote " << tensors.size() << " tensors, " << elements
            << " elements: " << out.string() << std::endl;
  return 0;
}

}  // namespace

Verb convert_verb() {
  return {"convert",
          "weights from and to PyTorch's .pth and safetensors, checked against a model",
          "IN OUT [--key KEY] [--strip PREFIX] [model=OPTION moe=OPTION ...]",
          "switchyard convert published.pth weights.safetensors --key state_dict "
          "model=point_cloud/ptv3_base moe=point_moe_l",
          {{"key", "the dict of IN that holds the tensors; the rest of IN is left out", true},
           {"strip", "prefix to take off the names ('module.' goes by itself)", true},
           {"partial", "with model=: write the tensors that fit although others do not"},
           {"names", "with model=: write under this published naming (VAE: diffusers, ldm)", true},
           {"ema", "IN is a run or checkpoint folder: its averaged weights"},
           {"wrap", "put the tensors of a .pth under this key (Pointcept reads state_dict)", true}},
          run_convert};
}

}  // namespace switchyard
