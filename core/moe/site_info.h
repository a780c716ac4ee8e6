#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/nn/activation.h"

namespace switchyard {

class Module;

/// What stands at one MoE site, for `describe` and cost tables.
struct SiteInfo {
  std::string site;                     ///< as in traces: "enc.enc0.block1.attn.proj"
  int64_t in = 0, hidden = 0, out = 0;  ///< channels; hidden: of one expert, 0: linear
  int64_t experts = 0, shared = 0;      ///< routed and shared
  double k = 0;                         ///< mean routed experts per token
  std::string stages;                   ///< "token > linear > {type: topk, k: 2} > softmax"
  std::vector<std::string> losses;      ///< auxiliary, as configured
  std::vector<std::string> reads;       ///< fields of ForwardContext read besides x
  bool causal = true;                   ///< no decision depends on a later token
  bool one_op = false;                  ///< a GPU routes in one op, see route_top_p()
  int64_t slots = 0;                    ///< experts and those of the router's selection hooks
  int64_t null_slots = 0;               ///< slots that do nothing
  bool gated = false;
  Activation activation = Activation::ReLU;

  /// True where the router reads the data domain: at evaluation it knows what others must guess.
  bool oracle() const;
};

/// Every routed site of a model, in the order of its modules.
std::vector<SiteInfo> moe_sites(const Module& model);

}  // namespace switchyard
