#pragma once
// Base of everything that owns weights. No torch::nn: public names are explicit views, so one
// stacked tensor can appear under many published names (DESIGN 3).

#include <ATen/core/Tensor.h>

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace switchyard {

/// How a parameter starts. Drawn from a stream keyed by (seed, "init", public name), so arms that
/// share a name share the values.
struct Init {
  enum class Kind { Constant, Uniform, Normal };
  Kind kind = Kind::Constant;
  double value = 0;  ///< the constant, the half width of the uniform, the standard deviation

  static Init constant(double c) { return {Kind::Constant, c}; }
  static Init uniform(double bound) { return {Kind::Uniform, bound}; }
  static Init normal(double deviation) { return {Kind::Normal, deviation}; }
  /// PyTorch's default for linear and convolution layers: U(-1/sqrt(fan_in), 1/sqrt(fan_in)).
  static Init fan_in(int64_t fan_in);
  /// Xavier uniform (Glorot, Bengio 2010): U(-b, b), b = sqrt(6 / (in + out)).
  static Init xavier(int64_t in, int64_t out);
};

/// One published tensor: a named window onto storage that may hold several of them. Load, save,
/// conversion, optimizer and EMA state and parity go through views only.
struct ParamView {
  std::string name;                                     ///< published name
  at::Tensor storage;                                   ///< what the optimizer steps; shared handle
  std::function<at::Tensor(const at::Tensor&)> window;  ///< returns an alias; empty: all of it
  bool trainable = true;                                ///< false: a buffer
  Init init;

  at::Tensor of(const at::Tensor& tensor) const { return window ? window(tensor) : tensor; }
  at::Tensor value() const { return of(storage); }
  /// Same window of the gradient; undefined if there is none.
  at::Tensor grad() const;
};

class Module {
 public:
  Module() = default;
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;
  virtual ~Module() = default;

  /// All published tensors, in published order, names prefixed by `prefix` (with a dot if not
  /// empty).
  std::vector<ParamView> views(const std::string& prefix = "") const;
  /// This module and all below it, parents first.
  std::vector<const Module*> modules() const;
  /// Distinct storages of trainable views, in order of first appearance.
  std::vector<at::Tensor> parameters() const;

  void train(bool on = true);
  bool training() const { return training_; }
  /// Moves and converts in place; floating tensors take `dtype`, integer buffers keep theirs.
  void to(at::Device device, at::ScalarType dtype);

 protected:
  /// The returned reference stays valid for the life of the module. Starts as fp32 on the CPU.
  at::Tensor& add_parameter(std::string name, at::IntArrayRef shape, Init init);
  /// A parameter published under several names or shapes: `make_views` lists them, names relative.
  at::Tensor& add_parameter(
      at::IntArrayRef shape,
      std::function<std::vector<ParamView>(const at::Tensor& storage)> make_views);
  at::Tensor& add_buffer(std::string name, at::Tensor value);
  /// An empty name publishes the child's tensors at this level.
  template <class M>
  M& add_child(std::string name, std::unique_ptr<M> child) {
    M& reference = *child;
    items_.push_back({std::move(name), {}, true, {}, {}, std::move(child)});
    return reference;
  }
  template <class M, class... Args>
  M& emplace_child(std::string name, Args&&... args) {
    return add_child(std::move(name), std::make_unique<M>(std::forward<Args>(args)...));
  }
  virtual void on_train(bool) {}

 private:
  struct Item {
    std::string name;
    at::Tensor tensor;
    bool trainable;
    Init init;
    std::function<std::vector<ParamView>(const at::Tensor&)> make_views;
    std::unique_ptr<Module> child;
  };
  void append_views(const std::string& prefix, std::vector<ParamView>& out) const;

  std::deque<Item> items_;
  bool training_ = true;
};

/// Draws every trainable view anew; buffers are left alone.
void init_parameters(const Module& module, uint64_t seed, const std::string& prefix = "");
/// Number of trainable elements.
int64_t count_parameters(const Module& module);

}  // namespace switchyard
