#pragma once
// Point Transformer V3 (Wu et al. 2024) and Point-MoE (2505.23926) with the published tensor names.

#include "core/base/params.h"
#include "domains/point_cloud/model/block.h"
#include "domains/point_cloud/model/pooling.h"

namespace switchyard {

/// Lists run over stages, encoder from fine to coarse; decoder lists are one shorter, or empty for
/// an encoder alone. `moe`: map from site (attn_out_proj, ffn) to MoEConfig, or one MoEConfig for
/// both.
struct Ptv3Params {
  int64_t in_channels = 6;
  std::vector<int64_t> stride = {2, 2, 2, 2};
  std::vector<int64_t> enc_depths = {2, 2, 2, 6, 2};
  std::vector<int64_t> enc_channels = {32, 64, 128, 256, 512};
  std::vector<int64_t> enc_num_head = {2, 4, 8, 16, 32};
  std::vector<int64_t> enc_patch_size = {1024, 1024, 1024, 1024, 1024};
  std::vector<int64_t> dec_depths = {2, 2, 2, 2};
  std::vector<int64_t> dec_channels = {64, 64, 128, 256};
  std::vector<int64_t> dec_num_head = {4, 4, 8, 16};
  std::vector<int64_t> dec_patch_size = {1024, 1024, 1024, 1024};
  double mlp_ratio = 4;
  double drop_path = 0.3;
  double bn_momentum = 0.01;
  int64_t stem_kernel = 5;
  bool pre_norm = true;
  bool shuffle_orders = true;
  bool stale_cpe = true;
  std::vector<std::string> orders = {"z", "z-trans", "hilbert", "hilbert-trans"};
  std::string attn_mode = "varlen";
  ConfigNode moe;

  static void declare(Fields<Ptv3Params>& f);
  /// Channels of the output.
  int64_t out_channels() const {
    return dec_channels.empty() ? enc_channels.back() : dec_channels.front();
  }
};

/// A batch of N voxels, B clouds. `grid` i64 on the CPU, unique per cloud; the rest on the device.
struct PointInput {
  at::Tensor coord_N3, grid_N3, feat_NC;
  std::vector<int64_t> offset;  ///< [B+1], starts with 0
};

struct Ptv3Output {
  at::Tensor feat_NC;  ///< at the finest level (encoder alone: the coarsest)
  std::vector<std::shared_ptr<PointLevel>> levels;  ///< finest first
  std::vector<at::Tensor> clusters;  ///< clusters[s]: cell in level s+1 of each voxel of s
};

class Ptv3 : public Module {
 public:
  /// `site_prefix` stands before module names in routing sites. Errors: lists of unequal length,
  /// patch sizes that differ between encoder and decoder, unknown names.
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
  BatchNorm* stem_norm_;
  std::vector<EncoderStage> encoder_;
  std::vector<DecoderStage> decoder_;  // by stage number, finest first
};

/// Rates of n blocks rising from 0 to `last`, as the published single-precision linspace.
std::vector<double> drop_path_rates(double last, int64_t n);

}  // namespace switchyard
