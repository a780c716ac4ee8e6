#include "routers/scorers/prototype.h"

#include "core/moe/precision.h"

namespace switchyard {
namespace {
struct Params {
  static void declare(Fields<Params>&) {}
};

at::Tensor lengths(const at::Tensor& x) {
  return x.norm(2, {-1}, /*keepdim=*/true).clamp_min(1e-12);
}
}  // namespace

at::Tensor unit_rows(const at::Tensor& x) { return x / lengths(x); }

PrototypeScorer::PrototypeScorer(int64_t channels, int64_t experts)
    : centers_EC_(add_parameter("cluster_centers", {experts, channels}, Init::normal(.02))) {}

at::Tensor PrototypeScorer::forward(const at::Tensor& x_TC, const ForwardContext&) {
  const auto x = x_TC.to(score_type(x_TC));
  return at::linear(x, unit_rows(centers_EC_.to(x.scalar_type()))) / lengths(x);
}

void register_prototype_scorer() {
  scorers().add<Params>("prototype", "cosine similarity with one prototype per expert",
                        [](const Params&, int64_t channels, int64_t experts) {
                          return std::make_unique<PrototypeScorer>(channels, experts);
                        });
}

}  // namespace switchyard
