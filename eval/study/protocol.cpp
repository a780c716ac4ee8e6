#include "eval/study/protocol.h"

#include <algorithm>

#include "eval/study/corruption_sweep.h"
#include "eval/study/few_shot.h"
#include "eval/study/leave_one_out.h"

namespace switchyard {
namespace {

class SeenUnseen : public Protocol {
 public:
  std::vector<StudyCell> plan(const StudyParams& params, const ConfigNode&) const override {
    return arms_and_seeds(params, "unseen");
  }
  ConfigNode configure(ConfigNode config, const StudyCell&,
                       const std::filesystem::path&) const override {
    return config;
  }
  std::optional<ProtocolSummary> summarise(const std::vector<CellTable>&) const override {
    return {};
  }
};

}  // namespace

std::unique_ptr<Protocol> make_protocol(const std::string& name) {
  check_name("study.protocol", "protocol", name, protocol_names());
  if (name == "leave_one_domain_out") return std::make_unique<LeaveOneDomainOut>();
  if (name == "corruption_sweep") return std::make_unique<CorruptionSweep>();
  if (name == "few_shot") return std::make_unique<FewShot>();
  return std::make_unique<SeenUnseen>();
}

std::vector<StudyCell> arms_and_seeds(const StudyParams& params, const std::string& holdout) {
  std::vector<StudyCell> cells;
  for (int64_t seed : params.seeds) {
    for (const auto& arm : params.arms) {
      cells.push_back({arm, holdout, seed, CellState::Planned});
    }
  }
  return cells;
}

std::vector<std::string> names_at(const ConfigNode& config, const std::string& path) {
  const ConfigNode* node = config.find_path(path);
  check(node != nullptr, "study.protocol", "needs the list ", path, ", which the config lacks");
  std::vector<std::string> names;
  for (const auto& item : node->as_list(path)) names.push_back(item.as_string(path));
  return names;
}

std::string domain_of(const std::string& name) { return name.substr(0, name.find('@')); }

std::vector<std::string> domains_at(const ConfigNode& config, const std::string& path) {
  std::vector<std::string> out;
  for (const auto& name : names_at(config, path)) {
    if (std::find(out.begin(), out.end(), domain_of(name)) == out.end())
      out.push_back(domain_of(name));
  }
  return out;
}

}  // namespace switchyard
