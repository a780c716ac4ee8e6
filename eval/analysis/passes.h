#pragma once
// Routing over noise levels, from traces whose sequences have times: a sequence is a pass, the
// network seeing one picture at one noise level (1 noise, 0 clean), with or without its condition.

#include "eval/analysis/counts.h"

namespace switchyard {

/// Data domain of passes that are made without their condition.
inline constexpr char kNoCondition[] = "(no condition)";

/// What a pass shows: its uri without the noise level ("cat/3.png" of "cat/3.png@t=0.125").
std::string item_of(const std::string& uri);

struct NoiseLevels {
  Row time;          ///< [L] mean of a level, falling
  Indices level_of;  ///< [S]
};
/// Times within 1/50 of each other share a level; empty for a trace without times.
NoiseLevels noise_levels(const TraceView& trace);

struct PassKinds {
  Indices with, without;  ///< sequences with their condition, and without
};
PassKinds pass_kinds(const TraceView& trace);

/// [L][E] share of the assignments of `passes` at every level; undefined where it has none.
Table share_by_level(const SequenceCounts& counts, const NoiseLevels& levels,
                     const Indices& passes);

/// Two passes of one picture, and the unit inside which they may swap places by chance.
struct PassPair {
  int64_t first, second, unit;
};
/// Of every picture among `passes` its noisiest and its cleanest pass.
std::vector<PassPair> end_pairs(const TraceView& trace, const NoiseLevels& levels,
                                const Indices& passes);
/// Of every picture and noise level the pass with its condition and that without.
std::vector<PassPair> condition_pairs(const TraceView& trace, const NoiseLevels& levels);

struct PairedShares {
  Row first, second;       ///< [E] share of the assignments
  double js = kUndefined;  ///< bits, between the two
  /// Of the same with first and second swapped at random, all pairs of a unit (a group, else a
  /// picture) together.
  double null95 = kUndefined, p = kUndefined;
};
PairedShares paired_shares(const SequenceCounts& counts, const std::vector<PassPair>& pairs,
                           int64_t draws, RandomStream stream);

}  // namespace switchyard
