#include "core/nn/module.h"

#include <ATen/core/grad_mode.h>

#include <cmath>
#include <set>

#include "core/base/random.h"

namespace switchyard {

Init Init::fan_in(int64_t fan_in) {
  return uniform(fan_in > 0 ? 1.0 / std::sqrt(static_cast<double>(fan_in)) : 0.0);
}

Init Init::xavier(int64_t in, int64_t out) {
  return uniform(std::sqrt(6.0 / static_cast<double>(in + out)));
}

at::Tensor ParamView::grad() const {
  const at::Tensor& g = storage.grad();
  return g.defined() ? of(g) : at::Tensor();
}

std::vector<ParamView> Module::views(const std::string& prefix) const {
  std::vector<ParamView> out;
  append_views(prefix.empty() ? prefix : prefix + ".", out);
  return out;
}

void Module::append_views(const std::string& prefix, std::vector<ParamView>& out) const {
  for (const Item& item : items_) {
    if (item.child) {
      item.child->append_views(item.name.empty() ? prefix : prefix + item.name + ".", out);
    } else if (item.make_views) {
      for (ParamView& view : item.make_views(item.tensor)) {
        view.name = prefix + view.name;
        out.push_back(std::move(view));
      }
    } else {
      out.push_back({prefix + item.name, item.tensor, {}, item.trainable, item.init});
    }
  }
}

std::vector<const Module*> Module::modules() const {
  std::vector<const Module*> out = {this};
  for (const Item& item : items_) {
    if (!item.child) continue;
    const auto below = item.child->modules();
    out.insert(out.end(), below.begin(), below.end());
  }
  return out;
}

std::vector<at::Tensor> Module::parameters() const {
  std::vector<at::Tensor> out;
  std::set<void*> seen;
  for (const ParamView& view : views()) {
    if (view.trainable && seen.insert(view.storage.unsafeGetTensorImpl()).second)
      out.push_back(view.storage);
  }
  return out;
}

void Module::train(bool on) {
  training_ = on;
  on_train(on);
  for (Item& item : items_) {
    if (item.child) item.child->train(on);
  }
}

void Module::to(at::Device device, at::ScalarType dtype) {
  for (Item& item : items_) {
    if (item.child) {
      item.child->to(device, dtype);
      continue;
    }
    const auto type = item.tensor.is_floating_point() ? dtype : item.tensor.scalar_type();
    item.tensor.set_data(item.tensor.detach().to(device, type));
  }
}

at::Tensor& Module::add_parameter(std::string name, at::IntArrayRef shape, Init init) {
  auto tensor = at::zeros(shape, at::kFloat).requires_grad_(true);
  return items_.emplace_back(Item{std::move(name), tensor, true, init, {}, nullptr}).tensor;
}

at::Tensor& Module::add_parameter(
    at::IntArrayRef shape,
    std::function<std::vector<ParamView>(const at::Tensor& storage)> make_views) {
  auto tensor = at::zeros(shape, at::kFloat).requires_grad_(true);
  return items_.emplace_back(Item{"", tensor, true, {}, std::move(make_views), nullptr}).tensor;
}

at::Tensor& Module::add_buffer(std::string name, at::Tensor value) {
  return items_.emplace_back(Item{std::move(name), std::move(value), false, {}, {}, nullptr})
      .tensor;
}

void init_parameters(const Module& module, uint64_t seed, const std::string& prefix) {
  at::NoGradGuard no_grad;
  for (const ParamView& view : module.views(prefix)) {
    if (!view.trainable) continue;
    at::Tensor value = view.value();
    auto drawn = at::empty(value.sizes(), at::kDouble);
    RandomStream stream(seed, "init/" + view.name);
    double* out = drawn.data_ptr<double>();
    for (int64_t i = 0; i < drawn.numel(); ++i) {
      switch (view.init.kind) {
        case Init::Kind::Constant:
          out[i] = view.init.value;
          break;
        case Init::Kind::Uniform:
          out[i] = stream.uniform(-view.init.value, view.init.value);
          break;
        case Init::Kind::Normal:
          out[i] = stream.normal(0, view.init.value);
          break;
      }
    }
    value.copy_(drawn);
  }
}

int64_t count_parameters(const Module& module) {
  int64_t count = 0;
  for (const at::Tensor& parameter : module.parameters()) count += parameter.numel();
  return count;
}

}  // namespace switchyard
