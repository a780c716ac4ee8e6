#include "domains/diffusion/model/bare_dit.h"

namespace switchyard {
namespace {

std::optional<int64_t> rows_of(const NamedTensors& weights, const std::string& table) {
  for (const auto& [name, tensor] : weights) {
    if (name == table && tensor.dim() == 2 && tensor.size(0) > 1) return tensor.size(0);
  }
  return {};
}

}  // namespace

std::unique_ptr<Module> bare_dit(const ConfigNode& model, const NamedTensors& weights) {
  auto params = parse_params<DitParams>(model, "model", {"type"});
  if (const auto rows = rows_of(weights, "y_embedder.embedding_table.weight"))
    params.num_classes = *rows - 1;
  params.num_domains = rows_of(weights, "domain_embedder.embedding_table.weight").value_or(1) - 1;
  return std::make_unique<Dit>(params);
}

}  // namespace switchyard
