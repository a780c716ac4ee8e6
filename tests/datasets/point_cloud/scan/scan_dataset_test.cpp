// The data set as users see it. Cases that need the Debian furniture package skip without it.

#include "datasets/point_cloud/scan/scan_dataset.h"

#include <ATen/ops/equal.h>
#include <ATen/ops/isfinite.h>

#include <future>
#include <iostream>
#include <numbers>
#include <set>

#include "datasets/point_cloud/scan/recipes.h"
#include "datasets/point_cloud/scan/scan_simulator.h"
#include "tests/test.h"

namespace switchyard {
namespace {

ScanParams small() {
  ScanParams params;
  params.list =
      (test::data_dir().parent_path() / "configs/dataset/point_cloud/scan-models.csv").string();
  params.cache_dir = (std::filesystem::temp_directory_path() / "switchyard-test-cache").string();
  params.train_rooms = 2;
  params.test_rooms = 2;
  params.keep_train = 4000;
  params.keep_test = 6000;
  return params;
}

bool have_furniture() {
  const bool there = std::filesystem::exists(small().catalogue);
  if (!there) std::cout << "skipped: Debian package sweethome3d-furniture is not installed\n";
  return there;
}

const scan::ModelLibrary& library() {
  static const scan::ModelLibrary models(scan::read_model_list(small().list), small().catalogue,
                                         small().cache_dir);
  return models;
}

void check_equal(const Sample& a, const Sample& b) {
  REQUIRE(a.tensors.size() == b.tensors.size());
  for (const auto& [key, tensor] : a.tensors) CHECK(at::equal(tensor, b.tensors.at(key)));
}

}  // namespace

TEST_CASE("scan: bad parameters name the key and what is valid", "[scan]") {
  ScanParams params = small();
  params.sensors = {"tsl"};
  CHECK(test::error_of([&] { ScanDataset{params}; }).find("tls") != std::string::npos);
  params = small();
  params.catalogue = "nowhere";
  CHECK(test::error_of([&] { ScanDataset{params}; }).find("sweethome3d-furniture") !=
        std::string::npos);
  params = small();
  params.list = "nowhere.csv";
  CHECK(test::error_of([&] { ScanDataset{params}; }).find("nowhere.csv") != std::string::npos);
  Registry<Dataset> registry("dataset");
  register_scan_dataset(registry);
  CHECK(registry.names() == std::vector<std::string>{"scan"});
}

TEST_CASE("scan: samples are named, paired over test rooms, and hashed", "[scan]") {
  if (!have_furniture()) return;
  const ScanDataset data(small());
  CHECK(data.size() == 2 * 3 + 2 * 5);
  std::map<std::string, std::set<std::string>> domains;
  std::set<std::string> uris;
  for (int64_t i = 0; i < data.size(); ++i) {
    const SampleInfo info = data.sample_info(i);
    uris.insert(info.uri);
    domains[info.group].insert(info.domain);
    CHECK(info.uri.rfind("scan/" + info.split + "/", 0) == 0);
  }
  CHECK(int64_t(uris.size()) == data.size());
  CHECK(domains.at("test-room-01").size() == 5);
  CHECK(domains.at("train-tls-001") == std::set<std::string>{"tls"});
  CHECK(data.info().class_names.size() == 13);
  CHECK(data.info().synthetic);
  ScanParams other = small();
  other.cache_dir = "elsewhere";
  CHECK(ScanDataset(other).info().hash == data.info().hash);
  other.seed = 1;
  CHECK(ScanDataset(other).info().hash != data.info().hash);
  CHECK(test::error_of([&] { data.get(99, {}); }).find("no such scan") != std::string::npos);
}

TEST_CASE("scan: same seed gives same bits, from two threads as well", "[scan]") {
  if (!have_furniture()) return;
  const ScanDataset a(small()), b(small());
  const int64_t first = a.size() - 5;
  std::vector<std::future<Sample>> parallel;
  for (int64_t i = a.size() - 1; i >= first; --i)
    parallel.push_back(std::async(std::launch::async, [&b, i] { return b.get(i, {9, 9, 9}); }));
  for (int64_t i = first; i < a.size(); ++i)
    check_equal(a.get(i, {}), parallel[size_t(a.size() - 1 - i)].get());
  ScanParams reseeded = small();
  reseeded.seed = 5;
  CHECK_FALSE(at::equal(ScanDataset(reseeded).get(first, {}).tensors.at("coord"),
                        a.get(first, {}).tensors.at("coord")));
}

TEST_CASE("scan: tensors have the promised shapes, types and ranges", "[scan]") {
  if (!have_furniture()) return;
  const ScanDataset data(small());
  const std::map<std::string, std::pair<bool, bool>> channels = {{"rgbd", {true, false}},
                                                                 {"tls", {true, true}},
                                                                 {"spin", {false, true}},
                                                                 {"livox", {false, true}},
                                                                 {"photo", {true, false}}};
  for (int64_t i = 0; i < data.size(); ++i) {
    const Sample s = data.get(i, {});
    INFO(s.info.uri);
    const at::Tensor& coord = s.tensors.at("coord");
    const int64_t n = coord.size(0), keep = s.info.split == "test" ? 6000 : 4000;
    CHECK(n == keep);
    CHECK((coord.scalar_type() == at::kFloat && coord.dim() == 2 && coord.is_contiguous()));
    CHECK(s.tensors.at("origin").sizes() == coord.sizes());
    CHECK(s.tensors.count("color") == channels.at(s.info.domain).first);
    CHECK(s.tensors.count("intensity") == channels.at(s.info.domain).second);
    const at::Tensor distance = (coord - s.tensors.at("origin")).norm(2, {1});
    CHECK(at::isfinite(coord).all().item<bool>());
    CHECK(distance.max().item<float>() < 12);
    CHECK(distance.min().item<float>() > .2);
    const at::Tensor& segment = s.tensors.at("segment");
    CHECK((segment.min().item<int64_t>() >= 0 && segment.max().item<int64_t>() < 13));
    if (!channels.at(s.info.domain).second) continue;
    const at::Tensor& intensity = s.tensors.at("intensity");
    CHECK((intensity.min().item<float>() >= 0 && intensity.max().item<float>() <= 1));
  }
}

TEST_CASE("scan: with equal coverage all sensors stand together and look all around", "[scan]") {
  if (!have_furniture()) return;
  ScanParams params = small();
  params.equal_coverage = true;
  const ScanDataset data(params);
  std::map<std::string, std::set<std::vector<float>>> eyes_of_room;
  for (int64_t i = 0; i < data.size(); ++i) {
    const Sample s = data.get(i, {});
    INFO(s.info.uri);
    const at::Tensor origin = s.tensors.at("origin"), d = s.tensors.at("coord") - origin;
    const at::Tensor elevation = at::atan2(d.select(1, 2), d.narrow(1, 0, 2).norm(2, {1}));
    CHECK(elevation.min().item<double>() > -31 * std::numbers::pi / 180);
    CHECK(elevation.max().item<double>() < 11 * std::numbers::pi / 180);
    const at::Tensor bin =
        at::floor(at::atan2(d.select(1, 1), d.select(1, 0)) / (std::numbers::pi / 6)).to(at::kLong);
    std::set<int64_t> azimuths;
    for (int64_t j = 0; j < bin.size(0); ++j) azimuths.insert(bin[j].item<int64_t>());
    CHECK(azimuths.size() == 12);
    auto& eyes = eyes_of_room[s.info.group];
    for (int64_t j = 0; j < origin.size(0); j += 50) {
      const float* p = origin.const_data_ptr<float>() + 3 * j;
      eyes.insert({p[0], p[1], p[2]});
    }
    CHECK(eyes.size() <= 2);
  }
}

TEST_CASE("scan: rooms use models of their side only, without collisions", "[scan]") {
  if (!have_furniture()) return;
  for (const bool side : {false, true}) {
    double cover = 0;
    for (uint64_t i = 0; i < 20; ++i) {
      const scan::Room room =
          scan::make_room(library(), scan::room_kind(0, i), side, RandomStream(3, "rooms", 0, i));
      cover += room.floor_cover() / 20;
      for (const auto& o : room.openings) CHECK(library().entry(o.model).test == side);
      for (const auto& o : room.objects) {
        CHECK(library().entry(o.model).test == side);
        CHECK(room.outline.contains(o.footprint));
        CHECK(o.footprint.z1 <= room.height);
        for (const auto& r : room.reserved) CHECK_FALSE(collide(o.footprint, r));
      }
    }
    CHECK(cover > .22);
    CHECK(cover < .5);
  }
}

TEST_CASE("scan: a sensor stands clear of walls and furniture", "[scan]") {
  if (!have_furniture()) return;
  for (uint64_t i = 0; i < 20; ++i) {
    const scan::Room room =
        scan::make_room(library(), scan::room_kind(0, i), false, RandomStream(4, "rooms", 0, i));
    RandomStream random(4, "stand", 0, i);
    const auto points = scan::draw_standpoints(room, 3, 1.2, 1.7, random);
    REQUIRE_FALSE(points.empty());
    for (const auto& p : points) {
      CHECK(room.outline.contains(scan::Vec2{p.x, p.y}));
      if (points.size() > 1) CHECK(scan::can_stand(room, p, .25));
    }
  }
}

}  // namespace switchyard
