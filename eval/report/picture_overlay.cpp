#include "eval/report/picture_overlay.h"

#include <algorithm>
#include <map>

#include "core/base/text.h"
#include "core/io/png.h"
#include "eval/report/base64.h"
#include "eval/report/level_paths.h"
#include "eval/report/number.h"
#include "eval/report/palette.h"

namespace switchyard {
namespace {

constexpr double kSide = 112, kGap = 6, kCaption = 34, kNote = 16;
constexpr int64_t kPixels = 64;  // of a picture inside the page
constexpr size_t kMostPictures = 6;

double height_of(const PictureSample& s) {
  return kSide * static_cast<double>(s.image_CHW.size(1)) /
         static_cast<double>(s.image_CHW.size(2));
}

void draw_patches(Svg& svg, const PictureSample& s, const OverlayLayer& layer, double left,
                  double top) {
  const double w = kSide / static_cast<double>(s.grid.columns),
               h = height_of(s) / static_cast<double>(s.grid.rows);
  const Indices& expert = s.expert[layer.site];
  LevelPaths paths;
  for (size_t n = 0; n < expert.size(); ++n) {
    const int64_t cell = s.grid.cell[n], x = cell % s.grid.columns, y = cell / s.grid.columns;
    paths.cell(left + w * static_cast<double>(x), top + h * static_cast<double>(y), w, h,
               expert_class(layer.track_of(expert[n])) + " patch");
  }
  paths.draw(svg);
}

std::string caption_of(const PictureSample& s) {
  return defined(s.time) ? cat("noise ", fixed_text(s.time, 2)) : std::string("patches");
}

}  // namespace

PictureOverlay::PictureOverlay(const ReportData& data, PictureSamples samples)
    : data_(data),
      samples_(std::move(samples)),
      layers_(overlay_layers(data.layers, samples_.sites)) {
  choose();
}

void PictureOverlay::choose() {
  pictures_ = pictures_in_turn(samples_, kMostPictures);
  std::stable_sort(pictures_.begin(), pictures_.end(),
                   [&](const PicturePasses& a, const PicturePasses& b) {
                     return std::pair(seen(*a.front()), place(*a.front())) <
                            std::pair(seen(*b.front()), place(*b.front()));
                   });
}

Svg PictureOverlay::panel(const PicturePasses& passes, const OverlayLayer& layer,
                          const std::string& id) const {
  const PictureSample& s = *passes.front();
  const auto count = static_cast<double>(passes.size());
  Svg svg(kSide + count * (kSide + kGap), kCaption + height_of(s) + kNote);
  svg.of_domain(place(s));
  svg.text(0, 12, short_name(s.domain), "b");
  svg.text(0, 26, cat(seen(s) ? "seen" : "never seen", " · ", short_name(s.group)),
           seen(s) ? "s g" : "s u");
  svg.image(0, kCaption, kSide, height_of(s), png_uri(encode_png(thumbnail(s.image_CHW, kPixels))),
            id);
  double left = 0;
  for (const PictureSample* pass : passes) {
    left += kSide + kGap;
    svg.use(id, left, "under");
    draw_patches(svg, *pass, layer, left, kCaption);
    svg.text(left + kSide / 2, kCaption + height_of(s) + 12, caption_of(*pass), "s g", "middle");
  }
  return svg;
}

KeptShare kept_share(const std::vector<PicturePasses>& pictures, size_t site) {
  double patches = 0, same = 0, chance = 0;
  for (const auto& passes : pictures) {
    if (passes.size() < 2) continue;
    const Indices &a = passes.front()->expert[site], &b = passes.back()->expert[site];
    if (a.size() != b.size()) continue;
    std::map<int64_t, double> of_a, of_b;
    for (size_t n = 0; n < a.size(); ++n) same += a[n] == b[n], ++of_a[a[n]], ++of_b[b[n]];
    const auto count = static_cast<double>(a.size());
    for (const auto& [e, n] : of_a) chance += n * of_b[e] / count;
    patches += count;
  }
  if (patches == 0) return {};
  return {same / patches, chance / patches};
}

}  // namespace switchyard
