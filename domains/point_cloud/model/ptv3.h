#pragma once
// Point Transformer V3 (Wu et al. 2024) and Point-MoE (2505.23926) with the published tensor names.

#include "domains/point_cloud/model/block.h"
#include "domains/point_cloud/model/pooling.h"
#include "domains/point_cloud/model/ptv3_params.h"

namespace switchyard {

/// A batch of N voxels, B clouds. `grid` i64 on the CPU, unique per cloud; the rest on the device.
struct PointInput {
  at::Tensor coord_N3, grid_N3, feat_NC;
  std::vector<int64_t> offset;  ///< [B+1], starts with 0
};

struct Ptv3Output {
  at::Tensor feat_NC;  ///< at the finest level (encoder alone: the coarsest)
  std::vector<std::shared_ptr<PointLevel>> levels;  ///< finest first
  std::vector<RowIndex> clusters;  ///< clusters[s]: cell in level s+1 of each voxel of s
};

class Ptv3 : public Module {
 public:
  /// `site_prefix` stands before module names in routing sites. Errors: those of
  /// Ptv3Params::validate(), unknown names.
  explicit Ptv3(const Ptv3Params& params, const std::string& site_prefix = "");
  /// Starts the context's level stack; afterwards it stands at the level of the output.
  Ptv3Output forward(const PointInput& input, ForwardContext& context,
                     const PointHooks& hooks = {});

 private:
  struct EncoderStage {
    SerializedPooling* down = nullptr;
    std::vector<PointBlock*> blocks;
  };
  struct DecoderStage {
    SerializedUnpooling* up = nullptr;
    std::vector<PointBlock*> blocks;
  };
  PointNormConfig norm_config(PointNormConfig::Kind kind) const;
  AttentionConfig attention_config(int64_t channels, int64_t heads, int64_t patch_size) const;
  void build_encoder(const std::string& site_prefix);
  void build_decoder(const std::string& site_prefix);
  std::vector<PointBlock*> add_blocks(const std::string& stage, PointBlockConfig config,
                                      const std::vector<double>& rates,
                                      const std::string& site_prefix);
  void encode(PointState& state, std::vector<PointState>& skips, Ptv3Output& out,
              const PointHooks& hooks, ForwardContext& context);
  void decode(PointState& state, const std::vector<PointState>& skips, const Ptv3Output& out,
              const PointHooks& hooks, ForwardContext& context);
  std::vector<int64_t> order_rows(size_t step, const PointHooks& hooks,
                                  const ForwardContext& context) const;

  Ptv3Params params_;
  std::vector<Curve> curves_;
  std::optional<ConfigNode> attn_moe_, ffn_moe_;
  SubmConv* stem_;
  PointNorm* stem_norm_;
  std::vector<EncoderStage> encoder_;
  std::vector<DecoderStage> decoder_;  // by stage number, finest first
};

/// Rates of n blocks rising from 0 to `last`, as the published single-precision linspace.
std::vector<double> drop_path_rates(double last, int64_t n);

}  // namespace switchyard
