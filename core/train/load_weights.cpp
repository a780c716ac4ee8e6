#include "core/train/load_weights.h"

#include <ATen/core/grad_mode.h>

#include <set>

#include "core/train/checkpoint.h"
#include "core/train/checkpoint_store.h"

namespace switchyard {
namespace fs = std::filesystem;
namespace {

std::string some(const char* kind, const std::vector<std::string>& names) {
  constexpr size_t kShown = 5;
  if (names.empty()) return {};
  const std::vector<std::string> first(names.begin(),
                                       names.begin() + std::min(kShown, names.size()));
  return cat("; ", kind, " ", names.size(), ": ", join(first),
             names.size() > kShown ? ", ..." : "");
}

LoadReport compare(const std::vector<ParamView>& views, const SafeTensors& file) {
  LoadReport report;
  std::set<std::string> known;
  for (const ParamView& view : views) {
    known.insert(view.name);
    if (!file.has(view.name))
      report.missing.push_back(view.name);
    else if (file.get(view.name).sizes() != view.value().sizes())
      report.reshaped.push_back(view.name);
    else
      ++report.matched;
  }
  for (const std::string& name : file.names()) {
    if (!known.count(name)) report.unexpected.push_back(name);
  }
  return report;
}

}  // namespace

std::string LoadReport::text() const {
  return cat("matched ", matched, some("missing", missing), some("unexpected", unexpected),
             some("of another shape", reshaped));
}

fs::path weights_file(const fs::path& path, bool use_ema) {
  check(fs::exists(path), path.string(),
        "no such checkpoint; valid: a .safetensors file, a checkpoint folder, a run folder");
  if (!fs::is_directory(path)) return path;
  const bool run = fs::is_directory(path / "ckpt");
  const fs::path folder = run ? CheckpointStore(path / "ckpt").newest() : path;
  if (!run) read_checkpoint(folder);
  const fs::path average = folder / "ema.safetensors";
  return use_ema && fs::exists(average) ? average : folder / "model.safetensors";
}

LoadReport load_weights(Module& model, const fs::path& path, bool strict, bool use_ema) {
  const SafeTensors file = SafeTensors::open(weights_file(path, use_ema));
  const auto views = model.views();
  const LoadReport report = compare(views, file);
  const std::string where = file.path().string();
  check(!strict || report.complete(), where, "weights do not fit the model: ", report.text(),
        "; use checkpoint_strict=false to load what fits");
  check(report.matched > 0, where, "no tensor fits the model: ", report.text());
  at::NoGradGuard no_grad;
  for (const ParamView& view : views) {
    if (!file.has(view.name)) continue;
    const at::Tensor value = file.get(view.name);
    at::Tensor target = view.value();
    if (value.sizes() == target.sizes()) target.copy_(value);
  }
  return report;
}

NamedTensors weights_of(const Module& model) {
  NamedTensors out;
  for (const ParamView& view : model.views()) out.emplace_back(view.name, view.value());
  return out;
}

}  // namespace switchyard
