#pragma once
// Run functions of the golden kinds, one per kind; see golden.h.

#include "core/golden/golden.h"
#include "domains/point_cloud/model/point_norm.h"

namespace switchyard::point_golden {

void run_serialization(const GoldenCase& c, GoldenResult& result);
void run_patches(const GoldenCase& c, GoldenResult& result);
void run_subm_conv(const GoldenCase& c, GoldenResult& result);
void run_pooling(const GoldenCase& c, GoldenResult& result);
void run_unpooling(const GoldenCase& c, GoldenResult& result);
void run_losses(const GoldenCase& c, GoldenResult& result);
void run_attention(const GoldenCase& c, GoldenResult& result);
void run_block(const GoldenCase& c, GoldenResult& result);
void run_ptv3(const GoldenCase& c, GoldenResult& result);
void run_pdnorm(const GoldenCase& c, GoldenResult& result);
void run_ppt(const GoldenCase& c, GoldenResult& result);
void run_mixed_head(const GoldenCase& c, GoldenResult& result);
void run_ptmoe_seg(const GoldenCase& c, GoldenResult& result);
void run_augment(const GoldenCase& c, GoldenResult& result);
void run_grid_sample(const GoldenCase& c, GoldenResult& result);
void run_tta_vote(const GoldenCase& c, GoldenResult& result);

/// The files' cumulative counts as an offset that starts with 0.
std::vector<int64_t> offset_of(const GoldenCase& c);
std::vector<int64_t> list_of(const at::Tensor& values);
std::vector<std::vector<int64_t>> rows_of(const at::Tensor& rows);
/// One entry of config.criteria, times its loss_weight.
at::Tensor criterion(const Json& config, const at::Tensor& logits, const at::Tensor& label);
/// The case's batch norm: bn_eps, bn_momentum.
PointNormConfig batch_norm_of(const GoldenCase& c);
/// Sum of `y` times inputs/<cotangent>.
at::Tensor pull(const GoldenCase& c, const at::Tensor& y,
                const std::string& cotangent = "cotangent");

}  // namespace switchyard::point_golden
