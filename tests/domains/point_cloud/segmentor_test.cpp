#include "domains/point_cloud/model/segmentor_config.h"

#include <ATen/ops/tensor.h>

#include "core/config/yaml.h"
#include "domains/point_cloud/loss.h"
#include "domains/point_cloud/model/class_table.h"
#include "routers/register.h"
#include "tests/support/moe.h"
#include "tests/test.h"

using namespace switchyard;
using namespace switchyard::test;

namespace {

const std::string kNet =
    "{type: ptv3, in_channels: 2, stride: [2], enc_depths: [1, 1], enc_channels: [8, 8], "
    "enc_num_head: [1, 1], enc_patch_size: [16, 16], dec_depths: [1], dec_channels: [8], "
    "dec_num_head: [1], dec_patch_size: [16], stem_kernel: 3, drop_path: 0, shuffle_orders: false";

SegmentorConfig config_of(const std::string& more) {
  register_routers();
  return SegmentorConfig::parse(parse_yaml(kNet + more + "}", "test"), {"near", "far"});
}

std::unique_ptr<PointSegmentor> make(const std::string& more) {
  auto net = config_of(more).build({"floor", "box", "wall"});
  init_parameters(*net, 3);
  net->to(at::kCPU, at::kDouble);
  return net;
}

/// Clouds of n voxels each.
PointInput clouds(const std::vector<int64_t>& sizes) {
  std::vector<int64_t> grid;
  PointInput input;
  input.offset = {0};
  for (const int64_t n : sizes) {
    for (int64_t i = 0; i < n; ++i) grid.insert(grid.end(), {i % 5, i / 5, (i * i + n) % 7});
    input.offset.push_back(input.offset.back() + n);
  }
  input.grid_N3 = at::tensor(grid, at::kLong).view({-1, 3});
  input.coord_N3 = input.grid_N3.to(at::kDouble);
  input.feat_NC = normal({input.grid_N3.size(0), 2}, "feat");
  return input;
}

PointInput cloud_of(const PointInput& all, size_t b) {
  const int64_t begin = all.offset[b], n = all.offset[b + 1] - begin;
  return {all.coord_N3.narrow(0, begin, n),
          all.grid_N3.narrow(0, begin, n),
          all.feat_NC.narrow(0, begin, n),
          {0, n}};
}

const std::vector<std::string> kPrompted = {
    ", head: decoupled", ", head: {type: language, dim: 6}",
    ", context_channels: 4, pdnorm_bn: true, pdnorm_ln: true, pdnorm_adaptive: true, head: "
    "language",
    ", pdnorm_bn: true",
    ", context_channels: 4, moe: {attn_out_proj: {router: {scorer: {type: domain_guided, "
    "context_channels: 4}, selector: {type: topk, k: 2}}, experts: {count: 3}}}"};

}  // namespace

TEST_CASE("clouds of several conditions in one batch are what they are alone", "[point_cloud]") {
  const auto net = make(GENERATE(from_range(kPrompted)));
  net->train(false);
  const auto all = clouds({40, 30, 35});
  ForwardContext context;
  context.condition = {1, 0, 1};
  const auto together = net->forward(all, context);
  for (size_t b = 0; b < 3; ++b) {
    ForwardContext alone;
    alone.condition = {context.condition[b]};
    const auto part = net->forward(cloud_of(all, b), alone);
    CHECK(relative_error(together.narrow(0, all.offset[b], part.size(0)), part) < 1e-12);
  }
}

TEST_CASE("the condition changes what a prompted net says", "[point_cloud]") {
  const std::string more = GENERATE(from_range(kPrompted));
  const auto net = make(more);
  INFO(more);
  const auto input = clouds({40});
  std::vector<at::Tensor> logits;
  for (const int64_t condition : {0, 1}) {
    ForwardContext context;
    context.condition = {condition};
    net->train(condition == 0);  // the norms of condition 1 still have their first statistics
    logits.push_back(net->forward(input, context));
  }
  CHECK(net->uses_conditions());
  // With one list of classes the language-guided head itself does not read the condition.
  if (more.find("dim: 6") == std::string::npos) CHECK_FALSE(at::equal(logits[0], logits[1]));
}

