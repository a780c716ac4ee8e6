#include "datasets/point_cloud/corruption.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/where.h>

#include <cmath>
#include <numbers>

#include "core/io/sha256.h"
#include "datasets/point_cloud/points.h"
#include "datasets/point_cloud/transforms/jitter.h"
#include "datasets/point_cloud/transforms/rotate.h"
#include "datasets/point_cloud/transforms/scale_flip.h"

namespace switchyard {
namespace {

constexpr double kBall = 0.5;  // metres
constexpr double kDegree = std::numbers::pi / 180;

/// Points that pass `keep(row, i)`; if none does, the first.
template <class Keep>
void keep_where(Sample& sample, Keep&& keep) {
  const at::Tensor coord = rows_of(sample, "coord");
  if (coord.size(0) == 0) return;
  at::Tensor mask = at::empty({coord.size(0)}, at::kBool);
  bool* out = mask.mutable_data_ptr<bool>();
  bool any = false;
  visit_rows(coord, [&](const Row3& p, int64_t i) { any |= out[i] = keep(p, i); });
  if (!any) out[0] = true;
  keep_points(sample, mask);
}

void noise(Sample& sample, double severity, RandomStream& stream) {
  const at::Tensor coord = rows_of(sample, "coord");
  jitter(coord, normal_draws(stream, coord.size(0), 3), 0.01 * severity,
         std::numeric_limits<double>::infinity());
}

void density(Sample& sample, double severity, RandomStream& stream) {
  const double share = std::pow(2, -severity);
  keep_where(sample, [&](const Row3&, int64_t) { return stream.chance(share); });
}

void dropout(Sample& sample, double severity, RandomStream& stream) {
  const at::Tensor coord = rows_of(sample, "coord");
  const int64_t points = coord.size(0);
  if (points == 0) return;
  std::vector<bool> lost(static_cast<size_t>(points), false);
  int64_t left = points;
  while (static_cast<double>(points - left) < 0.1 * severity * static_cast<double>(points)) {
    const Row3 center = row_of(coord, stream.below(points));
    visit_rows(coord, [&](const Row3& p, int64_t i) {
      const double x = p[0] - center[0], y = p[1] - center[1], z = p[2] - center[2];
      if (lost[i] || x * x + y * y + z * z > kBall * kBall) return;
      lost[i] = true;
      --left;
    });
  }
  keep_where(sample, [&](const Row3&, int64_t i) { return !lost[i]; });
}

void occlusion(Sample& sample, double severity, RandomStream& stream) {
  const at::Tensor coord = rows_of(sample, "coord");
  const bool has_origin = sample.tensors.count("origin") > 0;
  const Row3 eye = bounding_box(has_origin ? rows_of(sample, "origin") : coord).middle();
  const double first = stream.uniform(0, 360), width = 30 * severity;
  keep_where(sample, [&](const Row3& p, int64_t) {
    const double azimuth = std::atan2(p[1] - eye[1], p[0] - eye[0]) / kDegree;
    return std::fmod(azimuth - first + 720, 360) >= width;
  });
}

void rotation(Sample& sample, double severity, RandomStream& stream) {
  const double about = stream.uniform(0, 2 * std::numbers::pi);
  const auto center = std::optional(bounding_box(rows_of(sample, "coord")).middle());
  rotate(sample, 'z', -about, center);
  rotate(sample, 'x', 4 * severity * kDegree, center);
  rotate(sample, 'z', about, center);
}

void resize(Sample& sample, double severity, RandomStream& stream) {
  const double factor = 1 + 0.1 * severity;
  const double f = stream.chance(.5) ? factor : 1 / factor;
  scale(sample, {f, f, f});
}

void reflectance(Sample& sample, double severity, RandomStream& stream) {
  const int64_t points = rows_of(sample, "coord").size(0);
  if (points == 0) return;
  at::Tensor hit = at::empty({points}, at::kBool);
  for (int64_t i = 0; i < points; ++i)
    hit.mutable_data_ptr<bool>()[i] = stream.chance(severity / 5);
  for (const char* key : {"intensity", "color"}) {
    const auto found = sample.tensors.find(key);
    if (found == sample.tensors.end()) continue;
    at::Tensor& value = found->second;
    const at::Tensor mean = value.to(at::kDouble).mean(0, /*keepdim=*/true).to(value.scalar_type());
    value = at::where(value.dim() == 2 ? hit.unsqueeze(1) : hit, mean, value);
  }
}

using Corrupt = void (*)(Sample&, double severity, RandomStream&);

const std::vector<std::pair<std::string, Corrupt>>& all() {
  static const std::vector<std::pair<std::string, Corrupt>> list = {{"noise", noise},
                                                                    {"density", density},
                                                                    {"dropout", dropout},
                                                                    {"occlusion", occlusion},
                                                                    {"rotation", rotation},
                                                                    {"scale", resize},
                                                                    {"reflectance", reflectance}};
  return list;
}

/// Private copies of what `corrupt` writes in place.
void own_places(Sample& sample) {
  for (const char* key : {"coord", "origin", "normal"}) {
    const auto found = sample.tensors.find(key);
    if (found != sample.tensors.end())
      found->second = found->second.clone(at::MemoryFormat::Contiguous);
  }
}

class Corrupted : public Dataset {
 public:
  Corrupted(std::shared_ptr<const Dataset> inner, const CorruptionParams& params)
      : inner_(std::move(inner)), params_(params), info_(inner_->info()) {
    Sha256 hash;
    hash.update(cat(info_.hash, "\n", params.kind, "-", params.severity));
    info_.hash = hash.hex();
  }
  int64_t size() const override { return inner_->size(); }
  SampleInfo sample_info(int64_t index) const override { return inner_->sample_info(index); }
  Sample get(int64_t index, const Draw& draw) const override {
    Sample sample = inner_->get(index, draw);
    corrupt(sample, params_, RandomStream(hash64(sample.info.uri), "corruption"));
    return sample;
  }
  const DatasetInfo& info() const override { return info_; }

 private:
  std::shared_ptr<const Dataset> inner_;
  CorruptionParams params_;
  DatasetInfo info_;
};

}  // namespace

const std::vector<std::string>& corruption_kinds() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> out;
    for (const auto& [name, function] : all()) out.push_back(name);
    return out;
  }();
  return names;
}

void CorruptionParams::declare(Fields<CorruptionParams>& f) {
  f.add("kind", &CorruptionParams::kind, "what is wrong with the scans",
        Choices{corruption_kinds()});
  f.add("severity", &CorruptionParams::severity, "grade; 0: nothing", between(0, 5));
}

void corrupt(Sample& sample, const CorruptionParams& params, RandomStream stream) {
  if (params.severity == 0) return;
  own_places(sample);
  for (const auto& [name, function] : all())
    if (name == params.kind) function(sample, static_cast<double>(params.severity), stream);
}

std::shared_ptr<const Dataset> corrupted(std::shared_ptr<const Dataset> inner,
                                         const CorruptionParams& params) {
  if (params.severity == 0) return inner;
  return std::make_shared<Corrupted>(std::move(inner), params);
}

}  // namespace switchyard
