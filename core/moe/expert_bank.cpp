#include "core/moe/expert_bank.h"

#include "core/kernels/rows.h"
#include "core/moe/precision.h"

namespace switchyard {
namespace {

std::function<at::Tensor(const at::Tensor&)> rows_of(int64_t expert, int64_t begin, int64_t rows) {
  return [=](const at::Tensor& t) { return t.select(0, expert).narrow(0, begin, rows); };
}

}  // namespace

ExpertBank::ExpertBank(const BankShape& shape, Activation activation, bool numbered)
    : shape_(shape), activation_(activation), numbered_(numbered) {
  shape.hidden == 0 ? add_linear() : add_mlp();
}

void ExpertBank::add_linear() {
  const auto views = [this](bool bias) {
    return [this, bias](const at::Tensor& s) { return linear_views(s, bias); };
  };
  in_ = &add_parameter({shape_.experts, shape_.out, shape_.in}, views(false));
  if (shape_.bias) in_bias_ = &add_parameter({shape_.experts, shape_.out}, views(true));
}

void ExpertBank::add_mlp() {
  const int64_t n1 = shape_.hidden * (shape_.gated ? 2 : 1);
  const auto in = [this](bool bias) {
    return [this, bias](const at::Tensor& s) { return in_views(s, bias); };
  };
  const auto out = [this](bool bias) {
    return [this, bias](const at::Tensor& s) { return out_views(s, bias); };
  };
  in_ = &add_parameter({shape_.experts, n1, shape_.in}, in(false));
  if (shape_.bias) in_bias_ = &add_parameter({shape_.experts, n1}, in(true));
  out_ = &add_parameter({shape_.experts, shape_.out, shape_.hidden}, out(false));
  if (shape_.bias) out_bias_ = &add_parameter({shape_.experts, shape_.out}, out(true));
}

std::string ExpertBank::prefix(int64_t expert) const {
  return numbered_ ? to_text(expert) + "." : "";
}

Init ExpertBank::init(int64_t in, int64_t out, bool bias) const {
  if (!shape_.xavier) return Init::fan_in(in);
  return bias ? Init::constant(0) : Init::xavier(in, out);
}

std::vector<ParamView> ExpertBank::linear_views(const at::Tensor& storage, bool bias) const {
  std::vector<ParamView> views;
  for (int64_t e = 0; e < shape_.experts; ++e) {
    views.push_back({prefix(e) + (bias ? "bias" : "weight"), storage, rows_of(e, 0, shape_.out),
                     true, init(shape_.in, shape_.out, bias)});
  }
  return views;
}

std::vector<ParamView> ExpertBank::in_views(const at::Tensor& storage, bool bias) const {
  const std::string end = bias ? ".bias" : ".weight";
  const Init start = init(shape_.in, shape_.hidden, bias);
  const int64_t h = shape_.hidden;
  std::vector<ParamView> views;
  for (int64_t e = 0; e < shape_.experts; ++e) {
    if (!shape_.gated) {
      views.push_back({prefix(e) + shape_.first + end, storage, rows_of(e, 0, h), true, start});
      continue;
    }
    views.push_back({prefix(e) + "gate_proj" + end, storage, rows_of(e, 0, h), true, start});
    views.push_back({prefix(e) + "up_proj" + end, storage, rows_of(e, h, h), true, start});
  }
  return views;
}

std::vector<ParamView> ExpertBank::out_views(const at::Tensor& storage, bool bias) const {
  const std::string name =
      (shape_.gated ? "down_proj" : shape_.second) + (bias ? ".bias" : ".weight");
  std::vector<ParamView> views;
  for (int64_t e = 0; e < shape_.experts; ++e) {
    views.push_back({prefix(e) + name, storage, rows_of(e, 0, shape_.out), true,
                     init(shape_.hidden, shape_.out, bias)});
  }
  return views;
}

ExpertWeights ExpertBank::weights(std::optional<at::ScalarType> type) const {
  const auto cast = [type](const at::Tensor* t) {
    return !t ? at::Tensor() : type ? t->to(*type) : *t;
  };
  return {cast(in_), cast(in_bias_), cast(out_), cast(out_bias_)};
}

ExpertOperands ExpertBank::operands(const at::Tensor& x_TC, const Assignment& assignment) const {
  const auto type = compute_type(x_TC);
  const AutocastOff types_are_chosen;
  ExpertOperands out{x_TC.to(type), weights(type), assignment, activation_, gated()};
  out.assignment.weight = assignment.weight.to(row_weight_type(out.x_TC));
  return out;
}

at::Tensor ExpertBank::forward(const at::Tensor& x_TC, const Assignment& assignment) const {
  const auto o = operands(x_TC, assignment);
  const AutocastOff types_are_chosen;
  return expert_mlp(o.x_TC, o.experts, o.assignment, o.activation, o.gated);
}

at::Tensor ExpertBank::forward_expert(const at::Tensor& x_TC, int64_t expert) const {
  return expert_rows({x_TC, weights({}), {}, activation_, gated()}, x_TC, expert);
}

at::Tensor ExpertBank::forward_reference(const at::Tensor& x_TC,
                                         const Assignment& assignment) const {
  return expert_loop({x_TC, weights({}), assignment, activation_, gated()});
}

}  // namespace switchyard
