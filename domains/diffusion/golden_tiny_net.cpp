#include "domains/diffusion/golden_tiny_net.h"

namespace switchyard::diffusion_golden {
namespace {

int64_t size_of(const GoldenCase& c, const std::string& weight, int64_t axis) {
  return c.file.get("weights/" + weight).size(axis);
}

}  // namespace

TinyNet::TinyNet(const GoldenCase& c)
    : fc1_(emplace_child<Linear>("fc1", size_of(c, "fc1.weight", 1), size_of(c, "fc1.weight", 0))),
      fc2_(emplace_child<Linear>("fc2", size_of(c, "fc2.weight", 1), size_of(c, "fc2.weight", 0))),
      time_(add_parameter("time", {size_of(c, "time", 0)}, Init::constant(0))),
      label_(add_parameter("label", {size_of(c, "label", 0), size_of(c, "label", 1)},
                           Init::constant(0))) {
  c.load_weights(*this);
}

at::Tensor TinyNet::forward(const at::Tensor& x, const at::Tensor& t, const at::Tensor& y) const {
  const auto condition =
      (t / 1000).unsqueeze(1) * time_ + label_.index_select(0, y.to(label_.device()));
  const auto pixels = fc1_.forward(x.movedim(1, -1)) + condition.view({x.size(0), 1, 1, -1});
  return fc2_.forward(pixels.tanh()).movedim(-1, 1);
}

}  // namespace switchyard::diffusion_golden
