#include "core/io/pickle.h"

#include "tests/core/io/torch_support.h"
#include "tests/test.h"

using namespace switchyard;
using namespace switchyard::test;
using Kind = PickleNode::Kind;

namespace {

Pickle read(const std::string& bytes) {
  return Pickle::read(std::as_bytes(std::span(bytes)), "a.pth:data.pkl");
}

std::string error_for(const std::string& bytes) {
  const auto message = error_of([&] { read(bytes); });
  CHECK(message.find("[a.pth:data.pkl] ") == 0);
  CHECK(holds(message, "byte"));
  return message;
}

std::string repeated(const std::string& text, size_t count) {
  std::string out;
  for (size_t i = 0; i < count; ++i) out += text;
  return out;
}

}  // namespace

TEST_CASE("plain values are read as Python writes them", "[io][pickle]") {
  // pickle.dumps({'a': [1, 300, 70000, -1, 2**40, 1.5, None, True, False], 'b': ('x', (), (2, 3))},
  // 2)
  const std::string big = "\x8a\x06" + le(uint64_t{1} << 40).substr(0, 6);
  const std::string number = std::string("G\x3f\xf8", 3) + std::string(6, '\0');
  const auto pickle =
      read(py::pickle(py::dict({{"a", "]q\x02(K\x01M" + le(uint16_t{300}) + "J" + le(70000) + "J" +
                                          le(-1) + big + number + "N\x88\x89" + "e"},
                                {"b", py::text("x") + ")" + "K\x02K\x03\x86\x87"}})));
  const auto& list = pickle.root().find("a")->items;
  REQUIRE(list.size() == 9);
  CHECK(list[0]->integer == 1);
  CHECK(list[1]->integer == 300);
  CHECK(list[2]->integer == 70000);
  CHECK(list[3]->integer == -1);
  CHECK(list[4]->integer == int64_t{1} << 40);
  CHECK(list[5]->real == 1.5);
  CHECK(list[6]->is(Kind::None));
  CHECK((list[7]->is(Kind::Bool) && list[7]->integer == 1));
  CHECK(list[8]->integer == 0);
  const auto& tuple = pickle.root().find("b")->items;
  REQUIRE(tuple.size() == 3);
  CHECK(tuple[0]->text == "x");
  CHECK(tuple[2]->items[1]->integer == 3);
  CHECK(pickle.root().find("c") == nullptr);
}

TEST_CASE("negative whole numbers of any length", "[io][pickle]") {
  CHECK(read(std::string("\x80\x02\x8a\x02\x00\xff.", 7)).root().integer == -256);
  CHECK(read(std::string("\x80\x02\x8a\x00.", 5)).root().integer == 0);
  CHECK(read("\x80\x02\x8a\x08" + le(int64_t{-2}) + ".").root().integer == -2);
}

TEST_CASE("an OrderedDict is a dict; its attributes are left out", "[io][pickle]") {
  const auto pickle = read(py::pickle(py::ordered_dict() + "(" + py::text("k") + "K\x05u" +
                                      py::dict({{"_metadata", "K\x01"}}) + "b"));
  REQUIRE(pickle.root().is(Kind::Dict));
  CHECK(pickle.root().find("k")->integer == 5);
  CHECK(pickle.root().find("_metadata") == nullptr);
}

TEST_CASE("a call is never made, only named", "[io][pickle]") {
  const auto pickle = read(py::pickle(py::global("os", "system") + py::text("rm -rf /") + "\x85R"));
  CHECK(pickle.root().calls("os.system"));
  CHECK(pickle.root().describe() == "a call of global 'os.system' at byte 27");
  REQUIRE(pickle.globals().size() == 1);
  CHECK(pickle.globals()[0]->offset == 2);
  // Objects that are made of calls of calls take items and attributes, which nobody sees.
  CHECK(holds(read(py::pickle(py::global("a", "b") + ")\x81)RNbNNsNa")).root().describe(), "a.b"));
}

TEST_CASE("values that contain themselves or nest without end are held, not walked",
          "[io][pickle]") {
  const auto cycle =
      read(py::pickle("]q\x01h\x01"
                      "a"));
  CHECK(cycle.root().items[0] == &cycle.root());
  const auto deep = read(py::pickle(repeated("]", 200'000) + repeated("a", 199'999)));
  CHECK(deep.root().describe() == "a list of 1 at byte 2");
  std::string calls = py::global("a", "b");
  calls += repeated(")R", 200'000);
  CHECK(holds(read(py::pickle(calls)).root().describe(), "a call of a call"));
  // 60 lists, each of the one before it twice: 2^60 paths, 60 nodes.
  std::string bomb = "]q\x01";
  for (int i = 0; i < 60; ++i)
    bomb +=
        "](h\x01h\x01"
        "eq\x01";
  CHECK(read(py::pickle(bomb + repeated("0", 60))).root().items.empty());
}

TEST_CASE("hostile pickles are refused with the byte", "[io][pickle]") {
  CHECK(holds(error_for(""), "cut off at byte 0"));
  CHECK(holds(error_for("\x80\x02"), "cut off"));
  CHECK(holds(error_for("\x80\x02N"), "cut off at byte 3"));
  CHECK(holds(error_of([] { read("\x80\x04N."); }), "pickle protocol: got 4, expected 2"));
  CHECK(holds(error_for("\x80\x02\x95."), "got opcode 149"));
  CHECK(holds(error_for("\x80\x02."), "a value is missing"));
  CHECK(holds(error_for("\x80\x02NN."), "got 1 values left over"));
  CHECK(holds(error_for("\x80\x02(N."), "left over"));
  CHECK(holds(error_for("\x80\x02X" + le(~uint32_t{0}) + "abc"), "expected 4294967295"));
  CHECK(holds(error_for("\x80\x02\x8a\xff" + std::string(255, '\1')), "whole number of 255 bytes"));
  CHECK(holds(error_for("\x80\x02"
                        "cos\nsystem"),
              "expected a line feed"));
  CHECK(holds(error_for("\x80\x02t"), "a mark is missing"));
  CHECK(holds(error_for("\x80\x02NR"), "a value is missing"));
  CHECK(holds(error_for("\x80\x02NNR"), "expected a tuple"));
  CHECK(holds(error_for("\x80\x02N)R"), "a call of None"));
  CHECK(holds(error_for("\x80\x02NNa"), "expected a list"));
  CHECK(holds(error_for("\x80\x02NNNs"), "expected a dict"));
  CHECK(holds(error_for("\x80\x02}(Nu"), "got 1 keys and values"));
  CHECK(holds(error_for("\x80\x02}(N0s"), "a value is missing"));
  CHECK(holds(error_for("\x80\x02Nh\x05."), "nothing was kept under 5"));
  CHECK(holds(error_for("\x80\x02q\x05"), "a value is missing"));
  CHECK(holds(error_for("\x80\x02NNb"), "attributes of None"));
}

TEST_CASE("pickles of too many values are refused before they fill the memory", "[io][pickle]") {
  CHECK(holds(error_for("\x80\x02" + std::string(1'000'001, 'N')), "more than 1000000 values"));
  CHECK(holds(error_for("\x80\x02" + std::string(1'000'001, '(')), "more than 1000000 marks"));
  CHECK(holds(error_for("\x80\x02Nq\x01" + repeated("h\x01", 1'000'000)), "values in a row"));
  CHECK(holds(error_of([] { read(std::string((16 << 20) + 1, 'N')); }), "too large"));
  // A memo index is a key, not a size.
  CHECK(read("\x80\x02Nr" + le(~uint32_t{0}) + ".").root().is(Kind::None));
}
