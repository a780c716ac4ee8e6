#include "core/bench/moe_variants.h"

#include <ATen/ops/_grouped_mm.h>
#include <ATen/ops/bmm.h>
#include <ATen/ops/index_add.h>
#include <ATen/ops/searchsorted.h>
#include <ATen/ops/sort.h>

#include "core/kernels/route_top_p.h"
#include "core/kernels/rows.h"

namespace switchyard {
namespace {

TopKRule rule_of(const MoeCase& c) { return {Score::Softmax, true, c.shape.k}; }

/// As many slots as half of all scores take, at most 2 K.
Assignment by_sum(const MoeCase& c) {
  const int64_t most = std::min({2 * c.shape.k, c.shape.experts, int64_t{32}});
  return route_top_p(c.logits_TE, {{Score::Softmax, true, most}, .5}).assignment;
}

at::Tensor ours_on(const MoeCase& c, Assignment assignment, ExpertPath path) {
  assignment.weight = assignment.weight.to(row_weight_type(c.x_TC));
  return expert_mlp(c.x_TC, c.experts, assignment, c.activation, c.shape.gated, path);
}

Assignment by_count(const MoeCase& c) {
  return route_top_k(c.logits_TE, rule_of(c), {}, /*with_scores=*/false).assignment;
}

at::Tensor ours(const MoeCase& c) { return ours_on(c, by_count(c), ExpertPath::Auto); }
at::Tensor ours_grouped(const MoeCase& c) { return ours_on(c, by_count(c), ExpertPath::Grouped); }
at::Tensor ours_top_p(const MoeCase& c) { return ours_on(c, by_sum(c), ExpertPath::Auto); }

struct TopK {
  at::Tensor weight_TK, slot_TK;
};
TopK top_k(const MoeCase& c) {
  const auto [p_TK, slot_TK] = at::softmax(c.logits_TE, 1).topk(c.shape.k, 1);
  return {(p_TK / p_TK.sum(1, true)).to(c.x_TC.scalar_type()), slot_TK};
}

at::Tensor activated(const MoeCase& c, const at::Tensor& z) {
  if (!c.shape.gated) return activate(z, c.activation);
  const int64_t h = c.shape.hidden;
  return activate(z.narrow(1, 0, h), c.activation) * z.narrow(1, h, h);
}

at::Tensor row(const at::Tensor& bias_EN, int64_t expert) {
  return bias_EN.defined() ? bias_EN.select(0, expert) : at::Tensor();
}

/// One expert after the other, as published reference code does it.
at::Tensor loop(const MoeCase& c) {
  const auto top = top_k(c);
  auto y = at::zeros_like(c.x_TC);
  for (int64_t e = 0; e < c.shape.experts; ++e) {
    const auto found = (top.slot_TK == e).nonzero();
    const auto token = found.select(1, 0), place = found.select(1, 1);
    const auto z = at::linear(c.x_TC.index_select(0, token), c.experts.in_ENC.select(0, e),
                              row(c.experts.in_bias, e));
    const auto out = c.shape.is_linear()
                         ? z
                         : at::linear(activated(c, z), c.experts.out_EDH.select(0, e),
                                      row(c.experts.out_bias, e));
    const auto weight = top.weight_TK.view(-1).index_select(0, token * c.shape.k + place);
    y = y.index_add(0, token, out * weight.unsqueeze(1));
  }
  return y;
}

/// Entries in slot order by a stable sort, and the end of every slot's rows.
struct Sorted {
  at::Tensor slot_A, entry_A, ends;
};
Sorted sorted(const MoeCase& c, const at::Tensor& slot_TK) {
  const auto [slot_A, entry_A] = at::sort(slot_TK.reshape(-1), /*stable=*/true, 0, false);
  const auto slots = at::arange(c.shape.experts, slot_A.options());
  const auto ends = at::searchsorted(slot_A, slots, /*out_int32=*/true, /*right=*/true);
  return {slot_A, entry_A, ends};
}

at::Tensor grouped_rows(const MoeCase& c, const Sorted& s) {
  const auto add = [&](const at::Tensor& y, const at::Tensor& bias_EN) {
    return bias_EN.defined() ? y + bias_EN.index_select(0, s.slot_A) : y;
  };
  const auto x = c.x_TC.index_select(0, s.entry_A.floor_divide(c.shape.k));
  const auto z =
      add(at::_grouped_mm(x, c.experts.in_ENC.transpose(1, 2), s.ends), c.experts.in_bias);
  if (c.shape.is_linear()) return z;
  return add(at::_grouped_mm(activated(c, z), c.experts.out_EDH.transpose(1, 2), s.ends),
             c.experts.out_bias);
}

at::Tensor grouped_add(const MoeCase& c) {
  const auto top = top_k(c);
  const auto s = sorted(c, top.slot_TK);
  const auto weight = top.weight_TK.view(-1).index_select(0, s.entry_A);
  return at::zeros_like(c.x_TC).index_add(0, s.entry_A.floor_divide(c.shape.k),
                                          grouped_rows(c, s) * weight.unsqueeze(1));
}

at::Tensor grouped_permute(const MoeCase& c) {
  const auto top = top_k(c);
  const auto s = sorted(c, top.slot_TK);
  const auto position = at::empty_like(s.entry_A).scatter_(
      0, s.entry_A, at::arange(s.entry_A.size(0), s.entry_A.options()));
  const auto rows = grouped_rows(c, s).index_select(0, position);
  return at::bmm(top.weight_TK.unsqueeze(1), rows.view({-1, c.shape.k, c.shape.channels}))
      .squeeze(1);
}

at::Tensor route(const MoeCase& c) { return by_count(c).weight; }
at::Tensor route_by_sum(const MoeCase& c) { return by_sum(c).weight; }

at::Tensor route_torch(const MoeCase& c) {
  const auto top = top_k(c);
  sorted(c, top.slot_TK);
  return top.weight_TK;
}

MoeCase sorted_rows(const MoeCase& c) {
  const auto s = sorted(c, top_k(c).slot_TK);
  MoeCase out = c;
  out.x_TC = c.x_TC.index_select(0, s.entry_A.floor_divide(c.shape.k));
  out.ends_E = s.ends;
  return out;
}

at::Tensor gemms(const MoeCase& c) {
  const auto z = at::_grouped_mm(c.x_TC, c.experts.in_ENC.transpose(1, 2), c.ends_E);
  if (c.shape.is_linear()) return z;
  return at::_grouped_mm(z.narrow(1, 0, c.shape.hidden), c.experts.out_EDH.transpose(1, 2),
                         c.ends_E);
}

}  // namespace

const std::vector<MoeVariant>& moe_variants() {
  static const std::vector<MoeVariant> variants = {
      {"ours", "this program's layer", false, ours},
      {"ours-grouped", "the same, never fused", false, ours_grouped},
      {"ours-top-p", "the layer with top-p 0.5, at most 2 K slots a token", false, ours_top_p},
      {"loop", "one expert after the other", true, loop},
      {"grouped-add", "at::_grouped_mm, index_add", false, grouped_add},
      {"grouped-permute", "at::_grouped_mm, inverse permutation, bmm", false, grouped_permute},
      {"gemms", "at::_grouped_mm on sorted rows alone", false, gemms, sorted_rows},
      {"route", "this program's routing alone", false, route},
      {"route-top-p", "the same with top-p 0.5, at most 2 K slots a token", false, route_by_sum},
      {"route-torch", "softmax, topk, sort and offsets alone", false, route_torch}};
  return variants;
}

const MoeVariant& moe_variant(const std::string& name) {
  std::vector<std::string> names;
  for (const MoeVariant& variant : moe_variants()) names.push_back(variant.name);
  check_name("variant", "variant", name, names);
  return moe_variants()[static_cast<size_t>(std::find(names.begin(), names.end(), name) -
                                            names.begin())];
}

}  // namespace switchyard
