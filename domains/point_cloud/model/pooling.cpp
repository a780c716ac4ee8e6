#include "domains/point_cloud/model/pooling.h"

#include <ATen/ops/bitwise_right_shift.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/segment_reduce.h>

#include <bit>

#include "core/base/step_timer.h"

namespace switchyard {
namespace {

/// Cells along order row 0, where the members of a cell are neighbours.
struct Cells {
  at::Tensor cluster;  ///< [N] cell of each voxel
  at::Tensor length;   ///< [cells]
  at::Tensor head;     ///< [cells] first member
};

Cells find_cells(const Serialization& serial, int64_t shift) {
  const int64_t count = serial.code.size(1);
  const int64_t *code = serial.code.data_ptr<int64_t>(), *order = serial.order.data_ptr<int64_t>();
  at::Tensor cluster = at::empty({count}, at::kLong);
  std::vector<int64_t> length, head;
  int64_t previous = -1;
  for (int64_t j = 0; j < count; ++j) {
    const int64_t cell = code[order[j]] >> shift;
    if (cell != previous || j == 0) {
      length.push_back(0);
      head.push_back(order[j]);
      previous = cell;
    }
    ++length.back();
    cluster.data_ptr<int64_t>()[order[j]] = static_cast<int64_t>(length.size()) - 1;
  }
  return {cluster, at::tensor(length, at::kLong), at::tensor(head, at::kLong)};
}

at::Tensor reduce_cells(const at::Tensor& rows_in_order, const at::Tensor& length, const std::string& reduce) {
  return at::segment_reduce(rows_in_order.contiguous(), reduce, length.to(rows_in_order.device()), {}, {}, 0,
                            /*unsafe=*/true);
}

at::Tensor offset_of(const at::Tensor& batch, int64_t clouds) {
  at::Tensor offset = at::zeros({clouds + 1}, at::kLong);
  int64_t* out = offset.data_ptr<int64_t>();
  for (int64_t i = 0; i < batch.size(0); ++i) ++out[batch.data_ptr<int64_t>()[i] + 1];
  std::partial_sum(out, out + clouds + 1, out);
  return offset;
}

}  // namespace

SerializedPooling::SerializedPooling(const PoolingShape& shape)
    : shape_(shape),
      proj_(emplace_child<Linear>("proj", shape.in, shape.out)),
      norm_(emplace_child<BatchNorm>("norm.0", shape.out, shape.bn_eps, shape.bn_momentum)) {
  check(shape.stride >= 1 && std::has_single_bit(uint64_t(shape.stride)), "pooling", "stride must be a power of 2: got ",
        shape.stride);
  check_name("pooling", "reduction", shape.reduce, {"max", "mean", "min", "sum"});
}

PointLevel SerializedPooling::forward(const PointLevel& parent, const std::vector<int64_t>& permutation) {
  TimedScope scope("pooling");
  int64_t m = std::bit_width(uint64_t(shape_.stride)) - 1;
  if (m > parent.serial.depth) m = 0;
  const Cells cells = find_cells(parent.serial, 3 * m);
  const auto device = parent.feat.device();
  const at::Tensor order = parent.serial.order[0].to(device);
  PointLevel child;
  child.grid_coord = at::bitwise_right_shift(parent.grid_coord.index_select(0, cells.head), m);
  child.batch = parent.batch.index_select(0, cells.head);
  child.seq_offset = offset_of(child.batch, parent.seq_offset.size(0) - 1);
  child.coord = reduce_cells(parent.coord.index_select(0, order), cells.length, "mean");
  child.serial = serialize_codes(at::bitwise_right_shift(parent.serial.code.index_select(1, cells.head), 3 * m),
                                 parent.serial.depth - m, permutation);
  child.cluster = cells.cluster.to(device);
  const at::Tensor reduced = reduce_cells(proj_.forward(parent.feat).index_select(0, order), cells.length, shape_.reduce);
  child.feat = child.sparse_feat = at::gelu(norm_.forward(reduced));
  return child;
}

SerializedUnpooling::SerializedUnpooling(int64_t in, int64_t skip, int64_t out, double bn_eps, double bn_momentum)
    : proj_(emplace_child<Linear>("proj.0", in, out)),
      proj_norm_(emplace_child<BatchNorm>("proj.1", out, bn_eps, bn_momentum)),
      skip_(emplace_child<Linear>("proj_skip.0", skip, out)),
      skip_norm_(emplace_child<BatchNorm>("proj_skip.1", out, bn_eps, bn_momentum)) {}

std::pair<at::Tensor, at::Tensor> SerializedUnpooling::forward(const at::Tensor& child_feat, const at::Tensor& parent_feat,
                                                               const at::Tensor& cluster) {
  TimedScope scope("unpooling");
  const at::Tensor up = at::gelu(proj_norm_.forward(proj_.forward(child_feat)));
  const at::Tensor skip = at::gelu(skip_norm_.forward(skip_.forward(parent_feat)));
  return {skip + up.index_select(0, cluster), skip};
}

}  // namespace switchyard
