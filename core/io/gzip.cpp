#include "core/io/gzip.h"

#include <ostream>

#include "core/io/deflate.h"
#include "core/io/file.h"

namespace switchyard {

std::vector<std::byte> read_gzip(const std::filesystem::path& path, size_t limit) {
  const auto file = MappedFile::open(path);
  return inflate_bytes(file->bytes(), DeflateFormat::Gzip, limit, path.string());
}

void write_gzip(const std::filesystem::path& path, const std::vector<std::byte>& bytes) {
  const auto packed = deflate_bytes(bytes, DeflateFormat::Gzip, path.string());
  write_atomic(path, [&](std::ostream& file) {
    file.write(reinterpret_cast<const char*>(packed.data()),
               static_cast<std::streamsize>(packed.size()));
  });
}

}  // namespace switchyard
