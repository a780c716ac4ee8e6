#pragma once
// Writes latent caches: .npz with stored members, pairs of .npy, latents.json.

#include <ATen/ops/arange.h>

#include <fstream>
#include <sstream>

#include "core/io/file.h"
#include "core/io/npy.h"
#include "core/io/stored_zip_writer.h"
#include "tests/datasets/support.h"

namespace switchyard::test {

/// f32 [2Z,h,w] of Z = 2, every value depends on `number`.
inline at::Tensor moments(int64_t number) {
  return (at::arange(4 * 3 * 3, at::kFloat) / 10 + number).view({4, 3, 3});
}

/// As numpy.savez writes it.
inline void write_npz(const std::filesystem::path& file,
                      const std::vector<std::pair<std::string, at::Tensor>>& arrays) {
  std::filesystem::create_directories(file.parent_path());
  TempDir folder;
  std::ostringstream out;
  StoredZipWriter zip(out);
  for (const auto& [name, tensor] : arrays) {
    write_npy(folder / "x.npy", tensor);
    const std::string bytes = read_text(folder / "x.npy");
    zip.add(name + ".npy", std::as_bytes(std::span(bytes)));
  }
  zip.finish();
  write_text(file, out.str());
}

inline void write_latent(const std::filesystem::path& file, int64_t number) {
  write_npz(file, {{"latent", moments(number)}, {"latent_flip", moments(number).flip(2)}});
}

inline void write_latents_json(const std::filesystem::path& root, const std::string& vae,
                               bool flip = true) {
  write_text(root / "latents.json", cat("{\"vae\": \"", vae, "\", \"scaling_factor\": 0.18215, ",
                                        "\"flip\": ", flip, "}"));
}

}  // namespace switchyard::test
