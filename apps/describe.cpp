#include <ATen/core/grad_mode.h>

#include <cstdio>
#include <iostream>
#include <limits>
#include <set>

#include "apps/model_run.h"
#include "apps/parameter_count.h"
#include "apps/verbs.h"
#include "core/base/flop_counter.h"
#include "core/kernels/expert_path.h"
#include "core/moe/routing_override.h"
#include "core/moe/site_info.h"
#include "core/train/runtime.h"

namespace switchyard {
namespace {

void print_arms(const RunConfig& run) {
  for (const auto& arm : arm_kinds()) {
    const RunConfig arm_run = parse_run(arm_config(run.node, arm), run.overrides);
    const auto model = make_task(arm_run)->build_model();
    const ParameterCount count = count_active(*model, selector_share(*model));
    std::printf("arm %s: %lld parameters, %.0f active per token\n", arm.c_str(),
                static_cast<long long>(count.total), count.active);
  }
}

void print_parameters(const Module& model, bool keys) {
  std::printf("parameters by part:\n");
  for (const auto& [part, count] : parameters_by_part(model))
    std::printf("  %-20s %12lld\n", part.c_str(), static_cast<long long>(count));
  if (!keys) return;
  for (const ParamView& view : model.views())
    std::cout << view.name << " " << to_text(view.value().sizes().vec()) << "\n";
}

/// "yes" or "no" where all sites agree, else how many hold.
std::string how_many(const std::vector<SiteInfo>& sites, bool (*holds)(const SiteInfo&)) {
  const auto count = std::count_if(sites.begin(), sites.end(), holds);
  if (count == 0) return "no";
  return count == std::ssize(sites) ? "yes" : cat("at ", count, " of ", sites.size(), " sites");
}

/// Where a model may run.
struct Place {
  const char* name;
  at::DeviceType device;
  at::ScalarType type;
};
const std::vector<Place> kPlaces = {{"cpu fp32", at::kCPU, at::kFloat},
                                    {"cuda bf16", at::kCUDA, at::kBFloat16},
                                    {"cuda fp16", at::kCUDA, at::kHalf},
                                    {"cuda fp32", at::kCUDA, at::kFloat}};

/// How a site computes its experts, with few rows an expert and with many; adds why.
std::string way_at(const Place& place, const SiteInfo& s, std::set<std::string>& reasons) {
  std::string out;
  for (const int64_t rows : {int64_t{0}, std::numeric_limits<int64_t>::max()}) {
    const auto choice = expert_path_of({place.device, place.type, s.slots, s.in, s.hidden, s.out,
                                        s.activation, s.gated, rows, true});
    reasons.insert(cat(choice.name, ", ", place.name, ": ", choice.why));
    if (out != choice.name) out += (out.empty() ? "" : "/") + choice.name;
  }
  return out;
}

/// How every site computes its experts at every place, and why.
void print_ways(const std::vector<SiteInfo>& sites) {
  std::printf("ways to compute the experts:\n  %-32s", "site");
  for (const Place& place : kPlaces) std::printf(" %13s", place.name);
  std::printf("  routing on cuda\n");
  std::set<std::string> reasons;
  for (const SiteInfo& s : sites) {
    std::printf("  %-32s", s.site.c_str());
    for (const Place& place : kPlaces) std::printf(" %13s", way_at(place, s, reasons).c_str());
    std::printf("  %s\n", s.one_op ? "one op" : "by stages");
  }
  for (const std::string& reason : reasons) std::printf("  %s\n", reason.c_str());
}

void print_sites(const std::vector<SiteInfo>& sites) {
  if (sites.empty()) return void(std::printf("MoE sites: none (dense sub-layers)\n"));
  std::printf("MoE sites (E routed experts, k per token, m = hidden / channels):\n");
  std::printf("  %-32s %4s %5s %7s %9s %7s %6s\n", "site", "E", "k", "shared", "channels", "hidden",
              "m");
  std::string stages;
  for (const SiteInfo& s : sites) {
    if (s.stages != stages) {
      const std::string losses = s.losses.empty() ? "none" : join(s.losses);
      std::printf("  router: %s; losses: %s\n", s.stages.c_str(), losses.c_str());
    }
    stages = s.stages;
    const std::string hidden = s.hidden > 0 ? to_text(s.hidden) : "linear";
    std::printf("  %-32s %4lld %5.4g %7lld %9lld %7s %6.4g\n", s.site.c_str(),
                static_cast<long long>(s.experts), s.k, static_cast<long long>(s.shared),
                static_cast<long long>(s.in), hidden.c_str(),
                static_cast<double>(s.hidden) / static_cast<double>(s.in));
  }
  std::vector<std::string> reads;
  for (const SiteInfo& s : sites) reads.insert(reads.end(), s.reads.begin(), s.reads.end());
  std::sort(reads.begin(), reads.end());
  reads.erase(std::unique(reads.begin(), reads.end()), reads.end());
  std::printf("routers read: token features%s%s\n", reads.empty() ? "" : ", ", join(reads).c_str());
  std::printf("oracle (a router reads domain_id): %s\n",
              how_many(sites, [](const SiteInfo& s) { return s.oracle(); }).c_str());
  std::printf("causal (no decision depends on a later token): %s\n",
              how_many(sites, [](const SiteInfo& s) { return s.causal; }).c_str());
}

int64_t flops_of(Task& task, Module& model, Batch& batch, const RoutingOverride& routing) {
  ForwardContext context;
  context.routing_override = &routing;
  const FlopCounter counter;
  task.predict(model, batch, context);
  return counter.flops();
}

/// One forward pass of the first test sequence, as configured and with every expert on every token.
void print_flops(Task& task, Module& model, const std::vector<SiteInfo>& sites) {
  const at::NoGradGuard no_grad;
  model.train(false);
  const auto batch = task.source("test")->next();
  check(batch != nullptr, "describe", "the test split is empty: no sequence to count FLOPs on");
  RoutingOverride every;
  for (const SiteInfo& s : sites) {
    RoutingRule& rule = every.rules.emplace_back();
    rule.sites = s.site;
    rule.k = s.experts + s.null_slots;
  }
  const auto tokens = static_cast<double>(std::max<int64_t>(1, batch->tokens()));
  std::printf("FLOPs (2 x multiply-adds of matrix products) of %s, %.0f tokens:\n",
              batch->uris.front().c_str(), tokens);
  const auto print = [&](const char* name, int64_t flops) {
    std::printf("  %-7s %.6g a forward pass, %.6g a token\n", name, static_cast<double>(flops),
                static_cast<double>(flops) / tokens);
  };
  print("active", flops_of(task, model, *batch, {}));
  print("total", flops_of(task, model, *batch, every));
}

int run_describe(const Arguments& args) {
  const RunConfig run = args.paths.empty() ? compose_run(args.overrides)
                                           : read_run(args.path("a run folder"), args.overrides);
  init_runtime(run.trainer.threads, run.trainer.deterministic);
  print_arms(run);
  const auto task = make_task(run);
  const auto model = task->build_model();
  const auto sites = moe_sites(*model);
  print_parameters(*model, args.has("keys"));
  print_sites(sites);
  if (!sites.empty()) print_ways(sites);
  const auto readers = task->domain_readers();
  std::printf("other parts that read domain_id: %s\n",
              readers.empty() ? "none" : (join(readers) + " (oracle)").c_str());
  print_flops(*task, *model, sites);
  return 0;
}

}  // namespace

Verb describe_verb() {
  return {
      "describe",
      "parameters of every arm and by part, MoE sites with their routers and what these read, how "
      "their experts are computed and why, FLOPs with the chosen and with all experts",
      "[RUN] [overrides...]",
      "switchyard describe experiment=point_cloud/scan_demo data.root=data/scan_demo",
      {{"keys", "list every published tensor with its shape"}},
      run_describe};
}

}  // namespace switchyard
