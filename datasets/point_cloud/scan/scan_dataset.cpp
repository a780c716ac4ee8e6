#include "datasets/point_cloud/scan/scan_dataset.h"

#include <ATen/ops/empty.h>

#include <cstdio>
#include <mutex>

#include "core/io/file.h"
#include "datasets/point_cloud/scan/scan_simulator.h"

namespace switchyard {
namespace {

constexpr int kVersion = 2;  // raise whenever the same parameters give other points

std::string padded(int64_t number, int width) {
  char out[24];
  std::snprintf(out, sizeof out, "%0*lld", width, static_cast<long long>(number));
  return out;
}

std::string data_hash(ScanParams params) {
  const std::string list = read_text(params.list);
  params.catalogue = params.list = params.cache_dir = "";
  const uint64_t hash =
      mix64(hash64(write_params(params).to_line()) ^ mix64(hash64(list) + kVersion));
  char out[20];
  std::snprintf(out, sizeof out, "%016llx", static_cast<unsigned long long>(hash));
  return out;
}

at::Tensor vectors(const std::vector<scan::ScanPoint>& points,
                   scan::Vec3 scan::ScanPoint::*member) {
  at::Tensor out = at::empty({int64_t(points.size()), 3}, at::kFloat);
  float* p = out.mutable_data_ptr<float>();
  for (const auto& point : points) {
    const scan::Vec3& v = point.*member;
    *p++ = float(v.x);
    *p++ = float(v.y);
    *p++ = float(v.z);
  }
  return out;
}

at::Tensor colors(const std::vector<scan::ScanPoint>& points) {
  at::Tensor out = at::empty({int64_t(points.size()), 3}, at::kByte);
  uint8_t* p = out.mutable_data_ptr<uint8_t>();
  for (const auto& point : points) {
    for (float channel : point.color) *p++ = uint8_t(std::lround(255 * channel));
  }
  return out;
}

at::Tensor intensities(const std::vector<scan::ScanPoint>& points) {
  at::Tensor out = at::empty({int64_t(points.size())}, at::kFloat);
  float* p = out.mutable_data_ptr<float>();
  for (const auto& point : points) *p++ = point.intensity;
  return out;
}

at::Tensor segments(const std::vector<scan::ScanPoint>& points) {
  at::Tensor out = at::empty({int64_t(points.size())}, at::kLong);
  int64_t* p = out.mutable_data_ptr<int64_t>();
  for (const auto& point : points) *p++ = point.label;
  return out;
}

}  // namespace

// The models are read once, by whichever thread asks first.
struct ScanDataset::Simulator {
  std::vector<scan::ModelEntry> entries;
  std::once_flag once;
  std::unique_ptr<scan::ScanSimulator> simulator;
};

ScanDataset::ScanDataset(const ScanParams& params)
    : params_(params), simulator_(std::make_unique<Simulator>()) {
  for (const auto& sensor : params.sensors)
    check_name("dataset.sensors", "sensor", sensor, scan::sensor_names());
  for (const auto& sensor : params.seen)
    check_name("dataset.seen", "sensor", sensor, scan::sensor_names());
  simulator_->entries = scan::read_model_list(params.list);
  for (const auto& entry : simulator_->entries) scan::archive_path(params.catalogue, entry.collection);
  for (const auto& sensor : params.seen) {
    for (int64_t room = 0; room < params.train_rooms; ++room)
      scans_.push_back({sensor, false, room});
  }
  for (int64_t room = 0; room < params.test_rooms; ++room) {
    for (const auto& sensor : params.sensors) scans_.push_back({sensor, true, room});
  }
  info_ = {scan::class_names(),
           "simulated sensors in rooms furnished with sweethome3d-furniture 1.8 models",
           data_hash(params), true};
}

ScanDataset::~ScanDataset() = default;

SampleInfo ScanDataset::sample_info(int64_t index) const {
  check(index >= 0 && index < size(), "dataset", "no such scan: got ", index, ", expected 0 .. ",
        size() - 1);
  const Scan& scan = scans_[index];
  if (scan.test) {
    const std::string number = padded(scan.room, 2);
    return {"scan/test/room-" + number + "/" + scan.sensor, scan.sensor, "test-room-" + number,
            "test"};
  }
  const std::string number = padded(scan.room, 3);
  return {"scan/train/" + scan.sensor + "-" + number + "/" + scan.sensor, scan.sensor,
          "train-" + scan.sensor + "-" + number, "train"};
}

Sample ScanDataset::get(int64_t index, const Draw&) const {
  Sample sample;
  sample.info = sample_info(index);
  std::call_once(simulator_->once, [&] {
    simulator_->simulator = std::make_unique<scan::ScanSimulator>(
        scan::ModelLibrary(simulator_->entries, params_.catalogue, params_.cache_dir),
        uint64_t(params_.seed), params_.equal_coverage);
  });
  const Scan& scan = scans_[index];
  const auto points =
      simulator_->simulator->scan(scan.test ? "test" : "train-" + scan.sensor, scan.room, scan.test,
                                  scan.sensor, scan.test ? params_.keep_test : params_.keep_train);
  const auto sensor = scan::make_sensor(scan.sensor);
  sample.tensors["coord"] = vectors(points, &scan::ScanPoint::position);
  sample.tensors["origin"] = vectors(points, &scan::ScanPoint::origin);
  sample.tensors["segment"] = segments(points);
  if (sensor->has_color()) sample.tensors["color"] = colors(points);
  if (sensor->has_intensity()) sample.tensors["intensity"] = intensities(points);
  return sample;
}

void register_scan_dataset(Registry<Dataset>& registry) {
  registry.add<ScanParams>(
      "scan", "furnished rooms seen by five simulated sensors",
      [](const ScanParams& params) { return std::make_unique<ScanDataset>(params); });
}

}  // namespace switchyard
