#pragma once
// Rooms and scans by key, on demand.

#include <list>
#include <memory>
#include <mutex>

#include "datasets/point_cloud/scan/sensor.h"

namespace switchyard::scan {

/// Thread-safe. Keeps the last few rooms, so that the sensors of a test room share one.
class ScanSimulator {
 public:
  /// `equal_coverage`: all sensors of a room stand at the same places, look all around and keep the
  /// same band of elevations, so that they differ in noise and density alone.
  ScanSimulator(ModelLibrary library, uint64_t seed, bool equal_coverage)
      : library_(std::move(library)), seed_(seed), equal_coverage_(equal_coverage) {}

  /// `purpose` names the family of rooms ("test", "train-tls"); `test` picks the side of the
  /// models.
  std::shared_ptr<const ScanRoom> room(const std::string& purpose, int64_t index, bool test) const;
  /// At most `keep` points in scanning order, drawn at random.
  std::vector<ScanPoint> scan(const std::string& purpose, int64_t index, bool test,
                              const std::string& sensor, int64_t keep) const;

 private:
  struct Entry {
    std::string key;
    std::shared_ptr<const ScanRoom> room;
  };
  ModelLibrary library_;
  uint64_t seed_;
  bool equal_coverage_;
  mutable std::mutex mutex_;
  mutable std::list<Entry> recent_;
};

}  // namespace switchyard::scan
