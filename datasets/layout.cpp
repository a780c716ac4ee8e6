#include "datasets/layout.h"

#include <ATen/core/Tensor.h>

#include <algorithm>

#include "core/base/text.h"
#include "datasets/folder.h"

namespace switchyard {
namespace fs = std::filesystem;

bool holds_below(const fs::path& folder, int depth, const std::string& name) {
  if (depth == 0) return fs::exists(folder / name);
  const auto inner = subfolders(folder);
  return std::any_of(inner.begin(), inner.end(),
                     [&](const auto& f) { return holds_below(folder / f, depth - 1, name); });
}

void SampleCounts::add(const Sample& sample) {
  ++total_;
  ++samples_[sample.info.domain + "/" + sample.info.split];
  for (const auto& [key, tensor] : sample.tensors) {
    ++samples_with_[key];
    rows_[key] += tensor.dim() == 0 ? 1 : tensor.size(0);
  }
  for (const char* key : {"segment", "label"}) {
    const auto found = sample.tensors.find(key);
    if (found == sample.tensors.end()) continue;
    const at::Tensor label_N = found->second.to(at::kLong).contiguous();
    for (int64_t i = 0; i < label_N.numel(); ++i) ++labels_[label_N.const_data_ptr<int64_t>()[i]];
  }
}

void SampleCounts::write(const std::vector<std::string>& class_names, Layout::Lines& lines) const {
  for (const auto& [name, count] : samples_) lines.push_back(cat("samples of ", name, ": ", count));
  for (const auto& [name, count] : rows_) lines.push_back(cat("rows of ", name, ": ", count));
  for (const auto& [label, count] : labels_) {
    const bool named = label >= 0 && label < static_cast<int64_t>(class_names.size());
    lines.push_back(cat("label ", label, label < 0 ? " (ignored)" : "",
                        named ? " " + class_names[label] : std::string(), ": ", count));
  }
}

void SampleCounts::write_missing(const std::vector<std::string>& keys, Layout::Lines& lines) const {
  for (const auto& key : keys) {
    const auto with = samples_with_.find(key);
    const int64_t missing = total_ - (with == samples_with_.end() ? 0 : with->second);
    if (missing > 0)
      lines.push_back(cat("missing: ", key, " in ", missing, " of ", total_, " samples"));
  }
}

int64_t SampleCounts::classes() const { return labels_.empty() ? 0 : labels_.rbegin()->first + 1; }

void add_samples(const Dataset& dataset, Layout::Lines& lines) {
  SampleCounts counts;
  for (int64_t i = 0; i < dataset.size(); ++i) counts.add(dataset.get(i, {}));
  const auto& classes = dataset.info().class_names;
  counts.write(classes, lines);
  lines.push_back(cat("classes: ", classes.empty() ? "none" : join(classes)));
  lines.push_back("hash: " + dataset.info().hash);
}

std::string pack_command(const std::string& type, const fs::path& folder,
                         const std::string& options) {
  return cat("switchyard pack ", folder.string(), ".shards 'dataset={type: ", type,
             ", root: ", folder.string(), options, "}'");
}

}  // namespace switchyard
