#pragma once
// Expert tracks and flow between layers. Expert 3 of two layers are unrelated; a track is a column
// that follows the tokens: neighbours are matched one to one so that most first choices keep their
// track. Counted on finest-level tokens through member_of.

#include <optional>

#include "eval/analysis/stats.h"
#include "eval/analysis/trace_view.h"

namespace switchyard {

/// First choice of every finest-level token at a site, -1 for none; empty if the site's level has
/// no member_of.
Indices finest_first_choice(const TraceView& trace, int64_t site);

/// [experts of a][experts of b] tokens with a first choice in both; all 0 if either is unknown.
IndexTable first_choice_flow(const TraceView& trace, int64_t site_a, int64_t site_b);

struct ExpertTracks {
  std::string status;  ///< "ok", or "partial" if a level lacks member_of
  IndexTable tracks;   ///< [l][track] true expert, -1 none; widest layer sets the count
  Row kept, null95;    ///< [l] between l and l+1: matched flow / flow
  Table null_kept;     ///< [l][replicate]
  std::vector<std::optional<bool>> order_arbitrary;  ///< [l] kept at or below null95
  std::vector<IndexTable> flow_count;                ///< [l][e][e']
  /// Track of each true expert of a layer.
  Indices track_of(int64_t layer, int64_t experts) const;
};
/// `permutations` [R][S] orders of the sequences; may be empty (no null).
ExpertTracks expert_tracks(const TraceView& trace, const IndexTable& permutations);

struct FlowFigure {
  Indices columns;          ///< layers shown
  Table node;               ///< [c][e] share of first choices
  std::vector<Table> link;  ///< [c][a][b] share of tokens with a first choice in both columns
  std::vector<std::vector<std::pair<int64_t, int64_t>>>
      link_shown;  ///< the largest, in order of (a, b)
  Row shown;       ///< [c] share of tokens in the links shown
};
FlowFigure flow_figure(const TraceView& trace, int64_t columns = 4, double threshold = 0.012,
                       int64_t max_links = 60);

}  // namespace switchyard
