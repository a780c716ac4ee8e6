#pragma once
// The contract of tasks whose models make data: images, sounds.

#include <functional>
#include <string>
#include <vector>

#include "core/moe/forward_context.h"
#include "core/nn/module.h"

namespace switchyard {

class Generator {
 public:
  virtual ~Generator() = default;

  /// One piece of data to make.
  struct Item {
    int64_t domain = 0;   ///< index into Task::domain_names()
    int64_t label = 0;    ///< class
    uint64_t number = 0;  ///< with the seed, keys all its noise: an item never depends on others
  };
  /// One forward pass. Row r of the pass belongs to item r mod items.
  struct Pass {
    int64_t number = 0;      ///< passes before it
    double time = 0;         ///< noise level, 1 .. 0
    std::vector<bool> null;  ///< per row: made without its condition (classifier-free guidance)
  };
  /// Called before every pass; may attach a trace.
  using Prepare = std::function<void(const Pass&, ForwardContext&)>;

  /// u8 [N, C, H, W], on the CPU. `model` in evaluation mode, on `device`.
  virtual at::Tensor generate(Module& model, const std::vector<Item>& items, uint64_t seed,
                              at::Device device, const Prepare& prepare = {}) = 0;
  /// Real data, to compare with: u8 [N, C, H, W] and their classes [N] i64, on the CPU.
  struct Examples {
    at::Tensor data, label;
  };
  /// Of a domain of Task::domain_names(), split "train" or "test", whether trained on or not.
  /// Errors: no example.
  virtual Examples examples(int64_t domain, const std::string& split) = 0;
  /// Tokens of an item in every pass, for traces: their places [T, c], as Batch::places().
  virtual at::Tensor places() const = 0;
};

}  // namespace switchyard
