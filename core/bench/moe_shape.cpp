#include "core/bench/moe_shape.h"

#include "core/base/error.h"

namespace switchyard {

MoeShape MoeShape::scaled(int64_t divisor) const {
  MoeShape out = *this;
  out.tokens = std::max<int64_t>(1, tokens / divisor);
  return out;
}

const std::vector<MoeShape>& moe_shapes() {
  static const std::vector<MoeShape> shapes = {
      {"P0", 409600, 2, 8, 64, 256, false},    {"P2", 51200, 2, 8, 256, 1024, false},
      {"P4", 12800, 2, 8, 512, 2048, false},   {"D1", 16384, 1, 13, 1024, 2048, false},
      {"D2", 65536, 1, 13, 1152, 2304, false}, {"Q1", 900, 8, 64, 256, 256, false},
      {"Q16", 14400, 8, 64, 256, 256, false},  {"A1", 8192, 3, 8, 2048, 2752, true},
      {"A0", 64, 3, 8, 2048, 2752, true},      {"F1", 24576, 8, 128, 1536, 256, true},
      {"F2", 16384, 8, 128, 2048, 768, true},  {"F3", 32768, 6, 64, 2048, 1408, true},
      {"M1", 16384, 2, 8, 4096, 14336, true},  {"L0", 1048576, 2, 8, 64, 0, false},
      {"K1", 409600, 1, 8, 64, 256, false}};
  return shapes;
}

const MoeShape& moe_shape(const std::string& name) {
  std::vector<std::string> names;
  for (const MoeShape& shape : moe_shapes()) names.push_back(shape.name);
  check_name("shape", "shape", name, names);
  return moe_shapes()[static_cast<size_t>(std::find(names.begin(), names.end(), name) -
                                          names.begin())];
}

Cost moe_cost(const MoeShape& shape, Pass pass, bool fused, int64_t element) {
  const auto rows = static_cast<double>(shape.entries() * shape.channels),
             out = static_cast<double>(shape.k > 1 ? shape.tokens * shape.channels : 0),
             a = static_cast<double>(shape.entries() * shape.hidden),
             z = static_cast<double>(shape.entries() * shape.in_width()),
             weights = static_cast<double>(shape.experts * shape.channels *
                                           (shape.in_width() + shape.hidden));
  const double combine = shape.k > 1 ? 2 * rows + out : rows;
  const double product = 2 * static_cast<double>(shape.channels) * (z + a);
  Cost cost{product, rows + weights + combine};
  if (shape.is_linear()) fused = true;
  if (!fused) cost.bytes += 2 * a;
  if (!fused && pass != Pass::Inference) cost.bytes += z;
  if (pass == Pass::ForwardBackward) {
    cost.flops *= fused && !shape.is_linear() ? 3.5 : 3;
    cost.bytes += rows + combine + 2 * weights + rows;
    if (!fused) cost.bytes += rows + 4 * z + 2 * a;
  }
  return {cost.flops, cost.bytes * static_cast<double>(element)};
}

double floor_seconds(const Cost& cost, const Peak& peak) {
  return std::max(cost.flops / peak.flops, cost.bytes / peak.bytes);
}

}  // namespace switchyard
