#include "eval/metrics/kid.h"

#include "core/base/error.h"
#include "eval/metrics/features.h"

namespace switchyard {
namespace {

constexpr char kWhere[] = "kid";

at::Tensor kernel_matrix(const at::Tensor& x_MD, const at::Tensor& y_MD, const KidKernel& kernel) {
  const double gamma = kernel.gamma.value_or(1. / static_cast<double>(x_MD.size(1)));
  return (x_MD.matmul(y_MD.t()) * gamma + kernel.coef0).pow(kernel.degree);
}

at::Tensor mean_off_diagonal(const at::Tensor& k_MM) {
  const auto m = static_cast<double>(k_MM.size(0));
  return (k_MM.sum() - k_MM.trace()) / (m * (m - 1));
}

at::Tensor mmd2(const at::Tensor& x_MD, const at::Tensor& y_MD, KidEstimator estimator,
                const KidKernel& kernel) {
  const at::Tensor xx = kernel_matrix(x_MD, x_MD, kernel), yy = kernel_matrix(y_MD, y_MD, kernel),
                   xy = kernel_matrix(x_MD, y_MD, kernel);
  if (estimator == KidEstimator::Biased) return xx.mean() + yy.mean() - 2 * xy.mean();
  const at::Tensor own = mean_off_diagonal(xx) + mean_off_diagonal(yy);
  const bool all_pairs = estimator == KidEstimator::Unbiased;
  return own - 2 * (all_pairs ? xy.mean() : mean_off_diagonal(xy));
}

void check_draws(const at::Tensor& index_a, const at::Tensor& index_b) {
  check(index_a.dim() == 2 && index_a.sizes() == index_b.sizes() && index_a.size(0) >= 1 &&
            index_a.size(1) >= 2,
        kWhere, "subsets: got ", to_text(index_a.sizes().vec()), " and ",
        to_text(index_b.sizes().vec()), ", expected two [draws, size] with at least 2 rows a draw");
}

void check_rows(const at::Tensor& index, int64_t rows) {
  const int64_t low = index.min().item<int64_t>(), high = index.max().item<int64_t>();
  check(low >= 0 && high < rows, kWhere, "rows of subsets: got ", low, " to ", high,
        ", expected 0 to ", rows - 1);
}

}  // namespace

at::Tensor subset_draws(int64_t n, int64_t draws, int64_t size, RandomStream stream) {
  check(size >= 2 && size <= n && draws >= 1, kWhere, "subsets: got ", draws, " of ", size,
        ", expected at least 1 of 2 to ", n, " samples");
  std::vector<at::Tensor> rows;
  for (int64_t d = 0; d < draws; ++d) {
    std::vector<int64_t> order = stream.permutation(n);
    order.resize(static_cast<size_t>(size));
    rows.push_back(at::tensor(order, at::kLong));
  }
  return at::stack(rows);
}

at::Tensor kid(const at::Tensor& a_ND, const at::Tensor& b_MD, const at::Tensor& index_a,
               const at::Tensor& index_b, KidEstimator estimator, const KidKernel& kernel) {
  const at::Tensor a = feature_rows(a_ND, kWhere, 2), b = feature_rows(b_MD, kWhere, 2);
  check_same_width(a, b, kWhere);
  check_draws(index_a, index_b);
  check_rows(index_a, a.size(0));
  check_rows(index_b, b.size(0));
  const at::Tensor rows_a = index_a.to(a.device()), rows_b = index_b.to(b.device());
  std::vector<at::Tensor> out;
  for (int64_t d = 0; d < index_a.size(0); ++d)
    out.push_back(
        mmd2(a.index_select(0, rows_a[d]), b.index_select(0, rows_b[d]), estimator, kernel));
  return at::stack(out);
}

}  // namespace switchyard
