#include "core/io/npy.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <span>

#include "core/base/error.h"
#include "core/io/file.h"

namespace switchyard {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr size_t kMaxHeader = 65536;
constexpr size_t kMaxDimensions = 32;

struct Type {
  std::string_view code;  ///< without the byte order
  at::ScalarType dtype;   ///< in memory
  size_t size;            ///< bytes of an element in the file
};

constexpr Type kTypes[] = {{"f4", at::kFloat, 4}, {"f8", at::kDouble, 8}, {"f2", at::kHalf, 2},
                           {"i1", at::kChar, 1},  {"i2", at::kShort, 2},  {"i4", at::kInt, 4},
                           {"i8", at::kLong, 8},  {"u1", at::kByte, 1},   {"b1", at::kBool, 1},
                           {"u2", at::kInt, 2},   {"u4", at::kLong, 4}};

struct Header {
  std::string descr;
  bool fortran = false;
  std::vector<int64_t> shape;
};

/// Walks a Python dict literal: {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }
class Literal {
 public:
  Literal(std::string_view text, std::string where) : text_(text), where_(std::move(where)) {}

  bool take(std::string_view token) {
    skip_blanks();
    if (!text_.starts_with(token)) return false;
    text_.remove_prefix(token.size());
    return true;
  }
  void expect(std::string_view token) {
    check(take(token), where_, "damaged header: got '", text_.substr(0, 20), "', expected '", token,
          "'");
  }
  std::string quoted() {
    const std::string_view quote = take("\"") ? "\"" : "'";
    if (quote == "'") expect("'");
    const size_t end = text_.find(quote);
    check(end != std::string_view::npos, where_, "damaged header: a string does not end");
    std::string out(text_.substr(0, end));
    text_.remove_prefix(end + 1);
    return out;
  }
  bool boolean() {
    if (take("True")) return true;
    expect("False");
    return false;
  }
  std::vector<int64_t> tuple() {
    std::vector<int64_t> out;
    expect("(");
    while (!take(")")) {
      out.push_back(integer());
      if (take(",")) continue;
      expect(")");
      break;
    }
    return out;
  }
  void finish() {
    expect("}");
    skip_blanks();
    check(text_.empty(), where_, "damaged header: text after the end");
  }

 private:
  void skip_blanks() {
    text_.remove_prefix(std::min(text_.find_first_not_of(" \t\r\n"), text_.size()));
  }
  int64_t integer() {
    skip_blanks();
    int64_t value = -1;
    const auto [end, error] = std::from_chars(text_.data(), text_.data() + text_.size(), value);
    check(error == std::errc() && value >= 0, where_, "damaged header: bad size in the shape");
    text_.remove_prefix(end - text_.data());
    return value;
  }

