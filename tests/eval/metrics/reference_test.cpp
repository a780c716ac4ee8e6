#include "eval/metrics/reference.h"

#include "core/io/file.h"
#include "core/io/npz_writer.h"
#include "tests/eval/metrics/made_features.h"
#include "tests/test.h"

using namespace switchyard;
using namespace switchyard::test;

namespace {

FeatureSet features(int64_t n, uint64_t seed) {
  return {normal_features(n, 6, seed), normal_features(n, 8 * 4, seed).reshape({n, 8, 2, 2}), {}};
}

ReferenceFeatures reference_of(const std::vector<FeatureSet>& batches, int64_t kept = 10000) {
  ReferenceBuilder builder(kept);
  for (const auto& batch : batches) builder.update(batch);
  return builder.compute();
}

const ReferenceKey kKey{"cnn-1-s0", "hash", "sketch", "dog", "train"};

bool found(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("reference features of parts join into those of the whole", "[metrics]") {
  const auto a = features(30, 1), b = features(12, 2);
  const auto whole = reference_of({a, b});
  CHECK(whole.pooled.count == 42);
  CHECK(whole.spatial->mu_D.size(0) == 7 * 4);
  CHECK(whole.features_ND.equal(at::cat({a.pooled, b.pooled})));
  ReferenceBuilder joined;
  joined.update(reference_of({a}));
  joined.update(reference_of({b}));
  CHECK(joined.compute().pooled.sigma_DD.allclose(whole.pooled.sigma_DD, 1e-12));
  CHECK(joined.compute().spatial->mu_D.allclose(whole.spatial->mu_D, 1e-12));
  CHECK(joined.compute().features_ND.equal(whole.features_ND));
  CHECK(reference_of({a, b}, 35).features_ND.equal(whole.features_ND.slice(0, 0, 35)));
}

TEST_CASE("reference features are read back, and their key is checked", "[metrics]") {
  TempDir folder;
  const auto path = folder / "r.safetensors";
  const auto reference = reference_of({features(30, 1)});
  write_reference(path, kKey, reference);
  const auto back = read_reference(path, kKey);
  CHECK(back.pooled.sigma_DD.equal(reference.pooled.sigma_DD));
  CHECK(back.spatial->mu_D.equal(reference.spatial->mu_D));
  CHECK(back.features_ND.equal(reference.features_ND));
  CHECK(back.pooled.count == 30);
  ReferenceKey other = kKey;
  other.domain = "photo", other.data_hash = "newer";
  const std::string error = error_of([&] { read_reference(path, other); });
  CHECK(found(error, "data_hash: got 'hash', expected 'newer'"));
  CHECK(found(error, "domain: got 'sketch', expected 'photo'"));
  CHECK_FALSE(found(error, "split"));
  write_reference(path, kKey, {reference.pooled, {}, {}});
  CHECK_FALSE(read_reference(path, kKey).spatial);
  CHECK_FALSE(read_reference(path, kKey).features_ND.defined());
}

TEST_CASE("published statistics are read from an npz", "[metrics]") {
  TempDir folder;
  const auto path = folder / "statistics.npz";
  const auto reference = reference_of({features(30, 1)});
  const at::Tensor mu = reference.pooled.mu_D.to(at::kFloat);
  write_npz(path, {{"mu", mu}});
  CHECK(found(error_of([&] { read_published_reference(path); }), "has no array 'sigma'"));
  write_npz(path, {{"mu", mu}, {"sigma", reference.pooled.sigma_DD}});
  CHECK_FALSE(read_published_reference(path).spatial);
  write_npz(path, {{"mu", mu},
                   {"sigma", reference.pooled.sigma_DD},
                   {"mu_s", reference.spatial->mu_D},
                   {"sigma_s", reference.spatial->sigma_DD}});
  const auto back = read_published_reference(path);
  CHECK(back.pooled.mu_D.allclose(reference.pooled.mu_D, 1e-6, 1e-6));
  CHECK(back.spatial->sigma_DD.equal(reference.spatial->sigma_DD));
  write_npz(path, {{"mu", mu}, {"sigma", reference.spatial->sigma_DD}});
  CHECK(found(error_of([&] { read_published_reference(path); }), "expected [D] and"));
}

TEST_CASE("bad reference features are named", "[metrics]") {
  const auto a = features(30, 1);
  ReferenceBuilder builder;
  CHECK(found(error_of([&] { builder.update(FeatureSet{}); }), "no pooled features"));
  CHECK(found(error_of([&] { builder.compute(); }), "too few samples: got 0"));
  builder.update(a);
  CHECK(found(error_of([&] {
                builder.update(FeatureSet{a.pooled, {}, {}});
              }),
              "got those of 30 of 60 images"));
  ReferenceFeatures part = reference_of({a});
  part.pooled.count = 0;
  CHECK(found(error_of([&] { ReferenceBuilder().update(part); }), "got those of 0 samples"));
  TempDir folder;
  write_text(folder / "torn.safetensors", "torn");
  CHECK(found(error_of([&] { read_reference(folder / "torn.safetensors", kKey); }), "torn"));
}
