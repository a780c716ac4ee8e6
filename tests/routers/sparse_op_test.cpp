// Routers that decide by one op on a GPU, and what stands behind them.

#include "tests/routers/sparse_router.h"
#include "tests/test.h"

#include "core/io/safetensors.h"
#include "core/moe/layer.h"
#include "core/moe/trace_recorder.h"
#include "tests/support/device.h"

using namespace switchyard;
using namespace switchyard::test;

TEST_CASE("sparse routing decides the same on every device", "[routers][cuda]") {
  const Deterministic on;
  for (const auto& json : {router_json(topp(.7)), router_json(topp(.7), 2, false),
                           with_capacity(router_json(topp(.8), 1), .7)}) {
    const auto first = route(json);
    for (const at::Device device : devices()) {
      const auto out = route(json, tokens().to(device));
      CHECK(at::equal(out.assignment.token_offset.cpu(), first.assignment.token_offset));
      const int64_t used = first.assignment.used();
      CHECK(at::equal(out.assignment.slot_of.narrow(0, 0, used).cpu(), first.assignment.slot_of));
      CHECK(relative_error(out.assignment.weight.narrow(0, 0, used), first.assignment.weight) <
            1e-13);
    }
  }
}

TEST_CASE("one op decides for top-p and null slots, and is as the stages", "[routers][cuda]") {
  for (const auto& json :
       {router_json(topk(2)), router_json(topp(.7)), router_json(topp(.7), 2, false),
        router_json(topk(1), 2), router_json(topk(1))}) {
    for (const at::Device device : devices()) {
      INFO(device.str() << " " << json.dump());
      auto router = make_router(json, device);
      SiteInfo info;
      router->describe(info);
      CHECK(info.one_op);
      auto context = one_sequence(kTokens, false, device);
      const auto error = router->op_error(tokens().to(device), context);
      REQUIRE(error);
      CHECK(*error < 1e-13);
    }
  }
}

TEST_CASE("a layer with top-p and null slots keeps within its bounds", "[routers][moe][cuda]") {
  for (const at::Device device : devices()) {
    for (const auto type : {at::kDouble, at::kFloat, at::kBFloat16}) {
      auto config = moe_config(kExperts, 1, 4, true, "silu", true);
      config.router = to_config(router_json(topp(.7), 2));
      config.backend = "check";
      auto layer = moe_layer(config, 16, 8, type);
      layer->to(device, type);
      auto context = one_sequence(kTokens, true, device);
      const auto x = normal({kTokens, 16}, "x").to(device, type).requires_grad_(true);
      const auto y = layer->forward(x, context);
      y.sum().backward();
      CHECK(x.grad().isfinite().all().item<bool>());
      REQUIRE(context.reports().size() == 4);
      for (const auto& [name, error] : context.reports()) {
        INFO(device.str() << " " << c10::toString(type) << " " << name << " " << error);
        CHECK(error < (type == at::kBFloat16 ? 2e-2 : type == at::kFloat ? 1e-5 : 1e-12));
      }
    }
  }
}

TEST_CASE("a trace holds the same of an op as of the stages", "[routers][trace][cuda]") {
  const auto json = router_json(topp(.7), 2);
  std::vector<SafeTensors> files;
  const TempDir dir;
  for (const at::Device device : devices()) {
    TraceRecorder recorder({"val", 0, {"d"}, {}, {true}, "all"});
    recorder.begin_batch({{"u"}, {"g"}, {0}, at::zeros({kTokens}, at::kLong), {}});
    auto context = one_sequence(kTokens, false, device);
    recorder.record("site", make_router(json, device)->forward(tokens().to(device), context),
                    context);
    const auto path = dir / (cat("t", files.size(), ".safetensors"));
    recorder.write(path);
    files.push_back(SafeTensors::open(path));
    for (const std::string name : {"site0.token_offset", "site0.slot", "site0.scores"})
      CHECK(relative_error(files.back().get(name), files.front().get(name)) < 1e-3);
  }
}
