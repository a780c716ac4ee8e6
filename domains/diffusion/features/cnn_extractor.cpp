#include "domains/diffusion/features/cnn_extractor.h"

#include <ATen/core/grad_mode.h>

#include "core/base/log.h"
#include "core/io/file_lock.h"
#include "core/io/json.h"
#include "core/io/sha256.h"
#include "core/train/load_weights.h"

namespace switchyard {
namespace {

constexpr char kFormat[] = "switchyard.feature_net/1";

Json to_json(const CnnProvenance& p) {
  return {{"format", kFormat},
          {"data_hash", p.data_hash},
          {"classes", p.classes},
          {"training", to_json(write_params(p.training))}};
}

double accuracy_in(const SafeTensors& file) {
  const std::string where = file.path().string();
  const Json value = parse_json(file.metadata("accuracy"), where);
  check(value.is_number(), where, "accuracy: got ", value.dump(), ", expected a number");
  return value.get<double>();
}

}  // namespace

std::string CnnProvenance::id() const {
  return cat("cnn-", sha256_text(to_json(*this).dump()).substr(0, 8), "-s", training.seed);
}

CnnExtractor::CnnExtractor(const CnnProvenance& provenance, const ReadImages& read,
                           at::Device device)
    : provenance_(provenance), device_(device), net_(provenance.classes) {
  const LabelledImages train = read("train"), test = read("test");
  check_labelled(train, provenance.classes, "feature net: split train");
  check_labelled(test, provenance.classes, "feature net: split test");
  net_.to(device, at::kFloat);
  train_feature_net(net_, train, provenance.training);
  accuracy_ = switchyard::accuracy(net_, test);
}

CnnExtractor::CnnExtractor(const CnnProvenance& provenance, const std::filesystem::path& path,
                           at::Device device)
    : provenance_(provenance), device_(device), net_(provenance.classes) {
  const auto file = SafeTensors::open(path);
  const std::string expected = to_json(provenance).dump();
  check(file.metadata("provenance") == expected, path.string(), "is another classifier: got ",
        file.metadata("provenance"), ", expected ", expected);
  load_weights(net_, path);
  accuracy_ = accuracy_in(file);
  net_.to(device, at::kFloat);
}

void CnnExtractor::save(const std::filesystem::path& path) const {
  write_safetensors(path, weights_of(net_),
                    {{"id", id()},
                     {"provenance", to_json(provenance_).dump()},
                     {"accuracy", to_text(accuracy_)}});
}

FeatureSet CnnExtractor::extract(const at::Tensor& images_BCHW) {
  check_images(images_BCHW, id());
  at::NoGradGuard no_grad;
  return net_.forward(images_BCHW.to(device_));
}

std::unique_ptr<CnnExtractor> cached_cnn(const std::filesystem::path& folder,
                                         const CnnProvenance& provenance,
                                         const CnnExtractor::ReadImages& read, at::Device device) {
  const auto path = folder / (provenance.id() + ".safetensors");
  const FileLock held = FileLock::wait(folder / "lock");  // others wait for the network made here
  if (std::filesystem::exists(path))
    return std::make_unique<CnnExtractor>(provenance, path, device);
  auto made = std::make_unique<CnnExtractor>(provenance, read, device);
  log::info("feature network ", made->id(), ": accuracy ", made->accuracy(), " on the test split");
  made->save(path);
  return made;
}

}  // namespace switchyard
