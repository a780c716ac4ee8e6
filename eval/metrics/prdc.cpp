#include "eval/metrics/prdc.h"

#include <ATen/ops/cdist.h>

#include "core/base/error.h"
#include "eval/metrics/features.h"

namespace switchyard {
namespace {

constexpr char kWhere[] = "precision and recall";
constexpr int64_t kBlockElements = int64_t{1} << 24;
/// Of at::cdist: no matrix product, whose rounding depends on a pair's place in it.
constexpr int64_t kNoProduct = 2;

/// Distances of a block of rows of x to all of y at a time: visit(first row, [block, M]).
template <class Visit>
void for_distances(const at::Tensor& x_ND, const at::Tensor& y_MD, const Visit& visit) {
  const int64_t rows = std::max<int64_t>(1, kBlockElements / y_MD.size(0));
  for (int64_t begin = 0; begin < x_ND.size(0); begin += rows)
    visit(begin, at::cdist(x_ND.slice(0, begin, begin + rows), y_MD, 2, kNoProduct));
}

at::Tensor neighbour_radius(const at::Tensor& x_ND, int64_t k) {
  check(k >= 1 && k < x_ND.size(0), kWhere, "k: got ", k, ", expected 1 to ", x_ND.size(0) - 1,
        " (samples of a set less one)");
  std::vector<at::Tensor> parts;
  for_distances(x_ND, x_ND, [&](int64_t, const at::Tensor& distance) {
    parts.push_back(std::get<0>(distance.topk(k + 1, 1, /*largest=*/false)).amax(1));
  });
  return at::cat(parts);
}

double share(const at::Tensor& flags) { return flags.to(at::kDouble).mean().item<double>(); }

}  // namespace

at::Tensor neighbour_radius2(const at::Tensor& x_ND, int64_t k) {
  return neighbour_radius(feature_rows(x_ND, kWhere), k).square();
}

Prdc prdc(const at::Tensor& real_ND, const at::Tensor& fake_MD, int64_t k, Ball ball) {
  const at::Tensor real = feature_rows(real_ND, kWhere), fake = feature_rows(fake_MD, kWhere);
  check_same_width(real, fake, kWhere);
  const at::Tensor radius_N = neighbour_radius(real, k), radius_M = neighbour_radius(fake, k);
  const auto inside = [&](const at::Tensor& distance, const at::Tensor& radius) {
    return ball == Ball::Closed ? distance <= radius : distance < radius;
  };
  Prdc out;
  out.real_in_fake = at::zeros({real.size(0)}, real.options().dtype(at::kBool));
  out.covered_real = at::zeros_like(out.real_in_fake);
  std::vector<at::Tensor> balls;
  for_distances(fake, real, [&](int64_t begin, const at::Tensor& distance) {
    const at::Tensor own = radius_M.slice(0, begin, begin + distance.size(0)).unsqueeze(1);
    const at::Tensor in_real = inside(distance, radius_N);
    balls.push_back(in_real.sum(1));
    out.real_in_fake.logical_or_(inside(distance, own).any(0));
    out.covered_real.logical_or_(in_real.any(0));
  });
  out.balls_per_fake = at::cat(balls);
  out.precision = share(out.balls_per_fake > 0);
  out.recall = share(out.real_in_fake);
  out.density = share(out.balls_per_fake) / static_cast<double>(k);
  out.coverage = share(out.covered_real);
  return out;
}

}  // namespace switchyard
