#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/io/json.h"
#include "core/moe/trace.h"

namespace switchyard {

struct TokenLevel;

/// Collects the routing of many evaluation batches and writes one trace file (schema 1, trace.h).
/// Per batch: begin_batch, then the forward pass with context.trace = this. Everything is copied to
/// the CPU. Which sequences are evaluated (sampling) is the caller's matter.
class TraceRecorder : public TraceSink {
 public:
  /// What the file says about the whole run.
  struct Header {
    std::string split;
    int64_t step = 0;
    std::vector<std::string> domains, classes;
    std::vector<bool> seen;  ///< per domain: took part in training
    std::string sampling = "all";
  };
  /// One batch at the finest level. T0 tokens, S sequences.
  struct BatchInfo {
    std::vector<std::string> uris, groups;  ///< [S]
    std::vector<int64_t> domain_ids;        ///< [S]
    at::Tensor label;                       ///< [T0] i64, negative: unlabelled
    at::Tensor coords;                      ///< [T0, c] or undefined
    at::Tensor time = {};                   ///< [S] or undefined, as Batch::times()
  };

  explicit TraceRecorder(Header header) : header_(std::move(header)) {}

  /// Errors: lists of different length, a domain id without a name.
  void begin_batch(BatchInfo batch);
  void record(const std::string& site, const RouterOutput& routed,
              const ForwardContext& context) override;
  /// Atomic. Errors: nothing recorded.
  void write(const std::filesystem::path& path) const;
  /// False after passes without any MoE site.
  bool has_sites() const { return !sites_.empty(); }
  int64_t sequences() const { return static_cast<int64_t>(domain_.size()); }

 private:
  struct Level {
    std::vector<at::Tensor> length, coords, label, member_of;  // one per batch
    int64_t tokens = 0;
  };
  struct Site {
    std::string name;
    int64_t level = 0, experts = 0;
    std::vector<at::Tensor> length, slot, weight, kept, scores;  // one per batch
  };
  void record_level(int64_t depth, const TokenLevel& level);
  Site& site(const std::string& name, int64_t depth, int64_t experts);
  int64_t group_index(const std::string& name);
  Json metadata() const;

  Header header_;
  BatchInfo batch_;
  int64_t batches_ = 0, batch_levels_ = 0;
  at::Tensor member_;  // [T0] of the deepest level recorded in this batch
  std::vector<std::string> uris_, groups_;
  std::vector<int64_t> domain_, group_;
  std::vector<at::Tensor> time_;
  std::vector<Level> levels_;
  std::vector<Site> sites_;
};

}  // namespace switchyard
