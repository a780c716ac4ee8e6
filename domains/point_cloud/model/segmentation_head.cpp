#include "domains/point_cloud/model/segmentation_head.h"

#include <ATen/ops/scalar_tensor.h>
#include <ATen/ops/tensor.h>

#include <cmath>

#include "core/base/text.h"
#include "domains/point_cloud/model/class_table.h"

namespace switchyard {
namespace {

using Heads = Registry<SegmentationHead, const HeadShape&>;

struct NoParams {
  static void declare(Fields<NoParams>&) {}
};

struct LanguageParams {
  int64_t dim = 512;
  double logit_scale = std::log(100);
  ConfigNode class_table;
  std::optional<std::string> text;
  int64_t text_seed = 0;
  static void declare(Fields<LanguageParams>& f) {
    f.add("dim", &LanguageParams::dim, "dimensions of the class embedding", at_least(1));
    f.add("logit_scale", &LanguageParams::logit_scale, "logarithm of the factor of the logits");
    f.add("class_table", &LanguageParams::class_table,
          "classes and valid_index per condition; null: the task's classes for every condition");
    f.add("text", &LanguageParams::text,
          "safetensors file with the text features; null: random orthonormal ones");
    f.add("text_seed", &LanguageParams::text_seed, "seed of random text features", at_least(0));
  }
};

ClassTable table_of(const LanguageParams& p, const HeadShape& shape) {
  if (!p.class_table.is_null()) return ClassTable::parse(p.class_table, "model.head.class_table");
  ClassTable table{shape.classes, {}};
  std::vector<int64_t> all(shape.classes.size());
  std::iota(all.begin(), all.end(), 0);
  for (const auto& condition : shape.conditions) table.valid_index[condition] = all;
  return table;
}

std::unique_ptr<SegmentationHead> make_language(const LanguageParams& p, const HeadShape& shape) {
  const ClassTable table = table_of(p, shape);
  std::vector<std::vector<int64_t>> valid_index;
  for (const auto& condition : shape.conditions) {
    valid_index.push_back(table.rows_of(condition));
    check(valid_index.back().size() == shape.classes.size(), "model.head.class_table",
          "classes of ", condition, ": got ", valid_index.back().size(), ", expected the task's ",
          shape.classes.size());
  }
  const auto rows = static_cast<int64_t>(table.classes.size());
  const auto embedding =
      p.text ? read_embedding(*p.text, rows, p.dim)
             : orthonormal_embedding(table.classes, p.dim, static_cast<uint64_t>(p.text_seed));
  return std::make_unique<LanguageHead>(shape.channels, embedding, p.logit_scale, valid_index);
}

Heads make_registry() {
  Heads heads("segmentation head");
  heads.add<NoParams>("linear", "one linear map", [](const NoParams&, const HeadShape& shape) {
    return std::make_unique<LinearHead>(shape.channels, static_cast<int64_t>(shape.classes.size()));
  });
  heads.add<NoParams>(
      "decoupled", "one linear map per condition", [](const NoParams&, const HeadShape& shape) {
        return std::make_unique<DecoupledHead>(
            shape.channels, std::vector<int64_t>(shape.conditions.size(),
                                                 static_cast<int64_t>(shape.classes.size())));
      });
  heads.add<LanguageParams>("language", "products with class embeddings", make_language);
  return heads;
}

}  // namespace

LinearHead::LinearHead(int64_t channels, int64_t classes) {
  check(classes >= 1, "segmentor", "classes: got ", classes, ", expected at least 1");
  linear_ = &emplace_child<Linear>("seg_head", channels, classes);
}

at::Tensor LinearHead::forward(const at::Tensor& feat_MC, int64_t) const {
  return linear_->forward(feat_MC);
}

DecoupledHead::DecoupledHead(int64_t channels, const std::vector<int64_t>& classes) {
  for (const int64_t n : classes)
    linear_.push_back(&emplace_child<Linear>("seg_heads." + to_text(linear_.size()), channels, n));
}

at::Tensor DecoupledHead::forward(const at::Tensor& feat_MC, int64_t condition) const {
  return linear_[static_cast<size_t>(condition)]->forward(feat_MC);
}

LanguageHead::LanguageHead(int64_t channels, const at::Tensor& class_embedding_KD,
                           double logit_scale, const std::vector<std::vector<int64_t>>& valid_index)
    : proj_(&emplace_child<Linear>("proj_head", channels, class_embedding_KD.size(1))),
      class_embedding_KD_(&add_buffer("class_embedding", class_embedding_KD)),
      logit_scale_(&add_buffer("logit_scale", at::scalar_tensor(logit_scale, at::kFloat))) {
  for (const auto& rows : valid_index) valid_index_.push_back(at::tensor(rows, at::kLong));
}

at::Tensor LanguageHead::forward(const at::Tensor& feat_MC, int64_t condition) const {
  const auto projected = proj_->forward(feat_MC);
  const auto unit = projected / projected.norm(2, {1}, /*keepdim=*/true);
  const auto rows = valid_index_[static_cast<size_t>(condition)].to(class_embedding_KD_->device());
  return logit_scale_->exp() *
         at::matmul(unit, class_embedding_KD_->index_select(0, rows).transpose(0, 1));
}

Heads& segmentation_heads() {
  static Heads heads = make_registry();
  return heads;
}

}  // namespace switchyard
