#include "core/kernels/segment.h"

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

Segments::Segments(const at::Tensor& member_ML, int64_t rows, at::Device device) {
  check(member_ML.dim() == 2 && member_ML.scalar_type() == at::kLong, "Segments", "members: got ",
        to_text(member_ML.sizes().vec()), ", expected i64 [M, L]");
  const at::Tensor present = member_ML >= 0;
  const at::Tensor first = member_ML.narrow(1, 0, 1).expand_as(member_ML);
  members_ = RowIndex(at::where(present, member_ML, first).reshape({-1}), rows, device);
  present_ML_ = present.to(device);
}

at::Tensor segment_reduce_rows(const at::Tensor& x_NC, const Segments& segments,
                               Reduction reduction) {
  const auto rows_MLC = take_rows(x_NC, segments.members())
                            .view({segments.count(), segments.longest(), x_NC.size(1)});
  if (reduction == Reduction::Max) return std::get<0>(rows_MLC.max(1));
  if (reduction == Reduction::Min) return std::get<0>(rows_MLC.min(1));
  const auto present = segments.present().to(x_NC.scalar_type());
  const auto sum = (rows_MLC * present.unsqueeze(2)).sum(1);
  return reduction == Reduction::Sum ? sum : sum / present.sum(1, true);
}

}  // namespace switchyard
