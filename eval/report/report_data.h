#pragma once
// Everything the figures draw, read once from a run or study folder.

#include <map>
#include <memory>
#include <optional>

#include "core/config/node.h"
#include "eval/analysis/answer_facts.h"
#include "eval/analysis/counts.h"
#include "eval/analysis/entropy.h"
#include "eval/analysis/information.h"
#include "eval/analysis/tracks.h"
#include "eval/report/kept_samples.h"
#include "eval/report/layer_tracks.h"
#include "eval/report/sampling.h"
#include "eval/study/results.h"

namespace switchyard {

struct ReportCell {
  std::string arm, holdout;
  int64_t seed = 0;
  std::filesystem::path folder;
};

/// Analyses of one trace.
struct Routing {
  std::filesystem::path file;
  TraceView trace;
  std::vector<SequenceCounts> counts;
  LoadShare load;
  RouterEntropy entropy;
  NullPlan plan;
  DomainInformation domain;
  NmiCurve classes;
  JsDivergence js;
  ExpertTracks tracks;
  AnswerFacts facts;
  int64_t reference = 0;  ///< layer shown first: largest NMI with the domain, else the last
  Indices order;          ///< domains, unseen first

  int64_t layers() const { return static_cast<int64_t>(trace.sites.size()); }
  /// Average slots per token.
  double mean_k(int64_t layer) const;
  /// Place of a domain in `order`, -1 unknown.
  int64_t place_of(const std::string& domain) const;
};

struct ProbeScores {
  int64_t rows = 0;
  struct Score {
    std::string channels, probe;
    double score, chance, lo, hi;
    int64_t groups;
  };
  std::vector<Score> scores;
};

struct ReportData {
  std::filesystem::path folder;
  std::string experiment, protocol, overrides;
  std::vector<ReportCell> cells;
  ReportCell shown;  ///< the run that routing figures describe
  std::map<std::string, std::string> provenance;
  ConfigNode config;
  std::optional<ResultTable> table;
  std::optional<SummaryTable> summary;
  std::vector<std::filesystem::path>
      traces;  ///< of the shown run, one per checkpoint, rising steps
  std::unique_ptr<Routing> routing;
  std::unique_ptr<Sampling> sampling;
  std::optional<SampleFile> samples;
  PageLayers layers;  ///< of `routing`, else of `sampling`
  std::optional<ProbeScores> probe;

  bool synthetic() const;
  /// Whether the run is about pictures: it made or kept some, or its trace has noise levels.
  bool pictures() const;
  /// Whether training had this domain; true if nothing is known of it.
  bool seen(const std::string& domain) const;
  /// Place of a domain on the page, -1 unknown.
  int64_t place_of(const std::string& domain) const {
    return routing ? routing->place_of(domain) : -1;
  }
  /// study.conclusions: false for runs too short to compare models.
  bool conclusions() const;
  std::string group_word() const;
  /// eval.draws, so that the page shows the intervals of the printed table.
  int64_t draws() const;
};

ReportData read_report_data(const std::filesystem::path& folder);

}  // namespace switchyard
