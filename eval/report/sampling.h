#pragma once
// Pictures that a run made, from RUN/samples (written by `switchyard sample`): samples.json with
// the facts, grid-DOMAIN.png, and of some pictures, numbered 0, 1, ..., images.safetensors (image
// u8 [N, C, H, W], label and domain i64 [N]) and trace.safetensors, the routing of the passes that
// made them (a sequence: "3@t=0.500", or "3@t=0.500#null" without condition).

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <memory>

#include "eval/analysis/counts.h"

namespace switchyard {

struct Sampling {
  std::filesystem::path folder;
  std::vector<std::string> domains, classes;
  std::string sampler;  ///< with its parameters: "{type: euler, steps: 50}"
  int64_t columns = 0;  ///< pictures of a class in a grid
  int64_t checkpoint_step = 0;

  at::Tensor image_NCHW;             ///< u8; undefined if no picture was traced
  Indices label, domain;             ///< [N]
  std::unique_ptr<TraceView> trace;  ///< none for a model without MoE sites
  std::vector<SequenceCounts> counts;

  int64_t pictures() const { return static_cast<int64_t>(domain.size()); }
};

/// Nothing if there is no samples.json. Errors: damaged files, shapes and ids that do not fit.
std::unique_ptr<Sampling> read_sampling(const std::filesystem::path& folder);

}  // namespace switchyard
