#include "core/nn/module.h"

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>

#include <cmath>
#include <set>

#include "core/base/random.h"

namespace switchyard {
namespace {

double draw(const Init& init, RandomStream& stream) {
  switch (init.kind) {
    case Init::Kind::Constant:
      return init.value;
    case Init::Kind::Uniform:
      return stream.uniform(-init.value, init.value);
    default:
      return stream.normal(0, init.value);
  }
}

/// First value of a parameter, in double.
at::Tensor drawn(const ParamView& view, uint64_t seed) {
  at::Tensor value = at::empty(view.value().sizes(), at::kDouble);
  RandomStream stream(seed, "init/" + view.name);
  double* out = value.mutable_data_ptr<double>();
  for (int64_t i = 0; i < value.numel(); ++i) out[i] = draw(view.init, stream);
  return value;
}

}  // namespace

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
  const auto views = module.views(prefix);
  at::parallel_for(0, static_cast<int64_t>(views.size()), 1, [&](int64_t begin, int64_t end) {
    const at::NoGradGuard no_grad;
    for (int64_t i = begin; i < end; ++i) {
      if (views[i].trainable) views[i].value().copy_(drawn(views[i], seed));
    }
  });
}

int64_t count_parameters(const Module& module) {
  int64_t count = 0;
  for (const at::Tensor& parameter : module.parameters()) count += parameter.numel();
  return count;
}

}  // namespace switchyard
