#pragma once
// Inception score (Salimans et al. 2016): exp of the mean KL divergence between the class
// probabilities of a sample and those of its split, per split.

#include <ATen/core/Tensor.h>

#include <vector>

namespace switchyard {

/// Where splits of n samples begin and end: 0, size, 2 size, ..., n. The last one may be short
/// (guided-diffusion: 5000). Errors: no sample, a size below 1.
std::vector<int64_t> chunk_boundaries(int64_t n, int64_t size);
/// floor(i n / splits), i = 0 .. splits (torch-fidelity, which shuffles first). Errors: more splits
/// than samples, fewer than 1.
std::vector<int64_t> split_boundaries(int64_t n, int64_t splits);

/// Logits [N, K] -> [splits] f64; the score is their mean, its spread their population standard
/// deviation. Errors: see feature_rows; boundaries that do not cover 0 .. N.
at::Tensor inception_scores(const at::Tensor& logits_NK, const std::vector<int64_t>& boundaries);

}  // namespace switchyard