TEST_CASE("every dataset present has the same weight in the loss", "[point_cloud]") {
  const auto net = make(", head: decoupled");
  const auto input = clouds({40, 10, 20});
  ForwardContext context;
  context.condition = {1, 1, 0};
  const auto parts = net->run(input, context).parts;
  REQUIRE(parts.size() == 2);
  CHECK(parts[0].condition == 1);
  const auto label = at::arange(70, at::kLong).remainder(3);
  const auto criterion = [](const at::Tensor& logits, const at::Tensor& labels) {
    return cross_entropy(logits, labels);
  };
  const auto mean = mean_over_parts(parts, label, criterion).item<double>();
  const auto first = cross_entropy(parts[0].logits_MK, label.narrow(0, 0, 50)).item<double>();
  const auto second = cross_entropy(parts[1].logits_MK, label.narrow(0, 50, 20)).item<double>();
  CHECK(mean == Approx((first + second) / 2).epsilon(1e-12));
  CHECK(at::equal(join_logits(parts).narrow(0, 50, 20), parts[1].logits_MK));
}

TEST_CASE("a domain without a condition is refused, never guessed", "[point_cloud]") {
  const std::vector<std::string> domains = {"far", "livox"};
  const auto error = error_of([&] { config_of("").conditions_of(domains); });
  CHECK(error.find("'livox'") != std::string::npos);
  CHECK(error.find("near, far") != std::string::npos);
  CHECK(config_of(", condition_of: {livox: near}").conditions_of(domains) ==
        std::vector<int64_t>{1, 0});
  CHECK(error_of([&] {
          config_of(", condition_of: {livox: neat}").conditions_of(domains);
        }).find("neat") != std::string::npos);
  CHECK(error_of([&] { config_of(", pdnorm_bm: true"); }).find("pdnorm_bn") != std::string::npos);
  CHECK(error_of([&] {
          make(", pdnorm_bn: true, pdnorm_adaptive: true");
        }).find("context_channels") != std::string::npos);
}

TEST_CASE("the shipped class table is that of Point-MoE", "[point_cloud]") {
  const auto table = ClassTable::parse(
      load_yaml(data_dir() / "../configs/model/head/class_table/point_moe.yaml"), "class_table");
  CHECK(table.classes.size() == 94);
  const std::map<std::string, size_t> sizes = {
      {"Structured3D", 25},  {"ScanNet", 20},  {"S3DIS", 13}, {"Matterport3D", 21},
      {"SemanticKITTI", 19}, {"nuScenes", 16}, {"Waymo", 22}};
  CHECK(table.valid_index.size() == sizes.size());
  for (const auto& [dataset, size] : sizes) CHECK(table.rows_of(dataset).size() == size);
  const auto name = [&](const std::string& dataset, size_t i) {
    return table.classes[static_cast<size_t>(table.rows_of(dataset)[i])];
  };
  CHECK(name("ScanNet", 19) == "otherfurniture");
  CHECK(name("Matterport3D", 19) == "other");
  CHECK(name("Matterport3D", 20) == "ceiling");
  CHECK(name("SemanticKITTI", 18) == "traffic sign");
  CHECK(name("nuScenes", 15) == "vegetation");
  CHECK(error_of([&] { table.rows_of("ScanNett"); }).find("ScanNet") != std::string::npos);
}

TEST_CASE("class embeddings are orthonormal and shared by equal names", "[point_cloud]") {
  const std::vector<std::string> names = {"car", "tree", "car", "road"};
  const auto unit = orthonormal_embedding(names, 8, 1).to(at::kDouble);
  CHECK(at::equal(unit[0], unit[2]));
  const auto products = at::matmul(unit, unit.transpose(0, 1));
  const auto expected =
      at::tensor(std::vector<double>{1, 0, 1, 0, 0, 1, 0, 0, 1, 0, 1, 0, 0, 0, 0, 1}).view({4, 4});
  CHECK((products - expected).abs().max().item<double>() < 1e-6);
  CHECK_FALSE(at::equal(unit, orthonormal_embedding(names, 8, 2).to(at::kDouble)));
  CHECK(error_of([&] { orthonormal_embedding(names, 2, 1); }).find("got 2 for 3") !=
        std::string::npos);
}

TEST_CASE("a class table must fit the task's classes", "[point_cloud]") {
  const auto error = error_of([] {
    make(
        ", head: {type: language, dim: 6, class_table: {classes: [a, b, c], "
        "valid_index: {near: [0, 1, 2], far: [0, 1]}}}");
  });
  CHECK(error.find("classes of far: got 2, expected the task's 3") != std::string::npos);
}
