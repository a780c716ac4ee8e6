#pragma once
// Pickles and archives by hand, for what no well-behaved writer makes.

#include <cstring>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "core/io/stored_zip_writer.h"
#include "tests/support/text.h"
#include "tests/test.h"

namespace switchyard::test {

template <class Number>
std::string le(Number value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

/// Pieces of protocol 2, as Python writes them.
namespace py {
inline std::string text(const std::string& s) { return "X" + le(uint32_t(s.size())) + s; }
inline std::string global(const std::string& module, const std::string& name) {
  return "c" + module + "\n" + name + "\n";
}
inline std::string num(int32_t n) { return "J" + le(n); }
inline std::string tuple(const std::vector<int32_t>& values) {
  std::string out = "(";
  for (int32_t v : values) out += num(v);
  return out + "t";
}
inline std::string storage(const std::string& type, const std::string& key, int32_t elements) {
  return "(" + text("storage") + global("torch", type) + text(key) + text("cuda:0") +
         num(elements) + "tQ";
}
inline std::string ordered_dict() { return global("collections", "OrderedDict") + ")R"; }
inline std::string tensor(const std::string& storage, int32_t offset,
                          const std::vector<int32_t>& size, const std::vector<int32_t>& stride,
                          const std::string& marks = "") {
  return global("torch._utils", "_rebuild_tensor_v2") + "(" + storage + num(offset) + tuple(size) +
         tuple(stride) + "\x89" + ordered_dict() + marks + "tR";
}
inline std::string dict(const std::vector<std::pair<std::string, std::string>>& items) {
  std::string out = "}(";
  for (const auto& [key, value] : items) out += text(key) + value;
  return out + "u";
}
inline std::string pickle(const std::string& value) { return "\x80\x02" + value + "."; }
}  // namespace py

using Members = std::vector<std::pair<std::string, std::string>>;

/// An archive as PyTorch names its members.
inline void write_pth(const std::filesystem::path& path, const std::string& pickle,
                      const Members& storages, const std::string& byteorder = "little") {
  std::ofstream out(path, std::ios::binary);
  StoredZipWriter zip(out);
  const auto add = [&](const std::string& name, const std::string& bytes) {
    zip.add("model/" + name, std::as_bytes(std::span(bytes)));
  };
  add("data.pkl", pickle);
  add("byteorder", byteorder);
  for (const auto& [key, bytes] : storages) add("data/" + key, bytes);
  add("version", "3\n");
  zip.finish();
}

}  // namespace switchyard::test
