// From pictures to latents and back.

#include "domains/diffusion/vae/latent_dataset.h"

#include "core/io/tensor_io.h"
#include "core/train/load_weights.h"
#include "datasets/pack.h"
#include "datasets/shards.h"
#include "tests/support/moe.h"
#include "tests/test.h"

using namespace switchyard;
using namespace switchyard::test;

namespace {

VaeParams tiny() {
  VaeParams p;
  p.block_out_channels = {4, 6};
  p.layers_per_block = 1;
  p.latent_channels = 2;
  p.norm_num_groups = 2;
  p.scaling_factor = .5;
  return p;
}

std::unique_ptr<AutoencoderKl> made(uint64_t seed, const VaeParams& params = tiny()) {
  auto vae = std::make_unique<AutoencoderKl>(params);
  init_parameters(*vae, seed);
  return vae;
}

LatentCodec codec(uint64_t seed = 1) { return LatentCodec(made(seed)); }

class Pictures : public Dataset {
 public:
  explicit Pictures(int64_t side) : side_(side) {
    info_.source = "test";
    info_.hash = "pictures";
  }
  int64_t size() const override { return 3; }
  SampleInfo sample_info(int64_t i) const override { return {cat("p", i), "d", "g", "train"}; }
  Sample get(int64_t i, const Draw&) const override {
    const auto image = (60 * normal({3, side_, side_}, cat("image", i)) + 128).clamp(0, 255);
    return {{{"image", image.to(at::kByte)}, {"label", at::tensor({i})}}, sample_info(i)};
  }
  const DatasetInfo& info() const override { return info_; }

 private:
  int64_t side_;
  DatasetInfo info_;
};

}  // namespace

TEST_CASE("a codec's id follows its weights and its scaling factor", "[diffusion][vae]") {
  CHECK(codec(1).info() == codec(1).info());
  CHECK(codec(1).info().vae != codec(2).info().vae);
  VaeParams other = tiny();
  other.scaling_factor = 1;
  CHECK(LatentCodec(made(1, other)).info().vae != codec(1).info().vae);
}

TEST_CASE("latents of noise zero are the scaled means, and decode as the VAE does",
          "[diffusion][vae]") {
  const auto c = codec();
  const auto image = Pictures(4).get(0, {}).tensors.at("image").unsqueeze(0);
  const auto moments = c.moments(image);
  CHECK(moments.sizes() == at::IntArrayRef{1, 4, 2, 2});
  CHECK_FALSE(moments.requires_grad());
  const auto latent = c.latent(moments, at::zeros({1, 2, 2, 2}));
  CHECK(latent.equal(moments.narrow(1, 0, 2) * .5));
  CHECK(c.decode(latent).equal(made(1)->decode(moments.narrow(1, 0, 2)).detach()));
  CHECK(c.pictures(latent).scalar_type() == at::kByte);
  CHECK(c.pictures(latent).sizes() == image.sizes());
}

TEST_CASE("a cache holds both latents of every picture and says what made them",
          "[diffusion][vae]") {
  TempDir dir;
  pack(LatentDataset(std::make_unique<Pictures>(4), codec()), dir / "cache");
  const ShardDataset cache(dir / "cache");
  REQUIRE(cache.info().latent);
  CHECK(*cache.info().latent == codec().info());
  CHECK(cache.size() == 3);
  const Sample sample = cache.get(1, {});
  CHECK(sample.tensors.count("image") == 0);
  CHECK(sample.tensors.at("label").item<int64_t>() == 1);
  const auto image = Pictures(4).get(1, {}).tensors.at("image").unsqueeze(0);
  CHECK(relative_error(sample.tensors.at("latent"), codec().moments(image)[0]) < 1e-5);
  CHECK(relative_error(sample.tensors.at("latent_flip"), codec().moments(image.flip(3))[0]) < 1e-5);
}

TEST_CASE("pictures that no latent can be made of are refused by name", "[diffusion][vae]") {
  const LatentDataset odd(std::make_unique<Pictures>(5), codec());
  CHECK(error_of([&] { odd.get(2, {}); }).find("[p2] image: got Byte [3, 5, 5]") !=
        std::string::npos);
  auto cache = std::make_unique<LatentDataset>(std::make_unique<Pictures>(4), codec());
  CHECK(error_of([&] { LatentDataset(std::move(cache), codec()); }).find("latents already") !=
        std::string::npos);
}

TEST_CASE("a codec opens a file of any naming, and no other model", "[diffusion][vae]") {
  TempDir dir;
  const auto vae = made(1);
  write_tensors(dir / "ldm.safetensors", vae->to_scheme(weights_of(*vae), "ldm"));
  ConfigNode model = write_params(tiny());
  model.child("type") = ConfigNode(std::string("kl_vae"));
  CHECK(LatentCodec::open(dir / "ldm.safetensors", model).info() == codec().info());
  model.child("type") = ConfigNode(std::string("dit"));
  CHECK(error_of([&] { LatentCodec::open(dir / "ldm.safetensors", model); }).find("kl_vae") !=
        std::string::npos);
}
