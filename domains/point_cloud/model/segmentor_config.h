#pragma once
// The config node `model` of point-cloud segmentation.

#include "domains/point_cloud/model/segmentor.h"

namespace switchyard {

/// Fields of `model` beside those of Ptv3Params.
struct SegmentorParams {
  std::vector<std::string> conditions;
  ConfigNode condition_of;
  int64_t context_channels = 0;
  ConfigNode head = ConfigNode(std::string("linear"));
  static void declare(Fields<SegmentorParams>& f);
};

/// `model`, parsed: {type: ptv3, ...}.
struct SegmentorConfig {
  Ptv3Params backbone;
  SegmentorParams segmentor;

  /// `train_domains` are the conditions where the config lists none. Errors: unknown type or key.
  static SegmentorConfig parse(const ConfigNode& model,
                               const std::vector<std::string>& train_domains);
  std::unique_ptr<PointSegmentor> build(const std::vector<std::string>& classes) const;
  /// What reads the condition of a cloud: "prompt-driven norms", "context vectors", "head".
  std::vector<std::string> domain_readers() const;
  /// The condition of each data domain: its own, or what condition_of says. Errors: a domain with
  /// neither; it is never guessed.
  std::vector<int64_t> conditions_of(const std::vector<std::string>& domains) const;
};

}  // namespace switchyard
