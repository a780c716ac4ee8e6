// Golden kinds flow_grid and flow_sample of the set diffusion.

#include <ATen/core/grad_mode.h>

#include "domains/diffusion/flow.h"
#include "domains/diffusion/golden_parts.h"
#include "domains/diffusion/golden_tiny_net.h"
#include "domains/diffusion/guidance.h"

namespace switchyard::diffusion_golden {
namespace {

at::Tensor grid_of(const Json& form) {
  return flow_grid(form.at("steps").get<int64_t>(), form.at("sample_shift").get<double>(),
                   form.at("shift").get<double>());
}

void run_grid(const GoldenCase& c, GoldenResult& result) {
  for (const Json& form : c.config.at("cases")) {
    const auto grid = grid_of(form);
    const std::string prefix = cat("outputs/", form.at("index").get<int64_t>(), ".");
    result.compare(prefix + "sigmas", grid);
    result.compare(prefix + "timesteps", kFlowTimes * grid.narrow(0, 0, grid.size(0) - 1));
  }
}

class FlowWalk {
 public:
  explicit FlowWalk(const GoldenCase& c)
      : c_(c), heun_(c.config.at("method") == "heun"), grid_(grid_of(c.config)) {
    if (c.config.at("model") == "tiny_net") net_ = std::make_unique<TinyNet>(c);
  }

  void run(GoldenResult& result) {
    const at::NoGradGuard no_grad;
    walk();
    result.compare("outputs/sigmas", grid_);
    result.compare("outputs/x", at::stack(x_));
    if (c_.has("outputs/velocity")) result.compare("outputs/velocity", at::stack(velocity_));
    if (!c_.has("outputs/predictor")) return;
    if (std::ssize(predictor_) < steps()) predictor_.push_back(x_.back());  // a last Euler step
    result.compare("outputs/predictor", at::stack(predictor_));
  }

 private:
  int64_t steps() const { return grid_.size(0) - 1; }

  /// Stored velocities: [N, ...], or [N, 2, ...] of predictor and corrector.
  at::Tensor stored(bool corrector) const {
    const auto row = c_.input("velocity")[std::ssize(x_) - 1];
    return heun_ ? row[corrector] : row;
  }

  at::Tensor predict(const at::Tensor& x, double t) const {
    const auto y = c_.input("y");
    const auto network = [&](const at::Tensor& rows, const at::Tensor& times,
                             const at::Tensor& null) {
      const auto label = y.masked_fill(null.cpu(), c_.config.at("null_label").get<int64_t>());
      return net_->forward(rows, times, label);
    };
    return guided_prediction(network, x, t,
                             {c_.config.at("guidance_scale").get<double>(), "promoe"})
        .narrow(1, 0, x.size(1));
  }

  at::Tensor velocity(const at::Tensor& x, double t) {
    const bool corrector = !x.is_same(x_.back());
    if (corrector) predictor_.push_back(x);
    return net_ ? predict(x, t) : stored(corrector);
  }

  void walk() {
    const auto ask = [&](const at::Tensor& x, double t) { return velocity(x, t); };
    const auto observe = [&](int64_t, const at::Tensor& x, const at::Tensor& v) {
      x_.push_back(x);
      if (v.defined()) velocity_.push_back(v);
    };
    if (heun_)
      heun(c_.input("x_T"), grid_, ask, c_.config.at("last_step") == "euler", observe);
    else
      euler(c_.input("x_T"), grid_, ask, observe);
  }

  const GoldenCase& c_;
  bool heun_;
  at::Tensor grid_;
  std::unique_ptr<TinyNet> net_;
  std::vector<at::Tensor> x_, velocity_, predictor_;
};

void run_sample(const GoldenCase& c, GoldenResult& result) { FlowWalk(c).run(result); }

}  // namespace

void register_flow_kinds() {
  register_golden_kind("diffusion", "flow_grid", run_grid);
  register_golden_kind("diffusion", "flow_sample", run_sample);
}

}  // namespace switchyard::diffusion_golden
