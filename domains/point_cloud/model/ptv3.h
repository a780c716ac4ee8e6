#pragma once
// Point Transformer V3 ("PT-v3m1") and Point-MoE with published tensor names (spec point-moe 1, 2).

#include "core/moe/layer.h"
#include "domains/point_cloud/model/block.h"
#include "domains/point_cloud/model/pooling.h"

namespace switchyard {

struct Ptv3Params {
  int64_t in_channels = 6;
  std::vector<std::string> order = {"z", "z-trans", "hilbert", "hilbert-trans"};
  std::vector<int64_t> stride = {2, 2, 2, 2};
  std::vector<int64_t> enc_depths = {2, 2, 2, 6, 2};
  std::vector<int64_t> enc_channels = {32, 64, 128, 256, 512};
  std::vector<int64_t> enc_num_head = {2, 4, 8, 16, 32};
  std::vector<int64_t> enc_patch_size = {1024, 1024, 1024, 1024, 1024};
  std::vector<int64_t> dec_depths = {2, 2, 2, 2};
  std::vector<int64_t> dec_channels = {64, 64, 128, 256};
  std::vector<int64_t> dec_num_head = {4, 4, 8, 16};
  std::vector<int64_t> dec_patch_size = {1024, 1024, 1024, 1024};
  double mlp_ratio = 4, drop_path = 0.3, bn_eps = 1e-3, bn_momentum = 0.01, ln_eps = 1e-5;
  std::string attn_mode = "varlen", pool_reduce = "max";
  bool shuffle_orders = true, stale_cpe = true;
  ConfigNode moe;  ///< null, one MoEConfig for both sites, or {attn_out_proj: MoEConfig, ffn: MoEConfig}

  static void declare(Fields<Ptv3Params>& f);
};

/// Voxels of a batch: grid_coord [N, 3] i64 and seq_offset [S+1] i64 on the CPU, coord [N, 3] and feat
/// [N, Cin] on the model's device.
struct PointInput {
  at::Tensor grid_coord, coord, feat, seq_offset;
};

class Ptv3 : public Module {
 public:
  explicit Ptv3(const Ptv3Params& params);
  /// Features [N, dec_channels[0]] in input order; of the deepest level if there is no decoder.
  at::Tensor forward(const PointInput& input, ForwardContext& context, const PointHooks& hooks = {});
  int64_t out_channels() const;

 private:
  struct Stage {
    SerializedPooling* down = nullptr;
    SerializedUnpooling* up = nullptr;
    std::vector<std::pair<std::string, PointBlock*>> blocks;
  };
  PointLevel embed(const PointInput& input, ForwardContext& context, const PointHooks& hooks);
  void encode(std::vector<PointLevel>& levels, ForwardContext& context, const PointHooks& hooks);
  void decode(std::vector<PointLevel>& levels, ForwardContext& context, const PointHooks& hooks);
  std::vector<int64_t> order_permutation(int64_t draw, const ForwardContext& context, const PointHooks& hooks) const;
  void add_encoder();
  void add_decoder();
  void add_blocks(Stage& stage, const std::string& name, const std::vector<double>& drop_rates, int64_t channels,
                  int64_t heads, int64_t patch_size);
  std::unique_ptr<SubLayer> make_site(const std::string& site, const std::string& name, int64_t channels) const;

  Ptv3Params params_;
  SubmConv3d& stem_;
  BatchNorm& stem_norm_;
  std::vector<Stage> encoder_, decoder_;  ///< decoder_[s] refines level s
};

}  // namespace switchyard
