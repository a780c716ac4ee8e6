#pragma once
// Pointers of route_top_p for its kernels.

#include "core/kernels/launch.h"

namespace switchyard::kernels {

/// `sort` is over the `sort.slots` = columns - nulls slots that have entries; sort.entries =
/// tokens * k places, of which as many are in use as token_offset ends with.
struct RouteTopP {
  const void* logits;  // [tokens, columns], Float or Double
  DType dtype;
  ScoreKind kind;
  bool renormalise, keep_share, singles;
  double p;
  int64_t columns;
  void* scores;     // like logits
  int16_t* chosen;  // [tokens, k]
  void* share;      // [tokens, k]: the weights of the choices, scratch
  void* weight;     // [tokens * k]
  int64_t *slot_of, *token_offset;
  SlotSort sort;
};
void route_top_p_cpu(const RouteTopP& p);
void route_top_p_cuda(const RouteTopP& p, void* stream);

struct RouteTopPBackward {
  const void *scores, *dscores;  // [tokens, columns]; dscores may be null: zero
  const void* dweight;           // [tokens * k] or null: zero; only entries in use are read
  const int16_t* chosen;
  const int64_t* token_offset;
  DType dtype;
  ScoreKind kind;
  bool renormalise, keep_share, singles;
  int64_t tokens, columns, slots, k;
  void* dlogits;
};
void route_top_p_backward_cpu(const RouteTopPBackward& p);
void route_top_p_backward_cuda(const RouteTopPBackward& p, void* stream);

}  // namespace switchyard::kernels
