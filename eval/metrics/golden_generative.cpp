// Kinds metric_* of the set diffusion.

#include <cmath>

#include "core/golden/golden.h"
#include "eval/metrics/features.h"
#include "eval/metrics/frechet.h"
#include "eval/metrics/golden.h"
#include "eval/metrics/inception_score.h"
#include "eval/metrics/kid.h"
#include "eval/metrics/prdc.h"

namespace switchyard {
namespace {

at::Tensor number(double value) { return at::full({1}, value, at::kDouble); }

/// As stored: these metrics are computed in double whatever the precision of the run.
at::Tensor stored(const GoldenCase& c, const std::string& name) {
  return c.file.get("inputs/" + name).to(c.device);
}

void compare_given(const GoldenCase& c, GoldenResult& result, const std::string& name,
                   const at::Tensor& value) {
  if (c.has("outputs/" + name)) result.compare("outputs/" + name, value);
}

void compare_terms(GoldenResult& result, const FrechetTerms& terms) {
  result.compare("outputs/mean_term", number(terms.mean_term));
  result.compare("outputs/trace_sqrt", number(terms.trace_sqrt));
  result.compare("outputs/fd", number(terms.distance()));
}

/// Features of one side: [N, D], or maps [N, H, W, C] where the case reads spatial channels.
at::Tensor features_of(const GoldenCase& c, const std::string& side) {
  const at::Tensor x = stored(c, side);
  const Json& channels = c.config.at("spatial_channels");
  return channels.is_null() ? x : spatial_rows(x.permute({0, 3, 1, 2}), channels.get<int64_t>());
}

FeatureGaussian moments_of(const at::Tensor& features) {
  FeatureMoments moments;
  moments.update(features);
  return moments.compute();
}

void run_frechet(const GoldenCase& c, GoldenResult& result) {
  check(c.config.at("ddof").get<int64_t>() == 1, c.name, "ddof: expected 1");
  const at::Tensor a = features_of(c, "a"), b = features_of(c, "b");
  const FeatureGaussian of_a = moments_of(a), of_b = moments_of(b);
  for (const auto& [side, g] : {std::pair("a", of_a), std::pair("b", of_b)}) {
    result.compare(cat("outputs/mu_", side), g.mu_D);
    compare_given(c, result, cat("sigma_", side), g.sigma_DD);
    result.compare(cat("outputs/trace_", side), g.sigma_DD.trace().reshape(1));
  }
  compare_terms(result, frechet(gaussian_factor(a), gaussian_factor(b)));
  const double eps = c.config.at("eps").get<double>();
  const auto offset = frechet(gaussian_factor(of_a, eps), gaussian_factor(of_b, eps));
  result.compare("outputs/fd_offset", number(offset.distance()));
}

void run_frechet_stats(const GoldenCase& c, GoldenResult& result) {
  const auto side = [&](const std::string& name) {
    return gaussian_factor(FeatureGaussian{stored(c, "mu_" + name), stored(c, "sigma_" + name)});
  };
  compare_terms(result, frechet(side("a"), side("b")));
}

void compare_scores(const GoldenCase& c, GoldenResult& result, const std::string& name,
                    const at::Tensor& scores) {
  compare_given(c, result, name + ".scores", scores);
  compare_given(c, result, name + ".mean", scores.mean().reshape(1));
  compare_given(c, result, name + ".std", scores.std(0, /*unbiased=*/false).reshape(1));
}

void run_inception_score(const GoldenCase& c, GoldenResult& result) {
  const auto wide = [&](const char* name) { return stored(c, name).to(at::kDouble); };
  const at::Tensor logits = wide("features").matmul(wide("weight").t());
  const int64_t n = logits.size(0);
  const auto splits = split_boundaries(n, c.config.at("splits").get<int64_t>());
  result.compare("outputs/probabilities", logits.softmax(1));
  result.compare("outputs/single", inception_scores(logits, {0, n}));
  const auto chunks = chunk_boundaries(n, c.config.at("split_size").get<int64_t>());
  compare_scores(c, result, "chunks", inception_scores(logits, chunks));
  compare_scores(c, result, "splits", inception_scores(logits, splits));
  const at::Tensor order = stored(c, "permutation");
  compare_scores(c, result, "shuffled", inception_scores(logits.index_select(0, order), splits));
}

void run_kid(const GoldenCase& c, GoldenResult& result) {
  KidKernel kernel{c.config.at("degree").get<int64_t>(), c.config.at("coef0").get<double>(), {}};
  const Json& gamma = c.config.at("gamma");
  if (gamma.is_number()) kernel.gamma = gamma.get<double>();
  for (const auto& [name, estimator] :
       {std::pair("unbiased", KidEstimator::Unbiased), std::pair("biased", KidEstimator::Biased),
        std::pair("u_statistic", KidEstimator::UStatistic)}) {
    const at::Tensor estimates = kid(stored(c, "a"), stored(c, "b"), stored(c, "index_a"),
                                     stored(c, "index_b"), estimator, kernel);
    result.compare(cat("outputs/", name, ".mmd2"), estimates);
    result.compare(cat("outputs/", name, ".mean"), estimates.mean().reshape(1));
    result.compare(cat("outputs/", name, ".std"), estimates.std(0, false).reshape(1));
  }
}

void run_prdc(const GoldenCase& c, GoldenResult& result) {
  const at::Tensor real = stored(c, "real"), fake = stored(c, "fake");
  const auto k = c.config.at("k").get<int64_t>();
  result.compare("outputs/radius2_real", neighbour_radius2(real, k));
  result.compare("outputs/radius2_fake", neighbour_radius2(fake, k));
  for (const auto& [rule, ball] : {std::pair("le.", Ball::Closed), std::pair("lt.", Ball::Open)}) {
    const Prdc scores = prdc(real, fake, k, ball);
    const auto compare = [&](const std::string& name, const at::Tensor& value) {
      compare_given(c, result, rule + name, value);
    };
    compare("fake_in_real", scores.balls_per_fake > 0);
    compare("real_in_fake", scores.real_in_fake);
    compare("balls_per_fake", scores.balls_per_fake);
    compare("covered_real", scores.covered_real);
    compare("precision", number(scores.precision));
    compare("recall", number(scores.recall));
    compare("density", number(scores.density));
    compare("coverage", number(scores.coverage));
  }
}

}  // namespace

void register_generative_golden() {
  register_golden_kind("diffusion", "metric_frechet", run_frechet);
  register_golden_kind("diffusion", "metric_frechet_stats", run_frechet_stats);
  register_golden_kind("diffusion", "metric_is", run_inception_score);
  register_golden_kind("diffusion", "metric_kid", run_kid);
  register_golden_kind("diffusion", "metric_prdc", run_prdc);
}

}  // namespace switchyard
