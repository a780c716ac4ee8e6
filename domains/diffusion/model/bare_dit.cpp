#include "domains/diffusion/model/bare_dit.h"

namespace switchyard {

std::unique_ptr<Module> bare_dit(const ConfigNode& model, const NamedTensors& weights) {
  auto params = parse_params<DitParams>(model, "model", {"type"});
  for (const auto& [name, tensor] : weights) {
    if (name == "y_embedder.embedding_table.weight" && tensor.dim() == 2 && tensor.size(0) > 1)
      params.num_classes = tensor.size(0) - 1;
  }
  return std::make_unique<Dit>(params);
}

}  // namespace switchyard
