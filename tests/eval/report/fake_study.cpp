#include "tests/eval/report/fake_study.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <cmath>

#include "core/base/random.h"
#include "core/base/text.h"
#include "core/io/file.h"
#include "core/io/json.h"
#include "core/io/safetensors.h"
#include "eval/study/results.h"

namespace switchyard::test {
namespace fs = std::filesystem;
namespace {

struct Domain {
  const char* name;
  bool seen;
  int cluster;  // which experts it likes
  double value;
};
constexpr Domain kDomains[] = {{"room-rgbd", true, 0, 74},
                               {"room-tof", true, 0, 71},
                               {"street-64", true, 1, 66},
                               {"street-32", false, 1, 56},
                               {"aerial <high>", false, 2, 41}};
constexpr int64_t kGroups = 8, kExperts = 4, kTokens = 64;
constexpr int64_t kSiteLevel[] = {0, 1, 2, 1, 0};
constexpr int64_t kLevelTokens[] = {64, 16, 8};

at::Tensor longs(const std::vector<int64_t>& v) { return at::tensor(v, at::kLong); }

struct TraceBuilder {
  explicit TraceBuilder(double strength) : strength(strength) {}
  double strength;
  RandomStream random{7, "fake"};
  NamedTensors tensors;
  Json head;

  void sequences() {
    std::vector<int64_t> domain, group;
    head["uris"] = Json::array();
    for (int64_t g = 0; g < kGroups; ++g)
      for (int64_t d = 0; d < 5; ++d) {
        domain.push_back(d);
        group.push_back(g);
        head["uris"].push_back(cat("room", g, "/", d));
      }
    tensors.emplace_back("seq.domain", longs(domain));
    tensors.emplace_back("seq.group", longs(group));
  }

  void level(int64_t j) {
    const int64_t n = kLevelTokens[j], sequences = kGroups * 5;
    std::vector<int64_t> offset, label, member;
    for (int64_t s = 0; s <= sequences; ++s) offset.push_back(s * n);
    for (int64_t t = 0; t < sequences * n; ++t) label.push_back((t % n) * 3 / n);
    for (int64_t t = 0; t < sequences * kTokens; ++t) member.push_back(t * n / kTokens);
    tensors.emplace_back(cat("level", j, ".seq_offset"), longs(offset));
    tensors.emplace_back(cat("level", j, ".label"), longs(label));
    if (j > 0) tensors.emplace_back(cat("level", j, ".member_of"), longs(member));
    if (j == 0)
      tensors.emplace_back("level0.coords",
                           at::arange(3 * sequences * n, at::kFloat).reshape({-1, 3}));
  }

  void site(int64_t i) {
    const int64_t level = kSiteLevel[i], n = kLevelTokens[level], tokens = kGroups * 5 * n;
    at::Tensor scores = at::empty({tokens, kExperts}, at::kFloat),
               slot = at::empty({2 * tokens}, at::kShort);
    at::Tensor weight = at::empty({2 * tokens}, at::kFloat);
    std::vector<int64_t> offset{0};
    for (int64_t t = 0; t < tokens; ++t) {
      const auto p = probabilities(i, kDomains[(t / n) % 5].cluster, (t % n) * 3 / n);
      std::vector<int64_t> order{0, 1, 2, 3};
      std::sort(order.begin(), order.end(), [&](auto a, auto b) { return p[a] > p[b]; });
      for (int64_t e = 0; e < kExperts; ++e)
        scores.data_ptr<float>()[t * kExperts + e] = static_cast<float>(p[e]);
      for (int64_t k = 0; k < 2; ++k) {
        slot.data_ptr<int16_t>()[2 * t + k] = static_cast<int16_t>(order[k]);
        weight.data_ptr<float>()[2 * t + k] = static_cast<float>(p[order[k]]);
      }
      offset.push_back(2 * (t + 1));
    }
    tensors.emplace_back(cat("site", i, ".token_offset"), longs(offset));
    tensors.emplace_back(cat("site", i, ".slot"), slot);
    tensors.emplace_back(cat("site", i, ".weight"), weight.to(at::kHalf));
    tensors.emplace_back(cat("site", i, ".scores"), scores.to(at::kHalf));
  }

