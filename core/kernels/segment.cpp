#include "core/kernels/segment.h"

#include <limits>

#include "core/base/text.h"

namespace switchyard {

const std::vector<std::string>& reduction_names() {
  static const std::vector<std::string> names = {"max", "mean", "min", "sum"};
  return names;
}

Reduction reduction_from_name(const std::string& name) {
  const auto& names = reduction_names();
  check_name("reduction", "reduction", name, names);
  return static_cast<Reduction>(std::find(names.begin(), names.end(), name) - names.begin());
}

at::Tensor segment_reduce_rows(const at::Tensor& x_NC, const at::Tensor& member_ML,
                               Reduction reduction) {
  check(x_NC.dim() == 2 && member_ML.dim() == 2 && member_ML.scalar_type() == at::kLong,
        "segment_reduce_rows", "shapes: got x ", to_text(x_NC.sizes().vec()), ", members ",
        to_text(member_ML.sizes().vec()), "; expected [N, C], i64 [M, L]");
  constexpr double kInf = std::numeric_limits<double>::infinity();
  const double filler = reduction == Reduction::Max   ? -kInf
                        : reduction == Reduction::Min ? kInf
                                                      : 0;
  const auto absent = member_ML < 0;
  const auto padded = at::cat({x_NC, at::full({1, x_NC.size(1)}, filler, x_NC.options())});
  const auto index = at::where(absent, x_NC.size(0), member_ML).reshape({-1});
  const auto rows_MLC =
      padded.index_select(0, index).view({member_ML.size(0), member_ML.size(1), x_NC.size(1)});
  switch (reduction) {
    case Reduction::Max:
      return std::get<0>(rows_MLC.max(1));
    case Reduction::Min:
      return std::get<0>(rows_MLC.min(1));
    case Reduction::Sum:
      return rows_MLC.sum(1);
    case Reduction::Mean:
      return rows_MLC.sum(1) / absent.logical_not().sum(1, true).to(x_NC.scalar_type());
  }
  return {};
}

}  // namespace switchyard
