#include "eval/report/budget.h"

#include <algorithm>

#include "core/base/text.h"
#include "eval/report/number.h"

namespace switchyard {
namespace {

/// Leaves one more piece out; its name, or "" if there is none of this kind left.
using Drop = std::string (*)(Page&);

std::string drop_cloud(Page& page) {
  for (Figure& f : page.figures) {
    if (f.clouds.size() < 2) continue;
    const std::string name = f.clouds.back().name;
    f.clouds.pop_back();
    return cat("the turnable cloud ", name);
  }
  return "";
}

/// Overlay frames and cloud layers for which `keep` is false; the default layer stays.
template <typename Keep>
std::string drop_layers(Page& page, const char* what, bool clouds_too, Keep keep) {
  for (Figure& f : page.figures) {
    if (f.section != "look") continue;
    std::vector<std::string> dropped;
    const auto unwanted = [&](int64_t layer) {
      return layer >= 0 && layer != f.default_layer && !keep(layer);
    };
    for (const auto& view : f.views)
      if (unwanted(view.layer)) dropped.push_back(cat(view.layer));
    std::erase_if(f.views, [&](const auto& view) { return unwanted(view.layer); });
    for (Cloud& cloud : f.clouds)
      if (clouds_too)
        std::erase_if(cloud.layers, [&](const auto& entry) { return unwanted(entry.first); });
    if (!dropped.empty()) return cat(what, " ", listed(dropped), " of figure ", f.number);
  }
  return "";
}

std::string drop_overlay_layers(Page& page) {
  return drop_layers(page, "layers", true, [](int64_t layer) { return layer % 4 == 0; });
}

std::string drop_overlay_pictures(Page& page) {
  return drop_layers(page, "the pictures of layers", false, [](int64_t) { return false; });
}

/// Routing figures that follow the slider keep the layer shown first; the largest goes first.
std::string drop_layer_frames(Page& page) {
  const auto bytes = [](const Figure& f) {
    size_t sum = 0;
    for (const auto& view : f.views)
      for (const auto& panel : view.panels) sum += view.layer >= 0 ? panel.body().size() : 0;
    return f.section == "routing" && f.views.size() > 1 ? sum : 0;
  };
  const auto largest =
      std::max_element(page.figures.begin(), page.figures.end(),
                       [&](const auto& a, const auto& b) { return bytes(a) < bytes(b); });
  if (largest == page.figures.end() || bytes(*largest) == 0) return "";
  std::erase_if(largest->views, [&](const auto& view) {
    return view.layer >= 0 && view.layer != largest->default_layer;
  });
  return cat("every layer but ", largest->default_layer, " of figure ", largest->number);
}

std::string drop_view(Page& page) {
  for (const char* id : {"diff", ""})
    for (Figure& f : page.figures) {
      const FigureView* shown = f.shown();
      const auto found = std::find_if(f.views.rbegin(), f.views.rend(), [&](const auto& view) {
        return &view != shown && !view.label.empty() && (*id == '\0' || view.id == id);
      });
      if (found == f.views.rend()) continue;
      const std::string name = cat("the view ", found->label, " of figure ", f.number);
      // The default must stay the default when the list gets shorter.
      if (f.default_view.empty()) f.default_view = shown->id;
      f.views.erase(std::next(found).base());
      return name;
    }
  return "";
}

std::string note(const std::vector<std::string>& dropped, int64_t bytes) {
  return cat("Left out to keep the page within ", count_text(bytes),
             " bytes: ", join(dropped, "; "), ". The files beside the page have everything.");
}

}  // namespace

std::string page_within(Page page, int64_t bytes) {
  std::string html = page_html(page);
  const auto too_large = [&] { return static_cast<int64_t>(html.size()) > bytes; };
  std::vector<std::string> dropped;
  for (Drop drop :
       {drop_cloud, drop_overlay_layers, drop_overlay_pictures, drop_layer_frames, drop_view})
    while (too_large()) {
      const std::string name = drop(page);
      if (name.empty()) break;
      if (!dropped.empty()) page.notes.pop_back();
      dropped.push_back(name);
      page.notes.push_back(note(dropped, bytes));
      html = page_html(page);
    }
  if (!too_large()) return html;
  page.notes.push_back(cat("This page has ", count_text(static_cast<int64_t>(html.size())),
                           " bytes, more than the ", count_text(bytes),
                           " it should have: nothing else can be left out."));
  return page_html(page);
}

}  // namespace switchyard
