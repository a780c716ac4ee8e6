#include "domains/diffusion/image_data_task.h"

#include <numeric>

#include "datasets/registry.h"

namespace switchyard {

ImageDataTask::ImageDataTask(const ImageDataParams& data, const ConfigNode& root, int64_t times)
    : data_(data),
      plan_(DomainSpec::parse(data.train_domains, data.train_split),
            DomainSpec::parse(data.test_domains, data.test_split),
            DomainSpec::parse(data.left_out, data.train_split)),
      seed_(static_cast<uint64_t>(root.at("seed").as_int("seed"))),
      dataset_(datasets().make(root.at("dataset"), "dataset")),
      input_(data.input),
      times_(times) {}

std::vector<std::string> ImageDataTask::trained_names() const {
  std::vector<std::string> out;
  for (const auto& spec : plan_.trained()) {
    if (std::find(out.begin(), out.end(), spec.domain) == out.end()) out.push_back(spec.domain);
  }
  return out;
}

int64_t ImageDataTask::condition_of(const std::string& domain) const {
  const auto trained = trained_names();
  return std::find(trained.begin(), trained.end(), domain) - trained.begin();
}

std::vector<std::string> ImageDataTask::channel_names() const {
  std::vector<std::string> out;
  for (int64_t c = 0; c < channels(); ++c)
    for (int64_t y = 0; y < patch(); ++y)
      for (int64_t x = 0; x < patch(); ++x) out.push_back(cat("channel ", c, " at ", x, ",", y));
  return out;
}

ImageSourceData ImageDataTask::source_data(DomainIndex index, std::vector<int64_t> ids,
                                           const std::vector<DomainSpec>& specs) const {
  std::vector<int64_t> conditions;
  for (const auto& spec : specs) conditions.push_back(condition_of(spec.domain));
  return {dataset_, std::move(index), std::move(ids), std::move(conditions),
          input_,   patch(),          seed_};
}

std::unique_ptr<BatchSource> ImageDataTask::source(const std::string& split) {
  check_name("ImageDataTask.source", "split", split, {"train", "test"});
  if (split == "train") {
    return std::make_unique<ImageTrainSource>(
        source_data(plan_.training_index(*dataset_), plan_.tested_of_trained(), plan_.trained()),
        data_.images);
  }
  std::vector<int64_t> ids(plan_.tested().size());
  std::iota(ids.begin(), ids.end(), int64_t{0});
  return std::make_unique<ImageTestSource>(
      source_data(plan_.test_index(*dataset_), ids, plan_.tested()), times_);
}

std::vector<SequenceInfo> ImageDataTask::sequences(const std::string& split) {
  check(split != "train", "ImageDataTask.sequences", "the training source is endless");
  std::vector<SequenceInfo> out;
  const DomainIndex index = plan_.test_index(*dataset_);
  for (const auto& [domain, sample] : index.samples()) {
    const SampleInfo info = dataset_->sample_info(sample);
    for (int64_t i = 0; i < times_; ++i)
      out.push_back({visit_uri(info.uri, i, times_), info.group, domain});
  }
  return out;
}

Outputs ImageDataTask::outputs(const ImageBatch& batch, const at::Tensor& error_B) const {
  const int64_t count = batch.z.size(0);
  const auto classes = static_cast<int64_t>(class_names().size());
  const at::Tensor column = batch.label.unsqueeze(1);
  const at::Tensor none = at::zeros({count, classes}, at::kDouble);
  return {{{"num", none.scatter(1, column, error_B.cpu().to(at::kDouble).unsqueeze(1))},
           {"den", none.scatter(1, column, 1.0)},
           {"label", batch.labels()},
           {"coord", batch.places()},
           {"seq_offset", at::arange(count + 1, at::kLong) * batch.tokens_per_image()}},
          batch.uris,
          batch.groups,
          batch.domain_ids};
}

}  // namespace switchyard
