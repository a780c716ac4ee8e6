#include "core/io/npy.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include "core/io/file.h"
#include "tests/test.h"

using namespace switchyard;
using namespace switchyard::test;

namespace {

std::string npy(const std::string& dict, const std::string& data, char version = 1) {
  std::string out = "\x93NUMPY";
  out += version;
  out += '\0';
  const uint32_t size = static_cast<uint32_t>(dict.size());
  out.append(reinterpret_cast<const char*>(&size), version == 1 ? 2 : 4);
  return out + dict + data;
}

std::string dict(const std::string& descr, const std::string& shape,
                 const std::string& order = "False") {
  return "{'descr': '" + descr + "', 'fortran_order': " + order + ", 'shape': " + shape + ", }\n";
}

template <class T>
std::string raw(std::vector<T> values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

at::Tensor read_bytes(const std::string& bytes) {
  TempDir folder;
  write_text(folder / "a.npy", bytes);
  return read_npy(folder / "a.npy");
}

std::string error_for(const std::string& bytes) {
  return error_of([&] { read_bytes(bytes); });
}

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("npy files are read in every version, order and type", "[io][npy]") {
  const auto floats = raw<float>({1, 2, 3, 4, 5, 6});
  for (char version : {1, 2, 3}) {
    const auto read = read_bytes(npy(dict("<f4", "(2, 3)"), floats, version));
    CHECK(read.equal(at::arange(1, 7, at::kFloat).reshape({2, 3})));
  }
  const auto fortran = read_bytes(npy(dict("<f4", "(3, 2)", "True"), floats));
  CHECK(fortran.is_contiguous());
  CHECK(fortran.equal(at::arange(1, 7, at::kFloat).reshape({2, 3}).t()));
  CHECK(read_bytes(npy(dict("<u2", "(2,)"), raw<uint16_t>({7, 65535})))
            .equal(at::tensor({7, 65535}, at::kInt)));
  CHECK(read_bytes(npy(dict("<u4", "(1,)"), raw<uint32_t>({4294967295u}))).item<int64_t>() ==
        4294967295);
  CHECK(read_bytes(npy(dict("|b1", "(2,)"), raw<uint8_t>({0, 255})))
            .equal(at::tensor({0, 1}, at::kInt).to(at::kBool)));
  CHECK(read_bytes(npy(dict("<i8", "()"), raw<int64_t>({-5}))).item<int64_t>() == -5);
  CHECK(read_bytes(npy(dict("<f4", "(0, 3)"), "")).sizes() == at::IntArrayRef({0, 3}));
}

TEST_CASE("npy files written are read back equal", "[io][npy]") {
  TempDir folder;
  for (auto type : {at::kFloat, at::kDouble, at::kHalf, at::kChar, at::kShort, at::kInt, at::kLong,
                    at::kByte, at::kBool}) {
    const auto tensor = at::arange(6, at::kLong).reshape({3, 2}).t().to(type);
    write_npy(folder / "a.npy", tensor);
    const auto read = read_npy(folder / "a.npy");
    CHECK(read.scalar_type() == type);
    CHECK(read.equal(tensor));
    CHECK((std::filesystem::file_size(folder / "a.npy") - 6 * tensor.element_size()) % 64 == 0);
  }
  write_npy(folder / "a.npy", at::zeros({}, at::kFloat));
  CHECK(read_npy(folder / "a.npy").dim() == 0);
  CHECK(holds(error_of([&] { write_npy(folder / "a.npy", at::zeros({1}, at::kBFloat16)); }),
              "cannot hold"));
}

TEST_CASE("hostile npy files are refused", "[io][npy]") {
  const auto four = raw<float>({1});
  CHECK(holds(error_for(""), "is not an .npy file"));
  CHECK(holds(error_for("\x93NUMPX" + std::string(20, ' ')), "is not an .npy file"));
  CHECK(holds(error_for(npy(dict("<f4", "(1,)"), four, 9)), "unknown version"));
  CHECK(holds(error_for(npy(dict("<f4", "(1,)"), four).substr(0, 30)), "damaged header length"));
  CHECK(holds(error_for(npy(dict("<f4", "(2,)"), four)), "wrong file size"));
  CHECK(holds(error_for(npy(dict("<f4", "(1,)"), four + "x")), "wrong file size"));
  CHECK(holds(error_for(npy(dict("<f4", "(-1,)"), four)), "bad size"));
  CHECK(holds(error_for(npy(dict("<f4", "(4611686018427387904, 4)"), "")), "bad shape"));
  CHECK(holds(error_for(npy(dict("<f4", "(99999999999999999999,)"), four)), "bad size"));
  CHECK(holds(error_for(npy(dict(">f4", "(1,)"), four)), "big-endian"));
  CHECK(holds(error_for(npy(dict("|O8", "(1,)"), four)), "unsupported type"));
  CHECK(holds(error_for(npy(dict("", "(1,)"), four)), "damaged header"));
  CHECK(holds(
      error_for(npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}", four)),
      "damaged header"));
  CHECK(holds(error_for(npy("{'descr': '<f4', 'shape': (1,)}", four)), "damaged header"));
  CHECK(holds(error_for(npy("{'surprise': '<f4'}", four)), "unknown header key"));
  CHECK(holds(error_for(npy("{'descr': '<f4", four)), "damaged header"));
  CHECK(holds(error_for(npy(dict("<f4", "(1,)") + "x", four)), "text after the end"));
}
