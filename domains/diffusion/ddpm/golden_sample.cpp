#include <ATen/core/grad_mode.h>

#include <set>

#include "domains/diffusion/ddpm/golden.h"
#include "domains/diffusion/ddpm/sampling.h"
#include "domains/diffusion/golden_tiny_net.h"
#include "domains/diffusion/guidance.h"

namespace switchyard::diffusion_golden {
namespace {

/// One walk. With guidance the state has 2B rows, and the network reads the first half twice.
class SampleCase {
 public:
  explicit SampleCase(const GoldenCase& c)
      : c_(c), process_(ddpm_process(c.config)), guided_(!c.config.at("guidance").is_null()) {
    if (c.config.at("model") == "tiny_net") net_ = std::make_unique<TinyNet>(c);
    for (const auto& step : list_of(c.file.get("outputs/stored_steps"))) stored_.insert(step);
  }

  void run(GoldenResult& result) {
    const at::NoGradGuard no_grad;
    walk();
    result.compare("outputs/x", at::stack(x_));
    result.compare("outputs/pred_x0", at::stack(x0_));
    result.compare("outputs/stored_steps", at::tensor(seen_, at::kLong));
    result.compare("outputs/timestep_map", at::tensor(process_.timesteps(), at::kLong));
  }

 private:
  static std::vector<int64_t> list_of(const at::Tensor& t) {
    return {t.const_data_ptr<int64_t>(), t.const_data_ptr<int64_t>() + t.numel()};
  }

  at::Tensor start(const std::string& name) const {
    const auto x = c_.input(name);
    return guided_ ? at::cat({x, x}) : x;
  }

  at::Tensor predict(const at::Tensor& x, int64_t i) const {
    if (!net_) return c_.input("model_output")[executed(i)];
    const auto t = at::full({x.size(0)}, process_.timesteps()[static_cast<size_t>(i)], x.options());
    const auto y = c_.input("y");
    if (!guided_) return net_->forward(x, t, y);
    const auto half = x.narrow(0, 0, y.size(0));
    const auto null = at::full_like(y, c_.config.at("null_label").get<int64_t>());
    const auto out = net_->forward(at::cat({half, half}), t, at::cat({y, null}));
    const auto rule = c_.config.at("guidance").get<std::string>();
    return guide_halves(out, guided_channels(rule, x.size(1), out),
                        c_.config.at("guidance_scale").get<double>());
  }

  int64_t executed(int64_t i) const {
    return method() == "ddim_reverse" ? i : process_.steps() - 1 - i;
  }
  std::string method() const { return c_.config.at("method").get<std::string>(); }

  void record(int64_t step, const at::Tensor& x, const at::Tensor& x0) {
    if (!stored_.count(step)) return;
    seen_.push_back(step);
    x_.push_back(x);
    if (x0.defined()) x0_.push_back(x0);
  }

  void walk() {
    const bool clip = c_.config.at("clip_denoised").get<bool>();
    const auto model = [&](const at::Tensor& x, int64_t i) { return predict(x, i); };
    const auto noise = [&](int64_t k) { return c_.input("noise")[k]; };
    const auto observe = [&](int64_t step, const at::Tensor& x, const at::Tensor& x0) {
      record(step, x, x0);
    };
    check_name("config.method", "method", method(), {"ancestral", "ddim", "ddim_reverse"});
    if (method() == "ancestral")
      ancestral(process_, start("x_T"), model, noise, clip, observe);
    else if (method() == "ddim")
      ddim(process_, start("x_T"), model, noise, c_.config.at("eta").get<double>(), clip, observe);
    else
      ddim_reverse(process_, start("x_0"), model, clip, observe);
  }

  const GoldenCase& c_;
  DdpmProcess process_;
  bool guided_;
  std::unique_ptr<TinyNet> net_;
  std::set<int64_t> stored_;
  std::vector<int64_t> seen_;
  std::vector<at::Tensor> x_, x0_;
};

void run_sample(const GoldenCase& c, GoldenResult& result) { SampleCase(c).run(result); }

}  // namespace

void register_ddpm_sample_kind() { register_golden_kind("diffusion", "ddpm_sample", run_sample); }

}  // namespace switchyard::diffusion_golden
