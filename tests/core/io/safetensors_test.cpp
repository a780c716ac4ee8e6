#include "core/io/safetensors.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/zeros.h>

#include "core/io/file.h"
#include "tests/test.h"

using namespace switchyard;
using namespace switchyard::test;

namespace {

std::string file_of(const std::string& header, const std::string& data, uint64_t length) {
  return std::string(reinterpret_cast<const char*>(&length), 8) + header + data;
}
std::string file_of(const std::string& header, const std::string& data = "") {
  return file_of(header, data, header.size());
}

std::string entry(const std::string& name, const std::string& dtype, const std::string& shape,
                  const std::string& offsets) {
  return "\"" + name + "\":{\"dtype\":\"" + dtype + "\",\"shape\":" + shape +
         ",\"data_offsets\":" + offsets + "}";
}

std::string error_for(const std::string& bytes) {
  TempDir folder;
  write_text(folder / "a.safetensors", bytes);
  const auto message = error_of([&] { SafeTensors::open(folder / "a.safetensors"); });
  CHECK(message.find("a.safetensors") != std::string::npos);
  return message;
}

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("safetensors are read back equal, strided and odd-sized ones too", "[io][safetensors]") {
  TempDir folder;
  const auto bytes = at::arange(3, at::kByte);
  const auto strided = at::arange(6, at::kFloat).reshape({2, 3}).t();
  write_safetensors(folder / "a", {{"b", bytes}, {"s", strided}, {"e", at::zeros({0, 4})}},
                    {{"k", "v"}});
  const auto file = SafeTensors::open(folder / "a");
  CHECK(file.names().size() == 3);
  CHECK(file.get("b").equal(bytes));
  CHECK(file.get("s").equal(strided));
  CHECK(file.get("e").sizes() == at::IntArrayRef({0, 4}));
  CHECK(file.metadata("k") == "v");
  CHECK(holds(error_of([&] { file.get("t"); }), "unknown tensor"));
  CHECK(holds(error_of([&] { file.metadata("none"); }), "metadata key is missing"));
  CHECK(holds(error_of([&] {
                write_safetensors(folder / "a", {{"b", bytes}, {"b", bytes}});
              }),
              "named twice"));
}

TEST_CASE("hostile safetensors are refused", "[io][safetensors]") {
  const std::string four = "1234";
  CHECK(holds(error_for(""), "too short"));
  CHECK(holds(error_for("1234567"), "too short"));
  CHECK(holds(error_for(file_of("{}", "", ~uint64_t{0})), "damaged header length"));
  CHECK(holds(error_for(file_of("{}", "", 3)), "damaged header length"));
  CHECK(holds(error_for(file_of("{\"a\":")), "not valid JSON"));
  CHECK(holds(error_for(file_of("[1]")), "expected a JSON object"));
  CHECK(
      holds(error_for(file_of(std::string(200, '[') + std::string(200, ']'))), "nested too deep"));
  CHECK(holds(error_for(file_of("{\"a\":{\"dtype\":\"F32\"}}")), "'shape' is missing"));
  CHECK(holds(error_for(file_of("{\"__metadata__\":{\"a\":1}}")), "damaged header"));
  CHECK(holds(error_for(file_of("{" + entry("a", "F31", "[1]", "[0,4]") + "}", four)),
              "unsupported dtype"));
  CHECK(
      holds(error_for(file_of("{" + entry("a", "F32", "[-1]", "[0,4]") + "}", four)), "bad shape"));
  CHECK(holds(error_for(file_of("{" + entry("a", "F32", "[4611686018427387904,4]", "[0,0]") + "}")),
              "bad shape"));
  CHECK(holds(error_for(file_of("{" + entry("a", "F32", "[2]", "[0,4]") + "}", four)),
              "does not fit the shape"));
  CHECK(holds(error_for(file_of("{" + entry("a", "F32", "[1]", "[0,4]") + "}", "12")),
              "damaged data_offsets"));
  CHECK(holds(error_for(file_of("{" + entry("a", "F32", "[1]", "[4,0]") + "}", four)),
              "damaged data_offsets"));
  CHECK(holds(error_for(file_of("{" + entry("a", "F32", "[1]", "[0,4]") + "}", four + "5")),
              "wrong file size"));
  CHECK(holds(error_for(file_of("{" + entry("a", "F32", "[1.0]", "[0,4]") + "}", four)),
              "not a whole number"));
  CHECK(holds(error_for(file_of("{" + entry("a", "F32", "[1]", "[0,1e300]") + "}", four)),
              "not a whole number"));
  CHECK(holds(
      error_for(file_of("{" + entry("a", "F32", "[18446744073709551615]", "[0,4]") + "}", four)),
      "not a whole number"));
  CHECK(holds(error_for(file_of("{" + entry("a", "F32", "4", "[0,4]") + "}", four)), "not a list"));
  const auto a = entry("a", "F32", "[1]", "[0,4]");
  CHECK(holds(error_for(file_of("{" + a + "," + entry("b", "F32", "[1]", "[0,4]") + "}", four)),
              "does not follow"));
  CHECK(holds(
      error_for(file_of("{" + a + "," + entry("b", "F32", "[1]", "[5,9]") + "}", "123456789")),
      "does not follow"));
}
