#include "datasets/point_cloud/scan/zip_archive.h"

#include <zip.h>

#include "core/base/error.h"

namespace switchyard::scan {
namespace {
constexpr zip_uint64_t kMaxBytes = zip_uint64_t{256} << 20;
}

ZipArchive::ZipArchive(const std::filesystem::path& path) : path_(path) {
  int code = 0;
  zip_ = zip_open(path.c_str(), ZIP_RDONLY, &code);
  check(zip_ != nullptr, path.string(), "not a readable zip archive: libzip code ", code);
}

ZipArchive::~ZipArchive() { zip_discard(zip_); }

std::optional<std::string> ZipArchive::read(const std::string& name) const {
  const zip_int64_t index = zip_name_locate(zip_, name.c_str(), ZIP_FL_NOCASE);
  if (index < 0) return std::nullopt;
  const std::string where = path_.string() + ":" + name;
  zip_stat_t stat;
  check(zip_stat_index(zip_, index, 0, &stat) == 0, where, "damaged zip entry");
  check(stat.size <= kMaxBytes, where, "zip entry too large: got ", uint64_t(stat.size),
        " bytes, expected at most ", uint64_t(kMaxBytes));
  zip_file_t* file = zip_fopen_index(zip_, index, 0);
  check(file != nullptr, where, "damaged zip entry: ", zip_strerror(zip_));
  std::string text(stat.size, '\0');
  const zip_int64_t got = zip_fread(file, text.data(), stat.size);
  zip_fclose(file);
  check(got == zip_int64_t(stat.size), where, "damaged zip entry: got ", int64_t(got),
        " bytes, expected ", uint64_t(stat.size));
  return text;
}

}  // namespace switchyard::scan
