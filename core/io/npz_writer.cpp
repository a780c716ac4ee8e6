#include "core/io/npz_writer.h"

#include "core/io/file.h"
#include "core/io/npy.h"
#include "core/io/stored_zip_writer.h"

namespace switchyard {

void write_npz(const std::filesystem::path& path, const NamedTensors& arrays) {
  write_atomic(path, [&](std::ostream& out) {
    StoredZipWriter zip(out, path.string());
    for (const auto& [name, tensor] : arrays) {
      const at::Tensor flat = tensor.detach().cpu().contiguous();
      std::string bytes = npy_header(flat, path.string());
      bytes.append(static_cast<const char*>(flat.data_ptr()), flat.nbytes());
      zip.add(name + ".npy", std::as_bytes(std::span(bytes)));
    }
    zip.finish();
  });
}

}  // namespace switchyard
