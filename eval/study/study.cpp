#include "eval/study/study.h"

#include "core/io/json.h"

namespace switchyard {
namespace {

const std::vector<std::string>& state_names() {
  static const std::vector<std::string> names = {"planned", "trained", "evaluated"};
  return names;
}

CellState state_from(const std::string& name, const std::string& where) {
  check_name(where, "cell state", name, state_names());
  const auto& names = state_names();
  return static_cast<CellState>(std::find(names.begin(), names.end(), name) - names.begin());
}

}  // namespace

void CorruptionGrid::declare(Fields<CorruptionGrid>& f) {
  f.add("kinds", &CorruptionGrid::kinds, "values of task.corruption.kind");
  f.add("severities", &CorruptionGrid::severities, "values of task.corruption.severity",
        between(1, 5));
}

void FewShotParams::declare(Fields<FewShotParams>& f) {
  f.add("shots", &FewShotParams::shots, "labelled sequences of the unseen domain", at_least(1));
  f.add("steps", &FewShotParams::steps, "training steps on them", at_least(1));
  f.add("lr_factor", &FewShotParams::lr_factor, "times optimizer.lr", between(0, 1));
}

void StudyParams::declare(Fields<StudyParams>& f) {
  f.add("protocol", &StudyParams::protocol, "how domains are held out", Choices{protocol_names()});
  f.add("arms", &StudyParams::arms,
        "models compared: moe, active, total, original, or presets of configs/moe");
  f.add("seeds", &StudyParams::seeds, "training seeds, one cell each", at_least(0));
  f.add("jobs", &StudyParams::jobs,
        "processes that work on the cells side by side, spread over the GPUs", between(1, 256));
  f.add("conclusions", &StudyParams::conclusions, "false: too short a run to say who wins");
  f.node("corruption", &StudyParams::corruption, "grid of protocol corruption_sweep");
  f.node("few_shot", &StudyParams::few_shot, "adaptation of protocol few_shot");
}

const std::vector<std::string>& protocol_names() {
  static const std::vector<std::string> names = {"seen_unseen", "leave_one_domain_out",
                                                 "corruption_sweep", "few_shot"};
  return names;
}

std::filesystem::path StudyCell::folder() const {
  return std::filesystem::path("cells") / arm / holdout / ("seed" + std::to_string(seed));
}

Study Study::create(const std::filesystem::path& folder, const std::string& protocol,
                    std::vector<StudyCell> cells, const std::string& experiment,
                    const std::vector<std::string>& overrides) {
  check(!cells.empty(), "study", "no cell: study.arms and study.seeds must not be empty");
  Study study;
  study.folder_ = folder;
  study.experiment_ = experiment;
  study.protocol_ = protocol;
  study.overrides_ = overrides;
  study.cells_ = std::move(cells);
  study.save();
  return study;
}

bool Study::is_study(const std::filesystem::path& folder) {
  return std::filesystem::exists(folder / "study.json");
}

Study Study::open(const std::filesystem::path& folder) {
  const std::string where = (folder / "study.json").string();
  const Json json = read_json(where);
  Study study;
  study.folder_ = folder;
  try {
    study.experiment_ = json.at("experiment").get<std::string>();
    study.protocol_ = json.at("protocol").get<std::string>();
    study.overrides_ = json.at("overrides").get<std::vector<std::string>>();
    for (const auto& cell : json.at("cells")) {
      study.cells_.push_back({cell.at("arm").get<std::string>(),
                              cell.at("holdout").get<std::string>(), cell.at("seed").get<int64_t>(),
                              state_from(cell.at("state").get<std::string>(), where)});
    }
  } catch (const Json::exception& error) {
    fail(where, "damaged study: ", std::string(error.what()));
  }
  return study;
}

int64_t Study::unfinished() const {
  return std::count_if(cells_.begin(), cells_.end(),
                       [](const auto& cell) { return cell.state != CellState::Evaluated; });
}

std::optional<FileLock> Study::claim(size_t cell) {
  auto held = FileLock::try_lock(folder_ / "locks" / std::to_string(cell));
  if (held) refresh();
  return held;
}

void Study::set_state(size_t cell, CellState state) {
  const FileLock held = lock();
  refresh();
  cells_.at(cell).state = state;
  save();
}

void Study::refresh() { cells_ = open(folder_).cells_; }

FileLock Study::lock() const { return FileLock::wait(folder_ / "locks" / "study"); }

void Study::save() const {
  Json json = {{"schema", "switchyard.study/1"},
               {"experiment", experiment_},
               {"protocol", protocol_},
               {"overrides", overrides_},
               {"cells", Json::array()}};
  for (const auto& cell : cells_) {
    json["cells"].push_back({{"arm", cell.arm},
                             {"holdout", cell.holdout},
                             {"seed", cell.seed},
                             {"state", state_names()[static_cast<size_t>(cell.state)]},
                             {"folder", cell.folder().string()}});
  }
  write_json(folder_ / "study.json", json);
}

}  // namespace switchyard
