#include "datasets/image/latent_cache.h"

#include <ATen/ops/isfinite.h>
#include <ATen/ops/tensor.h>

#include "core/io/npy.h"
#include "core/io/npz.h"
#include "datasets/folder.h"
#include "datasets/image/class_folders.h"
#include "datasets/latent_info.h"
#include "datasets/shards.h"

namespace switchyard {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kPacked = ".latent.npz", kPlain = ".latent.npy";

bool is_latent_name(const std::string& name) {
  return name.ends_with(kPacked) || name.ends_with(kPlain);
}

/// "x.latent.npy" -> "x.latent_flip.npy"
fs::path flipped(const fs::path& plain) {
  const std::string text = plain.string();
  return text.substr(0, text.size() - kPlain.size()) + ".latent_flip.npy";
}

bool is_packed(const fs::path& path) { return path.string().ends_with(kPacked); }

at::Tensor checked_moments(const at::Tensor& stored, const std::string& where) {
  check(stored.scalar_type() == at::kFloat && stored.dim() == 3 && stored.size(0) % 2 == 0 &&
            stored.numel() > 0,
        where, "wrong latent: got ", c10::toString(stored.scalar_type()), " ",
        to_text(stored.sizes().vec()), ", expected float32 [2Z,h,w]");
  check(at::isfinite(stored).all().item<bool>(), where, "holds values that are not finite");
  return stored;
}

std::map<std::string, at::Tensor> read_latents(const fs::path& path, bool flip) {
  if (is_packed(path)) return read_npz(path);
  std::map<std::string, at::Tensor> out = {{"latent", read_npy(path)}};
  if (flip) out.emplace("latent_flip", read_npy(flipped(path)));
  return out;
}

class LatentFolder : public Dataset {
 public:
  LatentFolder(const LatentCacheParams& params, const LatentInfo& latent);

  int64_t size() const override { return static_cast<int64_t>(files_.size()); }
  SampleInfo sample_info(int64_t index) const override {
    const ClassFile& file = files_.at(index);
    return {file.uri, domain_, file.uri, split_of_.at(file.outer)};
  }
  Sample get(int64_t index, const Draw& draw) const override;
  const DatasetInfo& info() const override { return info_; }

 private:
  std::vector<fs::path> paths() const;

  fs::path root_;
  std::string domain_;
  std::map<std::string, std::string> split_of_;
  std::vector<ClassFile> files_;
  DatasetInfo info_;
};

LatentFolder::LatentFolder(const LatentCacheParams& params, const LatentInfo& latent)
    : root_(params.root),
      domain_(params.domain.empty() ? root_.filename().string() : params.domain) {
  auto [classes, files, split_of] =
      list_split_classes(root_, params.splits, params.split, is_latent_name);
  files_ = std::move(files);
  split_of_ = std::move(split_of);
  info_.class_names = std::move(classes);
  info_.source = params.source.empty() ? root_.filename().string() : params.source;
  info_.latent = latent;
  std::string options = cat(domain_, "/", join(info_.class_names), "/", to_json(latent).dump());
  for (const ClassFile& file : files_) options += "\n" + split_of_.at(file.outer);
  info_.hash = hash_of_files(root_, paths(), options);
}

std::vector<fs::path> LatentFolder::paths() const {
  std::vector<fs::path> out;
  for (const ClassFile& file : files_) {
    out.push_back(root_ / file.uri);
    if (info_.latent->flip && !is_packed(file.uri)) out.push_back(flipped(out.back()));
  }
  return out;
}

Sample LatentFolder::get(int64_t index, const Draw&) const {
  const fs::path path = root_ / files_.at(index).uri;
  const auto arrays = read_latents(path, info_.latent->flip);
  Sample out{{}, sample_info(index)};
  for (const char* key : {"latent", "latent_flip"}) {
    if (key == std::string_view("latent_flip") && !info_.latent->flip) continue;
    const auto found = arrays.find(key);
    check(found != arrays.end(), path.string(), "holds no array ", key);
    out.tensors[key] = checked_moments(found->second, path.string() + ":" + key);
  }
  out.tensors["label"] = at::tensor({files_.at(index).label}, at::kLong);
  return out;
}

void check_vae(const std::optional<LatentInfo>& latent, const LatentCacheParams& params) {
  check(latent.has_value(), params.root, "does not say which VAE made its latents");
  check(params.vae.empty() || latent->vae == params.vae, params.root,
        "holds latents of another VAE: got '", latent->vae, "', expected '", params.vae, "'");
}

LatentInfo read_latent_info(const fs::path& file) {
  check(fs::exists(file), file.string(),
        "is missing: expected {\"vae\": id, \"scaling_factor\": number, \"flip\": bool}");
  return latent_info_from(read_json(file), file.string());
}

}  // namespace

void LatentCacheParams::declare(Fields<LatentCacheParams>& f) {
  f.add("root", &LatentCacheParams::root, "folder of latents.json, or shards of one");
  f.add("domain", &LatentCacheParams::domain, "name of the data domain; empty: the folder's name");
  f.add("source", &LatentCacheParams::source, "public name of the data, quoted in results");
  f.add("vae", &LatentCacheParams::vae, "id of the VAE that must have made them; empty: any");
  f.add("splits", &LatentCacheParams::splits,
        "{split: [sub-folder, ...]}; null: each sub-folder is a split");
  f.add("split", &LatentCacheParams::split, "split of all samples where there is no split folder");
}

std::unique_ptr<Dataset> open_latent_cache(const LatentCacheParams& params) {
  const fs::path root = params.root;
  check(fs::is_directory(root), root.string(), "no such folder");
  if (fs::exists(root / kShardIndexName)) {
    auto shards = std::make_unique<ShardDataset>(root);
    check_vae(shards->info().latent, params);
    return shards;
  }
  const LatentInfo latent = read_latent_info(root / kLatentsName);
  check_vae(latent, params);
  return std::make_unique<LatentFolder>(params, latent);
}

Layout latent_cache_layout() {
  const auto found = [](const fs::path& folder) {
    return fs::exists(folder / kLatentsName) || holds_file_below(folder, 1, is_latent_name) ||
           holds_file_below(folder, 2, is_latent_name);
  };
  const auto check = [](const fs::path& folder) {
    LatentCacheParams params;
    params.root = folder.string();
    const auto dataset = open_latent_cache(params);
    Layout::Lines lines = {"layout: latent_cache (CLASS/NAME.latent.npz, latents.json), VAE " +
                           dataset->info().latent->vae};
    add_samples(*dataset, lines);
    lines.push_back("make shards: " + pack_command("latent_cache", folder));
    return lines;
  };
  return {"latent_cache", "CLASS/NAME.latent.npz, latents.json", found, check};
}

}  // namespace switchyard
