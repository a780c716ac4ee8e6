#include "eval/study/generative_metrics.h"

#include "eval/analysis/stats.h"
#include "eval/metrics/frechet.h"
#include "eval/metrics/inception_score.h"
#include "eval/metrics/kid.h"
#include "eval/metrics/prdc.h"
#include "eval/study/metric_info.h"

namespace switchyard {
namespace {

const std::vector<std::string>& names() {
  static const std::vector<std::string> all = GenerativeParams{}.metrics;
  return all;
}

GenerativeValue too_few(int64_t samples, int64_t references, int64_t needed) {
  return {kUndefined, references,
          cat("needs ", needed, " images, got ", samples, " and ", references)};
}

GenerativeValue frechet_value(const FeatureGaussian& reference, const at::Tensor& samples_ND) {
  const int64_t n = samples_ND.size(0), width = samples_ND.size(1), m = reference.count;
  if (n < 2) return too_few(n, m, 2);
  const double distance =
      frechet(gaussian_factor(reference), gaussian_factor(samples_ND)).distance();
  const bool biased = n <= width || (m > 0 && m <= width);
  return {distance, m,
          biased ? cat("biased: ", n, " samples and ", m, " real images for ", width, " features")
                 : ""};
}

class Scorer {
 public:
  Scorer(const ReferenceFeatures& reference, const SampleFeatures& samples,
         const GenerativeParams& params, const std::string& extractor)
      : reference_(reference), samples_(samples), params_(params), extractor_(extractor) {
    require(samples.pooled_ND.defined(), "fid", "pooled features");
  }

  /// Without its scale.
  GenerativeValue value(const std::string& metric) {
    if (metric == "fid") return frechet_value(reference_.pooled, samples_.pooled_ND);
    if (metric == "sfid") return sfid();
    if (metric == "is") return inception_score();
    require(reference_.features_ND.defined(), metric, "stored features of real images");
    if (metric == "kid") return kernel_distance();
    return neighbourhood(metric == "precision" ? &Prdc::precision : &Prdc::recall);
  }

 private:
  void require(bool given, const std::string& metric, const char* what) const {
    check(given, metric, "needs ", what, ", which '", extractor_, "' does not give");
  }

  GenerativeValue sfid() const {
    require(samples_.spatial_NF.defined() && reference_.spatial, "sfid", "spatial features");
    return frechet_value(*reference_.spatial, samples_.spatial_NF);
  }

  GenerativeValue inception_score() const {
    require(samples_.logits_NK.defined(), "is", "logits");
    const auto chunks = chunk_boundaries(samples_.count(), params_.is_chunk);
    return {inception_scores(samples_.logits_NK, chunks).mean().item<double>(), 0, ""};
  }

  GenerativeValue kernel_distance() const {
    const int64_t n = samples_.count(), m = reference_.features_ND.size(0);
    const int64_t size = std::min({params_.kid_subset, n, m});
    if (size < 2) return too_few(n, m, 2);
    const int64_t draws = size == n && size == m ? 1 : params_.kid_draws;
    const RandomStream stream(0, "kid");
    const at::Tensor real = subset_draws(m, draws, size, stream.child("real")),
                     fake = subset_draws(n, draws, size, stream.child("fake"));
    const at::Tensor estimates = kid(reference_.features_ND, samples_.pooled_ND, real, fake);
    return {estimates.mean().item<double>(), m, ""};
  }

  GenerativeValue neighbourhood(double Prdc::*score) {
    const int64_t n = samples_.count(), m = reference_.features_ND.size(0), k = params_.neighbours;
    if (std::min(n, m) <= k) return too_few(n, m, k + 1);
    if (!prdc_) prdc_ = prdc(reference_.features_ND, samples_.pooled_ND, k, Ball::Closed);
    return {(*prdc_).*score, m, ""};
  }

  const ReferenceFeatures& reference_;
  const SampleFeatures& samples_;
  const GenerativeParams& params_;
  const std::string& extractor_;
  std::optional<Prdc> prdc_;  ///< shared by precision and recall
};

}  // namespace

void GenerativeParams::declare(Fields<GenerativeParams>& f) {
  f.add("metrics", &GenerativeParams::metrics, "of fid, sfid, is, kid, precision, recall");
  f.add("neighbours", &GenerativeParams::neighbours, "precision and recall: k", at_least(1));
  f.add("kid_subset", &GenerativeParams::kid_subset, "images of a subset", at_least(2));
  f.add("kid_draws", &GenerativeParams::kid_draws, "subsets", at_least(1));
  f.add("is_chunk", &GenerativeParams::is_chunk, "inception score: samples of a split",
        at_least(1));
}

std::vector<GenerativeValue> generative_values(const ReferenceFeatures& reference,
                                               const SampleFeatures& samples,
                                               const GenerativeParams& params,
                                               const std::string& extractor) {
  Scorer scorer(reference, samples, params, extractor);
  std::vector<GenerativeValue> out;
  for (const auto& metric : params.metrics) {
    check_name("metrics", "metric", metric, names());
    out.push_back(scorer.value(metric));
    out.back().value *= metric_info(metric).scale;
  }
  return out;
}

}  // namespace switchyard
