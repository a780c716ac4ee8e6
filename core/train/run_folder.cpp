#include "core/train/run_folder.h"

#include <ATen/Parallel.h>
#include <torch/headeronly/version.h>

#include "core/io/file.h"
#include "core/io/json.h"
#include "core/train/checkpoint_store.h"

namespace switchyard {

std::map<std::string, std::string> full_provenance(const TrainSetup& setup) {
  auto out = setup.provenance;
  out["torch"] = TORCH_VERSION;
  out["compiler"] = __VERSION__;
  return out;
}

void prepare_run_folder(const TrainSetup& setup, const std::string& data_hash) {
  const auto& folder = setup.run_folder;
  check(!folder.empty(), "run.dir", "is empty");
  check(
      setup.resume || CheckpointStore(folder / "ckpt").steps().empty(), folder.string(),
      "holds a run already: choose another run.dir, or continue it with resume=", folder.string());
  write_text(folder / "config.yaml", setup.config.is_null() ? "" : setup.config.to_yaml());
  write_text(folder / "overrides.txt",
             setup.overrides.empty() ? "" : join(setup.overrides, "\n") + "\n");
  Json json = full_provenance(setup);
  json["seed"] = setup.seed;
  json["threads"] = at::get_num_threads();
  json["device"] = setup.device;
  json["data_hash"] = data_hash;
  write_json(folder / "provenance.json", json);
}

}  // namespace switchyard
