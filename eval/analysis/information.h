#pragma once
// Normalised mutual information between experts and domains or classes: I / min(H(label),
// H(expert)), in bits over assignments, with bootstrap bands and label-permutation nulls (DESIGN
// 9).

#include "eval/analysis/counts.h"
#include "eval/analysis/nulls.h"

namespace switchyard {

/// Domain rows as counted, or each scaled to sum 1 (domains equal).
enum class DomainWeight { Assignments, Equal };

struct MutualInformation {
  double bits = kUndefined, h_label = kUndefined, h_expert = kUndefined;
  double divisor() const;  ///< min(h_label, h_expert); kUndefined below 1e-12
  double nmi() const { return bits / divisor(); }
};
/// Of a table [label][expert] of non-negative weights. Values below 1e-12 bits are 0.
MutualInformation mutual_information(const Table& joint);
Table scaled_rows(Table rows);

struct NmiCurve {
  std::vector<MutualInformation> information;  ///< [l]
  Row nmi, lo, hi, null95, p;                  ///< [l]; p and null95 undefined when confounded
  Table null, boot;                            ///< [l][replicate]
};

struct DomainInformation : NmiCurve {
  Row given_class_bits;  ///< [l] sum_c p(c) I(domain; expert | c) over labelled assignments
  Row given_class;       ///< [l] that / divisor of `information`
  Row given_class_null95, given_class_p;     ///< under the same permutations
  std::string status, null_kind, null_unit;  ///< from the NullPlan
  int64_t draws = 0;
};

DomainInformation nmi_domain(const TraceView& trace, const std::vector<SequenceCounts>& counts,
                             const NullPlan& plan, DomainWeight weight = DomainWeight::Equal);

/// Null: the label runs of whole sequences are laid down in shuffled order over the labelled
/// tokens. All values undefined where the trace has no labels.
NmiCurve nmi_class(const TraceView& trace, const std::vector<SequenceCounts>& counts,
                   const NullPlan& plan);

}  // namespace switchyard
