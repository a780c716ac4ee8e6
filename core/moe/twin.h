#pragma once
// Dense counterparts of a MoE layer, for fair comparison (DESIGN 3).

#include "core/moe/layer.h"

namespace switchyard {

enum class TwinKind {
  Active,  ///< hidden = round(mean k * h) + shared * h: equal parameters and FLOPs per token
  Total    ///< hidden = count * h + shared * h: equal parameters in all
};

/// One always-on expert with the same activation, gate and bias, no router. `mean_k` defaults to
/// what the selector of `config` says. Works on widths and on multiples of the channels alike. That
/// of linear experts C -> C is a plain MLP, hidden = C * experts / 2: one linear map could not have
/// the parameters of several.
MoEConfig twin(const MoEConfig& config, TwinKind kind, std::optional<double> mean_k = {});

}  // namespace switchyard
