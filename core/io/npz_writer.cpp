#include "core/io/npz_writer.h"

#include "core/io/file.h"
#include "core/io/npy.h"
#include "core/io/stored_zip_writer.h"

namespace switchyard {

void write_npz(const std::filesystem::path& path, const NamedTensors& arrays) {
  write_atomic(path, [&](std::ostream& out) {
    StoredZipWriter zip(out);
    for (const auto& [name, tensor] : arrays) {
      const at::Tensor flat = tensor.detach().cpu().contiguous();
      const std::string header = npy_header(flat, path.string());
      zip.add(name + ".npy", std::as_bytes(std::span(header)),
              {static_cast<const std::byte*>(flat.const_data_ptr()), flat.nbytes()});
    }
    zip.finish();
  });
}

}  // namespace switchyard
