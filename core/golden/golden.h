#pragma once
// Golden cases: files of weights, inputs and expected results of the published models. A library
// registers one function per kind; `switchyard parity` runs every case of a folder through it.

#include <ATen/core/Tensor.h>

#include <functional>
#include <string>
#include <vector>

#include "core/io/json.h"
#include "core/io/safetensors.h"

namespace switchyard {

class Module;

/// One file. The set is the registered one that owns its metadata (core/golden/rule.h), the kind
/// comes from `kind` or `family`.
struct GoldenCase {
  SafeTensors file;
  std::string set, kind, name;
  Json config, tolerance;
  at::ScalarType dtype;  ///< kDouble or kFloat: the precision of this run
  at::Device device = at::kCPU;

  bool has(const std::string& tensor) const { return file.has(tensor); }
  /// Floating tensors converted to `dtype` on `device`, a private copy; integers as stored, on the
  /// CPU: coordinates, offsets and orders are planned there.
  at::Tensor tensor(const std::string& full_name) const;
  at::Tensor input(const std::string& name) const { return tensor("inputs/" + name); }
  /// Copies every `weights/<prefix><view name>` into the module's views, moving the module to
  /// `dtype` and `device` first. Errors: a view without a tensor, a tensor without a view, a wrong
  /// shape.
  void load_weights(Module& module, const std::string& prefix = "") const;
};

/// Collects comparisons. Every expected tensor (outputs/*, grads/*, grads_aux/*, ...) must be
/// compared or match the kind's skip list, else the case fails.
class GoldenResult {
 public:
  virtual ~GoldenResult() = default;
  /// `name`: full name in the file, e.g. "outputs/feat". An undefined `actual` counts as zeros (a
  /// gradient that took no part). Integers must be equal.
  virtual void compare(const std::string& name, const at::Tensor& actual) = 0;
  /// compare("grads/<prefix><view name>", gradient) for every trainable view that the file holds,
  /// and "outputs/buffers/<prefix><view name>" for buffers that it holds.
  virtual void compare_module(const Module& module, const std::string& prefix = "") = 0;
};

/// Thrown by a run function: this case needs a part that is not built. Counted and printed apart.
struct NotCovered {
  std::string reason;
};

using GoldenRun = std::function<void(const GoldenCase&, GoldenResult&)>;

/// `skip`: globs of expected tensors that this kind does not compare; printed by the verb.
void register_golden_kind(const std::string& set, const std::string& kind, GoldenRun run,
                          std::vector<std::string> skip = {});

enum class GoldenPrecision { Double, Single, FromCase };

struct GoldenOptions {
  std::vector<std::string> only;  ///< "kind" or "kind/glob"; empty: all
  GoldenPrecision precision = GoldenPrecision::FromCase;
  at::Device device = at::kCPU;
};

struct GoldenReport {
  struct Line {
    std::string name, kind, worst_tensor, note;
    double error = 0, limit = 0;
    bool passed = false, covered = true;
  };
  std::vector<Line> lines;
  int64_t passed = 0, failed = 0, not_covered = 0;
  bool ok() const { return passed > 0 && failed == 0; }
};

/// Runs all `*.safetensors` below `folder` that `options` selects; `on_line` is called after each.
/// Errors: no such folder, a filter that matches nothing. An unknown kind is a failed line.
GoldenReport run_golden(const std::string& folder, const GoldenOptions& options,
                        const std::function<void(const GoldenReport::Line&)>& on_line = {});
Json to_json(const GoldenReport& report);

}  // namespace switchyard
