#include "core/io/torch_file.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include "core/io/file.h"
#include "core/io/tensor_io.h"
#include "tests/core/io/torch_support.h"
#include "tests/support/fuzz.h"
#include "tests/test.h"

using namespace switchyard;
using namespace switchyard::test;

namespace {

std::string bytes_of(const at::Tensor& t) {
  return {static_cast<const char*>(t.data_ptr()), t.nbytes()};
}

const std::string kSix = bytes_of(at::arange(6, at::kFloat));

NamedTensors read(const std::string& pickle, const Members& storages, const std::string& key = "") {
  TempDir dir;
  write_pth(dir / "a.pth", pickle, storages);
  return read_torch(dir / "a.pth", key);
}

/// Message for a state dict with the one tensor "w", over storage 0 of six floats.
std::string error_for(const std::string& tensor, const std::string& storage = kSix) {
  const auto message = error_of([&] {
    read(py::pickle(py::dict({{"w", tensor}})), {{"0", storage}});
  });
  CHECK(holds(message, "a.pth:model/data.pkl"));
  return message;
}

std::string float_tensor(int32_t offset, const std::vector<int32_t>& size,
                         const std::vector<int32_t>& stride) {
  return py::tensor(py::storage("FloatStorage", "0", 6), offset, size, stride);
}

}  // namespace

TEST_CASE("every dtype comes back equal through a .pth", "[io][torch]") {
  TempDir dir;
  NamedTensors tensors;
  for (auto dtype : {at::kDouble, at::kFloat, at::kHalf, at::kBFloat16, at::kLong, at::kInt,
                     at::kShort, at::kChar, at::kByte})
    tensors.emplace_back(c10::toString(dtype), at::arange(6).reshape({2, 3}).to(dtype));
  tensors.emplace_back("bool", at::arange(2).to(at::kBool));
  tensors.emplace_back("scalar", at::arange(3, 4).reshape({}));
  tensors.emplace_back("empty", at::zeros({0, 4}));
  tensors.emplace_back("strided", at::arange(6, at::kFloat).reshape({2, 3}).t());
  for (const std::string key : {"", "state_dict", "model"}) {
    write_torch(dir / "a.pth", tensors, key);
    const auto back = read_torch(dir / "a.pth", key == "model" ? key : "");
    REQUIRE(back.size() == tensors.size());
    for (size_t i = 0; i < tensors.size(); ++i) {
      INFO(tensors[i].first);
      CHECK(back[i].first == tensors[i].first);
      CHECK(back[i].second.scalar_type() == tensors[i].second.scalar_type());
      CHECK(back[i].second.equal(tensors[i].second));
    }
  }
}

TEST_CASE("equal tensors give equal bytes; dtypes without a storage are refused", "[io][torch]") {
  TempDir dir;
  write_torch(dir / "a.pth", {{"w", at::ones({3})}});
  write_torch(dir / "b.pth", {{"w", at::ones({3})}});
  CHECK((read_text(dir / "a.pth") == read_text(dir / "b.pth")));
  const auto complex = at::zeros({2}, at::kComplexFloat);
  CHECK(holds(error_of([&] {
                write_torch(dir / "a.pth", {{"w", complex}});
              }),
              "unsupported dtype"));
  const auto one = at::ones({1});
  CHECK(holds(error_of([&] { write_torch(dir / "a.pth", {{"w", one}, {"w", one}}); }), "twice"));
}

TEST_CASE("views keep stride, offset and the storage they share", "[io][torch]") {
  const std::string marks = "N";  // seventh argument: none
  const auto tensors = read(
      py::pickle(py::ordered_dict() + "(" + py::text("whole") + float_tensor(0, {2, 3}, {3, 1}) +
                 py::text("turned") + float_tensor(0, {3, 2}, {1, 3}) + py::text("last") +
                 py::tensor(py::storage("FloatStorage", "0", 6), 4, {2}, {1}, marks) +
                 py::text("repeated") + float_tensor(5, {4}, {0}) + py::text("parameter") +
                 py::global("torch._utils", "_rebuild_parameter") + "(" + float_tensor(1, {}, {}) +
                 "\x88" + py::ordered_dict() + "tR" + "u" +
                 py::dict({{"_metadata", py::ordered_dict()}}) + "b"),
      {{"0", kSix}});
  REQUIRE(tensors.size() == 5);
  const auto whole = at::arange(6, at::kFloat).reshape({2, 3});
  CHECK(tensors[0].second.equal(whole));
  CHECK(tensors[1].second.equal(whole.t()));
  CHECK(tensors[2].second.equal(at::tensor({4.f, 5.f})));
  CHECK(tensors[3].second.equal(at::tensor({5.f, 5.f, 5.f, 5.f})));
  CHECK(tensors[4].second.item<float>() == 1);
  CHECK(tensors[0].second.storage().data() == tensors[2].second.storage().data());
}

