// Kernels on every device against double precision on the CPU, and repeats bit-equal.

#include "tests/test.h"

#include "core/kernels/expert_mlp.h"
#include "core/kernels/rows.h"
#include "core/kernels/segment.h"
#include "core/moe/assignment.h"
#include "tests/support/device.h"
#include "tests/support/moe.h"

using namespace switchyard;
using namespace switchyard::test;

namespace {

using Ints = std::vector<int64_t>;

/// Tokens with 0 to 3 of five slots; slot 3 stays empty.
Assignment variable_k(int64_t tokens, const at::Tensor& weight_A, at::Device device) {
  Ints offset = {0}, slots;
  RandomStream stream(5, "slots");
  for (int64_t t = 0; t < tokens; ++t) {
    const int64_t k = stream.below(4), first = stream.below(5);
    for (int64_t i = 0; i < k; ++i) {
      const int64_t slot = (first + i) % 5;
      slots.push_back(slot == 3 ? 4 : slot);
    }
    offset.push_back(static_cast<int64_t>(slots.size()));
  }
  return make_assignment(at::tensor(offset).to(device), at::tensor(slots).to(device),
                         weight_A.defined() ? weight_A : at::ones({std::ssize(slots)}, device), 5);
}

}  // namespace

TEST_CASE("rows are gathered and combined alike on every device", "[kernels][cuda]") {
  const int64_t tokens = 300, entries = variable_k(tokens, {}, at::kCPU).entries();
  const auto rows = normal({entries, 12}, "rows"), weight = normal({entries}, "weight");
  for (auto [type, limit] : std::vector<std::pair<at::ScalarType, double>>{
           {at::kDouble, 1e-14}, {at::kFloat, 1e-6}, {at::kBFloat16, .01}, {at::kHalf, .002}}) {
    const auto r = rows.to(type), w = weight.to(type).to(row_weight_type(r));
    const auto cpu = variable_k(tokens, {}, at::kCPU);
    const auto expected =
        combine_rows(r.to(at::kDouble), w.to(at::kDouble), cpu.position, cpu.token_offset);
    for (const at::Device device : devices()) {
      const auto a = variable_k(tokens, {}, device);
      const auto got = combine_rows(r.to(device), w.to(device), a.position, a.token_offset);
      CHECK(relative_error(got, expected) < limit);
      CHECK(at::equal(gather_rows(r.to(device), a.entry).cpu(), r.index_select(0, cpu.entry)));
    }
  }
}

TEST_CASE("the expert MLP agrees on every device, repeats are bit-equal",
          "[kernels][cuda][repeat]") {
  const int64_t tokens = 200, entries = variable_k(tokens, {}, at::kCPU).entries();
  for (const bool gated : {true, false}) {
    const int64_t hidden = 24;
    const std::vector<at::Tensor> inputs = {
        normal({tokens, 16}, "x"),
        normal({entries}, "weight"),
        .25 * normal({5, gated ? 2 * hidden : hidden, 16}, "in"),
        normal({5, gated ? 2 * hidden : hidden}, "in_bias"),
        .2 * normal({5, 8, hidden}, "out"),
        normal({5, 8}, "out_bias")};
    check_on_devices(inputs, [&](const std::vector<at::Tensor>& t) {
      const auto assignment = variable_k(tokens, t[1], t[0].device());
      return expert_mlp(t[0], {t[2], t[3], t[4], t[5]}, assignment, Activation::SiLU, gated);
    });
  }
}

TEST_CASE("segments reduce alike on every device, repeats are bit-equal",
          "[kernels][cuda][repeat]") {
  const auto member = at::tensor(Ints{0, 3, 5, 1, -1, -1, 2, 4, -1, 6, 7, 8}).view({4, 3});
  for (const auto& name : reduction_names()) {
    check_on_devices({normal({9, 7}, "x")}, [&](const std::vector<at::Tensor>& t) {
      return segment_reduce_rows(t[0], Segments(member, 9, t[0].device()),
                                 reduction_from_name(name));
    });
  }
}

TEST_CASE("taken rows sum their gradients in order, as plain indexing does",
          "[kernels][cuda][repeat]") {
  const auto index = at::tensor(Ints{3, 0, 3, 2, 3, 0, 5});  // 1 and 4 are never taken
  const auto x = normal({6, 9}, "x");
  const auto plain = value_and_gradients(
      {x}, [&](const std::vector<at::Tensor>& t) { return t[0].index_select(0, index); });
  const auto ours = value_and_gradients({x}, [&](const std::vector<at::Tensor>& t) {
    return take_rows(t[0], RowIndex(index, 6, at::kCPU));
  });
  for (size_t i = 0; i < plain.size(); ++i) CHECK(relative_error(ours[i], plain[i]) < 1e-15);
  check_on_devices({x}, [&](const std::vector<at::Tensor>& t) {
    return take_rows(t[0], RowIndex(index, 6, t[0].device()));
  });
  CHECK(error_of([&] { RowIndex(index, 5, at::kCPU); }).find("got 5 at position 6") !=
        std::string::npos);
  CHECK(error_of([&] { take_rows(x, RowIndex(index, 7, at::kCPU)); }).find("[7, C]") !=
        std::string::npos);
}
