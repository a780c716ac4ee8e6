#include "domains/diffusion/task.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/stack.h>

#include "core/base/text.h"
#include "datasets/image/normalize.h"
#include "domains/diffusion/flow.h"

namespace switchyard {
namespace {

constexpr char kPixelRule[] = "dit";  // of the published samples

}  // namespace

void ImageTaskParams::declare(Fields<ImageTaskParams>& f) {
  declare_data(f);
  f.add("eval_times", &ImageTaskParams::eval_times,
        "evenly spread noise levels at which every test image is evaluated", between(1, 1000));
  f.add("objective", &ImageTaskParams::objective, "flow or ddpm, with its parameters");
  f.add("sampler", &ImageTaskParams::sampler, "one of the objective's samplers");
  f.node("vae", &ImageTaskParams::vae, "makes pictures of latents");
}

ImageTask::ImageTask(const ImageTaskParams& params, const ConfigNode& root)
    : ImageDataTask(params, root, params.eval_times),
      model_node_(root.at("model")),
      objective_(objectives().make(params.objective, "task.objective")),
      sampler_(objective_->make_sampler(params.sampler, "task.sampler")) {
  if (input().latents())
    decoder_.emplace(params.vae, data().input.scaling_factor, dataset().info().latent);
}

DitParams ImageTask::dit_params() const {
  auto params = parse_params<DitParams>(model_node_, "model", {"type"});
  const auto classes = static_cast<int64_t>(class_names().size());
  const auto domains = static_cast<int64_t>(trained_names().size());
  if (!params.num_classes) params.num_classes = classes;
  if (!params.num_domains) params.num_domains = domains;
  check(*params.num_classes >= classes, "model.num_classes", "got ", *params.num_classes,
        ", expected at least the ", classes, " classes of the data");
  check(*params.num_domains == 0 || *params.num_domains == domains, "model.num_domains", "got ",
        *params.num_domains, ", expected 0, null or the ", domains, " domains trained on");
  return params;
}

std::vector<std::string> ImageTask::domain_readers() const {
  return *dit_params().num_domains > 0 ? std::vector<std::string>{"domain_embedder"}
                                       : std::vector<std::string>{};
}

std::unique_ptr<Module> ImageTask::build_model() {
  const DitParams params = dit_params();
  const at::Tensor z = input().whole(dataset().get(0, {}));
  check(z.size(0) == params.in_channels && z.size(1) == params.input_size, "model",
        "does not fit the data: got in_channels ", params.in_channels, " and input_size ",
        params.input_size, ", expected ", z.size(0), " and ", z.size(1));
  const int64_t wanted = objective_->out_channels(params.in_channels);
  check(params.out_channels() >= wanted, "model.learn_sigma", "got false, expected true: '",
        objective_->name(), "' predicts ", wanted, " channels");
  auto model = std::make_unique<Dit>(params);
  init_parameters(*model, seed());
  return model;
}

Denoiser ImageTask::denoiser(Module& model, const ImageBatch& batch,
                             ForwardContext& context) const {
  context.domain_id = at::tensor(batch.domain_ids, at::kLong);
  return [&](const at::Tensor& x, const at::Tensor& t) {
    return dynamic_cast<Dit&>(model).forward({x, t, batch.label, batch.condition}, context);
  };
}

at::Tensor ImageTask::loss(Module& model, Batch& batch, ForwardContext& context) {
  auto& images = dynamic_cast<ImageBatch&>(batch);
  return objective_->error(denoiser(model, images, context), images.z, images.noise, images.u)
      .mean();
}

Outputs ImageTask::predict(Module& model, Batch& batch, ForwardContext& context) {
  auto& images = dynamic_cast<ImageBatch&>(batch);
  const at::Tensor error =
      objective_->error_at(denoiser(model, images, context), images.z, images.noise, images.u);
  Outputs out = outputs(images, error);
  if (!decoder_ || decoder_->available()) out.tensors["image"] = pictures(images.z);
  return out;
}

at::Tensor ImageTask::pictures(const at::Tensor& z) {
  return decoder_ ? decoder_->of(z) : to_uint8(z.cpu(), kPixelRule);
}

ConditionalNetwork ImageTask::network(Module& model, const std::vector<Item>& items,
                                      const Prepare& prepare) const {
  const DitParams params = dit_params();
  std::vector<int64_t> label, domain, condition;
  for (const Item& item : items) {
    label.push_back(item.label);
    domain.push_back(item.domain);
    condition.push_back(condition_of(plan().tested()[static_cast<size_t>(item.domain)].domain));
  }
  const auto rows = [](const std::vector<int64_t>& values, const at::Tensor& null_R) {
    return at::tensor(values, at::kLong)
        .repeat({null_R.size(0) / static_cast<int64_t>(values.size())});
  };
  return [=, &model, pass = Pass()](const at::Tensor& x, const at::Tensor& t,
                                    const at::Tensor& null_R) mutable {
    const at::Tensor null = null_R.cpu();
    ForwardContext context;
    context.domain_id = rows(domain, null);
    pass.time = t[0].item<double>() / kFlowTimes;
    pass.null.assign(null.const_data_ptr<bool>(), null.const_data_ptr<bool>() + null.size(0));
    if (prepare) prepare(pass, context);
    ++pass.number;
    return dynamic_cast<Dit&>(model).forward(
        {x, t, rows(label, null).masked_fill(null, params.null_label()),
         rows(condition, null).masked_fill(null, params.null_domain())},
        context);
  };
}

at::Tensor ImageTask::generate(Module& model, const std::vector<Item>& items, uint64_t seed,
                               at::Device device, const Prepare& prepare) {
  const DitParams params = dit_params();
  std::vector<RandomStream> streams;
  for (const Item& item : items) streams.emplace_back(seed, "sample", 0, item.number);
  const at::Tensor start =
      start_noise(streams, {params.in_channels, params.input_size, params.input_size},
                  at::TensorOptions(at::kFloat).device(device));
  return pictures(sampler_->sample(network(model, items, prepare), start, streams));
}

Generator::Examples ImageTask::examples(int64_t domain, const std::string& split) {
  check_name("ImageTask.examples", "split", split, {"train", "test"});
  DomainSpec spec = plan().tested()[static_cast<size_t>(domain)];
  if (split == "train") spec.split = data().train_split;
  std::vector<at::Tensor> data, label;
  const DomainIndex index(dataset(), {spec});
  for (const int64_t i : index.of_domain(0)) {
    const Sample sample = dataset().get(i, {});
    data.push_back(decoder_ ? input().whole(sample) : input().stored(sample, "image"));
    label.push_back(sample.tensors.at("label").view({1}));
  }
  const at::Tensor all = at::stack(data);
  return {decoder_ ? decoder_->of(all) : all, at::cat(label)};
}

at::Tensor ImageTask::places() const { return token_places(dit_params().grid()); }

void register_image_task(Registry<Task, const ConfigNode&>& tasks) {
  if (tasks.find("image_diffusion")) return;
  tasks.add<ImageTaskParams>("image_diffusion",
                             "diffusion transformers on images of several styles",
                             [](const ImageTaskParams& params, const ConfigNode& root) {
                               return std::make_unique<ImageTask>(params, root);
                             });
}

}  // namespace switchyard
