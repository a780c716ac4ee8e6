#include "datasets/layout.h"

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <map>

#include "core/base/text.h"
#include "datasets/folder.h"

namespace switchyard {
namespace fs = std::filesystem;
namespace {

using Counts = std::map<std::string, int64_t>;

void add_counts(const std::string& what, const Counts& counts, Layout::Lines& lines) {
  for (const auto& [name, count] : counts) lines.push_back(cat(what, name, ": ", count));
}

void count_labels(const at::Tensor& segment_N, std::map<int64_t, int64_t>& labels) {
  const at::Tensor flat = segment_N.to(at::kLong).contiguous();
  const int64_t* label = flat.const_data_ptr<int64_t>();
  for (int64_t i = 0; i < flat.numel(); ++i) ++labels[label[i]];
}

void add_labels(const std::map<int64_t, int64_t>& labels, const std::vector<std::string>& classes,
                Layout::Lines& lines) {
  for (const auto& [label, count] : labels) {
    const bool named = label >= 0 && label < static_cast<int64_t>(classes.size());
    lines.push_back(cat("label ", label, label < 0 ? " (ignored)" : "",
                        named ? " " + classes[label] : std::string(), ": ", count));
  }
}

}  // namespace

bool holds_below(const fs::path& folder, int depth, const std::string& name) {
  if (depth == 0) return fs::exists(folder / name);
  const auto inner = subfolders(folder);
  return std::any_of(inner.begin(), inner.end(),
                     [&](const auto& f) { return holds_below(folder / f, depth - 1, name); });
}

void add_samples(const Dataset& dataset, Layout::Lines& lines) {
  Counts samples, rows;
  std::map<int64_t, int64_t> labels;
  for (int64_t i = 0; i < dataset.size(); ++i) {
    const Sample sample = dataset.get(i, {});
    ++samples[sample.info.domain + "/" + sample.info.split];
    for (const auto& [key, tensor] : sample.tensors) {
      rows[key] += tensor.dim() == 0 ? 1 : tensor.size(0);
      if (key == "segment") count_labels(tensor, labels);
    }
  }
  add_counts("samples of ", samples, lines);
  add_counts("rows of ", rows, lines);
  const auto& classes = dataset.info().class_names;
  add_labels(labels, classes, lines);
  lines.push_back(cat("classes: ", classes.empty() ? "none" : join(classes)));
  lines.push_back("hash: " + dataset.info().hash);
}

std::string pack_command(const std::string& type, const fs::path& folder,
                         const std::string& options) {
  return cat("switchyard pack ", folder.string(), ".shards 'dataset={type: ", type,
             ", root: ", folder.string(), options, "}'");
}

}  // namespace switchyard
