#include "core/io/numpy_pickle.h"

#include <algorithm>
#include <iterator>

#include "core/base/error.h"
#include "core/io/npy.h"

namespace switchyard {
namespace {

using Kind = PickleNode::Kind;

constexpr const char* kArrays[] = {"numpy.core.multiarray._reconstruct",    // NumPy 1
                                   "numpy._core.multiarray._reconstruct"};  // NumPy 2
constexpr const char* kParts[] = {"numpy.ndarray",
                                  "numpy.dtype",
                                  "_codecs.encode",
                                  "__builtin__.bytes",
                                  "numpy.core.multiarray.scalar",
                                  "numpy._core.multiarray.scalar"};

/// Item `index` of a tuple.
const PickleNode& part(const PickleNode& tuple, size_t index, Kind kind, const char* what,
                       const std::string& where) {
  check(tuple.is(Kind::Tuple) && index < tuple.items.size(), where, "damaged array: its ", what,
        " is missing");
  const PickleNode& node = *tuple.items[index];
  check(node.is(kind), where, "damaged array: got ", node.describe(), " as its ", what);
  return node;
}

/// The state that was set on a call.
const PickleNode& state_of(const PickleNode& call, const std::string& where) {
  check(call.items.size() == 3, where, "damaged array: ", call.describe(), " has no state");
  return *call.items[2];
}

/// "<f8" from a call of numpy.dtype('f8', ...) with the state (3, '<', ...).
std::string descr_of(const PickleNode& dtype, const std::string& where) {
  check(dtype.calls("numpy.dtype"), where, "damaged array: got ", dtype.describe(), " as its type");
  return part(state_of(dtype, where), 1, Kind::Text, "byte order", where).text +
         part(*dtype.items[1], 0, Kind::Text, "type", where).text;
}

std::vector<int64_t> shape_of(const PickleNode& shape, const std::string& where) {
  std::vector<int64_t> out;
  for (const PickleNode* size : shape.items) {
    check(size->is(Kind::Int) && size->integer >= 0, where, "damaged array: got ", size->describe(),
          " in its shape");
    out.push_back(size->integer);
  }
  check(out.size() <= 32, where, "damaged array: got ", out.size(), " dimensions");
  return out;
}

/// Latin-1 text as UTF-8 -> its bytes: what is over 0x7f is two bytes, 0xc2 or 0xc3 first.
std::string latin1_bytes(std::string_view text, const std::string& where) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    const auto lead = static_cast<unsigned char>(text[i]);
    if (lead < 0x80) {
      out.push_back(text[i]);
      continue;
    }
    const bool pair = (lead == 0xc2 || lead == 0xc3) && i + 1 < text.size() &&
                      (static_cast<unsigned char>(text[i + 1]) & 0xc0) == 0x80;
    check(pair, where, "damaged array: its bytes are no Latin-1 text at byte ", i);
    out.push_back(static_cast<char>((lead & 3) << 6 | (text[++i] & 0x3f)));
  }
  return out;
}

std::string bytes_of(const PickleNode& node, const std::string& where) {
  if (node.calls("__builtin__.bytes") && node.items[1]->items.empty()) return {};
  check(node.calls("_codecs.encode"), where, "damaged array: got ", node.describe(),
        " as its elements");
  check(part(*node.items[1], 1, Kind::Text, "encoding", where).text == "latin1", where,
        "damaged array: expected Latin-1 text");
  return latin1_bytes(part(*node.items[1], 0, Kind::Text, "elements", where).text, where);
}

}  // namespace

bool is_numpy_global(const std::string& name) {
  const auto is = [&](const char* known) { return name == known; };
  return std::any_of(std::begin(kArrays), std::end(kArrays), is) ||
         std::any_of(std::begin(kParts), std::end(kParts), is);
}

bool is_numpy_array(const PickleNode& node) {
  return std::any_of(std::begin(kArrays), std::end(kArrays),
                     [&](const char* name) { return node.calls(name); });
}

at::Tensor read_numpy_array(const PickleNode& node, const std::string& where) {
  check(is_numpy_array(node), where, "is no array: got ", node.describe());
  const PickleNode& state = state_of(node, where);
  const auto shape = shape_of(part(state, 1, Kind::Tuple, "shape", where), where);
  check(state.items.size() == 5, where, "damaged array: got ", state.describe(), " as its state");
  const bool fortran = part(state, 3, Kind::Bool, "order", where).integer != 0;
  return npy_array(descr_of(*state.items[2], where), shape, fortran,
                   bytes_of(*state.items[4], where), where);
}

}  // namespace switchyard
