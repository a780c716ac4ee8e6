#include "tests/eval/report/fake_pictures.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>

#include <cmath>
#include <cstdio>

#include "core/base/random.h"
#include "core/base/text.h"
#include "core/io/file.h"
#include "core/io/json.h"
#include "core/io/png.h"
#include "core/io/safetensors.h"

namespace switchyard::test {
namespace fs = std::filesystem;
namespace {

const std::vector<std::string> kStyles{"flat", "photo", "sketch"};
const std::vector<std::string> kShapes{"circle", "square", "ring", "cross"};
constexpr int64_t kSide = 32, kPatch = 4, kPatches = kSide / kPatch, kTokens = kPatches * kPatches;
constexpr int64_t kSites = 3, kExperts = 5, kColumns = 4, kTestPictures = 8;

struct Made {
  int64_t number, style, shape;
};

/// Negative inside.
double distance(int64_t shape, double x, double y) {
  const double r = std::hypot(x, y), box = std::max(std::abs(x), std::abs(y));
  if (shape == 0) return r - 0.6;
  if (shape == 1) return box - 0.55;
  if (shape == 2) return std::abs(r - 0.5) - 0.16;
  return std::min(std::max(std::abs(x) - 0.2, std::abs(y) - 0.7),
                  std::max(std::abs(y) - 0.2, std::abs(x) - 0.7));
}

/// At a pixel of the picture; `number` moves the shape a little.
double distance_at(const Made& made, int64_t column, int64_t row) {
  RandomStream random(11, "place", 0, static_cast<uint64_t>(made.number));
  const double dx = random.uniform(-0.15, 0.15), dy = random.uniform(-0.15, 0.15);
  return distance(made.shape, 2.0 * static_cast<double>(column) / kSide - 1 - dx,
                  2.0 * static_cast<double>(row) / kSide - 1 - dy);
}

double grey_of(int64_t style, double d, double light, int64_t channel) {
  const double ground[3] = {0.55, 0.75, 0.9}, body[3] = {0.9, 0.55, 0.2};
  if (style == 2) return std::abs(d) < 0.07 ? 0.1 : 0.98;
  const double flat = d < 0 ? body[channel] : ground[channel];
  return style == 0 ? flat : flat * (0.6 + 0.4 * light);
}

at::Tensor picture(const Made& made) {
  at::Tensor out = at::empty({3, kSide, kSide}, at::kByte);
  RandomStream random(5, "grain", 0, static_cast<uint64_t>(made.number));
  for (int64_t i = 0; i < 3 * kSide * kSide; ++i) {
    const int64_t column = i % kSide, row = i / kSide % kSide;
    const double light =
        1 - static_cast<double>(column + row) / (2 * kSide) + random.normal(0, 0.1);
    const double value =
        grey_of(made.style, distance_at(made, column, row), light, i / kSide / kSide);
    out.data_ptr<uint8_t>()[i] = static_cast<uint8_t>(255 * std::clamp(value, 0.0, 1.0));
  }
  return out;
}

/// 0 ground, 1 edge, 2 body.
int64_t surface(const Made& made, int64_t token) {
  const int64_t column = token % kPatches * kPatch + kPatch / 2,
                row = token / kPatches * kPatch + kPatch / 2;
  const double d = distance_at(made, column, row);
  return d < -0.12 ? 2 : d < 0.12 ? 1 : 0;
}

class TraceBuilder {
 public:
  void pass(const Made& made, const std::string& uri, const std::string& group, double time,
            bool null) {
    uris_.push_back(uri);
    domain_.push_back(null ? static_cast<int64_t>(kStyles.size()) : made.style);
    const auto found = std::find(groups_.begin(), groups_.end(), group);
    group_.push_back(found - groups_.begin());
    if (found == groups_.end()) groups_.push_back(group);
    time_.push_back(time);
    for (int64_t t = 0; t < kTokens; ++t) {
      label_.push_back(made.shape);
      for (int64_t site = 0; site < kSites; ++site)
        slot_[site].push_back(expert(made, site, t, time, null));
    }
  }

  void write(const fs::path& path, int64_t step, bool null_domain) const {
    const auto sequences = static_cast<int64_t>(uris_.size()), tokens = sequences * kTokens;
    const auto rows = at::arange(kTokens, at::kFloat);
    const auto place = at::stack({rows.remainder(kPatches), rows.floor_divide(kPatches)}, 1)
                           .repeat({sequences, 1});
    NamedTensors tensors{{"seq.domain", at::tensor(domain_)},
                         {"seq.group", at::tensor(group_)},
                         {"seq.time", at::tensor(time_, at::kFloat)},
                         {"level0.seq_offset", at::arange(sequences + 1, at::kLong) * kTokens},
                         {"level0.coords", place},
                         {"level0.label", at::tensor(label_)}};
    Json head{{"schema", "switchyard.trace/1"},
              {"split", "test"},
              {"step", step},
              {"domains", Json::array()},
              {"classes", kShapes},
              {"groups", groups_},
              {"uris", uris_},
              {"sites", Json::array()},
              {"levels", 1},
              {"sampling", "all"}};
    for (const auto& style : kStyles)
      head["domains"].push_back({{"name", style}, {"seen", style != "sketch"}});
    if (null_domain) head["domains"].push_back({{"name", "(no condition)"}, {"seen", false}});
    for (int64_t i = 0; i < kSites; ++i) {
      head["sites"].push_back(
          {{"name", cat("block", i, ".moe")}, {"level", 0}, {"experts", kExperts}, {"k", 1}});
      tensors.emplace_back(cat("site", i, ".token_offset"), at::arange(tokens + 1, at::kLong));
      tensors.emplace_back(cat("site", i, ".slot"), at::tensor(slot_[i]).to(at::kShort));
      tensors.emplace_back(cat("site", i, ".weight"), at::ones({tokens}, at::kHalf));
    }
    write_safetensors(path, tensors, {{"switchyard", head.dump()}});
  }

