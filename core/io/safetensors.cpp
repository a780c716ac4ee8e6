#include "core/io/safetensors.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>

#include <algorithm>
#include <cstring>
#include <set>
#include <tuple>

#include "core/io/file.h"
#include "core/io/json.h"

namespace switchyard {
namespace {

constexpr size_t kMaxHeader = 100'000'000;  // the limit of the reference implementation

const std::vector<std::pair<std::string, at::ScalarType>>& dtypes() {
  static const std::vector<std::pair<std::string, at::ScalarType>> table = {
      {"F64", at::kDouble}, {"F32", at::kFloat}, {"F16", at::kHalf},  {"BF16", at::kBFloat16},
      {"I64", at::kLong},   {"I32", at::kInt},   {"I16", at::kShort}, {"I8", at::kChar},
      {"U8", at::kByte},    {"BOOL", at::kBool}};
  return table;
}

at::ScalarType dtype_from(const std::string& name, const std::string& where) {
  std::vector<std::string> names;
  for (const auto& [known, dtype] : dtypes()) {
    if (known == name) return dtype;
    names.push_back(known);
  }
  fail(where, "unsupported dtype: got '", name, "'; valid: ", join(names));
}

std::string name_of(at::ScalarType dtype, const std::string& where) {
  for (const auto& [name, known] : dtypes()) {
    if (known == dtype) return name;
  }
  fail(where, "unsupported dtype: got ", std::string(c10::toString(dtype)));
}

/// Bytes of a tensor; Error if a size is negative or the product does not fit.
size_t byte_count(const std::vector<int64_t>& shape, size_t item_size, const std::string& where) {
  uint64_t bytes = item_size;
  for (int64_t n : shape) {
    check(n >= 0 && !__builtin_mul_overflow(bytes, static_cast<uint64_t>(n), &bytes), where,
          "bad shape: got ", to_text(shape));
  }
  return bytes;
}

}  // namespace

SafeTensors SafeTensors::open(const std::filesystem::path& path) {
  SafeTensors out;
  out.file_ = MappedFile::open(path);
  const auto bytes = out.file_->bytes();
  const std::string where = path.string();
  check(bytes.size() >= 8, where, "too short for a safetensors file: got ", bytes.size(), " bytes");
  uint64_t header_size;
  std::memcpy(&header_size, bytes.data(), 8);
  check(header_size <= kMaxHeader && header_size <= bytes.size() - 8, where,
        "damaged header length: got ", header_size, ", expected at most ",
        std::min(kMaxHeader, bytes.size() - 8));
  const Json header =
      parse_json({reinterpret_cast<const char*>(bytes.data()) + 8, header_size}, where);
  check(header.is_object(), where, "damaged header: expected a JSON object");
  try {
    for (const auto& [name, item] : header.items()) {
      if (name == "__metadata__") {
        out.metadata_ = item.get<std::map<std::string, std::string>>();
      } else {
        out.add_entry(name, item, 8 + header_size);
      }
    }
  } catch (const Json::exception& error) {
    fail(where, "damaged header: ", std::string(error.what()));
  }
  out.order_names(8 + header_size);
  return out;
}

void SafeTensors::add_entry(const std::string& name, const Json& item, size_t data_begin) {
  const std::string place = path().string() + ":" + name;
  const size_t data_size = file_->bytes().size() - data_begin;
  Entry entry{dtype_from(item.at("dtype").get<std::string>(), place),
              integers_at(item, "shape", place), 0, 0};
  const auto offsets = integers_at(item, "data_offsets", place);
  check(offsets.size() == 2 && offsets[0] >= 0 && offsets[0] <= offsets[1] &&
            static_cast<size_t>(offsets[1]) <= data_size,
        place, "damaged data_offsets: got ", to_text(offsets), ", expected inside 0 .. ",
        data_size);
  const size_t wanted = byte_count(entry.shape, c10::elementSize(entry.dtype), place);
  check(static_cast<size_t>(offsets[1] - offsets[0]) == wanted, place,
        "size does not fit the shape: got ", offsets[1] - offsets[0], " bytes, expected ", wanted);
  entry.begin = data_begin + static_cast<size_t>(offsets[0]);
  entry.end = data_begin + static_cast<size_t>(offsets[1]);
  check(entries_.emplace(name, entry).second, place, "named twice");
}

void SafeTensors::order_names(size_t data_begin) {
  std::vector<std::tuple<size_t, size_t, std::string>> spans;
  for (const auto& [name, entry] : entries_) spans.emplace_back(entry.begin, entry.end, name);
  std::sort(spans.begin(), spans.end());
  size_t expected = data_begin;
  for (const auto& [begin, end, name] : spans) {
    check(begin == expected, path().string() + ":" + name,
          "data does not follow the tensor before it: got offset ", begin, ", expected ", expected);
    expected = end;
    names_.push_back(name);
  }
  const size_t size = file_->bytes().size();
  check(expected == size, path().string(), "wrong file size: got ", size, " bytes, expected ",
        expected);
}

at::Tensor SafeTensors::get(const std::string& name) const {
  const auto found = entries_.find(name);
  if (found == entries_.end()) check_name(path().string(), "tensor", name, names_);
  const Entry& entry = found->second;
  const std::byte* data = file_->bytes().data() + entry.begin;
  const auto options = at::TensorOptions().dtype(entry.dtype);
  if (entry.begin == entry.end) return at::empty(entry.shape, options);
  if (reinterpret_cast<uintptr_t>(data) % c10::elementSize(entry.dtype) != 0) {
    at::Tensor copy = at::empty(entry.shape, options);
    std::memcpy(copy.data_ptr(), data, entry.end - entry.begin);
    return copy;
  }
  return at::from_blob(
      const_cast<std::byte*>(data), entry.shape, [keep = file_](void*) {}, options);
}

const std::string& SafeTensors::metadata(const std::string& key) const {
  const auto found = metadata_.find(key);
  check(found != metadata_.end(), path().string(), "metadata key is missing: expected '", key, "'");
  return found->second;
}

const std::filesystem::path& SafeTensors::path() const { return file_->path(); }

void write_safetensors(const std::filesystem::path& path, const NamedTensors& tensors,
                       const std::map<std::string, std::string>& metadata) {
  Json header = Json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  std::vector<at::Tensor> payload;
  std::set<std::string> seen;
  size_t offset = 0;
  for (const auto& [name, tensor] : tensors) {
    const std::string place = path.string() + ":" + name;
    check(seen.insert(name).second && name != "__metadata__", place, "named twice or reserved");
    const at::Tensor& flat = payload.emplace_back(tensor.detach().cpu().contiguous());
    header[name] = {{"dtype", name_of(flat.scalar_type(), place)},
                    {"shape", flat.sizes().vec()},
                    {"data_offsets", {offset, offset + flat.nbytes()}}};
    offset += flat.nbytes();
  }
  std::string text = header.dump(-1, ' ', false, Json::error_handler_t::replace);
  text.resize((text.size() + 7) / 8 * 8, ' ');
  write_atomic(path, [&](std::ostream& out) {
    const uint64_t size = text.size();
    out.write(reinterpret_cast<const char*>(&size), 8);
    out.write(text.data(), static_cast<std::streamsize>(text.size()));
    for (const at::Tensor& flat : payload) {
      out.write(static_cast<const char*>(flat.data_ptr()),
                static_cast<std::streamsize>(flat.nbytes()));
    }
  });
}

}  // namespace switchyard
