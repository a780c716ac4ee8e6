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
  std::string reference;      ///< published statistics; empty: those of the real test data
  FeatureNetParams classifier;
  GenerativeParams scores;
  static void declare(Fields<GenerationParams>& f);
};

/// Where the results belong and what made them.
struct GenerationPlace {
  std::filesystem::path eval;  ///< folder of the tables
  std::filesystem::path
      features;  ///< folder of trained classifiers, shared by the cells of a study
  TableRow common;
  std::string protocol;
};

/// Writes table-<metric>@features=<id> of domains and cells-<metric>@... of domain and class.
/// Nothing where per_class is 0. A class with fewer than two real examples is left out and named.
/// `prepare`: called before every pass. Errors: a task that makes no data; a feature that a metric
/// needs is missing.
void score_generation(Task& task, Module& model, const GenerationParams& params,
                      const std::string& device, const GenerationPlace& place,
                      const Generator::Prepare& prepare);

}  // namespace switchyard
