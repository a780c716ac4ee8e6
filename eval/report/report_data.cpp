#include "eval/report/report_data.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/config/yaml.h"
#include "core/io/file.h"
#include "core/io/json.h"

namespace switchyard {
namespace fs = std::filesystem;
namespace {

constexpr int64_t kDraws = 200;

std::string text_of(const Json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

void read_study(ReportData& data) {
  const fs::path path = data.folder / "study.json";
  const Json json = read_json(path);
  try {
    data.experiment = json.value("experiment", "");
    data.protocol = json.value("protocol", "");
    for (const auto& cell : json.at("cells"))
      data.cells.push_back({cell.at("arm").get<std::string>(),
                            cell.at("holdout").get<std::string>(), cell.at("seed").get<int64_t>(),
                            data.folder / cell.at("folder").get<std::string>()});
  } catch (const Json::exception& error) {
    fail(path.string(), "damaged study: ", std::string(error.what()));
  }
  check(!data.cells.empty(), path.string(), "a study without cells");
}

/// The first `moe` cell of the lowest seed, else the first cell.
ReportCell choose_cell(const std::vector<ReportCell>& cells) {
  const ReportCell* best = nullptr;
  for (const auto& cell : cells)
    if (cell.arm == "moe" && (!best || cell.seed < best->seed)) best = &cell;
  return best ? *best : cells.front();
}

void read_shown(ReportData& data) {
  const fs::path& run = data.shown.folder;
  if (fs::exists(run / "provenance.json")) {
    const Json facts = read_json(run / "provenance.json");
    for (const auto& item : facts.items()) data.provenance[item.key()] = text_of(item.value());
  }
  if (fs::exists(run / "config.yaml")) data.config = load_yaml(run / "config.yaml");
  if (fs::exists(run / "overrides.txt")) data.overrides = read_text(run / "overrides.txt");
  if (data.experiment.empty()) data.experiment = run.filename().string();
}

void read_results(ReportData& data) {
  if (!fs::exists(data.folder / "eval" / "table.json")) return;
  data.table = read_table(data.folder / "eval" / "table.json");
  std::optional<GroupResults> groups;
  if (fs::exists(data.folder / "eval" / "groups.json"))
    groups = read_groups(data.folder / "eval" / "groups.json");
  if (data.table->rows.empty()) return;
  data.summary =
      summarise(*data.table, groups, data.group_word(), data.draws(), RandomStream(0, "summary"));
}

void list_traces(const fs::path& folder, std::map<int64_t, fs::path>& by_step) {
  if (!fs::is_directory(folder)) return;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string stem = entry.path().stem().string();
    if (entry.path().extension() == ".safetensors" && stem.rfind("test-", 0) == 0)
      by_step.emplace(std::atoll(stem.c_str() + 5), entry.path());
  }
}

/// test-<step>.safetensors by rising step: those of the run, and of earlier checkpoints from
/// `eval.step`.
std::vector<fs::path> list_checkpoint_traces(const fs::path& run) {
  std::map<int64_t, fs::path> by_step;
  list_traces(run / "trace", by_step);
  if (fs::is_directory(run / "override"))
    for (const auto& entry : fs::directory_iterator(run / "override")) {
      const std::string name = entry.path().filename().string();
      if (name.rfind("step=", 0) == 0 && name.find(',') == std::string::npos)
        list_traces(entry.path() / "trace", by_step);
    }
  std::vector<fs::path> out;
  for (const auto& [step, path] : by_step) out.push_back(path);
  return out;
}

std::unique_ptr<Routing> analyse(const fs::path& file) {
  auto r = std::make_unique<Routing>();
  r->file = file;
  r->trace = load_trace(file);
  const RandomStream stream(0, "report/nulls");
  r->counts = count_sequences(r->trace);
  r->load = load_share(r->trace);
  r->entropy = router_entropy(r->trace, r->load);
  r->plan = plan_nulls(r->trace, kDraws, stream);
  r->domain = nmi_domain(r->trace, r->counts, r->plan);
  r->classes = nmi_class(r->trace, r->counts, r->plan);
  r->js = js_divergence(r->trace, r->counts, r->plan.resamples, r->plan.splits);
  IndexTable few(r->plan.shuffles.begin(),
                 r->plan.shuffles.begin() + std::min<int64_t>(20, r->plan.shuffles.size()));
  r->tracks = expert_tracks(r->trace, few);
  r->facts = answer_facts(r->load, r->domain.nmi, r->js);
  r->reference = r->facts.reference_layer >= 0 ? r->facts.reference_layer : r->layers() - 1;
  for (bool seen : {false, true})
    for (size_t d = 0; d < r->trace.domains.size(); ++d)
      if (r->trace.domains[d].seen == seen) r->order.push_back(static_cast<int64_t>(d));
  return r;
}

PageLayers layers_of(const ReportData& data) {
  if (data.routing)
    return page_layers(data.routing->trace, data.routing->tracks, data.routing->reference);
  if (!data.sampling || !data.sampling->trace) return {};
  const TraceView& trace = *data.sampling->trace;
  return own_layers(trace);
}

double number_of(const Json& value) { return value.is_number() ? value.get<double>() : kUndefined; }

void read_probe(ReportData& data) {
  const fs::path path = data.folder / "eval" / "probe.json";
  if (!fs::exists(path)) return;
  const Json json = read_json(path);
  ProbeScores out;
  try {
    out.rows = json.at("rows").get<int64_t>();
    for (const auto& r : json.at("results"))
      out.scores.push_back({text_of(r.at("channels")), text_of(r.at("probe")),
                            number_of(r.at("score")), number_of(r.at("chance")),
                            number_of(r.at("lo")), number_of(r.at("hi")),
                            r.value("groups", int64_t{0})});
  } catch (const Json::exception& error) {
    fail(path.string(), "damaged probe results: ", std::string(error.what()));
  }
  data.probe = std::move(out);
}

}  // namespace

double Routing::mean_k(int64_t layer) const {
  const TraceSite& site = trace.sites[static_cast<size_t>(layer)];
  return site.tokens() == 0
             ? 1
             : static_cast<double>(site.slot.size()) / static_cast<double>(site.tokens());
}

int64_t Routing::place_of(const std::string& domain) const {
  for (size_t i = 0; i < order.size(); ++i)
    if (trace.domains[static_cast<size_t>(order[i])].name == domain) return static_cast<int64_t>(i);
  return -1;
}

bool ReportData::pictures() const {
  return sampling != nullptr || (samples && !samples->of_kind("ImageGrid").empty()) ||
         (routing && !routing->trace.time.empty());
}

bool ReportData::seen(const std::string& domain) const {
  for (const TraceView* trace :
       {routing ? &routing->trace : nullptr, sampling ? sampling->trace.get() : nullptr})
    if (trace != nullptr)
      for (const TraceDomain& known : trace->domains)
        if (known.name == domain) return known.seen;
  return true;
}

bool ReportData::synthetic() const {
  const auto found = provenance.find("synthetic");
  return found != provenance.end() && found->second == "yes";
}

bool ReportData::conclusions() const {
  const ConfigNode* node = config.find_path("study.conclusions");
  return !node || !node->is_bool() || node->as_bool();
}

std::string ReportData::group_word() const {
  const ConfigNode* node = config.find_path("eval.group_word");
  return node && node->is_string() ? node->as_string() : "groups";
}

int64_t ReportData::draws() const {
  const ConfigNode* node = config.find_path("eval.draws");
  return node ? node->as_int("eval.draws") : kDraws;
}

ReportData read_report_data(const fs::path& folder) {
  ReportData data;
  data.folder = folder;
  if (fs::exists(folder / "study.json"))
    read_study(data);
  else {
    check(fs::exists(folder / "config.yaml"), folder.string(),
          "not a run or study folder: got neither study.json nor config.yaml");
    data.cells.push_back({"moe", "", 0, folder});
  }
  data.shown = choose_cell(data.cells);
  read_shown(data);
  read_results(data);
  data.traces = list_checkpoint_traces(data.shown.folder);
  if (!data.traces.empty()) {
    data.routing = analyse(data.traces.back());
    if (data.routing->trace.sites.empty()) data.routing.reset();
  }
  data.sampling = read_sampling(data.shown.folder / "samples");
  data.samples = SampleFile::open(data.shown.folder / "trace" / "samples.safetensors");
  data.layers = layers_of(data);
  read_probe(data);
  return data;
}

}  // namespace switchyard
