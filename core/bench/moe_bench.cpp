#include "core/bench/moe_bench.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/randn_like.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>

#include "core/bench/device_graph.h"
#include "core/train/runtime.h"

namespace switchyard {
namespace {

/// Only routing: no gradient reaches x and the experts.
bool whole_layer(const MoeVariant& v) { return !v.name.starts_with("route"); }

/// Runs one pass of a variant.
class Step {
 public:
  Step(const MoeVariant& variant, const MoeCase& inputs, Pass pass)
      : variant_(variant), inputs_(inputs), pass_(pass) {
    if (pass != Pass::ForwardBackward) return;
    dy_ = at::randn_like(variant.run(inputs).detach());
  }

  void operator()() const {
    const at::AutoGradMode grad(pass_ == Pass::ForwardBackward);
    const auto y = variant_.run(inputs_);
    if (!dy_.defined()) return;
    const auto leaves = whole_layer(variant_) ? inputs_.leaves() : std::vector{inputs_.logits_TE};
    torch::autograd::grad({y}, leaves, {dy_});
  }

 private:
  const MoeVariant& variant_;
  const MoeCase& inputs_;
  Pass pass_;
  at::Tensor dy_;
};

void measure_memory(const MoeVariant& variant, const MoeCase& inputs, const Step& step,
                    MoeBenchRow& row) {
  const at::Device device = inputs.x_TC.device();
  if (!device.is_cuda()) return;
  const int64_t before = held_memory(device);
  if (row.pass == Pass::ForwardBackward) {
    const auto y = variant.run(inputs);
    const auto kept = held_memory(device) - before - static_cast<int64_t>(y.nbytes());
    row.saved_bytes_per_token = static_cast<double>(kept) / static_cast<double>(row.shape.tokens);
  }
  take_peak_memory(device);
  step();
  synchronize(device);
  row.peak_bytes = take_peak_memory(device) - before;
}

/// Steps of all variants at one pass, ready to run.
struct Contender {
  MoeBenchRow row;
  std::function<void()> run;
};

Contender contender(const MoeVariant& variant, const MoeCase& inputs, Pass pass,
                    const std::string& mode) {
  Contender out{{inputs.shape, variant.name, pass, {}, 0, {}, 0, {}}, {}};
  if (mode == "graph" && variant.waits) {
    out.row.skipped = "waits for the device: cannot be captured";
    return out;
  }
  if (variant.prepare && pass == Pass::ForwardBackward) {
    out.row.skipped = "forward pass only";
    return out;
  }
  try {
    const auto own = std::make_shared<MoeCase>(variant.prepare ? variant.prepare(inputs) : inputs);
    const auto step = std::make_shared<Step>(variant, *own, pass);
    measure_memory(variant, *own, *step, out.row);
    out.run = [step, own] { (*step)(); };
    if (mode != "graph") return out;
    const auto graph = std::make_shared<DeviceGraph>(out.run);
    out.run = [step, own, graph] { graph->replay(); };
  } catch (const c10::Error& error) {
    out.row.skipped = error.what_without_backtrace();
  }
  return out;
}

}  // namespace

std::vector<MoeBenchRow> bench_moe(const MoeShape& shape, Pass pass,
                                   const MoeBenchOptions& options) {
  const auto inputs = make_moe_case(shape, options.routing, options.bias,
                                    pass == Pass::ForwardBackward, options.type, options.device);
  std::vector<Contender> contenders;
  for (const auto& name : options.variants)
    contenders.push_back(contender(moe_variant(name), inputs, pass, options.mode));
  Stopwatch watch(options.device);
  for (int round = 0; round < 2; ++round) {
    for (Contender& c : contenders) {
      if (!c.run) continue;
      const Timings timings = watch.time(c.run);
      if (round == 1) c.row.noise = std::abs(timings.median() / c.row.timings.median() - 1);
      c.row.timings.append(timings);
    }
  }
  std::vector<MoeBenchRow> rows;
  for (Contender& c : contenders) rows.push_back(std::move(c.row));
  return rows;
}

}  // namespace switchyard
