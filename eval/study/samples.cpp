#include "eval/study/samples.h"

#include "core/base/random.h"
#include "core/io/json.h"
#include "core/io/safetensors.h"
#include "eval/analysis/trace_view.h"

namespace switchyard {
at::Tensor first_choices(const TraceView& trace, int64_t s) {
  const TraceLevel& finest = trace.levels.front();
  const int64_t begin = finest.seq_offset[s], count = finest.seq_offset[s + 1] - begin;
  at::Tensor out = at::empty({static_cast<int64_t>(trace.sites.size()), count}, at::kShort);
  int16_t* expert = out.data_ptr<int16_t>();
  for (const TraceSite& site : trace.sites) {
    const TraceLevel& level = trace.level_of(site);
    for (int64_t t = begin; t < begin + count; ++t) {
      *expert++ = static_cast<int16_t>(site.first_choice(site.level == 0 ? t : level.member_of[t]));
    }
  }
  return out;
}

std::map<std::string, double> expert_share(const TraceView& trace) {
  std::map<std::string, double> share;
  for (const TraceSite& site : trace.sites) {
    const double tokens = std::max<double>(1, static_cast<double>(site.tokens()));
    int64_t used = 0;
    for (size_t a = 0; a < site.slot.size(); ++a)
      used += site.slot[a] < site.experts && (site.kept.empty() || site.kept[a] != 0);
    share[site.name] = static_cast<double>(used) / tokens / static_cast<double>(site.experts);
  }
  return share;
}

SampleRecorder::SampleRecorder(const std::vector<SequenceInfo>& all, int64_t per_domain,
                               uint64_t seed) {
  std::map<int64_t, std::vector<std::pair<uint64_t, std::string>>> ranked;
  for (const auto& s : all) {
    ranked[s.domain_id].emplace_back(RandomStream(seed, "samples/" + s.group).next(), s.uri);
  }
  for (auto& [domain, list] : ranked) {
    std::sort(list.begin(), list.end());
    for (size_t i = 0; i < std::min(list.size(), static_cast<size_t>(per_domain)); ++i)
      chosen_.insert(list[i].second);
  }
}

void SampleRecorder::add(const Outputs& outputs) {
  const at::Tensor offset = outputs.tensors.at("seq_offset").cpu();
  const auto image = outputs.tensors.find("image");
  const bool picture = image != outputs.tensors.end();
  for (size_t s = 0; s < outputs.uris.size(); ++s) {
    if (!chosen_.count(outputs.uris[s])) continue;
    const int64_t begin = offset[int64_t(s)].item<int64_t>(),
                  end = offset[int64_t(s) + 1].item<int64_t>();
    const auto part = [&](const char* key) {
      return outputs.tensors.at(key).slice(0, begin, end).cpu();
    };
    NamedTensors tensors = {{"coord", part("coord").to(at::kFloat)}};
    if (picture) {
      tensors.emplace_back("image", image->second[int64_t(s)].cpu());
    } else {
      tensors.emplace_back("segment", part("label"));
      tensors.emplace_back("predicted", part("predicted"));
    }
    kept_.push_back({outputs.uris[s], outputs.groups[s], outputs.domain_ids[s],
                     picture ? "ImageGrid" : "PointSet", std::move(tensors)});
  }
}

void SampleRecorder::write(const std::filesystem::path& path,
                           const std::filesystem::path& trace_path) const {
  const TraceView trace = load_trace(trace_path);
  Json meta = {{"schema", "switchyard.samples/1"},
               {"selection", "random by seed"},
               {"sites", Json::array()},
               {"samples", Json::array()}};
  for (const TraceSite& site : trace.sites) meta["sites"].push_back(site.name);
  NamedTensors tensors;
  for (const Kept& kept : kept_) {
    const auto found = std::find(trace.uris.begin(), trace.uris.end(), kept.uri);
    if (found == trace.uris.end()) continue;
    const std::string prefix = cat("sample", meta["samples"].size(), ".");
    meta["samples"].push_back({{"uri", kept.uri},
                               {"domain", trace.domains[static_cast<size_t>(kept.domain_id)].name},
                               {"group", kept.group},
                               {"kind", kept.kind},
                               {"why", "random"}});
    for (const auto& [name, value] : kept.tensors) tensors.emplace_back(prefix + name, value);
    tensors.emplace_back(prefix + "expert", first_choices(trace, found - trace.uris.begin()));
  }
  write_safetensors(path, tensors, {{"switchyard", meta.dump()}});
}

}  // namespace switchyard
