// CIFAR-10 and IDX.

#include <ATen/ops/arange.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include "core/config/yaml.h"
#include "datasets/check.h"
#include "datasets/image/cifar10.h"
#include "datasets/image/idx.h"
#include "datasets/pack.h"
#include "datasets/shards.h"
#include "tests/datasets/image/layouts/arrays.h"
#include "tests/datasets/image/layouts/pictures.h"
#include "tests/support/fuzz.h"

using namespace switchyard;
using namespace switchyard::test;
namespace fs = std::filesystem;

namespace {

at::Tensor bytes(std::vector<int64_t> values) { return at::tensor(values, at::kByte); }

/// [N,3,32,32]
at::Tensor color_images(int64_t count) {
  std::vector<at::Tensor> out;
  for (int64_t i = 0; i < count; ++i) out.push_back(picture(i, 32, 32).permute({2, 0, 1}));
  return at::stack(out);
}

/// [N,H,W]
at::Tensor grey_images(int64_t count, int64_t height, int64_t width) {
  std::vector<at::Tensor> out;
  for (int64_t i = 0; i < count; ++i) out.push_back(picture(i, height, width, 1).squeeze(2));
  return at::stack(out);
}

void write_cifar(const fs::path& root) {
  write_bytes(root / "data_batch_1.bin", cifar_batch(bytes({1, 0}), color_images(2)));
  write_bytes(root / "test_batch.bin", cifar_batch(bytes({1}), color_images(1)));
  write_bytes(root / "batches.meta.txt", "airplane\nautomobile\n\n");
}

Cifar10Params cifar_at(const fs::path& root) {
  Cifar10Params params;
  params.root = root.string();
  return params;
}

IdxParams idx_at(const fs::path& root) {
  IdxParams params;
  params.root = root.string();
  return params;
}

void write_part(const fs::path& root, const std::string& part, const at::Tensor& image_NHW,
                const at::Tensor& label_N) {
  write_bytes(root / (part + "-images-idx3-ubyte"), idx_bytes(image_NHW));
  write_bytes(root / (part + "-labels-idx1-ubyte"), idx_bytes(label_N));
}

std::string idx_error(const fs::path& root) {
  return error_of([&] { open_idx(idx_at(root))->get(0, {}); });
}

}  // namespace

TEST_CASE("cifar10 reads the binary version", "[image][datasets]") {
  TempDir root, shards;
  write_cifar(root.path());
  const auto dataset = open_cifar10(cifar_at(root.path()));
  REQUIRE(dataset->size() == 3);
  CHECK(dataset->info().class_names == std::vector<std::string>{"airplane", "automobile"});
  const Sample second = dataset->get(1, {});
  CHECK(second.info.uri == "data_batch_1/00001");
  CHECK(second.info.split == "train");
  CHECK(second.tensors.at("image").equal(color_images(2)[1]));
  CHECK(second.tensors.at("image").is_contiguous());
  CHECK(second.tensors.at("label").item<int64_t>() == 0);
  CHECK(dataset->sample_info(2).split == "test");
  pack(*dataset, shards / "pack", {});
  CHECK(same_samples(ShardDataset(shards / "pack"), *dataset));
  CHECK(holds(check_dataset(root.path()).front(), "layout: cifar10"));
}

TEST_CASE("damaged CIFAR-10 is refused by name", "[image][datasets]") {
  TempDir root;
  const auto error = [&] {
    return error_of([&] { open_cifar10(cifar_at(root.path()))->get(0, {}); });
  };
  CHECK(holds(error(), "no batch found"));
  write_cifar(root.path());
  write_bytes(root / "test_batch.bin", cifar_batch(bytes({1}), color_images(1)).substr(1));
  CHECK(holds(error(), "test_batch.bin] wrong size: got 3072"));
  write_bytes(root / "test_batch.bin", cifar_batch(bytes({9}), color_images(1)));
  CHECK(holds(error(), "labels without a class: got 1 of 1"));
  write_bytes(root / "test_batch.bin", "");
  CHECK(holds(error(), "wrong size: got 0"));
  write_cifar(root.path());
  write_bytes(root / "batches.meta.txt", "\n");
  CHECK(holds(error(), "is empty"));
  CHECK(refusals(
            root / "data_batch_1.bin", [&] { open_cifar10(cifar_at(root.path()))->get(0, {}); },
            50) > 5);
}

