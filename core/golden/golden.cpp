#include "core/golden/golden.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "core/base/error.h"
#include "core/base/glob.h"
#include "core/golden/result.h"
#include "core/golden/rule.h"
#include "core/nn/module.h"

namespace switchyard {
namespace fs = std::filesystem;
namespace {

struct Kind {
  GoldenRun run;
  std::vector<std::string> skip;
};

std::map<std::pair<std::string, std::string>, Kind>& kinds() {
  static std::map<std::pair<std::string, std::string>, Kind> all;
  return all;
}

/// What the filter needs to know of a file, readable or not.
struct Found {
  fs::path path;
  std::string kind, name;  ///< "block", "moe"
};

std::string metadata_or(const SafeTensors& file, const std::string& key,
                        const std::string& otherwise) {
  const auto found = file.metadata().find(key);
  return found == file.metadata().end() ? otherwise : found->second;
}

Json json_of(const SafeTensors& file, const std::string& key) {
  return parse_json(metadata_or(file, key, "{}"), file.path().string() + ":" + key);
}

/// The file's own kind, or what its name says when it cannot be read.
Found identify(const fs::path& path) {
  const std::string stem = path.stem().string();
  const size_t mark = stem.find("__");
  Found out{path, stem.substr(0, mark), mark == std::string::npos ? stem : stem.substr(mark + 2)};
  try {
    const auto file = SafeTensors::open(path);
    out.kind = metadata_or(file, "kind", metadata_or(file, "family", out.kind));
  } catch (const Error&) {
    // Reported as a failed line when the case is run.
  }
  return out;
}

std::vector<Found> files_below(const std::string& folder) {
  check(fs::is_directory(folder), folder, "no such folder");
  std::vector<fs::path> paths;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file() && entry.path().extension() == ".safetensors")
      paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  check(!paths.empty(), folder, "holds no golden case: expected files *.safetensors");
  std::vector<Found> out;
  for (const fs::path& path : paths) out.push_back(identify(path));
  return out;
}

bool selected(const Found& found, const std::string& filter) {
  const size_t slash = filter.find('/');
  if (!matches_glob(filter.substr(0, slash), found.kind)) return false;
  return slash == std::string::npos || matches_glob(filter.substr(slash + 1), found.name);
}

std::vector<Found> select(std::vector<Found> all, const std::vector<std::string>& only) {
  if (only.empty()) return all;
  std::set<std::string> names;
  for (const Found& found : all) names.insert(found.kind);
  for (const std::string& filter : only) {
    const bool any =
        std::any_of(all.begin(), all.end(), [&](const Found& f) { return selected(f, filter); });
    check(any, "--only", "matches no case: got '", filter,
          "'; kinds here: ", join({names.begin(), names.end()}));
  }
  std::erase_if(all, [&](const Found& found) {
    return std::none_of(only.begin(), only.end(),
                        [&](const auto& filter) { return selected(found, filter); });
  });
  return all;
}

const GoldenSet& set_of(const SafeTensors& file) {
  const GoldenSet* set = find_golden_set(file.metadata());
  check(set != nullptr, file.path().string(), "belongs to no known golden set: got format '",
        metadata_or(file, "format", ""), "'");
  return *set;
}

bool has_limits(const GoldenCase& golden, const GoldenRule& rule) {
  const auto names = expected_tensors(golden.file);
  return std::all_of(names.begin(), names.end(), [&](const auto& name) {
    return !golden.file.get(name).is_floating_point() || rule.limit(golden, name).has_value();
  });
}

at::ScalarType precision_of(GoldenCase golden, const GoldenRule& rule, GoldenPrecision wanted) {
  golden.dtype = wanted == GoldenPrecision::Single ? at::kFloat : at::kDouble;
  if (wanted == GoldenPrecision::FromCase && !has_limits(golden, rule)) golden.dtype = at::kFloat;
  if (!has_limits(golden, rule)) throw NotCovered{"the case gives no limits for this precision"};
  return golden.dtype;
}

const Kind& kind_of(const GoldenCase& golden) {
  const auto found = kinds().find({golden.set, golden.kind});
  check(found != kinds().end(), golden.file.path().string(), "unknown kind: got '", golden.kind,
        "' of set '", golden.set, "'");
  return found->second;
}

void run_case(const Found& found, const GoldenOptions& options, GoldenReport::Line& line) {
  GoldenCase golden{SafeTensors::open(found.path),
                    "",
                    found.kind,
                    found.name,
                    {},
                    {},
                    at::kDouble,
                    options.device};
  const GoldenSet& set = set_of(golden.file);
  golden.set = set.name;
  golden.config = json_of(golden.file, "config");
  golden.tolerance = json_of(golden.file, "tolerance");
  const Kind& kind = kind_of(golden);
  golden.dtype = precision_of(golden, set.rule, options.precision);
  GoldenComparison result(golden, set.rule);
  kind.run(golden, result);
  result.finish(kind.skip, line);
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

GoldenReport::Line line_of(const Found& found, const GoldenOptions& options) {
  GoldenReport::Line line;
  line.name = found.name;
  line.kind = found.kind;
  try {
    run_case(found, options, line);
  } catch (const NotCovered& part) {
    line.covered = false;
    line.note = part.reason;
  } catch (const std::exception& error) {
    line.note = first_line(error.what());
  }
  return line;
}

}  // namespace

at::Tensor GoldenCase::tensor(const std::string& full_name) const {
  const at::Tensor stored = file.get(full_name);
  if (!stored.is_floating_point()) return stored.clone();
  return stored.to(device, dtype, /*non_blocking=*/false, /*copy=*/true);
}

void GoldenCase::load_weights(Module& module, const std::string& prefix) const {
  at::NoGradGuard no_grad;
  module.to(device, dtype);
  std::set<std::string> left;
  for (const std::string& name : file.names()) {
    if (name.starts_with("weights/" + prefix)) left.insert(name);
  }
  for (const ParamView& view : module.views()) {
    const std::string name = "weights/" + prefix + view.name;
    const at::Tensor stored = tensor(name);
    at::Tensor target = view.value();
    check(stored.sizes() == target.sizes(), name, "wrong shape: got ",
          to_text(stored.sizes().vec()), ", expected ", to_text(target.sizes().vec()));
    target.copy_(stored);
    left.erase(name);
  }
  check(left.empty(), file.path().string(),
        "the module has no view for: ", join({left.begin(), left.end()}));
}

void register_golden_kind(const std::string& set, const std::string& kind, GoldenRun run,
                          std::vector<std::string> skip) {
  const bool added =
      kinds().emplace(std::pair(set, kind), Kind{std::move(run), std::move(skip)}).second;
  check(added, "golden kind", "registered twice: got '", set, "/", kind, "'");
}

GoldenReport run_golden(const std::string& folder, const GoldenOptions& options,
                        const std::function<void(const GoldenReport::Line&)>& on_line) {
  GoldenReport report;
  for (const Found& found : select(files_below(folder), options.only)) {
    const auto& line = report.lines.emplace_back(line_of(found, options));
    ++(!line.covered ? report.not_covered : line.passed ? report.passed : report.failed);
    if (on_line) on_line(line);
  }
  return report;
}

Json to_json(const GoldenReport& report) {
  Json lines = Json::array();
  for (const auto& line : report.lines) {
    Json item = {{"name", line.name},
                 {"kind", line.kind},
                 {"passed", line.passed},
                 {"covered", line.covered}};
    item["error"] = std::isfinite(line.error) ? Json(line.error) : Json();
    item["limit"] = line.limit;
    item["worst_tensor"] = line.worst_tensor;
    item["note"] = line.note;
    lines.push_back(std::move(item));
  }
  return {{"passed", report.passed},
          {"failed", report.failed},
          {"not_covered", report.not_covered},
          {"cases", std::move(lines)}};
}

}  // namespace switchyard
