// Damaged files are read or refused with an Error; nothing else may happen.

#include <ATen/ops/arange.h>

#include "core/io/json.h"
#include "core/io/npy.h"
#include "core/io/safetensors.h"
#include "tests/support/fuzz.h"
#include "tests/test.h"

using namespace switchyard;
using namespace switchyard::test;

TEST_CASE("damaged files never crash a reader", "[io][fuzz]") {
  TempDir folder;
  write_npy(folder / "a.npy", at::arange(6).reshape({2, 3}));
  CHECK(refusals(folder / "a.npy", [&] { read_npy(folder / "a.npy"); }) > 200);
  write_safetensors(folder / "a", {{"x", at::arange(6)}, {"y", at::arange(3, at::kByte)}},
                    {{"kind", "k"}});
  CHECK(refusals(folder / "a", [&] {
          const auto file = SafeTensors::open(folder / "a");
          for (const auto& name : file.names()) file.get(name).sum();
        }) > 200);
  write_json(folder / "a.json", {{"list", {1, 2.5, "text", nullptr, true}}, {"map", {{"k", -3}}}});
  CHECK(refusals(folder / "a.json", [&] { read_json(folder / "a.json"); }) > 200);
}

TEST_CASE("hostile JSON is refused with its place", "[io][json]") {
  for (const std::string text :
       {"", "{", "{\"a\": ", "[1,]", "nul", "\"\xff\"", "{\"a\": 1e999}", "[1] [2]", "01"}) {
    INFO(text);
    CHECK(error_of([&] { parse_json(text, "a.json"); }).find("[a.json] ") == 0);
  }
  const std::string deep(100'000, '[');
  CHECK(error_of([&] { parse_json(deep, "a.json"); }).find("nested too deep") != std::string::npos);
}
