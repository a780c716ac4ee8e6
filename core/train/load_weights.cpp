#include "core/train/load_weights.h"

#include <ATen/core/grad_mode.h>

#include "core/io/tensor_io.h"
#include "core/train/checkpoint.h"
#include "core/train/checkpoint_store.h"

namespace switchyard {
namespace fs = std::filesystem;

fs::path weights_file(const fs::path& path, bool use_ema) {
  check(
      fs::exists(path), path.string(),
      "no such checkpoint; valid: a .safetensors or .pth file, a checkpoint folder, a run folder");
  if (!fs::is_directory(path)) return path;
  const bool run = fs::is_directory(path / "ckpt");
  const fs::path folder = run ? CheckpointStore(path / "ckpt").newest() : path;
  if (!run) read_checkpoint(folder);
  const fs::path average = folder / kAverageFile;
  return use_ema && fs::exists(average) ? average : folder / "model.safetensors";
}

LoadReport load_weights(Module& model, const fs::path& path, bool strict, bool use_ema) {
  const fs::path file = weights_file(path, use_ema);
  const auto [report, fitting] = match_weights(model, read_tensors(file));
  check(!strict || report.complete(), file.string(),
        "weights do not fit the model: ", report.text(),
        "; use checkpoint_strict=false to load what fits");
  check(report.matched > 0, file.string(), "no tensor fits the model: ", report.text());
  at::NoGradGuard no_grad;
  auto given = fitting.begin();  // in the order of the views, with gaps
  for (const ParamView& view : model.views()) {
    if (given == fitting.end() || given->first != view.name) continue;
    view.value().copy_((given++)->second);
  }
  return report;
}

NamedTensors weights_of(const Module& model) {
  NamedTensors out;
  for (const ParamView& view : model.views()) out.emplace_back(view.name, view.value());
  return out;
}

}  // namespace switchyard
