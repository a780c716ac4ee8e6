// Figure 11b: grids of made pictures.

#include <algorithm>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/io/file.h"
#include "core/io/json.h"
#include "eval/report/base64.h"
#include "eval/report/figures/figures.h"
#include "eval/report/number.h"

namespace switchyard {
namespace {

constexpr size_t kMostBytes = 1'500'000;  // of all grids inside the page
constexpr double kSide = 420, kLabels = 96, kTop = 34;

struct Grid {
  std::string domain, png;
  int64_t width = 0, height = 0;
};

int64_t big_endian(const std::string& bytes, size_t at) {
  int64_t out = 0;
  for (size_t i = at; i < at + 4; ++i) out = out << 8 | static_cast<unsigned char>(bytes[i]);
  return out;
}

Grid read_grid(const std::string& domain, const std::filesystem::path& path) {
  Grid out{domain, read_text(path)};
  check(out.png.size() > 24 && out.png.compare(1, 3, "PNG") == 0, path.string(), "is no PNG file");
  out.width = big_endian(out.png, 16), out.height = big_endian(out.png, 20);
  check(out.width > 0 && out.height > 0, path.string(), "is a PNG file without pixels");
  return out;
}

/// Unseen domains first.
std::vector<Grid> read_grids(const ReportData& data) {
  const Sampling& sampling = *data.sampling;
  std::vector<Grid> out;
  for (const std::string& domain : sampling.domains) {
    const auto path = sampling.folder / cat("grid-", domain, ".png");
    if (std::filesystem::exists(path)) out.push_back(read_grid(domain, path));
  }
  std::stable_sort(out.begin(), out.end(), [&](const Grid& a, const Grid& b) {
    return data.seen(a.domain) < data.seen(b.domain);
  });
  return out;
}

/// Small grids get a whole multiple of their size.
double scale_of(const Grid& grid) {
  const double larger = static_cast<double>(std::max(grid.width, grid.height));
  return larger <= kSide ? std::min(4.0, std::floor(kSide / larger)) : kSide / larger;
}

Svg panel(const ReportData& data, const Grid& grid) {
  const auto& classes = data.sampling->classes;
  const double scale = scale_of(grid), w = scale * static_cast<double>(grid.width),
               h = scale * static_cast<double>(grid.height);
  Svg svg(kLabels + w, kTop + h);
  const bool known = data.seen(grid.domain);
  svg.of_domain(data.place_of(grid.domain));
  svg.text(kLabels, 12, short_name(grid.domain), "b");
  svg.text(kLabels, 26, known ? "seen" : "never seen", known ? "s g" : "s u");
  const double row = h / static_cast<double>(std::max<size_t>(classes.size(), 1));
  if (row >= 11)
    for (size_t c = 0; c < classes.size(); ++c)
      svg.text(kLabels - 8, kTop + row * (static_cast<double>(c) + 0.5) + 4,
               short_name(classes[c], 14), "s", "end");
  svg.image(kLabels, kTop, w, h, png_uri(grid.png));
  return svg;
}

std::string caption(const Sampling& s) {
  return cat("Sampler ", s.sampler, ", checkpoint of step ", count_text(s.checkpoint_step),
             ". The first ", s.columns, s.columns == 1 ? " picture" : " pictures",
             " of each class by number, not chosen by looks.");
}

void fill(Figure& f, const ReportData& data, const std::vector<Grid>& grids) {
  const Sampling& sampling = *data.sampling;
  f.finding = caption(sampling);
  f.sample = cat(grids.size(), grids.size() == 1 ? " domain, " : " domains, ",
                 sampling.classes.size(), sampling.classes.size() == 1 ? " class" : " classes");
  f.views.push_back({"all", "", {}, -1, ""});
  FigureView& view = f.views.back();
  size_t bytes = 0;
  std::vector<std::string> outside;
  Csv csv("domain,seen,width,height,file");
  for (const Grid& grid : grids) {
    const std::string name = cat(f.slug, "-", f.files.size(), ".png");
    f.files.emplace_back(name, grid.png);
    csv.cell(grid.domain).cell(static_cast<int64_t>(data.seen(grid.domain)));
    csv.cell(grid.width).cell(grid.height).cell(name).end();
    if ((bytes += grid.png.size()) <= kMostBytes)
      view.panels.push_back(panel(data, grid));
    else
      outside.push_back(cat("<a href=\"fig/", name, "\">", escape_xml(grid.domain), "</a>"));
  }
  if (!outside.empty())
    f.html = cat("<p class=\"note\">Too large for the page: ", listed(outside), ".</p>");
  f.csv = csv.text();
  f.data = Json{{"sampler", sampling.sampler},
                {"checkpoint_step", sampling.checkpoint_step},
                {"columns", sampling.columns},
                {"classes", sampling.classes},
                {"domains", sampling.domains}}
               .dump();
}

}  // namespace

Figure samples_figure(const ReportData& data) {
  Figure f;
  f.slug = "samples", f.number = "11b", f.title = "Made pictures";
  f.section = "look", f.span = 12, f.unit = "pictures";
  f.reading = "A row is a class, its columns are pictures that differ in their starting noise.";
  f.definition =
      "A picture's number and the seed of the run give its starting noise; the grid has the first "
      "numbers, whatever they look like.";
  const auto grids = data.sampling ? read_grids(data) : std::vector<Grid>();
  if (!grids.empty()) {
    fill(f, data, grids);
    return f;
  }
  f.empty = "No picture was made.";
  f.how = sample_commands(data);
  return f;
}

}  // namespace switchyard
