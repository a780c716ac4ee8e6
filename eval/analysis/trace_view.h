#pragma once
// A trace file (schema in core/moe/trace.h) as plain arrays. Every analysis starts from here.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace switchyard {

struct TraceDomain {
  std::string name;
  bool seen = true;  ///< in the training data
};

/// One resolution: T_j tokens, sequence after sequence.
struct TraceLevel {
  std::vector<int64_t> seq_offset;  ///< [S+1]
  std::vector<int32_t> label;       ///< [T_j], -1 unlabelled; empty: no labels in the trace
  std::vector<int64_t> member_of;  ///< [T_0] token of this level; empty at level 0 or if not traced
  std::vector<float> coords;       ///< [T_j, coord_dims], may be empty
  int64_t coord_dims = 0;
  int64_t tokens() const { return seq_offset.back(); }
};

/// One MoE layer. Token t owns entries token_offset[t] .. token_offset[t+1]-1.
struct TraceSite {
  std::string name;
  int64_t level = 0;
  int64_t experts = 0;  ///< routed slots 0..experts-1
  int64_t nulls = 0;    ///< null slots that follow them (known where scores are traced, else 0)
  int64_t k = 0;        ///< 0: varies
  std::vector<int64_t> token_offset;  ///< [T+1]
  std::vector<int16_t> slot;          ///< [A]
  std::vector<double> weight;         ///< [A]
  std::vector<uint8_t> kept;          ///< [A], 0 = dropped by capacity; empty: all kept
  std::vector<double> scores;         ///< [T, columns], rows sum to 1; empty: not traced
  int64_t columns = 0;                ///< competing slots: experts + nulls; 0 without scores
  int64_t tokens() const { return static_cast<int64_t>(token_offset.size()) - 1; }
  /// Routed slot of token t with the largest weight (equal: lower id), -1 if it has none.
  int64_t first_choice(int64_t t) const;
};

struct TraceView {
  std::string split, sampling;
  int64_t step = 0;
  std::vector<TraceDomain> domains;
  std::vector<std::string> classes, groups, uris;
  std::vector<int64_t> domain, group;  ///< [S]; group -1: none
  std::vector<double> time;            ///< [S] in 0 .. 1, or empty
  std::vector<TraceLevel> levels;      ///< level 0 is the finest
  std::vector<TraceSite> sites;        ///< in order of depth

  int64_t sequences() const { return static_cast<int64_t>(domain.size()); }
  const TraceLevel& level_of(const TraceSite& site) const { return levels[site.level]; }
  /// Tokens at the finest level, and sequences, of each domain.
  std::vector<int64_t> tokens_by_domain() const;
  std::vector<int64_t> sequences_by_domain() const;
};

/// Reads and checks a trace; rows of fp16 scores are scaled to sum 1. Errors name file, tensor and
/// value: schema, missing or misshapen tensors, offsets that do not rise, ids out of range.
TraceView load_trace(const std::filesystem::path& path);

/// The checks of load_trace on a view made in memory; `where` names it in messages.
void check_trace(const TraceView& trace, const std::string& where);

}  // namespace switchyard
