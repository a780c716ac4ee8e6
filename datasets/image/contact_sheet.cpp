#include "datasets/image/contact_sheet.h"

#include <ATen/ops/full_like.h>
#include <ATen/ops/stack.h>

#include <algorithm>
#include <numeric>

#include "core/base/error.h"
#include "datasets/image/image_grid.h"

namespace switchyard {
namespace {

constexpr int64_t kMostSamples = 4096;

/// First images by domain and label.
using Cells = std::map<std::string, std::map<int64_t, at::Tensor>>;

/// All of 0 .. size - 1 (of a prefix, that is) in steps that spread over the whole range.
std::vector<int64_t> spread(int64_t size) {
  int64_t step = std::max<int64_t>(static_cast<int64_t>(.618 * static_cast<double>(size)), 1);
  while (std::gcd(step, size) != 1) ++step;
  std::vector<int64_t> out;
  for (int64_t i = 0; i < std::min(size, kMostSamples); ++i) out.push_back(i * step % size);
  return out;
}

void add(Cells& cells, const Sample& sample) {
  const auto image = sample.tensors.find("image"), label = sample.tensors.find("label");
  check(image != sample.tensors.end() && label != sample.tensors.end(), sample.info.uri,
        "a contact sheet needs samples with image and label");
  cells[sample.info.domain].emplace(label->second.item<int64_t>(), image->second);
}

}  // namespace

at::Tensor contact_sheet(const Dataset& dataset) {
  const auto classes = static_cast<int64_t>(dataset.info().class_names.size());
  check(classes > 0, "contact_sheet", "the dataset has no classes");
  Cells cells;
  for (const int64_t i : spread(dataset.size())) add(cells, dataset.get(i, {}));
  const at::Tensor empty = at::full_like(cells.begin()->second.begin()->second, 255);
  std::vector<at::Tensor> images;
  for (const auto& [domain, by_label] : cells) {
    for (int64_t label = 0; label < classes; ++label) {
      const auto found = by_label.find(label);
      images.push_back(found == by_label.end() ? empty : found->second);
    }
  }
  return image_grid(at::stack(images), classes);
}

}  // namespace switchyard