  std::string_view text_;
  std::string where_;
};

Header parse_header(std::string_view text, const std::string& where) {
  Header out;
  int seen = 0;
  Literal literal(text, where);
  literal.expect("{");
  do {
    if (seen == 3) break;
    const std::string key = literal.quoted();
    literal.expect(":");
    check_name(where, "header key", key, {"descr", "fortran_order", "shape"});
    if (key == "descr") out.descr = literal.quoted();
    if (key == "fortran_order") out.fortran = literal.boolean();
    if (key == "shape") out.shape = literal.tuple();
    ++seen;
  } while (literal.take(","));
  literal.finish();
  check(seen == 3 && out.descr.size() == 3 && out.shape.size() <= kMaxDimensions, where,
        "damaged header: expected descr, fortran_order and shape");
  return out;
}

const Type& type_of(const std::string& descr, const std::string& where) {
  std::vector<std::string> valid;
  for (const Type& type : kTypes) {
    const bool order = descr[0] == '<' || (descr[0] == '|' && type.size == 1);
    if (order && descr.substr(1) == type.code) return type;
    valid.push_back((type.size == 1 ? "|" : "<") + std::string(type.code));
  }
  fail(where, descr[0] == '>' ? "big-endian data is not supported" : "unsupported type", ": got '",
       descr, "'; valid: ", join(valid));
}

/// Splits the file into header text and data.
std::pair<std::string_view, std::string_view> parts_of(std::string_view file,
                                                       const std::string& where) {
  check(file.size() >= 12 && file.starts_with(kMagic), where, "is not an .npy file");
  const int version = file[6];
  check(version >= 1 && version <= 3, where, "unknown version: got ", version, ", expected 1 to 3");
  const size_t begin = version == 1 ? 10 : 12;
  uint32_t size = 0;
  std::memcpy(&size, file.data() + 8, begin - 8);
  check(size <= kMaxHeader && size <= file.size() - begin, where, "damaged header length: got ",
        size);
  return {file.substr(begin, size), file.substr(begin + size)};
}

void check_size(const std::vector<int64_t>& shape, const Type& type, size_t bytes,
                const std::string& where) {
  // An axis of 0 hides what the others multiply to, which a tensor must hold all the same.
  int64_t wanted = type.size, extent = type.size;
  for (int64_t n : shape) {
    check(!__builtin_mul_overflow(extent, std::max<int64_t>(n, 1), &extent), where,
          "bad shape: got ", to_text(shape));
    wanted *= n;
  }
  check(static_cast<size_t>(wanted) == bytes, where, "wrong file size: got ", bytes,
        " bytes of data, expected ", wanted, " for shape ", to_text(shape));
}

template <class Stored, class Wide>
void widen(std::string_view data, at::Tensor& out) {
  Wide* target = out.data_ptr<Wide>();
  for (size_t i = 0; i < data.size() / sizeof(Stored); ++i) {
    Stored value;
    std::memcpy(&value, data.data() + i * sizeof(Stored), sizeof(Stored));
    target[i] = value;
  }
}

void fill(const Type& type, std::string_view data, at::Tensor& out) {
  if (type.code == "u2") return widen<uint16_t, int32_t>(data, out);
  if (type.code == "u4") return widen<uint32_t, int64_t>(data, out);
  if (data.empty()) return;
  std::memcpy(out.data_ptr(), data.data(), data.size());
  if (type.dtype != at::kBool) return;
  auto* bytes = static_cast<unsigned char*>(out.data_ptr());
  std::transform(bytes, bytes + data.size(), bytes, [](unsigned char b) { return b != 0; });
}

std::string header_text(const at::Tensor& tensor, const std::string& where) {
  for (const Type& type : kTypes) {
    if (type.dtype != tensor.scalar_type()) continue;
    std::string shape;
    for (int64_t n : tensor.sizes()) shape += std::to_string(n) + ",";
    std::string text = cat("{'descr': '", type.size == 1 ? "|" : "<", type.code,
                           "', 'fortran_order': False, 'shape': (", shape, "), }");
    text.resize((text.size() + 1 + 10 + 63) / 64 * 64 - 11, ' ');
    return text + "\n";
  }
  fail(where, "cannot hold this type: got ", c10::toString(tensor.scalar_type()));
}

}  // namespace

at::Tensor read_npy(const std::filesystem::path& path) {
  const auto file = MappedFile::open(path);
  const auto bytes = file->bytes();
  return parse_npy({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, path.string());
}

at::Tensor parse_npy(std::string_view file, const std::string& where) {
  const auto [text, data] = parts_of(file, where);
  const Header header = parse_header(text, where);
  return npy_array(header.descr, header.shape, header.fortran, data, where);
}

at::Tensor npy_array(const std::string& descr, std::vector<int64_t> shape, bool fortran,
                     std::string_view data, const std::string& where) {
  const Type& type = type_of(descr, where);
  check_size(shape, type, data.size(), where);
  if (fortran) std::reverse(shape.begin(), shape.end());
  at::Tensor out = at::empty(shape, type.dtype);
  fill(type, data, out);
  if (!fortran) return out;
  std::vector<int64_t> axes;
  for (int64_t i = out.dim() - 1; i >= 0; --i) axes.push_back(i);
  return out.permute(axes).contiguous();
}

std::string npy_header(const at::Tensor& tensor, const std::string& where) {
  const std::string text = header_text(tensor, where);
  const auto size = static_cast<uint16_t>(text.size());
  std::string out = std::string(kMagic) + '\x01' + '\x00';
  out.append(reinterpret_cast<const char*>(&size), sizeof size);
  return out + text;
}

void write_npy(const std::filesystem::path& path, const at::Tensor& tensor) {
  const at::Tensor flat = tensor.detach().cpu().contiguous();
  const std::string header = npy_header(flat, path.string());
  write_atomic(path, [&](std::ostream& out) {
    out << header;
    out.write(static_cast<const char*>(flat.data_ptr()),
              static_cast<std::streamsize>(flat.nbytes()));
  });
}

}  // namespace switchyard