  /// [sites, tokens] of the newest pass.
  at::Tensor newest() const {
    std::vector<at::Tensor> rows;
    for (const auto& slot : slot_)
      rows.push_back(at::tensor(std::vector<int64_t>(slot.end() - kTokens, slot.end())));
    return at::stack(rows).to(at::kShort);
  }

 private:
  int64_t expert(const Made& made, int64_t site, int64_t token, double time, bool null) {
    if (null && (site > 0 || random_.chance(0.5))) return kExperts - 1;
    if (random_.chance(0.1)) return random_.below(kExperts - (site > 0));
    if (random_.uniform() < time) return 3 * (token / kPatches * 2 / kPatches);
    const int64_t shown = (surface(made, token) + site) % 3;
    return made.style == 0 && shown == 0 ? 3 : shown;
  }

  RandomStream random_{9, "routing"};
  std::vector<std::string> uris_, groups_;
  std::vector<int64_t> domain_, group_, label_;
  std::vector<double> time_;
  std::vector<int64_t> slot_[kSites];
};

std::string uri_of(const std::string& name, double time, bool null = false) {
  char text[64];
  std::snprintf(text, sizeof text, "%s@t=%.3f%s", name.c_str(), time, null ? "#null" : "");
  return text;
}

/// Every test picture in every style, at four noise levels; the first of each style is kept.
void write_trace(const fs::path& folder) {
  fs::create_directories(folder);
  TraceBuilder trace;
  NamedTensors tensors;
  Json samples = Json::array(), sites = Json::array();
  for (int64_t i = 0; i < kSites; ++i) sites.push_back(cat("block", i, ".moe"));
  for (int64_t style = 0; style < 3; ++style)
    for (int64_t n = 0; n < kTestPictures; ++n)
      for (double time : {0.125, 0.375, 0.625, 0.875}) {
        const Made made{n, style, n % 4};
        const std::string name = cat(kStyles[static_cast<size_t>(style)], "/", n),
                          group = cat("picture", n), uri = uri_of(name, time);
        trace.pass(made, uri, group, time, false);
        if (n > 0) continue;
        const std::string prefix = cat("sample", samples.size(), ".");
        samples.push_back({{"uri", uri},
                           {"domain", kStyles[static_cast<size_t>(style)]},
                           {"group", group},
                           {"kind", "ImageGrid"},
                           {"why", "random"}});
        const auto rows = at::arange(kTokens, at::kFloat);
        tensors.emplace_back(prefix + "image", picture(made));
        tensors.emplace_back(prefix + "coord",
                             at::stack({rows.remainder(kPatches), rows.floor_divide(kPatches)}, 1));
        tensors.emplace_back(prefix + "expert", trace.newest());
      }
  trace.write(folder / "test-900.safetensors", 900, false);
  const Json head{{"schema", "switchyard.samples/1"},
                  {"selection", "random by seed"},
                  {"sites", sites},
                  {"samples", samples}};
  write_safetensors(folder / "samples.safetensors", tensors, {{"switchyard", head.dump()}});
}

/// A row per shape, kColumns pictures each.
at::Tensor grid(const std::vector<at::Tensor>& pictures) {
  std::vector<at::Tensor> rows;
  for (size_t i = 0; i < pictures.size(); i += kColumns)
    rows.push_back(at::cat(at::TensorList(pictures).slice(i, kColumns), 2));
  return at::cat(rows, 1).permute({1, 2, 0}).contiguous();
}

void write_samples(const fs::path& folder, bool guided) {
  fs::create_directories(folder);
  TraceBuilder trace;
  std::vector<at::Tensor> images;
  std::vector<int64_t> label, domain;
  for (int64_t style = 0; style < 3; ++style) {
    std::vector<at::Tensor> pictures;
    for (int64_t i = 0; i < 4 * kColumns; ++i) {
      const Made made{static_cast<int64_t>(images.size()), style, i / kColumns};
      pictures.push_back(picture(made));
      images.push_back(pictures.back());
      label.push_back(made.shape), domain.push_back(style);
      for (double time = 1; time > 0; time -= 0.125)
        for (bool null : {false, true})
          if (!null || guided)
            trace.pass(made, uri_of(to_text(made.number), time, null), to_text(made.number), time,
                       null);
    }
    write_png(folder / cat("grid-", kStyles[static_cast<size_t>(style)], ".png"), grid(pictures));
  }
  trace.write(folder / "trace.safetensors", 900, true);
  write_safetensors(
      folder / "images.safetensors",
      {{"image", at::stack(images)}, {"label", at::tensor(label)}, {"domain", at::tensor(domain)}});
  write_json(folder / "samples.json", {{"domains", kStyles},
                                       {"classes", kShapes},
                                       {"columns", kColumns},
                                       {"sampler", "{type: euler, steps: 50}"},
                                       {"step", 900}});
}

}  // namespace

void write_fake_pictures(const fs::path& run, const FakePictures& options) {
  fs::create_directories(run);
  write_text(run / "config.yaml", "seed: 0\neval:\n  group_word: pictures\n");
  write_json(run / "provenance.json",
             {{"git_hash", "0123abcd"}, {"data_source", "made for tests"}, {"synthetic", "yes"}});
  if (options.traced) write_trace(run / "trace");
  if (options.made) write_samples(run / "samples", options.guided);
}

}  // namespace switchyard::test
