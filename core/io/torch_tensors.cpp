#include "core/io/torch_tensors.h"

#include <ATen/ops/as_strided.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>

#include <algorithm>
#include <cstring>

#include "core/base/error.h"
#include "core/io/file.h"
#include "core/io/printable.h"
#include "core/io/torch_storage.h"

namespace switchyard {
namespace {

using Kind = PickleNode::Kind;

constexpr const char* kTensor = "torch._utils._rebuild_tensor_v2";
constexpr const char* kParameter = "torch._utils._rebuild_parameter";
constexpr const char* kDict = "collections.OrderedDict";
constexpr size_t kMaxDims = 64;
constexpr uint64_t kRepeats = 4, kSmall = uint64_t{64} << 20;

const PickleNode& argument(const PickleNode& call, size_t index, Kind kind, const char* what,
                           const std::string& where) {
  const auto& arguments = call.items[1]->items;
  check(index < arguments.size(), where, "damaged tensor at byte ", call.offset, ": ", what,
        " is missing");
  const PickleNode& node = *arguments[index];
  check(node.is(kind), where, "damaged tensor: got ", node.describe(), " as its ", what);
  return node;
}

/// Sizes or strides: a tuple of whole numbers that are not negative.
std::vector<int64_t> extents(const PickleNode& call, size_t index, const char* what,
                             const std::string& where) {
  std::vector<int64_t> out;
  for (const PickleNode* item : argument(call, index, Kind::Tuple, what, where).items) {
    check(item->is(Kind::Int) && item->integer >= 0, where, "damaged tensor: got ",
          item->describe(), " in its ", what, ", expected whole numbers from 0");
    out.push_back(item->integer);
  }
  check(out.size() <= kMaxDims, where, "damaged tensor: got ", out.size(), " dimensions");
  return out;
}

/// Elements of the storage up to the last one that the view touches; Error beyond 64 bits.
int64_t reach(int64_t offset, const std::vector<int64_t>& sizes,
              const std::vector<int64_t>& strides, const std::string& where) {
  if (std::find(sizes.begin(), sizes.end(), 0) != sizes.end()) return offset;
  int64_t last = offset;
  for (size_t d = 0; d < sizes.size(); ++d) {
    int64_t step;
    check(!__builtin_mul_overflow(sizes[d] - 1, strides[d], &step) &&
              !__builtin_add_overflow(last, step, &last),
          where, "view is too large: got size ", to_text(sizes), " and stride ", to_text(strides));
  }
  check(!__builtin_add_overflow(last, 1, &last), where, "view is too large: got offset ", offset);
  return last;
}

uint64_t bytes_of(const std::vector<int64_t>& sizes, size_t item, const std::string& where) {
  uint64_t bytes = item;
  bool fits = true;
  for (const int64_t n : sizes)
    fits &= !__builtin_mul_overflow(bytes, static_cast<uint64_t>(n), &bytes);
  check(fits && bytes <= uint64_t{1} << 62, where, "view is too large: got size ", to_text(sizes));
  return bytes;
}

}  // namespace

bool is_plain_global(const std::string& name) {
  return name == kTensor || name == kParameter || name == kDict ||
         storage_dtype(name) != at::ScalarType::Undefined;
}

TorchTensors::TorchTensors(const ZipFile& zip, std::string folder)
    : zip_(zip),
      folder_(std::move(folder)),
      budget_(kRepeats * zip.file()->bytes().size() + kSmall) {}

bool TorchTensors::is_tensor(const PickleNode& node) {
  return node.calls(kTensor) || node.calls(kParameter);
}

at::Tensor TorchTensors::make(const PickleNode& given, const std::string& where) {
  const PickleNode& node =
      given.calls(kParameter) ? argument(given, 0, Kind::Call, "data", where) : given;
  check(node.calls(kTensor), where, "is no tensor: got ", node.describe(), ", expected a call of ",
        kTensor);
  const int64_t offset = argument(node, 1, Kind::Int, "offset", where).integer;
  const auto sizes = extents(node, 2, "size", where), strides = extents(node, 3, "stride", where);
  check(sizes.size() == strides.size() && offset >= 0, where, "damaged tensor: got size ",
        to_text(sizes), ", stride ", to_text(strides), ", offset ", offset);
  const auto& arguments = node.items[1]->items;
  check(arguments.size() <= 6 || (arguments.size() == 7 && arguments[6]->items.empty()), where,
        "is a conjugate or negative view or has other marks: expected a plain tensor");
  const at::Tensor& whole = storage(argument(node, 0, Kind::Persistent, "storage", where), where);
  const int64_t end = reach(offset, sizes, strides, where);
  check(end <= whole.size(0), where, "view leaves its storage: got ", end,
        " elements, expected at most ", whole.size(0));
  spend(bytes_of(sizes, whole.element_size(), where), where);
  return at::as_strided(whole, sizes, strides, offset);
}

void TorchTensors::spend(uint64_t bytes, const std::string& where) {
  check(bytes <= budget_, where, "tensors repeat the bytes of the file too often: got ", bytes,
        " more bytes, expected at most ", kRepeats, " times the file in all");
  budget_ -= bytes;
}

const at::Tensor& TorchTensors::storage(const PickleNode& node, const std::string& where) {
  const PickleNode& id = *node.items.front();
  const auto& parts = id.items;
  check(id.is(Kind::Tuple) && parts.size() == 5 && parts[0]->is(Kind::Text) &&
            parts[0]->text == "storage" && parts[1]->is(Kind::Global) && parts[2]->is(Kind::Text) &&
            parts[4]->is(Kind::Int) && parts[4]->integer >= 0,
        where, "damaged storage: got ", id.describe(),
        ", expected ('storage', type, key, device, elements)");
  const at::ScalarType dtype = storage_dtype(parts[1]->text);
  check(dtype != at::ScalarType::Undefined, where, "unsupported storage: got ",
        parts[1]->describe(), "; valid: f64 f32 f16 bf16 i64 i32 i16 i8 u8 bool");
  const std::string member = folder_ + "/data/" + parts[2]->text;
  const auto [found, is_new] = storages_.try_emplace(member);
  if (is_new) found->second = map_storage(member, dtype, parts[4]->integer, where);
  const at::Tensor& whole = found->second;
  check(whole.scalar_type() == dtype && whole.size(0) == parts[4]->integer, where,
        "shares storage ", printable(member), " under another type or size: got ",
        std::string(c10::toString(dtype)), " of ", parts[4]->integer);
  return whole;
}

at::Tensor TorchTensors::map_storage(const std::string& member, at::ScalarType dtype,
                                     int64_t elements, const std::string& where) const {
  check(zip_.has(member), where, "storage is missing: expected member ", printable(member));
  const auto bytes = zip_.get(member);
  const size_t item = c10::elementSize(dtype);
  check(bytes.size() % item == 0 && bytes.size() / item == static_cast<uint64_t>(elements), where,
        "storage ", printable(member), " has the wrong size: got ", bytes.size(),
        " bytes, expected ", elements, " elements of ", item);
  // Any other byte is no bool to a compiler.
  check(dtype != at::kBool ||
            std::all_of(bytes.begin(), bytes.end(), [](std::byte b) { return b <= std::byte{1}; }),
        where, "storage ", printable(member), " holds bytes other than 0 and 1 for bool");
  const auto options = at::TensorOptions().dtype(dtype);
  if (elements > 0 && reinterpret_cast<uintptr_t>(bytes.data()) % item == 0) {
    return at::from_blob(
        const_cast<std::byte*>(bytes.data()), {elements}, [keep = zip_.file()](void*) {}, options);
  }
  at::Tensor copy = at::empty({elements}, options);
  if (elements > 0) std::memcpy(copy.data_ptr(), bytes.data(), bytes.size());
  return copy;
}

}  // namespace switchyard
