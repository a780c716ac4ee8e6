#include "apps/generation_scores.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>

#include "core/base/log.h"
#include "datasets/domain_index.h"
#include "domains/diffusion/features/cnn_extractor.h"

namespace switchyard {
namespace {

constexpr int64_t kBatch = 64;

at::Tensor in_colour(const at::Tensor& images_NCHW) {
  return images_NCHW.expand({-1, 3, -1, -1}).contiguous();
}

/// Number of each evaluated domain for the classifier: "sketch" and "sketch:dog" share theirs,
/// since they share pictures.
std::vector<int64_t> numbered_domains(const Task& task) {
  std::vector<std::string> known;
  std::vector<int64_t> out;
  for (const auto& spec : DomainSpec::parse(task.domain_names(), "test")) {
    const auto at = std::find(known.begin(), known.end(), spec.domain);
    out.push_back(at - known.begin());
    if (at == known.end()) known.push_back(spec.domain);
  }
  return out;
}

/// Real images of every evaluated domain, labelled by cell (domain, class), so that features tell
/// domains apart too.
LabelledImages cells_of(Task& task, const std::string& split) {
  const auto classes = static_cast<int64_t>(task.class_names().size());
  const auto number = numbered_domains(task);
  std::vector<at::Tensor> images, label;
  for (size_t d = 0; d < number.size(); ++d) {
    const auto examples = task.generator()->examples(static_cast<int64_t>(d), split);
    images.push_back(in_colour(examples.data));
    label.push_back(examples.label + number[d] * classes);
  }
  return {at::cat(images), at::cat(label)};
}

std::unique_ptr<FeatureExtractor> make_extractor(Task& task, const GenerationParams& params,
                                                 at::Device device,
                                                 const std::filesystem::path& folder) {
  if (!params.network.path.empty())
    return std::make_unique<TorchScriptExtractor>(params.network, device);
  const auto number = numbered_domains(task);
  const int64_t cells = static_cast<int64_t>(task.class_names().size()) *
                        (1 + *std::max_element(number.begin(), number.end()));
  auto out = cached_cnn(
      folder, {task.data_hash(), cells, params.classifier},
      [&](const std::string& split) { return cells_of(task, split); }, device);
  log::info("features ", out->id(), ": ", 100 * out->accuracy(), " % of ", cells,
            " cells (domain, class) right on the test split");
  return out;
}

FeatureSet on_cpu(FeatureSet set) {
  for (at::Tensor* t : {&set.pooled, &set.spatial, &set.logits}) {
    if (t->defined()) *t = t->cpu();
  }
  return set;
}

/// Calls `use` with the features of every batch of images, on the CPU, where references from files
/// lie too.
void for_each_batch(FeatureExtractor& extractor, const at::Tensor& images_NCHW, at::Device device,
                    const std::function<void(const FeatureSet&)>& use) {
  for (const at::Tensor& part : images_NCHW.split(kBatch))
    use(on_cpu(extractor.extract(in_colour(part).to(device))));
}

/// One domain: real and generated images of each class that it has.
class DomainScorer {
 public:
  DomainScorer(Task& task, Module& model, FeatureExtractor& extractor, at::Device device,
               Generator::Prepare prepare)
      : task_(task),
        model_(model),
        extractor_(extractor),
        device_(device),
        prepare_(std::move(prepare)) {}

  void score(int64_t domain, int64_t per_class, GenerativeScores& scores) {
    const auto real = task_.generator()->examples(domain, "test");
    for (int64_t c = 0; c < static_cast<int64_t>(task_.class_names().size()); ++c) {
      const at::Tensor of_class = real.data.index({real.label == c});
      const ImageCell cell{task_.domain_names()[static_cast<size_t>(domain)],
                           task_.class_names()[static_cast<size_t>(c)]};
      if (of_class.size(0) < 2) {
        log::warn(cell.name(), " is not scored: got ", of_class.size(0),
                  " real examples, expected at least 2");
        continue;
      }
      ReferenceBuilder reference;
      for_each_batch(extractor_, of_class, device_,
                     [&](const FeatureSet& batch) { reference.update(batch); });
      scores.add_reference(cell, reference.compute());
      for_each_batch(extractor_, made(domain, c, per_class), device_,
                     [&](const FeatureSet& batch) { scores.add_samples(cell, batch); });
    }
  }

 private:
  at::Tensor made(int64_t domain, int64_t label, int64_t count) {
    std::vector<at::Tensor> out;
    for (int64_t begin = 0; begin < count; begin += kBatch) {
      std::vector<Generator::Item> items;
      for (int64_t i = begin; i < std::min(count, begin + kBatch); ++i)
        items.push_back({domain, label, static_cast<uint64_t>(label * count + i)});
      out.push_back(task_.generator()->generate(model_, items, 0, device_, prepare_));
    }
    return at::cat(out);
  }

  Task& task_;
  Module& model_;
  FeatureExtractor& extractor_;
  at::Device device_;
  Generator::Prepare prepare_;
};

bool has(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

void GenerationParams::declare(Fields<GenerationParams>& f) {
  f.add("per_class", &GenerationParams::per_class,
        "data made of every class and domain to be scored; 0: none", at_least(0));
  f.node("network", &GenerationParams::network,
         "TorchScript network whose features are compared; without a path: the classifier");
  f.add(
      "reference", &GenerationParams::reference,
      ".npz with mu and sigma of real images under the network, for every domain; empty: the real "
      "test data");
  f.node("classifier", &GenerationParams::classifier, "trained on the real data for its features");
  f.node("scores", &GenerationParams::scores, "metrics and their parameters");
}

void score_generation(Task& task, Module& model, const GenerationParams& params,
                      const std::string& device_name, const GenerationPlace& place,
                      const Generator::Prepare& prepare) {
  if (params.per_class == 0) return;
  check(task.generator() != nullptr, "eval.generate", "the task makes no data");
  check(params.reference.empty() || !params.network.path.empty(), "eval.generate.reference",
        "belongs to a published network: expected eval.generate.network.path");
  const at::Device device(device_name);
  const auto extractor = make_extractor(task, params, device, place.features);
  const at::NoGradGuard no_grad;
  model.train(false);
  GenerativeScores scores(extractor->id(), params.scores);
  DomainScorer scorer(task, model, *extractor, device, prepare);
  const auto names = task.domain_names(), seen = task.seen_domains();
  for (size_t d = 0; d < names.size(); ++d) {
    if (!params.reference.empty())
      scores.add_reference({names[d], ""}, read_published_reference(params.reference));
    scorer.score(static_cast<int64_t>(d), params.per_class, scores);
  }
  const auto is_seen = [&](const ImageCell& cell) {
    const std::string left_out = cat(cell.domain, ":", cell.class_name);  // evaluated by itself
    return has(seen, cell.domain) && (!has(names, left_out) || has(seen, left_out));
  };
  const auto all = scores.compute();
  for (const auto level : {ScoreLevel::Domain, ScoreLevel::Cell})
    for (const auto& table : generative_tables(all, level, place.protocol, place.common, is_seen))
      write_table(place.eval, table,
                  (level == ScoreLevel::Domain ? "table-" : "cells-") + table.metric);
}

}  // namespace switchyard
