#pragma once
// Keeps a few evaluated sequences as neutral primitives for the report's overlays (DESIGN 9):
// trace/samples.safetensors.

#include <filesystem>
#include <map>
#include <set>

#include "core/io/safetensors.h"
#include "core/train/task.h"

namespace switchyard {

struct TraceView;

/// [sites, N] i16: expert of first choice of every finest token of sequence `s` at every site, -1:
/// none.
at::Tensor first_choices(const TraceView& trace, int64_t s);

/// For every site the mean share of its experts that a token uses (mean k / experts); null slots
/// and dropped choices are not used.
std::map<std::string, double> expert_share(const TraceView& trace);

class SampleRecorder {
 public:
  /// Chooses `per_domain` sequences of each domain at random by `seed`, never by looks; the same
  /// groups in every domain where groups are shared.
  SampleRecorder(const std::vector<SequenceInfo>& all, int64_t per_domain, uint64_t seed);

  /// Keeps the chosen sequences of a batch: pictures (image) as ImageGrid, else points (coord,
  /// label and predicted) as PointSet.
  void add(const Outputs& outputs);
  /// Adds the first-choice expert of every finest token at every site from the trace file and
  /// writes the samples that the trace holds.
  void write(const std::filesystem::path& path, const std::filesystem::path& trace) const;

 private:
  struct Kept {
    std::string uri, group;
    int64_t domain_id;
    std::string kind;
    NamedTensors tensors;
  };
  std::set<std::string> chosen_;
  std::vector<Kept> kept_;
};

}  // namespace switchyard
