#include "core/io/tensor_io.h"

#include "core/base/error.h"
#include "core/io/printable.h"
#include "core/io/torch_file.h"

namespace switchyard {
namespace {

void check_no_key(const std::filesystem::path& path, const std::string& key) {
  check(key.empty(), path.string(), "a safetensors file has no keys above its tensors: got ",
        printable(key));
}

}  // namespace

NamedTensors read_tensors(const std::filesystem::path& path, const std::string& key) {
  if (is_torch_file(path)) return read_torch(path, key);
  check_no_key(path, key);
  const SafeTensors file = SafeTensors::open(path);
  NamedTensors out;
  for (const std::string& name : file.names()) out.emplace_back(name, file.get(name));
  return out;
}

void write_tensors(const std::filesystem::path& path, const NamedTensors& tensors,
                   const std::string& key) {
  const std::string extension = path.extension().string();
  if (extension == ".pth" || extension == ".pt") return write_torch(path, tensors, key);
  check(extension == ".safetensors", path.string(), "unknown extension: got '", extension,
        "'; valid: .safetensors, .pth, .pt");
  check_no_key(path, key);
  write_safetensors(path, tensors);
}

}  // namespace switchyard
