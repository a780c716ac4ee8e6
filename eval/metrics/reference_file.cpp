#include "core/io/json.h"
#include "core/io/npz.h"
#include "core/io/safetensors.h"
#include "eval/metrics/reference.h"

namespace switchyard {
namespace fs = std::filesystem;
namespace {

std::map<std::string, std::string> metadata_of(const ReferenceKey& key) {
  return {{"format", "switchyard.reference_features/1"},
          {"extractor", key.extractor},
          {"data_hash", key.data_hash},
          {"domain", key.domain},
          {"class", key.class_name},
          {"split", key.split}};
}

void check_key(const SafeTensors& file, const ReferenceKey& key) {
  std::vector<std::string> differences;
  for (const auto& [name, expected] : metadata_of(key)) {
    const std::string& got = file.metadata(name);
    if (got != expected)
      differences.push_back(cat(name, ": got '", got, "', expected '", expected, "'"));
  }
  check(differences.empty(), file.path().string(),
        "is another reference: ", join(differences, "; "));
}

int64_t count_in(const SafeTensors& file) {
  const std::string where = file.path().string();
  const Json count = parse_json(file.metadata("count"), where);
  check(count.is_number_integer() && count > 0, where, "count: got ", count.dump(),
        ", expected a number of images");
  return count.get<int64_t>();
}

FeatureGaussian checked(FeatureGaussian gaussian, const fs::path& where) {
  check_gaussian(gaussian, where.string());
  gaussian.mu_D = gaussian.mu_D.to(at::kDouble);
  gaussian.sigma_DD = gaussian.sigma_DD.to(at::kDouble);
  return gaussian;
}

}  // namespace

void write_reference(const fs::path& path, const ReferenceKey& key,
                     const ReferenceFeatures& reference) {
  NamedTensors tensors = {{"mu", reference.pooled.mu_D}, {"sigma", reference.pooled.sigma_DD}};
  if (reference.spatial) {
    tensors.emplace_back("mu_s", reference.spatial->mu_D);
    tensors.emplace_back("sigma_s", reference.spatial->sigma_DD);
  }
  if (reference.features_ND.defined()) tensors.emplace_back("features", reference.features_ND);
  auto metadata = metadata_of(key);
  metadata["count"] = to_text(reference.pooled.count);
  write_safetensors(path, tensors, metadata);
}

ReferenceFeatures read_reference(const fs::path& path, const ReferenceKey& key) {
  const auto file = SafeTensors::open(path);
  check_key(file, key);
  const int64_t count = count_in(file);
  ReferenceFeatures out{checked({file.get("mu"), file.get("sigma"), count}, path), {}, {}};
  if (file.has("mu_s")) out.spatial = checked({file.get("mu_s"), file.get("sigma_s"), count}, path);
  if (!file.has("features")) return out;
  out.features_ND = file.get("features");
  check(out.features_ND.dim() == 2 && out.features_ND.size(1) == out.pooled.mu_D.size(0),
        path.string(), "features: got ", to_text(out.features_ND.sizes().vec()), ", expected [N, ",
        out.pooled.mu_D.size(0), "]");
  return out;
}

ReferenceFeatures read_published_reference(const fs::path& path) {
  const auto arrays = read_npz(path);
  const auto array = [&](const std::string& name) {
    const auto found = arrays.find(name);
    check(found != arrays.end(), path.string(), "has no array '", name, "'");
    return found->second;
  };
  ReferenceFeatures out{checked({array("mu"), array("sigma")}, path), {}, {}};
  if (arrays.count("mu_s")) out.spatial = checked({array("mu_s"), array("sigma_s")}, path);
  return out;
}

}  // namespace switchyard
