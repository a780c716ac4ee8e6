#include "domains/point_cloud/task.h"

#include <ATen/ops/bincount.h>
#include <ATen/ops/log_softmax.h>

#include "datasets/registry.h"
#include "domains/point_cloud/loss.h"

namespace switchyard {

void PointTaskParams::declare(Fields<PointTaskParams>& f) {
  f.add("train_domains", &PointTaskParams::train_domains, "domains trained on: NAME or NAME@SPLIT");
  f.add("test_domains", &PointTaskParams::test_domains, "domains evaluated, unseen ones included");
  f.add("train_split", &PointTaskParams::train_split, "split trained on");
  f.add("test_split", &PointTaskParams::test_split, "split evaluated");
  f.add("clouds", &PointTaskParams::clouds, "crops per batch, domains in turn", between(1, 4096));
  f.add("shots", &PointTaskParams::shots,
        "scans of each domain trained on, drawn by the seed; 0: all", at_least(0));
  f.node("corruption", &PointTaskParams::corruption, "of the evaluated scans");
  f.node("voxel", &PointTaskParams::voxel, "grid sampling, channels, augmentation");
  f.add("features", &PointTaskParams::features,
        "sample keys that make the input, sampled by the dataset's transforms; empty: "
        "voxel.channels");
  f.node("voting", &PointTaskParams::voting, "test-time voting of miou@test-vote");
  f.add("class_weights", &PointTaskParams::class_weights,
        "weigh classes by (frequency + 1e-4)^-1/2");
  f.add("lovasz_weight", &PointTaskParams::lovasz_weight, "factor of the Lovasz loss", at_least(0));
}

PointCloudTask::PointCloudTask(const PointTaskParams& params, const ConfigNode& root)
    : params_(params),
      plan_(DomainSpec::parse(params.train_domains, params.train_split),
            DomainSpec::parse(params.test_domains, params.test_split)),
      model_node_(root.at("model")),
      seed_(static_cast<uint64_t>(root.at("seed").as_int("seed"))),
      dataset_(datasets().make(root.at("dataset"), "dataset")),
      input_(make_cloud_input(params.voxel, params.features)) {}

SegmentorConfig PointCloudTask::model_config() const {
  std::vector<std::string> domains;
  for (const auto& spec : plan_.trained()) domains.push_back(spec.domain);
  return SegmentorConfig::parse(model_node_, domains);
}

std::unique_ptr<Module> PointCloudTask::build_model() {
  const auto config = model_config();
  const auto channels = channel_names();
  check(config.backbone.in_channels == static_cast<int64_t>(channels.size()), "model.in_channels",
        "does not fit the input (", join(channels), "): got ", config.backbone.in_channels,
        ", expected ", channels.size());
  auto model = config.build(class_names());
  if (model->uses_conditions()) domain_conditions();
  init_parameters(*model, seed_);
  return model;
}

const std::vector<int64_t>& PointCloudTask::domain_conditions() {
  if (!domain_conditions_.empty()) return domain_conditions_;
  std::vector<std::string> domains;
  for (const auto& spec : plan_.tested()) domains.push_back(spec.domain);
  return domain_conditions_ = model_config().conditions_of(domains);
}

std::unique_ptr<BatchSource> PointCloudTask::source(const std::string& split) {
  check_name("PointCloudTask.source", "split", split, {"train", "test", "test-vote"});
  if (split == "train") {
    return std::make_unique<TrainSource>(
        PointSourceData{dataset_, training_index(), plan_.tested_of_trained(), input_, seed_},
        params_.clouds);
  }
  std::vector<int64_t> ids(plan_.tested().size());
  std::iota(ids.begin(), ids.end(), int64_t{0});
  return std::make_unique<ScanSource>(
      PointSourceData{corrupted(dataset_, params_.corruption), plan_.test_index(*dataset_), ids,
                      input_, seed_},
      split == "test-vote" ? std::optional(params_.voting) : std::nullopt);
}

DomainIndex PointCloudTask::training_index() const {
  DomainIndex index = plan_.training_index(*dataset_);
  if (params_.shots > 0) index.keep_few(params_.shots, RandomStream(seed_, "shots"));
  return index;
}

std::vector<SequenceInfo> PointCloudTask::sequences(const std::string& split) {
  check(split != "train", "PointCloudTask.sequences", "the training source is endless");
  std::vector<SequenceInfo> out;
  const DomainIndex index = plan_.test_index(*dataset_);
  for (const auto& [domain, sample] : index.samples()) {
    const SampleInfo info = dataset_->sample_info(sample);
    out.push_back({info.uri, info.group, domain});
  }
  return out;
}

const at::Tensor& PointCloudTask::class_weight() {
  if (class_weight_.defined()) return class_weight_;
  const auto classes = static_cast<int64_t>(class_names().size());
  at::Tensor count = at::zeros({classes}, at::kDouble);
  const DomainIndex index = training_index();
  for (const auto& [domain, sample] : index.samples()) {
    const Draw draw{seed_, 0, sample};
    const at::Tensor segment =
        input_->training_labels(dataset_->get(sample, draw), draw.stream("voxel"));
    count += at::bincount(segment.index({segment >= 0}), {}, classes);
  }
  const at::Tensor weight = (count / count.sum().clamp_min(1) + 1e-4).pow(-.5);
  return class_weight_ = (weight / weight.mean()).to(at::kFloat);
}

PointSegmentor::Output PointCloudTask::run(Module& model, PointBatch& batch,
                                           ForwardContext& context) {
  auto& segmentor = dynamic_cast<PointSegmentor&>(model);
  context.domain_id = at::tensor(batch.domain_ids, at::kLong);
  if (segmentor.uses_conditions()) {
    context.condition.clear();
    for (const int64_t domain : batch.domain_ids)
      context.condition.push_back(domain_conditions()[static_cast<size_t>(domain)]);
  }
  const int64_t* offset = batch.seq_offset.data_ptr<int64_t>();
  return segmentor.run(
      {batch.coord, batch.grid_coord, batch.feat, {offset, offset + batch.seq_offset.size(0)}},
      context);
}

at::Tensor PointCloudTask::forward(Module& model, PointBatch& batch, ForwardContext& context) {
  return join_logits(run(model, batch, context).parts);
}

at::Tensor PointCloudTask::loss(Module& model, Batch& batch, ForwardContext& context) {
  auto& points = dynamic_cast<PointBatch&>(batch);
  const auto out = run(model, points, context);
  const at::Tensor weight =
      params_.class_weights ? class_weight().to(points.feat.device()) : at::Tensor();
  return mean_over_parts(out.parts, points.segment,
                         [&](const at::Tensor& logits, const at::Tensor& label) {
                           const auto loss = cross_entropy(logits, label, {.class_weight = weight});
                           if (params_.lovasz_weight <= 0) return loss;
                           return loss + params_.lovasz_weight * lovasz_softmax(logits, label);
                         });
}

at::Tensor PointCloudTask::vote(Module& model, const PointBatch& batch,
                                const ForwardContext& context) {
  const VotingScan& scan = *batch.voting;
  const at::Device device = batch.coord.device();
  const auto classes = static_cast<int64_t>(class_names().size());
  at::Tensor votes = at::zeros({scan.voting_points(), classes}, batch.coord.options());
  for (int64_t view = 0; view < scan.views(); ++view) {
    for (const VoxelFragment& fragment : scan.fragments(view)) {
      const auto part = one_cloud(fragment.cloud, {}, batch.domain_ids.front());
      part->to(device);
      ForwardContext pass = context;
      add_votes(votes, fragment.rows, forward(model, *part, pass));
    }
  }
  return votes;
}

namespace {

/// `scores` [points, classes] under `name`, the class of the largest, and what they belong to.
Outputs outputs_of(const PointBatch& batch, const std::string& name, const at::Tensor& scores) {
  return {{{name, scores},
           {"predicted", scores.argmax(-1)},
           {"label", batch.segment},
           {"coord", batch.coord},
           {"seq_offset", batch.seq_offset}},
          batch.uris,
          batch.groups,
          batch.domain_ids};
}

}  // namespace

Outputs PointCloudTask::predict(Module& model, Batch& batch, ForwardContext& context) {
  auto& points = dynamic_cast<PointBatch&>(batch);
  if (points.voting) {
    check(context.trace == nullptr, "PointCloudTask.predict",
          "voting takes many passes per scan, which no trace can hold");
    return outputs_of(points, "votes", points.voting->spread(vote(model, points, context)));
  }
  Outputs out = outputs_of(points, "logits", forward(model, points, context));
  if (points.inverse.defined()) out.tensors["inverse"] = points.inverse;
  return out;
}

}  // namespace switchyard
