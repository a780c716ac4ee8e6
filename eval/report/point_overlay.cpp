#include "eval/report/point_overlay.h"

#include <algorithm>
#include <set>

#include "core/base/text.h"
#include "eval/study/samples.h"

namespace switchyard {
namespace {

/// NMI(class; expert) within one sequence.
double sequence_nmi(const SequenceCounts& counts, int64_t sequence) {
  Table joint(static_cast<size_t>(counts.classes), Row(static_cast<size_t>(counts.experts)));
  const int64_t* count = counts.of_classes(sequence);
  for (Row& row : joint)
    for (double& cell : row) cell = static_cast<double>(*count++);
  return mutual_information(joint).nmi();
}

PointSample traced_sample(const TraceView& trace, int64_t s,
                          const std::vector<std::string>& sites) {
  const TraceLevel& finest = trace.levels.front();
  const auto i = static_cast<size_t>(s);
  const int64_t begin = finest.seq_offset[i], count = finest.seq_offset[i + 1] - begin;
  PointSample out;
  out.uri = trace.uris[i];
  out.domain = trace.domains[static_cast<size_t>(trace.domain[i])].name;
  if (trace.group[i] >= 0) out.group = trace.groups[static_cast<size_t>(trace.group[i])];
  out.coord.assign(finest.coords.begin() + 3 * begin, finest.coords.begin() + 3 * (begin + count));
  const at::Tensor first = first_choices(trace, s);
  out.expert.assign(sites.size(), Indices(static_cast<size_t>(count), -1));
  for (size_t row = 0; row < trace.sites.size(); ++row) {
    const auto found = std::find(sites.begin(), sites.end(), trace.sites[row].name);
    if (found == sites.end()) continue;
    const int16_t* expert = first.const_data_ptr<int16_t>() + static_cast<int64_t>(row) * count;
    out.expert[static_cast<size_t>(found - sites.begin())].assign(expert, expert + count);
  }
  return out;
}

}  // namespace

PointOverlay::PointOverlay(const ReportData& data, PointSamples file)
    : r_(*data.routing),
      selection_(file.selection),
      layers_(overlay_layers(data.layers, file.sites)),
      samples_(std::move(file.samples)) {
  if (!empty()) add_extremes(file.sites);
  std::stable_sort(samples_.begin(), samples_.end(),
                   [&](const auto& a, const auto& b) { return seen(a) < seen(b); });
}

void PointOverlay::add_extremes(const std::vector<std::string>& sites) {
  if (r_.trace.levels.front().coord_dims != 3) return;
  const SequenceCounts& counts = r_.counts[static_cast<size_t>(reference().index)];
  std::vector<std::pair<double, int64_t>> nmi;
  for (int64_t s = 0; s < r_.trace.sequences(); ++s)
    if (const double x = sequence_nmi(counts, s); defined(x)) nmi.emplace_back(x, s);
  if (nmi.size() < 2) return;
  const auto [least, most] = std::minmax_element(nmi.begin(), nmi.end());
  add_extreme(most->second, sites, "highest NMI");
  add_extreme(least->second, sites, "lowest NMI");
  selection_ += cat(", and those with the highest and lowest NMI(class; expert) of ", nmi.size(),
                    " traced at layer ", reference().index);
}

void PointOverlay::add_extreme(int64_t sequence, const std::vector<std::string>& sites,
                               const std::string& why) {
  const std::string& uri = r_.trace.uris[static_cast<size_t>(sequence)];
  const auto kept = std::find_if(samples_.begin(), samples_.end(),
                                 [&](const PointSample& s) { return s.uri == uri; });
  if (kept != samples_.end()) {
    kept->why += ", " + why;
    return;
  }
  samples_.push_back(traced_sample(r_.trace, sequence, sites));
  samples_.back().why = why;
  samples_.back().kept = false;
}

std::vector<size_t> PointOverlay::one_per_domain() const {
  std::vector<size_t> out;
  std::set<std::string> domains;
  for (size_t i = 0; i < samples_.size(); ++i)
    if (samples_[i].kept && domains.insert(samples_[i].domain).second) out.push_back(i);
  return out;
}

bool PointOverlay::seen(const PointSample& sample) const {
  const int64_t at = place(sample);
  return at < 0 || r_.trace.domains[static_cast<size_t>(r_.order[static_cast<size_t>(at)])].seen;
}

Indices PointOverlay::tracks(const PointSample& sample, const OverlayLayer& layer) const {
  Indices out;
  for (int64_t e : sample.expert[layer.site]) out.push_back(layer.track_of(e));
  return out;
}

}  // namespace switchyard
