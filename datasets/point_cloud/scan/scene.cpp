#include "datasets/point_cloud/scan/scene.h"

#if __has_include(<embree4/rtcore.h>)
#include <embree4/rtcore.h>
#else
#include <embree3/rtcore.h>
#endif

#include <algorithm>
#include <limits>

#include "core/base/error.h"

namespace switchyard::scan {
namespace {

// One device for the process; one build thread, so that a scene is the same in every run.
RTCDevice device() {
  static RTCDevice shared = rtcNewDevice("threads=1");
  check(shared != nullptr, "scan", "Embree has no device: error ", int(rtcGetDeviceError(nullptr)));
  return shared;
}

template <class T>
void set_buffer(RTCGeometry geometry, RTCBufferType type, RTCFormat format,
                const std::vector<std::array<T, 3>>& data) {
  void* target = rtcSetNewGeometryBuffer(geometry, type, 0, format, sizeof(data[0]), data.size());
  check(target != nullptr, "scan", "Embree is out of memory: got ", data.size(), " elements");
  std::copy(data.begin(), data.end(), static_cast<std::array<T, 3>*>(target));
}

RTCRayHit make_ray(const Ray& ray) {
  RTCRayHit out{};
  out.ray.org_x = float(ray.origin.x);
  out.ray.org_y = float(ray.origin.y);
  out.ray.org_z = float(ray.origin.z);
  out.ray.dir_x = float(ray.direction.x);
  out.ray.dir_y = float(ray.direction.y);
  out.ray.dir_z = float(ray.direction.z);
  out.ray.tfar = std::numeric_limits<float>::infinity();
  out.ray.mask = ~0u;  // Debian builds Embree with ray masks: mask 0 never hits
  out.hit.geomID = RTC_INVALID_GEOMETRY_ID;
  out.hit.instID[0] = RTC_INVALID_GEOMETRY_ID;
  return out;
}

void intersect(RTCScene scene, RTCRayHit& ray) {
#if RTC_VERSION_MAJOR >= 4
  rtcIntersect1(scene, &ray, nullptr);
#else
  RTCIntersectContext context;
  rtcInitIntersectContext(&context);
  rtcIntersect1(scene, &context, &ray);
#endif
}

Hit read_hit(const RTCRayHit& r) {
  Hit out;
  if (r.hit.geomID == RTC_INVALID_GEOMETRY_ID) return out;
  const Vec3 normal{r.hit.Ng_x, r.hit.Ng_y, r.hit.Ng_z}, d{r.ray.dir_x, r.ray.dir_y, r.ray.dir_z};
  const double size = length(normal), along = dot(normal, d);
  if (!(size > 0)) return out;
  out.distance = r.ray.tfar;
  out.triangle = r.hit.primID;
  out.cos_incidence = float(std::min(1.0, std::abs(along) / (size * length(d))));
  out.normal = ((along > 0 ? -1 : 1) / size) * normal;
  return out;
}

}  // namespace

struct Scene::Handle {
  RTCScene scene = rtcNewScene(device());
  ~Handle() { rtcReleaseScene(scene); }
};

Scene::Scene(Soup soup) : soup_(std::move(soup)), handle_(std::make_unique<Handle>()) {
  check(!soup_.triangles.empty(), "scan", "a scene needs at least one triangle");
  RTCGeometry geometry = rtcNewGeometry(device(), RTC_GEOMETRY_TYPE_TRIANGLE);
  set_buffer(geometry, RTC_BUFFER_TYPE_VERTEX, RTC_FORMAT_FLOAT3, soup_.vertices);
  set_buffer(geometry, RTC_BUFFER_TYPE_INDEX, RTC_FORMAT_UINT3, soup_.triangles);
  rtcSetGeometryMask(geometry, ~0u);
  rtcCommitGeometry(geometry);
  rtcAttachGeometry(handle_->scene, geometry);
  rtcReleaseGeometry(geometry);
  rtcCommitScene(handle_->scene);
}

Scene::~Scene() = default;

std::vector<Hit> Scene::cast(std::span<const Ray> rays) const {
  std::vector<Hit> out;
  out.reserve(rays.size());
  for (const Ray& ray : rays) {
    RTCRayHit query = make_ray(ray);
    intersect(handle_->scene, query);
    out.push_back(read_hit(query));
  }
  return out;
}

}  // namespace switchyard::scan