TEST_CASE("the state dict is found under its key", "[io][torch]") {
  const auto weights = py::dict({{"w", float_tensor(0, {6}, {1})}});
  const auto scalar = py::global("numpy.core.multiarray", "scalar") + ")R";
  const Members six = {{"0", kSix}};
  CHECK(read(py::pickle(weights), six).size() == 1);
  CHECK(read(py::pickle(py::dict({{"epoch", "K\x03"}, {"state_dict", weights}})), six).size() == 1);
  const auto published = py::pickle(
      py::dict({{"epoch", "K\x03"}, {"state_dict", weights}, {"best_metric_value", scalar}}));
  CHECK(read(published, six, "state_dict").size() == 1);
  const auto message = error_of([&] { read(published, six); });
  CHECK(holds(message, "got global 'numpy.core.multiarray.scalar' at byte"));
  CHECK(holds(message, "--key"));
  CHECK(holds(message, "'state_dict'"));
  CHECK(holds(error_of([&] { read(published, six, "model"); }), "valid: 'state_dict'"));
  CHECK(holds(error_of([&] { read(published, six, "epoch"); }), "got int 3"));
  const auto odd = py::pickle(py::dict({{"state_dict", py::dict({{"w", scalar}})}}));
  CHECK(holds(error_of([&] { read(odd, six, "state_dict"); }), "call of global 'numpy.core"));
}

TEST_CASE("anything but tensors and plain containers is refused by name", "[io][torch]") {
  const auto refused = [](const std::string& value) { return error_for(value); };
  CHECK(holds(refused(py::global("os", "system") + py::text("ls") + "\x85R"), "'os.system'"));
  CHECK(
      holds(refused(py::global("builtins", "eval") + py::text("1") + "\x85R"), "'builtins.eval'"));
  CHECK(holds(refused(py::global("torch._utils", "_rebuild_qtensor") + ")R"), "_rebuild_qtensor"));
  CHECK(holds(refused(py::global("torch", "QInt8Storage")), "torch.QInt8Storage"));
  CHECK(holds(refused(py::global("a\x01", std::string(500, 'b'))), "'a?.bbb"));
  CHECK(holds(refused("K\x03"), "is no tensor: got int 3"));
  CHECK(holds(refused("]"), "is no tensor: got a list of 0"));
  CHECK(holds(error_of([&] { read(py::pickle("K\x03"), {}); }), "expected a dict: got int 3"));
  CHECK(
      holds(error_of([&] { read(py::pickle("}K\x03Ns"), {}); }), "expected the name of a tensor"));
  const auto twice = py::dict({{"w", float_tensor(0, {1}, {1})}, {"w", float_tensor(0, {1}, {1})}});
  CHECK(holds(error_of([&] { read(py::pickle(twice), {{"0", kSix}}); }), "named twice"));
}

TEST_CASE("damaged tensors are refused", "[io][torch]") {
  CHECK(holds(error_for(float_tensor(0, {7}, {1})), "view leaves its storage: got 7"));
  CHECK(holds(error_for(float_tensor(1, {6}, {1})), "view leaves its storage: got 7"));
  CHECK(holds(error_for(float_tensor(7, {0}, {1})), "view leaves its storage"));
  CHECK(holds(error_for(float_tensor(-1, {2}, {1})), "offset -1"));
  CHECK(holds(error_for(float_tensor(0, {-1}, {1})), "int -1"));
  CHECK(holds(error_for(float_tensor(0, {2}, {-1})), "int -1"));
  CHECK(holds(error_for(float_tensor(0, {2, 3}, {1})), "stride [1]"));
  const std::vector<int32_t> huge(3, 2147483647), none(3, 0), deep(65, 1);
  CHECK(holds(error_for(float_tensor(0, huge, huge)), "view is too large"));
  CHECK(holds(error_for(float_tensor(0, huge, none)), "view is too large"));
  CHECK(holds(error_for(float_tensor(0, deep, deep)), "65 dimensions"));
  CHECK(holds(error_for(float_tensor(0, {2147483647}, {0})), "repeat the bytes of the file"));
  const auto over = [](const std::string& storage) { return py::tensor(storage, 0, {1}, {1}); };
  CHECK(holds(error_for(over(py::storage("FloatStorage", "0", 5))), "has the wrong size"));
  CHECK(holds(error_for(over(py::storage("FloatStorage", "0", -1))), "damaged storage"));
  CHECK(holds(error_for(over(py::storage("FloatStorage", "0", 2147483647))), "wrong size"));
  CHECK(holds(error_for(over(py::storage("FloatStorage", "1", 6))), "storage is missing"));
  CHECK(
      holds(error_for(over(py::storage("FloatStorage", "../data.pkl", 6))), "storage is missing"));
  CHECK(
      holds(error_for(over(py::storage("BoolStorage", "0", 4)), "\1\2\1\1"), "other than 0 and 1"));
  CHECK(holds(error_for(over("NQ")), "damaged storage: got None"));
  CHECK(holds(error_for(over("N")), "got None at byte"));
  const auto rebuild = py::global("torch._utils", "_rebuild_tensor_v2");
  CHECK(holds(error_for(rebuild + ")R"), "is missing"));
  const auto mark = py::dict({{"conj", "\x88"}});
  CHECK(holds(error_for(py::tensor(py::storage("FloatStorage", "0", 6), 0, {1}, {1}, mark)),
              "conjugate"));
}

