#include "core/base/random.h"
#include "core/io/file.h"
#include "core/io/safetensors.h"
#include "domains/diffusion/features/cnn_extractor.h"
#include "tests/support/device.h"
#include "tests/test.h"

using namespace switchyard;
using namespace switchyard::test;

namespace {

/// Noisy images of `classes` colours.
LabelledImages coloured(int64_t count, int64_t classes, uint64_t seed) {
  RandomStream stream(seed, "images");
  LabelledImages out{at::empty({count, 3, 16, 16}, at::kByte), at::empty({count}, at::kLong)};
  for (int64_t i = 0; i < count; ++i) {
    const int64_t label = stream.below(classes);
    out.label_N[i] = label;
    for (int64_t c = 0; c < 3; ++c)
      out.images_NCHW[i][c].fill_(stream.below(60) + ((label >> c) & 1) * 80 + 40);
  }
  return out;
}

LabelledImages read_split(const std::string& split) {
  return coloured(split == "train" ? 200 : 80, 4, split == "train" ? 1 : 2);
}

CnnProvenance small() { return {"hash", 4, {.seed = 3, .steps = 30, .batch = 16}}; }

at::Tensor some_images() { return coloured(5, 4, 9).images_NCHW; }

bool found(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("the classifier learns, and its features do not depend on anything else",
          "[diffusion][features]") {
  CnnExtractor one(small(), read_split, at::kCPU), two(small(), read_split, at::kCPU);
  CHECK(one.accuracy() > .9);
  const FeatureSet features = one.extract(some_images());
  CHECK((features.pooled.sizes() == at::IntArrayRef{5, 128}));
  CHECK((features.spatial.sizes() == at::IntArrayRef{5, 64, 4, 4}));
  CHECK((features.logits.sizes() == at::IntArrayRef{5, 4}));
  CHECK(features.pooled.equal(two.extract(some_images()).pooled));
  CHECK_FALSE(features.pooled.requires_grad());
}

TEST_CASE("features on every device agree", "[diffusion][features]") {
  TempDir folder;
  CnnExtractor(small(), read_split, at::kCPU).save(folder / "a.safetensors");
  CnnExtractor expected(small(), folder / "a.safetensors", at::kCPU);
  for (const auto& device : devices()) {
    CnnExtractor extractor(small(), folder / "a.safetensors", device);
    CHECK(extractor.extract(some_images())
              .pooled.cpu()
              .allclose(expected.extract(some_images()).pooled, 1e-3, 1e-4));
  }
}

TEST_CASE("the id names data, training and seed", "[diffusion][features]") {
  const std::string id = small().id();
  CHECK(id.rfind("cnn-", 0) == 0);
  CHECK(id.substr(id.size() - 3) == "-s3");
  CHECK(id.size() == 4 + 8 + 3);
  CnnProvenance other = small();
  other.data_hash = "another";
  CHECK(other.id() != id);
  other = small();
  other.training.steps = 31;
  CHECK(other.id() != id);
}

TEST_CASE("a trained classifier is read back from its folder", "[diffusion][features]") {
  TempDir folder;
  const auto trained = cached_cnn(folder / "features", small(), read_split, at::kCPU);
  const auto never = [](const std::string&) -> LabelledImages { fail("read", "not needed"); };
  const auto again = cached_cnn(folder / "features", small(), never, at::kCPU);
  CHECK(again->extract(some_images()).logits.equal(trained->extract(some_images()).logits));
  CHECK(again->accuracy() == trained->accuracy());
  CnnProvenance other = small();
  other.training.seed = 4;
  const auto path = folder / "features" / (small().id() + ".safetensors");
  CHECK(found(error_of([&] { CnnExtractor(other, path, at::kCPU); }), "is another classifier"));
  const std::string bytes = read_text(path);
  write_text(path, bytes.substr(0, bytes.size() / 2));
  CHECK(found(error_of([&] { cached_cnn(folder / "features", small(), never, at::kCPU); }),
              small().id()));
}

TEST_CASE("bad images of a classifier are named", "[diffusion][features]") {
  const auto error = [](LabelledImages train) {
    return error_of([&] {
      CnnExtractor(
          small(), [&](const std::string&) { return train; }, at::kCPU);
    });
  };
  LabelledImages data = coloured(8, 4, 1);
  CHECK(found(error({data.images_NCHW, data.label_N + 4}), "expected 0 to 3"));
  CHECK(found(error({data.images_NCHW, data.label_N.slice(0, 1)}), "got [7] for 8 images"));
  CHECK(found(error({data.images_NCHW.slice(2, 0, 4), data.label_N}), "got 4 x 16"));
  CHECK(found(error({data.images_NCHW.slice(0, 0, 0), data.label_N}), "[B, 3, H, W]"));
}
