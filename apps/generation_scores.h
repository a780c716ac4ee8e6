#pragma once
// Scores of what a model makes: generated data of every evaluated domain against its real test
// data.

#include "core/train/task.h"
#include "domains/diffusion/features/torchscript_extractor.h"
#include "domains/diffusion/features/train_feature_net.h"
#include "eval/study/generative_scores.h"

namespace switchyard {

struct GenerationParams {
  int64_t per_class = 0;
  TorchScriptParams network;  ///< path empty: the classifier
  FeatureNetParams classifier;
  GenerativeParams scores;
  static void declare(Fields<GenerationParams>& f);
};

/// Writes table-<metric>@features=<id> of domains and cells-<metric>@... of domain and class into
/// `folder`, the trained classifier into `folder`/features. Nothing where per_class is 0.
/// Errors: a task that makes no data; a feature that a metric needs is missing.
void score_generation(Task& task, Module& model, const GenerationParams& params,
                      const std::string& device, const std::filesystem::path& folder,
                      const TableRow& common, const std::string& protocol);

}  // namespace switchyard
