#include "domains/point_cloud/model/class_table.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/linalg_qr.h>
#include <ATen/ops/tensor.h>

#include "core/base/random.h"
#include "core/base/text.h"
#include "core/io/safetensors.h"

namespace switchyard {
namespace {

struct Params {
  std::vector<std::string> classes;
  ConfigNode valid_index;
  static void declare(Fields<Params>& f) {
    f.add("classes", &Params::classes, "names of all rows");
    f.add("valid_index", &Params::valid_index, "rows of each dataset's classes, in its order");
  }
};

}  // namespace

ClassTable ClassTable::parse(const ConfigNode& node, const std::string& what) {
  const auto params = parse_params<Params>(node, what);
  ClassTable table{params.classes, {}};
  const auto last = static_cast<double>(params.classes.size()) - 1;
  for (const auto& [dataset, rows] : params.valid_index.as_map(what + ".valid_index")) {
    params_detail::read(rows, what + ".valid_index." + dataset, between(0, last),
                        table.valid_index[dataset]);
  }
  return table;
}

const std::vector<int64_t>& ClassTable::rows_of(const std::string& dataset) const {
  std::vector<std::string> known;
  for (const auto& [name, rows] : valid_index) known.push_back(name);
  check_name("class_table", "dataset", dataset, known);
  return valid_index.at(dataset);
}

at::Tensor orthonormal_embedding(const std::vector<std::string>& names, int64_t dim,
                                 uint64_t seed) {
  std::map<std::string, int64_t> column_of;
  std::vector<int64_t> column;
  for (const auto& name : names) {
    const auto next = static_cast<int64_t>(column_of.size());
    column.push_back(column_of.emplace(name, next).first->second);
  }
  const auto distinct = static_cast<int64_t>(column_of.size());
  check(distinct <= dim, "class embedding", "dimensions: got ", dim, " for ", distinct,
        " distinct classes, expected at least as many");
  auto drawn_DK = at::empty({dim, distinct}, at::kDouble);
  RandomStream stream(seed, "class_embedding");
  for (int64_t i = 0; i < drawn_DK.numel(); ++i) drawn_DK.data_ptr<double>()[i] = stream.normal();
  const auto [q_DK, r_KK] = at::linalg_qr(drawn_DK);
  // QR is unique up to the signs of R's diagonal.
  const auto unit_KD = (q_DK * r_KK.diagonal().sgn()).transpose(0, 1);
  return unit_KD.index_select(0, at::tensor(column, at::kLong)).to(at::kFloat);
}

at::Tensor read_embedding(const std::string& file, int64_t names, int64_t dim) {
  const auto stored = SafeTensors::open(file).get("class_embedding");
  check(stored.dim() == 2 && stored.size(0) == names && stored.size(1) == dim, file,
        "class_embedding: got shape ", to_text(stored.sizes().vec()), ", expected [", names, ", ",
        dim, "]");
  const auto rows = stored.to(at::kFloat);
  return rows / rows.norm(2, {1}, /*keepdim=*/true);
}

}  // namespace switchyard