TEST_CASE("idx: published names are splits, other parts are domains", "[image][datasets]") {
  TempDir root;
  write_part(root.path(), "train", grey_images(2, 28, 28), bytes({3, 1}));
  write_packed(root / "t10k-images-idx3-ubyte.gz", idx_bytes(grey_images(1, 28, 28)));
  write_packed(root / "t10k-labels-idx1-ubyte.gz", idx_bytes(bytes({2})));
  write_part(root.path(), "usps", grey_images(20, 16, 16), at::zeros({20}, at::kByte));
  const auto dataset = open_idx(idx_at(root.path()));
  REQUIRE(dataset->size() == 23);
  CHECK(dataset->info().class_names == std::vector<std::string>{"0", "1", "2", "3"});
  const std::string name = root.path().filename().string();
  CHECK(dataset->sample_info(0).split == "test");
  CHECK(dataset->sample_info(0).domain == name);
  CHECK(dataset->sample_info(1).split == "train");
  CHECK(dataset->sample_info(3).domain == "usps");
  CHECK(dataset->get(1, {}).tensors.at("image").equal(grey_images(2, 28, 28).narrow(0, 0, 1)));
  CHECK(dataset->get(1, {}).tensors.at("label").item<int64_t>() == 3);
  CHECK(dataset->get(22, {}).tensors.at("image").sizes() == at::IntArrayRef({1, 28, 28}));
  CHECK(holds(check_dataset(root.path()).front(), "layout: idx"));
}

TEST_CASE("idx: the config names domains and their parts", "[image][datasets]") {
  TempDir root;
  write_part(root.path(), "m-a", grey_images(2, 8, 8), bytes({0, 1}));
  write_part(root.path(), "m-b", grey_images(1, 8, 8), bytes({0}));
  write_part(root.path(), "u", grey_images(1, 6, 6), bytes({1}));
  auto params = idx_at(root.path());
  params.size = 8;
  params.channels = 3;
  params.classes = {"zero", "one"};
  params.split.test_share = 1;
  params.domains = parse_yaml("{mnist: {train: m-a, test: m-b}, usps: u}", "test");
  const auto dataset = open_idx(params);
  REQUIRE(dataset->size() == 4);
  CHECK(dataset->sample_info(2).split == "test");
  CHECK(dataset->sample_info(3).domain == "usps");
  CHECK(dataset->sample_info(3).split == "test");
  CHECK(dataset->get(3, {}).tensors.at("image").sizes() == at::IntArrayRef({3, 8, 8}));
  params.classes = {"zero"};
  CHECK(holds(error_of([&] { open_idx(params); }), "labels without a class: got 1 of 2"));
  params.domains = parse_yaml("{mnist: ../m}", "test");
  CHECK(holds(error_of([&] { open_idx(params); }), "below the root"));
  params.domains = parse_yaml("{mnist: none}", "test");
  CHECK(holds(error_of([&] { open_idx(params); }), "none-images-idx3-ubyte"));
}

TEST_CASE("damaged IDX files are refused by name", "[image][datasets][fuzz]") {
  TempDir root;
  CHECK(holds(idx_error(root.path()), "no part found"));
  const at::Tensor images = grey_images(2, 8, 8);
  write_part(root.path(), "train", images, bytes({0, 1, 0}));
  CHECK(holds(idx_error(root.path()), "wrong number of labels: got 3, expected 2"));
  write_part(root.path(), "train", images.view({2, 64}), bytes({0, 1}));
  CHECK(holds(idx_error(root.path()), "got magic number 2050, expected 2051"));
  write_part(root.path(), "train", at::zeros({2, 0, 8}, at::kByte), bytes({0, 1}));
  CHECK(holds(idx_error(root.path()), "holds nothing: got shape [2, 0, 8]"));
  write_part(root.path(), "train", at::zeros({0, 8, 8}, at::kByte), bytes({}));
  CHECK(holds(idx_error(root.path()), "holds nothing"));
  write_part(root.path(), "train", images, bytes({0, 1}));
  const fs::path file = root / "train-images-idx3-ubyte";
  write_bytes(file, idx_bytes(images).substr(0, 40));
  CHECK(holds(idx_error(root.path()), "wrong size: got 24 values, expected 128"));
  write_bytes(file, idx_bytes(images));
  const auto read = [&] { open_idx(idx_at(root.path()))->get(0, {}); };
  CHECK(refusals(file, read, 300) > 30);
  CHECK(refusals(root / "train-labels-idx1-ubyte", read, 300) > 30);
}
