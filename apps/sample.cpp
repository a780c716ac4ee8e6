#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>

#include <iostream>

#include "apps/pass_trace.h"
#include "apps/verbs.h"
#include "core/io/json.h"
#include "core/io/npz_writer.h"
#include "core/io/png.h"
#include "datasets/image/image_grid.h"
#include "eval/report/overlay_image.h"

namespace switchyard {
namespace fs = std::filesystem;
namespace {

constexpr int64_t kBatch = 64;

struct SampleOptions {
  int64_t per_class, traced, seed;
  std::vector<std::string> domains;
};

SampleOptions options_of(const Arguments& args, const Task& task) {
  SampleOptions out{args.number("per-class", 8, 1), args.number("traced", 1, 0),
                    args.number("seed", 0, 0), task.domain_names()};
  if (!args.has("domain")) return out;
  check_name("--domain", "domain", args.value("domain"), task.domain_names());
  out.domains = {args.value("domain")};
  return out;
}

int64_t index_of(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) - names.begin();
}

/// `per_class` items of every class in a domain; numbers are the same in every domain, so that
/// pictures of one place in the grids start from the same noise.
std::vector<Generator::Item> items_of(int64_t domain, int64_t classes, int64_t per_class) {
  std::vector<Generator::Item> out;
  for (int64_t c = 0; c < classes; ++c)
    for (int64_t i = 0; i < per_class; ++i)
      out.push_back({domain, c, static_cast<uint64_t>(c * per_class + i)});
  return out;
}

at::Tensor generate(LoadedModel& loaded, const std::vector<Generator::Item>& items, int64_t seed,
                    const std::string& device, const Generator::Prepare& prepare) {
  std::vector<at::Tensor> parts;
  for (size_t begin = 0; begin < items.size(); begin += kBatch) {
    const size_t end = std::min(items.size(), begin + kBatch);
    parts.push_back(loaded.task->generator()->generate(
        *loaded.model, {items.begin() + int64_t(begin), items.begin() + int64_t(end)},
        static_cast<uint64_t>(seed), at::Device(device), prepare));
  }
  return at::cat(parts);
}

std::vector<int64_t> labels_of(const std::vector<Generator::Item>& items) {
  std::vector<int64_t> out;
  for (const auto& item : items) out.push_back(item.label);
  return out;
}

/// Makes a few of the grids' pictures again with their routing: images.safetensors and
/// trace.safetensors.
void write_trace(LoadedModel& loaded, std::vector<Generator::Item> items, int64_t seed,
                 const std::string& device, const Generator::Prepare& prepare,
                 const fs::path& out) {
  if (items.empty()) return;
  PassTrace trace(*loaded.task, loaded.step, items);
  const at::Tensor image = loaded.task->generator()->generate(
      *loaded.model, items, static_cast<uint64_t>(seed), at::Device(device),
      [&](const Generator::Pass& pass, ForwardContext& context) {
        prepare(pass, context);
        trace.prepare(pass, context);
      });
  std::vector<int64_t> domain;
  for (const auto& item : items) domain.push_back(item.domain);
  write_safetensors(out / "images.safetensors", {{"image", image},
                                                 {"label", at::tensor(labels_of(items), at::kLong)},
                                                 {"domain", at::tensor(domain, at::kLong)}});
  trace.write(out / "trace.safetensors");
}

/// Who handled what while the traced pictures were made.
void write_overlay(const fs::path& out) {
  const at::Tensor overlay = overlay_image(*read_sampling(out));
  if (!overlay.defined()) return;
  write_png(out / "overlay.png", overlay);
  std::cout << (out / "overlay.png").string() << "\n";
}

int run_sample(const Arguments& args) {
  const at::NoGradGuard no_grad;
  const fs::path folder = args.path("a run folder");
  const RunConfig run = read_run(folder, args.overrides);
  LoadedModel loaded = load_model(folder, run);
  Task& task = *loaded.task;
  check(task.generator() != nullptr, "sample", "the task '",
        run.node.at("task").at("type").as_string(), "' makes no data");
  const RoutingOverride routing = override_of(run, *loaded.model);
  const auto prepare = [&](const Generator::Pass&, ForwardContext& context) {
    context.routing_override = &routing;
  };
  const SampleOptions options = options_of(args, task);
  const fs::path out = args.value("out", (folder / "samples").string());
  const auto classes = static_cast<int64_t>(task.class_names().size());

  std::vector<at::Tensor> all;
  std::vector<int64_t> labels;
  std::vector<Generator::Item> traced;
  for (const auto& domain : options.domains) {
    const auto items = items_of(index_of(task.domain_names(), domain), classes, options.per_class);
    const at::Tensor images = generate(loaded, items, options.seed, run.device, prepare);
    const fs::path grid = out / ("grid-" + domain + ".png");
    write_png(grid, image_grid(images, options.per_class));
    std::cout << grid.string() << "\n";
    all.push_back(images);
    const auto of_items = labels_of(items);
    labels.insert(labels.end(), of_items.begin(), of_items.end());
    for (int64_t i = 0; i < options.traced * classes; ++i)
      traced.push_back(items[size_t(i % classes * options.per_class + i / classes)]);
  }
  write_npz(out / "samples.npz", {{"arr_0", at::cat(all).permute({0, 2, 3, 1}).contiguous()},
                                  {"arr_1", at::tensor(labels, at::kLong)}});
  write_trace(loaded, std::move(traced), options.seed, run.device, prepare, out);
  const ConfigNode& sampler = run.node.at("task").at("sampler");
  write_json(out / "samples.json", {{"domains", options.domains},
                                    {"classes", task.class_names()},
                                    {"columns", options.per_class},
                                    {"sampler", sampler.to_line()},
                                    {"seed", options.seed},
                                    {"step", loaded.step}});
  write_overlay(out);
  std::cout << (out / "samples.npz").string() << std::endl;
  return 0;
}

}  // namespace

Verb sample_verb() {
  return {"sample",
          "make data with a trained model: grids, .npz, the routing of every step, and overlay.png "
          "with who handled what",
          "RUN [--domain NAME] [--per-class N] [overrides...]",
          "switchyard sample runs/diffusion/shapes_tiny/20261125-120000-1/cells/moe/unseen/seed0 "
          "task.sampler.guidance=2",
          {{"domain", "of this domain alone (default: every evaluated one)", true},
           {"per-class", "pictures of every class and domain (default: 8)", true},
           {"traced", "of them, pictures whose routing is recorded (default: 1)", true},
           {"seed", "of the noise (default: 0)", true},
           {"out", "folder to write (default: RUN/samples)", true}},
          run_sample};
}

}  // namespace switchyard
