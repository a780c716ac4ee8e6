#pragma once
// Ray casting with Embree (version 3 or 4).

#include <memory>
#include <span>

#include "datasets/point_cloud/scan/soup.h"

namespace switchyard::scan {

struct Ray {
  Vec3 origin, direction;  ///< the direction need not have unit length
};

struct Hit {
  float distance = -1;      ///< in lengths of the ray's direction; negative: nothing hit
  uint32_t triangle = 0;    ///< index into the soup
  float cos_incidence = 0;  ///< |normal . direction|, 0 .. 1
  Vec3 normal;              ///< unit, turned against the ray
  bool valid() const { return distance >= 0; }
};

class Scene {
 public:
  explicit Scene(Soup soup);
  ~Scene();
  Scene(const Scene&) = delete;
  Scene& operator=(const Scene&) = delete;

  const Soup& soup() const { return soup_; }
  /// Nearest hit per ray. Thread-safe, deterministic.
  std::vector<Hit> cast(std::span<const Ray> rays) const;

 private:
  struct Handle;
  Soup soup_;
  std::unique_ptr<Handle> handle_;
};

}  // namespace switchyard::scan
