#include "core/train/metrics_log.h"

#include "core/io/file.h"
#include "core/io/json.h"

namespace switchyard {
namespace {

constexpr const char* kCsvHead = "step,name,value\n";

int64_t step_of_json(const std::string& line) {
  const Json row = Json::parse(line, nullptr, /*allow_exceptions=*/false);
  return row.is_object() && row.contains("step") && row["step"].is_number_integer()
             ? row["step"].get<int64_t>()
             : INT64_MAX;
}

int64_t step_of_csv(const std::string& line) {
  if (line + "\n" == kCsvHead) return 0;
  return std::strtoll(line.c_str(), nullptr, 10);
}

/// Rewrites `path` with its leading whole lines whose step is at most `until`. Returns the path.
std::filesystem::path keep_lines(const std::filesystem::path& path, int64_t until,
                                 int64_t (*step_of)(const std::string&)) {
  if (!std::filesystem::exists(path)) return path;
  const std::string text = read_text(path);
  size_t end = 0;
  for (size_t next; (next = text.find('\n', end)) != std::string::npos; end = next + 1) {
    if (step_of(text.substr(end, next - end)) > until) break;
  }
  write_text(path, text.substr(0, end));
  return path;
}

}  // namespace

MetricsLog::MetricsLog(const std::filesystem::path& run_folder, int64_t keep_until)
    : jsonl_(keep_lines(run_folder / "metrics.jsonl", keep_until, step_of_json)),
      csv_(keep_lines(run_folder / "metrics.csv", keep_until, step_of_csv)) {
  if (std::filesystem::file_size(run_folder / "metrics.csv") == 0) csv_.append(kCsvHead);
}

void MetricsLog::write(int64_t step, const Metrics& row) {
  Json json = {{"step", step}};
  std::string csv;
  for (const auto& [name, value] : row) {
    json[name] = value;
    csv += cat(step, ",", name, ",", value, "\n");
  }
  jsonl_.append(json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
  csv_.append(csv);
}

void MetricsLog::sync() {
  jsonl_.sync();
  csv_.sync();
}

}  // namespace switchyard
