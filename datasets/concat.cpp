#include "datasets/concat.h"

#include <algorithm>
#include <set>

#include "core/io/sha256.h"

namespace switchyard {

void ConcatParams::declare(Fields<ConcatParams>& f) {
  f.add("datasets", &ConcatParams::datasets, "the datasets to join, in order");
}

Concat::Concat(std::vector<std::shared_ptr<const Dataset>> parts) : parts_(std::move(parts)) {
  check(!parts_.empty(), "concat", "no dataset given");
  info_.class_names = parts_[0]->info().class_names;
  info_.latent = parts_[0]->info().latent;
  Sha256 hash;
  std::set<std::string> uris;
  std::vector<std::string> sources;
  for (const auto& part : parts_) {
    const DatasetInfo& info = part->info();
    check(info.class_names == info_.class_names, "concat", "all parts need the same classes: got ",
          join(info.class_names), ", expected ", join(info_.class_names));
    check(info.latent == info_.latent, "concat", "all parts need latents of the same VAE");
    for (int64_t i = 0; i < part->size(); ++i) {
      const std::string uri = part->sample_info(i).uri;
      check(uris.insert(uri).second, "concat", "two samples have the uri '", uri, "'");
    }
    sources.push_back(info.source);
    info_.synthetic |= info.synthetic;
    info_.random |= info.random;
    hash.update(info.hash + "\n");
    end_.push_back((end_.empty() ? 0 : end_.back()) + part->size());
  }
  sources.erase(std::unique(sources.begin(), sources.end()), sources.end());
  info_.source = join(sources);
  info_.hash = hash.hex();
}

std::pair<const Dataset*, int64_t> Concat::locate(int64_t index) const {
  check(index >= 0 && index < size(), "concat", "no such sample: got ", index, ", expected 0 .. ",
        size() - 1);
  const size_t part = std::upper_bound(end_.begin(), end_.end(), index) - end_.begin();
  return {parts_[part].get(), index - (part == 0 ? 0 : end_[part - 1])};
}

SampleInfo Concat::sample_info(int64_t index) const {
  const auto [part, row] = locate(index);
  return part->sample_info(row);
}

Sample Concat::get(int64_t index, const Draw& draw) const {
  const auto [part, row] = locate(index);
  return part->get(row, draw);
}

}  // namespace switchyard
