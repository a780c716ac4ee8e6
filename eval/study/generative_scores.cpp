#include "eval/study/generative_scores.h"

#include <cmath>
#include <set>

#include "eval/metrics/features.h"

namespace switchyard {
namespace {

/// Cells may make up different shares of the two sides by this much before a row says so.
constexpr double kMixTolerance = .05;

at::Tensor joined_rows(const std::vector<at::Tensor>& parts, int64_t count,
                       const std::string& where, const char* what) {
  if (parts.empty()) return {};
  const at::Tensor rows = at::cat(parts);
  check(rows.size(0) == count, where, what, ": got those of ", rows.size(0), " of ", count,
        " images, expected all or none");
  return rows;
}

}  // namespace

void GenerativeScores::Rows::add(const Rows& other) {
  const auto append = [](auto& to, const auto& from) {
    to.insert(to.end(), from.begin(), from.end());
  };
  append(pooled, other.pooled);
  append(spatial, other.spatial);
  append(logits, other.logits);
  count += other.count;
}

SampleFeatures GenerativeScores::Rows::joined(const std::string& where) const {
  return {joined_rows(pooled, count, where, "pooled features"),
          joined_rows(spatial, count, where, "spatial features"),
          joined_rows(logits, count, where, "logits")};
}

void GenerativeScores::add_reference(const ImageCell& cell, ReferenceFeatures reference) {
  check(references_.emplace(cell, std::move(reference)).second, cell.name(),
        "reference features: given twice");
}

void GenerativeScores::add_samples(const ImageCell& cell, const FeatureSet& batch) {
  check(batch.pooled.defined(), cell.name(), "the extractor gives no pooled features");
  const auto kept = [](const at::Tensor& x) { return x.to(at::kCPU, at::kFloat); };
  Rows& rows = samples_[cell];
  rows.pooled.push_back(kept(batch.pooled));
  if (batch.spatial.defined()) rows.spatial.push_back(kept(spatial_rows(batch.spatial)));
  if (batch.logits.defined()) rows.logits.push_back(kept(batch.logits));
  rows.count += batch.pooled.size(0);
}

std::vector<GenerativeScore> GenerativeScores::compute() const {
  std::set<std::string> domains;
  for (const auto& [cell, unused] : samples_) domains.insert(cell.domain);
  std::vector<GenerativeScore> out;
  for (const auto& domain : domains) score_domain(domain, out);
  return out;
}

std::vector<ImageCell> GenerativeScores::sampled_cells(const std::string& domain) const {
  std::vector<ImageCell> out;
  for (const auto& [cell, unused] : samples_)
    if (cell.domain == domain) out.push_back(cell);
  return out;
}

void GenerativeScores::score_domain(const std::string& domain,
                                    std::vector<GenerativeScore>& out) const {
  const auto cells = sampled_cells(domain);
  Rows all;
  for (const auto& cell : cells) all.add(samples_.at(cell));
  const auto whole = references_.find({domain, ""});
  if (whole != references_.end()) {
    score({domain, ""}, whole->second, all, "", out);
  } else {
    const ReferenceFeatures pooled = pooled_reference(cells);
    score({domain, ""}, pooled, all, mix_warning(cells), out);
  }
  for (const auto& cell : cells)
    if (!cell.class_name.empty() && references_.count(cell))
      score(cell, references_.at(cell), samples_.at(cell), "", out);
}

void GenerativeScores::score(const ImageCell& cell, const ReferenceFeatures& reference,
                             const Rows& rows, const std::string& warning,
                             std::vector<GenerativeScore>& out) const {
  const SampleFeatures samples = rows.joined(cell.name());
  const auto values = generative_values(reference, samples, params_, extractor_);
  for (size_t i = 0; i < values.size(); ++i) {
    const std::string metric = cat(params_.metrics[i], "@features=", extractor_);
    std::string& text =
        out.emplace_back(GenerativeScore{metric, cell, rows.count, values[i]}).score.warning;
    if (!warning.empty()) text += (text.empty() ? "" : "; ") + warning;
  }
}

ReferenceFeatures GenerativeScores::pooled_reference(const std::vector<ImageCell>& cells) const {
  ReferenceBuilder builder;
  for (const auto& cell : cells) {
    const auto found = references_.find(cell);
    check(found != references_.end(), cell.name(), "no reference features of this cell or of '",
          cell.domain, "'");
    builder.update(found->second);
  }
  return builder.compute();
}

std::string GenerativeScores::mix_warning(const std::vector<ImageCell>& cells) const {
  double samples = 0, references = 0, largest = 0;
  for (const auto& cell : cells) {
    samples += static_cast<double>(samples_.at(cell).count);
    references += static_cast<double>(references_.at(cell).pooled.count);
  }
  for (const auto& cell : cells) {
    const double share = static_cast<double>(samples_.at(cell).count) / samples;
    const double real = static_cast<double>(references_.at(cell).pooled.count) / references;
    largest = std::max(largest, std::abs(share - real));
  }
  if (largest <= kMixTolerance) return "";
  return cat("shares of classes differ by up to ", std::round(100 * largest), " %");
}

std::vector<ResultTable> generative_tables(const std::vector<GenerativeScore>& scores,
                                           ScoreLevel level, const std::string& protocol,
                                           const TableRow& common,
                                           const std::function<bool(const ImageCell&)>& seen) {
  std::vector<ResultTable> out;
  for (const auto& s : scores) {
    if (s.cell.class_name.empty() != (level == ScoreLevel::Domain)) continue;
    auto table = std::find_if(out.begin(), out.end(),
                              [&](const ResultTable& t) { return t.metric == s.metric; });
    if (table == out.end()) table = out.insert(out.end(), {protocol, s.metric, {}});
    TableRow row = common;
    row.domain = s.cell.name();
    row.seen = seen(s.cell);
    row.value = s.score.value;
    row.samples = s.samples;
    row.references = s.score.references;
    row.warning = s.score.warning;
    table->rows.push_back(std::move(row));
  }
  return out;
}

}  // namespace switchyard