TEST_CASE("a storage under two types is refused", "[io][torch]") {
  const auto ints = py::tensor(py::storage("IntStorage", "0", 6), 0, {6}, {1});
  const auto both = py::dict({{"w", float_tensor(0, {6}, {1})}, {"v", ints}});
  CHECK(holds(error_of([&] { read(py::pickle(both), {{"0", kSix}}); }), "under another type"));
}

TEST_CASE("other formats are named with the way out", "[io][torch]") {
  TempDir dir;
  const auto error = [&](const std::string& bytes) {
    write_text(dir / "a.pth", bytes);
    return error_of([&] { read_torch(dir / "a.pth"); });
  };
  CHECK(holds(error("\x80\x02\x8a\x0al\xfc\x9c\x46\xf9 j\xa8P\x19."), "before PyTorch 1.6"));
  CHECK(holds(error("\x80\x02\x8a\x0al\xfc\x9c\x46\xf9 j\xa8P\x19."), "torch.save(torch.load("));
  CHECK(holds(error("something"), "is no .pth file"));
  CHECK(holds(error(""), "is no .pth file"));
  write_pth(dir / "big.pth", py::pickle("}"), {}, "big");
  CHECK(holds(error_of([&] { read_torch(dir / "big.pth"); }), "byte order: got 'big'"));
  CHECK(holds(error_of([&] { read_torch(dir / "none.pth"); }), "none.pth"));
}

TEST_CASE("tensors go through either format by extension and first bytes", "[io][torch]") {
  TempDir dir;
  const NamedTensors tensors = {{"w", at::arange(6)}};
  for (const char* name : {"a.pth", "a.pt", "a.safetensors"}) {
    write_tensors(dir / name, tensors);
    CHECK(read_tensors(dir / name)[0].second.equal(tensors[0].second));
  }
  CHECK(holds(error_of([&] { write_tensors(dir / "a.bin", tensors); }), ".safetensors, .pth"));
  CHECK(holds(error_of([&] { write_tensors(dir / "a.safetensors", tensors, "k"); }), "no keys"));
  CHECK(holds(error_of([&] { read_tensors(dir / "a.safetensors", "k"); }), "no keys"));
}

TEST_CASE("damaged .pth files never crash the reader", "[io][fuzz]") {
  TempDir dir;
  write_torch(dir / "a.pth", {{"x", at::arange(6)}, {"y", at::arange(3, at::kByte)}}, "state_dict");
  CHECK(refusals(dir / "a.pth", [&] {
          for (const auto& [name, tensor] : read_torch(dir / "a.pth")) tensor.sum();
        }) > 200);
  // The pickle alone, in an archive whose checksums fit.
  write_text(dir / "data.pkl",
             py::pickle(py::dict({{"epoch", "K\x03"},
                                  {"state_dict", py::dict({{"w", float_tensor(0, {2, 3}, {3, 1})},
                                                           {"v", float_tensor(1, {4}, {1})}})}})));
  CHECK(refusals(
            dir / "data.pkl",
            [&] {
              write_pth(dir / "b.pth", read_text(dir / "data.pkl"), {{"0", kSix}});
              for (const auto& [name, tensor] : read_torch(dir / "b.pth")) tensor.sum();
            },
            3000) > 500);
}
