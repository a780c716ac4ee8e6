#include "datasets/point_cloud/scan/mesh_cache.h"

#include <cstring>
#include <ostream>

#include "core/base/error.h"
#include "core/base/random.h"
#include "core/io/file.h"

namespace switchyard::scan {
namespace {

constexpr uint64_t kMagic = 0x31434d4e41435357;  // "WSCANMC1"

template <class T>
void append(std::string& out, const std::vector<T>& values) {
  const uint64_t count = values.size();
  out.append(reinterpret_cast<const char*>(&count), sizeof count);
  out.append(reinterpret_cast<const char*>(values.data()), count * sizeof(T));
}

template <class T>
bool take(std::string_view& in, std::vector<T>& out) {
  uint64_t count = 0;
  if (in.size() < sizeof count) return false;
  std::memcpy(&count, in.data(), sizeof count);
  in.remove_prefix(sizeof count);
  if (count > in.size() / sizeof(T)) return false;
  out.resize(count);
  if (count) std::memcpy(out.data(), in.data(), count * sizeof(T));
  in.remove_prefix(count * sizeof(T));
  return true;
}

}  // namespace

std::optional<std::vector<Mesh>> read_mesh_cache(const std::filesystem::path& file, uint64_t key) {
  if (!std::filesystem::is_regular_file(file)) return std::nullopt;
  const auto mapped = MappedFile::open(file);
  std::string_view in(reinterpret_cast<const char*>(mapped->bytes().data()),
                      mapped->bytes().size());
  uint64_t head[4];  // magic, key, hash of the body, number of meshes
  if (in.size() < sizeof head) return std::nullopt;
  std::memcpy(head, in.data(), sizeof head);
  in.remove_prefix(sizeof head);
  if (head[0] != kMagic || head[1] != key || head[2] != hash64(in)) return std::nullopt;
  std::vector<Mesh> out;
  for (uint64_t i = 0; i < head[3]; ++i) {
    Mesh mesh;
    if (!take(in, mesh.vertices) || !take(in, mesh.triangles) || !take(in, mesh.colors))
      return std::nullopt;
    out.push_back(std::move(mesh));
  }
  return out;
}

void write_mesh_cache(const std::filesystem::path& file, uint64_t key,
                      const std::vector<Mesh>& meshes) {
  std::string body;
  for (const Mesh& mesh : meshes) {
    append(body, mesh.vertices);
    append(body, mesh.triangles);
    append(body, mesh.colors);
  }
  const uint64_t head[4] = {kMagic, key, hash64(body), meshes.size()};
  std::filesystem::create_directories(file.parent_path());
  write_atomic(file, [&](std::ostream& out) {
    out.write(reinterpret_cast<const char*>(head), sizeof head);
    out.write(body.data(), int64_t(body.size()));
  });
}

}  // namespace switchyard::scan
