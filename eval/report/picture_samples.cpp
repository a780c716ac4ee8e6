#include "eval/report/picture_samples.h"

#include <ATen/ops/adaptive_avg_pool2d.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <set>

#include "core/base/error.h"
#include "core/base/text.h"
#include "eval/analysis/passes.h"
#include "eval/study/samples.h"

namespace switchyard {
namespace {

constexpr float kMostCells = 4096;  // columns or rows of patches

double time_of(const std::string& uri) {
  const size_t at = uri.rfind("@t=");
  return at == std::string::npos ? kUndefined : std::atof(uri.c_str() + at + 3);
}

PictureSample read_sample(const SampleFile& file, const std::string& prefix) {
  PictureSample out;
  static_cast<KeptSample&>(out) = file.sample(prefix);
  out.image_CHW = file.tensor(prefix + "image");
  const bool fits = out.image_CHW.scalar_type() == at::kByte && out.image_CHW.dim() == 3 &&
                    out.image_CHW.numel() > 0 &&
                    (out.image_CHW.size(0) == 1 || out.image_CHW.size(0) == 3);
  check(fits, file.where(prefix), "image must be u8 [1 or 3, H, W]");
  out.grid = patch_grid(file.coord(prefix, 2), file.where(prefix));
  out.time = time_of(out.uri);
  return out;
}

/// `most` of 0 .. n-1 from the first to the last.
std::set<int64_t> spread(int64_t n, int64_t most) {
  std::set<int64_t> out;
  for (int64_t i = 0, count = std::min(n, most); i < count; ++i)
    out.insert(count == 1 ? 0 : std::lround(double(i * (n - 1)) / double(count - 1)));
  return out;
}

/// First one picture of every domain and class, then the second, ...
Indices in_turn(const Sampling& sampling) {
  std::map<std::pair<int64_t, int64_t>, int64_t> so_far;
  std::vector<std::pair<int64_t, int64_t>> turns;
  for (int64_t n = 0; n < sampling.pictures(); ++n) {
    const auto i = static_cast<size_t>(n);
    turns.emplace_back(so_far[{sampling.domain[i], sampling.label[i]}]++, n);
  }
  std::sort(turns.begin(), turns.end());
  Indices out;
  for (const auto& [turn, n] : turns) out.push_back(n);
  return out;
}

std::vector<float> places_of(const TraceView& trace, int64_t s) {
  const TraceLevel& finest = trace.levels.front();
  check(finest.coord_dims == 2, "samples", "trace of made pictures: got ", finest.coord_dims,
        " coordinates of a token, expected column and row");
  const auto* offset = finest.seq_offset.data() + s;
  return {finest.coords.begin() + 2 * offset[0], finest.coords.begin() + 2 * offset[1]};
}

PictureSample made_sample(const Sampling& sampling, int64_t picture, int64_t s) {
  const TraceView& trace = *sampling.trace;
  const auto i = static_cast<size_t>(picture);
  const std::string& name = sampling.classes[static_cast<size_t>(sampling.label[i])];
  PictureSample out;
  out.uri = trace.uris[static_cast<size_t>(s)];
  out.domain = sampling.domains[static_cast<size_t>(sampling.domain[i])];
  out.group = cat(name, ", number ", picture);
  out.why = "by number";
  const at::Tensor first = first_choices(trace, s);
  const int16_t* expert = first.const_data_ptr<int16_t>();
  for (int64_t row = 0; row < first.size(0); ++row, expert += first.size(1))
    out.expert.emplace_back(expert, expert + first.size(1));
  out.image_CHW = sampling.image_NCHW[picture];
  out.grid = patch_grid(places_of(trace, s), out.uri);
  out.time = trace.time[static_cast<size_t>(s)];
  return out;
}

}  // namespace

PatchGrid patch_grid(const std::vector<float>& place, const std::string& where) {
  PatchGrid out;
  for (size_t i = 0; i < place.size(); ++i) {
    const float x = place[i];
    check(x >= 0 && x < kMostCells && x == std::floor(x), where, "wrong place of a patch: got ", x,
          ", expected whole numbers from 0 to 4095");
    int64_t& extent = i % 2 == 0 ? out.columns : out.rows;
    extent = std::max(extent, static_cast<int64_t>(x) + 1);
  }
  for (size_t i = 0; i + 1 < place.size(); i += 2)
    out.cell.push_back(int64_t(place[i + 1]) * out.columns + int64_t(place[i]));
  return out;
}

PictureSamples read_picture_samples(const SampleFile& file) {
  PictureSamples out{file.selection(), file.sites(), {}};
  for (const std::string& prefix : file.of_kind("ImageGrid"))
    out.samples.push_back(read_sample(file, prefix));
  return out;
}

PictureSamples made_picture_samples(const Sampling& sampling, int64_t most_levels) {
  PictureSamples out{"by number, never by looks", {}, {}};
  if (!sampling.trace || sampling.trace->time.empty()) return out;
  const TraceView& trace = *sampling.trace;
  for (const TraceSite& site : trace.sites) out.sites.push_back(site.name);
  const NoiseLevels levels = noise_levels(trace);
  const auto shown = spread(static_cast<int64_t>(levels.time.size()), most_levels);
  std::map<std::string, Indices> passes;
  for (int64_t s : pass_kinds(trace).with)
    if (shown.count(levels.level_of[static_cast<size_t>(s)]) > 0)
      passes[item_of(trace.uris[static_cast<size_t>(s)])].push_back(s);
  for (int64_t picture : in_turn(sampling))
    for (int64_t s : passes[to_text(picture)])
      out.samples.push_back(made_sample(sampling, picture, s));
  return out;
}

std::vector<PicturePasses> pictures_in_turn(const PictureSamples& samples, size_t most) {
  std::map<std::pair<std::string, std::string>, size_t> known;
  std::vector<PicturePasses> all;
  for (const PictureSample& s : samples.samples) {
    const auto [at, added] = known.try_emplace({s.domain, item_of(s.uri)}, all.size());
    if (added) all.emplace_back();
    all[at->second].push_back(&s);
  }
  std::map<std::string, int64_t> turns;
  std::vector<std::pair<int64_t, PicturePasses>> order;
  for (PicturePasses& passes : all) {
    std::stable_sort(passes.begin(), passes.end(),
                     [](const auto* a, const auto* b) { return a->time > b->time; });
    order.emplace_back(turns[passes.front()->domain]++, std::move(passes));
  }
  std::stable_sort(order.begin(), order.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<PicturePasses> out;
  for (size_t i = 0; i < std::min(most, order.size()); ++i)
    out.push_back(std::move(order[i].second));
  return out;
}

at::Tensor thumbnail(const at::Tensor& image_CHW, int64_t side) {
  const int64_t h = image_CHW.size(1), w = image_CHW.size(2), larger = std::max(h, w);
  at::Tensor image = image_CHW;
  if (larger > side)
    image = at::adaptive_avg_pool2d(image.to(at::kFloat), {std::max<int64_t>(1, h * side / larger),
                                                           std::max<int64_t>(1, w * side / larger)})
                .round()
                .to(at::kByte);
  return image.permute({1, 2, 0}).contiguous();
}

}  // namespace switchyard
