#include "datasets/image/latent_cache.h"

#include <ATen/ops/full.h>

#include <limits>

#include "core/io/npz.h"
#include "datasets/check.h"
#include "datasets/concat.h"
#include "datasets/pack.h"
#include "datasets/shards.h"
#include "tests/datasets/image/layouts/latents.h"
#include "tests/support/fuzz.h"

using namespace switchyard;
using namespace switchyard::test;
namespace fs = std::filesystem;

namespace {

constexpr const char* kVae = "stabilityai/sd-vae-ft-mse";

LatentCacheParams cache_at(const fs::path& root, const std::string& vae = kVae) {
  LatentCacheParams params;
  params.root = root.string();
  params.vae = vae;
  return params;
}

void write_cache(const fs::path& root) {
  write_latents_json(root, kVae);
  write_latent(root / "n01/a.latent.npz", 1);
  write_latent(root / "n02/b.latent.npz", 2);
}

std::string cache_error(const fs::path& root) {
  return error_of([&] { open_latent_cache(cache_at(root))->get(0, {}); });
}

}  // namespace

TEST_CASE("latent_cache reads the published layout, pairs of .npy and shards of either",
          "[image][datasets]") {
  TempDir root, shards;
  write_cache(root.path());
  const auto npz = open_latent_cache(cache_at(root.path()));
  REQUIRE(npz->size() == 2);
  CHECK(npz->info().class_names == std::vector<std::string>{"n01", "n02"});
  CHECK(npz->info().latent == LatentInfo{kVae, .18215, true});
  const Sample second = npz->get(1, {});
  CHECK(second.info.uri == "n02/b.latent.npz");
  CHECK(second.info.split == "train");
  CHECK(second.tensors.at("latent").equal(moments(2)));
  CHECK(second.tensors.at("latent_flip").equal(moments(2).flip(2)));
  CHECK(second.tensors.at("label").item<int64_t>() == 1);

  pack(*npz, shards / "pack", {});
  const auto packed = open_latent_cache(cache_at(shards / "pack"));
  CHECK(same_samples(*packed, *npz));
  CHECK(packed->info().latent == npz->info().latent);

  write_npy(root / "n02/c.latent.npy", moments(3));
  write_npy(root / "n02/c.latent_flip.npy", moments(4));
  const Sample third = open_latent_cache(cache_at(root.path()))->get(2, {});
  CHECK(third.tensors.at("latent").equal(moments(3)));
  CHECK(third.tensors.at("latent_flip").equal(moments(4)));
  CHECK(holds(check_dataset(root.path()).front(), "layout: latent_cache"));
}

TEST_CASE("latents of another VAE, or of nobody knows which, are refused", "[image][datasets]") {
  TempDir root, shards, pixels;
  write_latent(root / "n01/a.latent.npz", 1);
  CHECK(holds(cache_error(root.path()), "latents.json] is missing"));
  write_text(root / "latents.json", "{\"vae\": 3}");
  CHECK(holds(cache_error(root.path()), "damaged description of latents"));
  write_latents_json(root.path(), "other/vae");
  CHECK(holds(cache_error(root.path()), "got 'other/vae', expected 'stabilityai/sd-vae-ft-mse'"));
  const auto dataset = open_latent_cache(cache_at(root.path(), ""));
  pack(*dataset, shards / "pack", {});
  CHECK(holds(cache_error(shards / "pack"), "got 'other/vae'"));
  const MemoryDataset plain({{{{"latent", moments(0)}}, {"u", "d", "u", "train"}}});
  pack(plain, pixels / "pack", {});
  CHECK(holds(cache_error(pixels / "pack"), "does not say which VAE"));
}

TEST_CASE("latents of two VAEs are not joined", "[image][datasets]") {
  TempDir a, b;
  write_cache(a.path());
  write_latents_json(b.path(), "other/vae");
  write_latent(b / "n01/c.latent.npz", 1);
  write_latent(b / "n02/d.latent.npz", 1);
  const auto open = [](const fs::path& root) {
    return std::shared_ptr<const Dataset>(open_latent_cache(cache_at(root, "")));
  };
  CHECK(holds(error_of([&] { Concat({open(a.path()), open(b.path())}); }), "same VAE"));
}

TEST_CASE("damaged latents are refused by name", "[image][datasets][fuzz]") {
  TempDir root;
  CHECK(holds(cache_error(root / "none"), "no such folder"));
  write_cache(root.path());
  const fs::path file = root / "n01/a.latent.npz";
  write_npz(file, {{"latent", moments(1)}});
  CHECK(holds(cache_error(root.path()), "a.latent.npz] holds no array latent_flip"));
  const auto error = [&](const at::Tensor& latent) {
    write_npz(file, {{"latent", latent}, {"latent_flip", moments(1)}});
    return cache_error(root.path());
  };
  CHECK(holds(error(moments(1)[0]), "expected float32 [2Z,h,w]"));
  CHECK(holds(error(moments(1).to(at::kDouble)), "expected float32"));
  CHECK(holds(error(moments(1).narrow(0, 0, 3)), "expected float32 [2Z,h,w]"));
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK(holds(error(at::full({4, 2, 2}, nan, at::kFloat)), "not finite"));
  write_latent(file, 1);
  CHECK(refusals(
            file, [&] { open_latent_cache(cache_at(root.path()))->get(0, {}); }, 300) > 100);
  write_latents_json(root.path(), kVae, /*flip=*/false);
  CHECK(open_latent_cache(cache_at(root.path()))->get(0, {}).tensors.size() == 2);
}

TEST_CASE("npz as numpy compresses it", "[io]") {
  const fs::path file = data_dir() / "datasets/image/files/moments.latent.npz";
  const auto arrays = read_npz(file);
  REQUIRE(arrays.size() == 2);
  CHECK(arrays.at("latent").sizes() == at::IntArrayRef({8, 4, 4}));
  CHECK(arrays.at("latent").min().item<float>() == -3);
  CHECK(arrays.at("latent").flip(2).equal(arrays.at("latent_flip")));
  TempDir folder;
  fs::copy(file, folder / "x.npz");
  CHECK(refusals(
            folder / "x.npz", [&] { read_npz(folder / "x.npz"); }, 500) > 300);
  write_npz(folder / "y.npz", {{"a", moments(0)}});
  CHECK(read_npz(folder / "y.npz").at("a").equal(moments(0)));
}