  std::vector<double> probabilities(int64_t site, int cluster, int64_t label) {
    std::vector<double> p(kExperts);
    double sum = 0;
    for (int64_t e = 0; e < kExperts; ++e) {
      const double likes =
          strength * 0.5 * static_cast<double>(site) * (e == (cluster + site) % kExperts) +
          0.6 * (e == label);
      sum += p[static_cast<size_t>(e)] = std::exp(likes + random.normal(0, 0.8));
    }
    for (double& x : p) x /= sum;
    return p;
  }

  void write(const fs::path& path, int64_t step) {
    head.update({{"schema", "switchyard.trace/1"},
                 {"split", "test"},
                 {"step", step},
                 {"levels", 3},
                 {"sampling", "all"},
                 {"classes", {"floor", "wall", "table"}},
                 {"domains", Json::array()},
                 {"groups", Json::array()},
                 {"sites", Json::array()}});
    for (const auto& d : kDomains) head["domains"].push_back({{"name", d.name}, {"seen", d.seen}});
    for (int64_t g = 0; g < kGroups; ++g) head["groups"].push_back(cat("room", g));
    sequences();
    for (int64_t j = 0; j < 3; ++j) level(j);
    for (int64_t i = 0; i < 5; ++i) {
      head["sites"].push_back({{"name", cat("stage", i, ".moe")},
                               {"level", kSiteLevel[i]},
                               {"experts", kExperts},
                               {"k", 2}});
      site(i);
    }
    write_safetensors(path, tensors, {{"switchyard", head.dump()}});
  }
};

/// A room with a floor, two walls and a table; experts follow the surface.
void write_samples(const fs::path& path) {
  constexpr int64_t kPoints = 4000;
  RandomStream random(3, "room");
  NamedTensors tensors;
  Json meta{{"schema", "switchyard.samples/1"},
            {"selection", "random by seed"},
            {"sites", Json::array()},
            {"samples", Json::array()}};
  for (int64_t i = 0; i < 5; ++i) meta["sites"].push_back(cat("stage", i, ".moe"));
  for (int64_t d : {3, 0}) {
    at::Tensor coord = at::empty({kPoints, 3}, at::kFloat),
               segment = at::empty({kPoints}, at::kLong),
               expert = at::empty({5, kPoints}, at::kShort);
    for (int64_t n = 0; n < kPoints; ++n) {
      const int64_t surface = random.below(4);
      const double u = random.uniform(), v = random.uniform();
      const double xyz[4][3] = {
          {6 * u, 4 * v, 0}, {6 * u, 4, 2.5 * v}, {0, 4 * u, 2.5 * v}, {2 + 1.6 * u, 1.2 + v, 0.8}};
      for (int64_t c = 0; c < 3; ++c)
        coord.data_ptr<float>()[3 * n + c] = static_cast<float>(xyz[surface][c]);
      segment.data_ptr<int64_t>()[n] = surface == 3 ? 2 : surface > 0 ? 1 : 0;
      for (int64_t l = 0; l < 5; ++l)
        expert.data_ptr<int16_t>()[l * kPoints + n] =
            static_cast<int16_t>(random.chance(0.2) ? random.below(4) : (surface + l) % 4);
    }
    const std::string prefix = cat("sample", meta["samples"].size(), ".");
    meta["samples"].push_back({{"uri", cat("room0/", d)},
                               {"domain", kDomains[d].name},
                               {"group", "room0"},
                               {"kind", "PointSet"},
                               {"why", "random"}});
    tensors.insert(tensors.end(), {{prefix + "coord", coord},
                                   {prefix + "segment", segment},
                                   {prefix + "predicted", segment},
                                   {prefix + "expert", expert}});
  }
  write_safetensors(path, tensors, {{"switchyard", meta.dump()}});
}

void write_run(const fs::path& run, const std::string& arm, int64_t seed) {
  fs::create_directories(run / "trace");
  write_text(run / "config.yaml",
             cat("seed: ", seed, "\neval:\n  group_word: rooms\nstudy:\n  conclusions: true\n"));
  write_text(run / "overrides.txt", "experiment=point_cloud/fake\ntrainer.max_steps=2400\n");
  write_json(run / "provenance.json", {{"git_hash", "0123abcd"},
                                       {"torch", "2.11.0"},
                                       {"processor", "a processor"},
                                       {"arm", arm},
                                       {"data_source", "made for tests"},
                                       {"synthetic", "yes"}});
  std::string lines;
  RandomStream random(static_cast<uint64_t>(seed), arm);
  for (int64_t step = 20; step <= 2400; step += 20) {
    Json line{{"step", step},
              {"loss", 0.4 + 2 * std::exp(-step / 600.0) + 0.05 * random.normal()},
              {"lr", 1e-3 * (1 - step / 2500.0)},
              {"grad_norm", 1.0}};
    line["aux/balance"] = 1 + 0.5 * std::exp(-step / 400.0);
    if (step % 600 == 0) line["eval/miou"] = 40.0 + step / 80.0;
    lines += line.dump() + "\n";
  }
  write_text(run / "metrics.jsonl", lines);
}

ResultTable results(const FakeStudy& options, const std::vector<std::string>& arms) {
  ResultTable table{"seen_unseen", "miou@voxel-common", {}};
  RandomStream random(5, "table");
  for (const auto& arm : arms)
    for (int64_t seed = 0; seed < options.seeds; ++seed)
      for (const auto& d : kDomains) {
        TableRow row;
        row.model = row.role = row.arm = arm;
        row.seed = seed;
        row.domain = d.name;
        row.seen = d.seen;
        row.split = "test";
        row.weights = "raw";
        row.value = d.value -
                    (arm == "moe"      ? 0
                     : d.cluster == 2  ? 0.5
                     : arm == "active" ? 4
                                       : 2.5) +
                    random.normal(0, 0.5);
        table.rows.push_back(row);
      }
  return table;
}

}  // namespace

void write_fake_study(const fs::path& folder, const FakeStudy& options) {
  std::vector<std::string> arms{"moe"};
  if (options.twins) arms.insert(arms.end(), {"active", "total"});
  Json cells = Json::array();
  for (int64_t seed = 0; seed < options.seeds; ++seed)
    for (const auto& arm : arms) {
      const std::string run = cat("cells/", arm, "/unseen/seed", seed);
      cells.push_back({{"arm", arm},
                       {"holdout", "unseen"},
                       {"seed", seed},
                       {"state", "evaluated"},
                       {"folder", run}});
      write_run(folder / run, arm, seed);
    }
  write_json(folder / "study.json", {{"schema", "switchyard.study/1"},
                                     {"experiment", "point_cloud/fake"},
                                     {"protocol", "seen_unseen"},
                                     {"overrides", Json::array()},
                                     {"cells", cells}});
  fs::create_directories(folder / "eval");
  write_table(folder / "eval", results(options, arms));
  if (!options.traced) return;
  const fs::path trace = folder / "cells/moe/unseen/seed0/trace";
  TraceBuilder(options.strength).write(trace / "test-2400.safetensors", 2400);
  const fs::path earlier = trace.parent_path() / "override" / "step=1200" / "trace";
  fs::create_directories(earlier);
  TraceBuilder(options.strength / 2).write(earlier / "test-1200.safetensors", 1200);
  write_samples(trace / "samples.safetensors");
  const Json softmax{{"channels", "x+y+z"}, {"probe", "softmax"}, {"score", 0.41},
                     {"chance", 1.0 / 3},   {"lo", 0.38},         {"hi", 0.45},
                     {"groups", 4}};
  Json tree = softmax;
  tree.update({{"probe", "tree"}, {"score", 0.62}, {"lo", 0.57}, {"hi", 0.66}});
  write_json(folder / "eval/probe.json",
             {{"schema", "switchyard.probe/1"}, {"rows", 1200}, {"results", {softmax, tree}}});
}

}  // namespace switchyard::test
