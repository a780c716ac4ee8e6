// The operators of the library switchyard_ops, through the dispatcher and from Python.

#include "tests/test.h"

#include <ATen/core/dispatch/Dispatcher.h>
#include <dlfcn.h>

#include "core/io/file.h"
#include "core/kernels/expert_mlp.h"
#include "core/kernels/route_top_p.h"
#include "tests/support/moe.h"
#include "tests/support/program.h"

using namespace switchyard;
using namespace switchyard::test;

namespace {

void load_operators() {
  static void* library = ::dlopen(SWITCHYARD_OPERATORS, RTLD_NOW | RTLD_LOCAL);
  INFO((library ? "" : ::dlerror()));
  REQUIRE(library);
}

template <class... Arguments>
std::vector<at::Tensor> call(const std::string& name, Arguments... arguments) {
  torch::jit::Stack stack;
  (stack.emplace_back(arguments), ...);
  c10::Dispatcher::singleton().findSchemaOrThrow(name.c_str(), "").callBoxed(stack);
  std::vector<at::Tensor> out;
  for (const auto& value : stack) out.push_back(value.toTensor());
  return out;
}

std::vector<at::Tensor> route(const at::Tensor& logits_TE, int64_t k) {
  return call("switchyard::route_top_k", logits_TE, k, std::string("softmax"), true, c10::IValue(),
              c10::IValue());
}

std::vector<at::Tensor> routing_of(const std::vector<at::Tensor>& routed) {
  return {routed.begin() + 1, routed.end()};
}

/// The first block of Python in docs/operators.md.
std::string python_example() {
  const std::string text = read_text(source_dir() / "docs/operators.md"), mark = "```python\n";
  const size_t begin = text.find(mark) + mark.size();
  return text.substr(begin, text.find("```", begin) - begin);
}

}  // namespace

TEST_CASE("operators give what the functions give, gradients included", "[apps][ops]") {
  load_operators();
  const auto logits = normal({40, 5}, "logits").requires_grad_(true),
             x = normal({40, 6}, "x").requires_grad_(true),
             in = normal({5, 8, 6}, "in").requires_grad_(true), out = normal({5, 7, 8}, "out");
  const auto routed = route(logits, 2);
  const auto y = call("switchyard::expert_mlp", x, in, out, routing_of(routed), std::string("relu"),
                      false, c10::IValue(), c10::IValue());
  const auto expected_routing = route_top_k(logits, {Score::Softmax, true, 2});
  const auto expected =
      expert_mlp(x, {in, {}, out, {}}, expected_routing.assignment, Activation::ReLU, false);
  CHECK(at::equal(routed[0], expected_routing.scores_TE));
  CHECK(at::equal(routed[3], expected_routing.assignment.slot_of));
  CHECK(at::equal(y[0], expected));
  y[0].square().sum().backward();
  const auto dx = x.grad().clone(), dlogits = logits.grad().clone(), din = in.grad().clone();
  for (const at::Tensor& t : {x, logits, in}) t.mutable_grad() = at::Tensor();
  expected.square().sum().backward();
  CHECK(at::equal(dx, x.grad()));
  CHECK(at::equal(dlogits, logits.grad()));
  CHECK(at::equal(din, in.grad()));
}

TEST_CASE("the top-p operator routes for the experts' operators", "[apps][ops]") {
  load_operators();
  const auto logits = normal({40, 7}, "logits").requires_grad_(true), x = normal({40, 6}, "x"),
             in = normal({5, 8, 6}, "in"), out = normal({5, 6, 8}, "out");
  const auto routed = call("switchyard::route_top_p", logits, int64_t{4}, .6,
                           std::string("softmax"), true, int64_t{2}, true, false);
  const RoutedTopP expected =
      route_top_p(logits, {{Score::Softmax, true, 4}, .6, /*null_slots=*/2});
  const std::vector<at::Tensor> routing = {routed.begin() + 2, routed.end()};
  CHECK(at::equal(routed[1], expected.chosen_TK));
  const auto y = call("switchyard::expert_mlp", x, in, out, routing, std::string("relu"), false,
                      c10::IValue(), c10::IValue())[0];
  CHECK(
      at::equal(y, expert_mlp(x, {in, {}, out, {}}, expected.assignment, Activation::ReLU, false)));
  // The same by gather and combine, with NaN in rows that are not in use.
  auto rows = at::full({160, 6}, std::numeric_limits<double>::quiet_NaN(), at::kDouble);
  const auto x_AC = call("switchyard::gather", x, routing)[0];
  for (int64_t e = 0; e < 5; ++e) {
    const int64_t begin = routing[3][e].item<int64_t>(),
                  count = routing[3][e + 1].item<int64_t>() - begin;
    rows.narrow(0, begin, count)
        .copy_(at::linear(at::linear(x_AC.narrow(0, begin, count), in[e]).relu(), out[e]));
  }
  const auto combined = call("switchyard::combine", rows, routing)[0];
  CHECK(relative_error(combined, y) < 1e-13);
  const auto gradient = [&](const at::Tensor& value) {
    logits.mutable_grad() = at::Tensor();
    value.square().sum().backward({}, /*retain_graph=*/true);
    return logits.grad().clone();
  };
  CHECK(relative_error(gradient(combined), gradient(y)) < 1e-12);
}

