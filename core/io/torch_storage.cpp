#include "core/io/torch_storage.h"

#include <utility>

#include "core/base/error.h"

namespace switchyard {
namespace {

constexpr std::pair<std::string_view, at::ScalarType> kStorages[] = {
    {"torch.DoubleStorage", at::kDouble}, {"torch.FloatStorage", at::kFloat},
    {"torch.HalfStorage", at::kHalf},     {"torch.BFloat16Storage", at::kBFloat16},
    {"torch.LongStorage", at::kLong},     {"torch.IntStorage", at::kInt},
    {"torch.ShortStorage", at::kShort},   {"torch.CharStorage", at::kChar},
    {"torch.ByteStorage", at::kByte},     {"torch.BoolStorage", at::kBool}};

}  // namespace

at::ScalarType storage_dtype(std::string_view global) {
  for (const auto& [name, dtype] : kStorages) {
    if (name == global) return dtype;
  }
  return at::ScalarType::Undefined;
}

std::string storage_name(at::ScalarType dtype, const std::string& where) {
  for (const auto& [name, known] : kStorages) {
    if (known == dtype) return std::string(name.substr(name.find('.') + 1));
  }
  fail(where, "unsupported dtype: got ", std::string(c10::toString(dtype)));
}

}  // namespace switchyard
