#pragma once
// Furnished rooms seen by five simulated sensors. Training rooms differ per seen sensor; test rooms
// are paired: each is scanned by all sensors. No furniture model appears on both sides of the
// split.

#include <memory>
#include <string>
#include <vector>

#include "core/base/registry.h"
#include "datasets/dataset.h"

namespace switchyard {

struct ScanParams {
  int64_t seed = 0;
  int64_t train_rooms = 48, test_rooms = 20;
  std::vector<std::string> sensors = {"rgbd", "tls", "spin", "livox", "photo"};
  std::vector<std::string> seen = {"rgbd", "tls", "spin"};
  int64_t keep_train = 25000, keep_test = 60000;
  bool equal_coverage = false;
  std::string catalogue = "/usr/share/sweethome3d/furniture";
  std::string list = "configs/dataset/point_cloud/scan-models.csv";
  std::string cache_dir = ".cache";

  static void declare(Fields<ScanParams>& f) {
    f.add("seed", &ScanParams::seed, "makes rooms and scans", at_least(0));
    f.add("train_rooms", &ScanParams::train_rooms, "training rooms per seen sensor",
          between(0, 100000));
    f.add("test_rooms", &ScanParams::test_rooms, "test rooms, each scanned by all sensors",
          between(0, 100000));
    f.add("sensors", &ScanParams::sensors,
          "sensors of the test rooms: rgbd, tls, spin, livox, photo");
    f.add("seen", &ScanParams::seen, "sensors of the training rooms");
    f.add("keep_train", &ScanParams::keep_train, "points kept per training scan", at_least(1));
    f.add("keep_test", &ScanParams::keep_test, "points kept per test scan", at_least(1));
    f.add("equal_coverage", &ScanParams::equal_coverage,
          "same standpoints, all around, one band of elevations for all sensors: they differ in "
          "noise and density alone");
    f.add("catalogue", &ScanParams::catalogue,
          "folder of the *.sh3f archives (Debian: sweethome3d-furniture)");
    f.add("list", &ScanParams::list, "CSV of models with class, role and split");
    f.add("cache_dir", &ScanParams::cache_dir, "folder of the mesh cache");
  }
};

/// Domain = sensor; group = room ("test-room-07" is shared by its scans; "train-tls-012"). Tensors:
/// coord [N,3] f32, origin [N,3] f32, segment [N] i64; color [N,3] u8 of rgbd, tls, photo;
/// intensity [N] f32 of tls, spin, livox. A scan is simulated when asked for; it is a pure function
/// of parameters, model list and index.
class ScanDataset : public Dataset {
 public:
  /// Errors: unknown sensor, missing list or archives. Models are loaded at the first get().
  explicit ScanDataset(const ScanParams& params);
  ~ScanDataset() override;

  int64_t size() const override { return int64_t(scans_.size()); }
  SampleInfo sample_info(int64_t index) const override;
  Sample get(int64_t index, const Draw& draw) const override;
  const DatasetInfo& info() const override { return info_; }

 private:
  struct Scan {
    std::string sensor;
    bool test;
    int64_t room;
  };
  struct Simulator;

  ScanParams params_;
  std::vector<Scan> scans_;
  DatasetInfo info_;
  std::unique_ptr<Simulator> simulator_;
};

/// Adds type "scan". A build without the simulator registers a factory that says what is missing.
void register_scan_dataset(Registry<Dataset>& registry);

}  // namespace switchyard