TEST_CASE("half rows are combined by weights in float", "[apps][ops]") {
  load_operators();
  const auto logits = normal({30, 4}, "logits").to(at::kFloat).requires_grad_(true),
             rows = normal({90, 6}, "rows").to(at::kBFloat16).requires_grad_(true);
  const auto routing = routing_of(route(logits, 3));
  const auto y = call("switchyard::combine", rows, routing)[0];
  const auto plain = at::zeros({30, 6}).index_add(
      0, routing[4], rows.to(at::kFloat) * routing[0].index_select(0, routing[6]).unsqueeze(1));
  CHECK(y.scalar_type() == at::kBFloat16);
  CHECK(relative_error(y, plain) < 4e-3);
  const auto gradients = [&](const at::Tensor& value) {
    for (const at::Tensor& t : {logits, rows}) t.mutable_grad() = at::Tensor();
    value.sum().backward({}, /*retain_graph=*/true);
    return std::vector{logits.grad().clone(), rows.grad().clone()};
  };
  const auto got = gradients(y), expected = gradients(plain);
  CHECK(relative_error(got[0], expected[0]) < 1e-5);
  CHECK(relative_error(got[1], expected[1]) < 1e-5);
}

TEST_CASE("gather and combine have the gradients of plain indexing", "[apps][ops]") {
  load_operators();
  const auto logits = normal({30, 4}, "logits").requires_grad_(true),
             x = normal({30, 6}, "x").requires_grad_(true), scale = normal({60, 6}, "scale");
  const auto routing = routing_of(route(logits, 2));
  const auto rows = call("switchyard::gather", x, routing)[0] * scale;
  const auto y = call("switchyard::combine", rows, routing)[0];
  const auto gradients = [&](const at::Tensor& value) {
    for (const at::Tensor& t : {x, logits}) t.mutable_grad() = at::Tensor();
    value.square().sum().backward({}, /*retain_graph=*/true);
    return std::vector{x.grad().clone(), logits.grad().clone()};
  };
  const auto plain_rows = x.index_select(0, routing[4]) * scale;
  const auto weight = routing[0].index_select(0, routing[6]).unsqueeze(1);
  const auto plain = at::zeros_like(x).index_add(0, routing[4], plain_rows * weight);
  CHECK(relative_error(y, plain) < 1e-14);
  const auto got = gradients(y), expected = gradients(plain);
  for (size_t i = 0; i < got.size(); ++i) CHECK(relative_error(got[i], expected[i]) < 1e-13);
  CHECK(error_of([&] { call("switchyard::gather", x, std::vector{x}); }).find("7") !=
        std::string::npos);
}

TEST_CASE("the Python example of docs/operators.md runs", "[apps][ops]") {
  if (run_command("python3 -c 'import torch' 2>/dev/null").code != 0) {
    WARN("no python3 with torch here: skipped");
    return;
  }
  TempDir dir;
  write_text(dir / "example.py", python_example());
  const Result result = run_command(
      cat("python3 '", (dir / "example.py").string(), "' '", SWITCHYARD_OPERATORS, "' 2>&1"));
  INFO(result.output);
  CHECK(result.code == 0);
  CHECK(result.output.find("torch.Size([1000, 64])") != std::string::npos);
}
