#include "core/io/npz.h"

#include "core/io/npy.h"
#include "core/io/printable.h"
#include "core/io/zip_file.h"

namespace switchyard {
namespace {

constexpr std::string_view kExtension = ".npy";
constexpr size_t kLargest = size_t{1} << 30;  // of what a few bytes may inflate to

}  // namespace

std::map<std::string, at::Tensor> read_npz(const std::filesystem::path& path) {
  const ZipFile zip = ZipFile::open(path);
  std::map<std::string, at::Tensor> out;
  for (const std::string& name : zip.names()) {
    const std::string where = path.string() + ":" + printable(name);
    check(name.ends_with(kExtension), where, "is no array: expected NAME", kExtension);
    std::vector<std::byte> inflated;
    if (!zip.is_stored(name)) inflated = zip.read(name, kLargest);
    const std::span<const std::byte> bytes = zip.is_stored(name) ? zip.get(name) : inflated;
    out.emplace(name.substr(0, name.size() - kExtension.size()),
                parse_npy({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, where));
  }
  return out;
}

}  // namespace switchyard
