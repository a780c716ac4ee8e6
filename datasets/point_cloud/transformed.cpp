#include "datasets/point_cloud/transformed.h"

#include <set>

#include "core/io/sha256.h"

namespace switchyard {
namespace {

void check_splits(const Dataset& dataset, const std::vector<std::string>& splits) {
  std::set<std::string> present;
  for (int64_t i = 0; i < dataset.size(); ++i) present.insert(dataset.sample_info(i).split);
  for (const std::string& split : splits)
    check_name("dataset.splits", "split", split, {present.begin(), present.end()});
}

/// A private copy of what transforms write in place, in a floating type.
void own_rows(Sample& sample) {
  for (const char* key : {"coord", "origin", "color", "normal"}) {
    const auto found = sample.tensors.find(key);
    if (found == sample.tensors.end()) continue;
    at::Tensor& rows = found->second;
    rows = rows.is_floating_point() ? rows.clone(at::MemoryFormat::Contiguous)
                                    : rows.to(at::kFloat).contiguous();
  }
}

}  // namespace

void TransformedParams::declare(Fields<TransformedParams>& f) {
  f.add("dataset", &TransformedParams::dataset, "the dataset to transform");
  f.add("splits", &TransformedParams::splits, "splits for `transforms`; empty: all");
  f.add("transforms", &TransformedParams::transforms, "what to do, in order: {type: NAME, ...}");
  f.add("otherwise", &TransformedParams::otherwise, "what to do with the other splits");
}

Transformed::Transformed(std::shared_ptr<const Dataset> inner, const TransformedParams& params)
    : inner_(std::move(inner)), splits_(params.splits), info_(inner_->info()) {
  check_splits(*inner_, splits_);
  transforms_ = make_pipeline(params.transforms, "transforms");
  otherwise_ = make_pipeline(params.otherwise, "otherwise");
  Sha256 hash;
  hash.update(info_.hash);
  for (const ConfigNode& node :
       {ConfigNode(join(splits_)), ConfigNode(params.transforms), ConfigNode(params.otherwise)})
    hash.update("\n" + node.to_line());
  info_.hash = hash.hex();
}

Transformed::Pipeline Transformed::make_pipeline(const std::vector<ConfigNode>& nodes,
                                                 const std::string& what) {
  Pipeline out;
  for (const ConfigNode& node : nodes) {
    out.push_back(point_transforms().make(node, cat("dataset.", what, "[", out.size(), "]")));
    info_.random |= out.back()->random();
  }
  return out;
}

Sample Transformed::get(int64_t index, const Draw& draw) const {
  Sample sample = inner_->get(index, draw);
  const auto found = std::find(splits_.begin(), splits_.end(), sample.info.split);
  const Pipeline& pipeline = splits_.empty() || found != splits_.end() ? transforms_ : otherwise_;
  if (pipeline.empty()) return sample;
  own_rows(sample);
  const RandomStream base = draw.stream("transform");
  for (size_t i = 0; i < pipeline.size(); ++i) {
    RandomStream stream = base.child("at", i);
    pipeline[i]->apply(sample, stream);
  }
  return sample;
}

}  // namespace switchyard
