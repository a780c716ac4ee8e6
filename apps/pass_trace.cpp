#include "apps/pass_trace.h"

#include <cmath>
#include <cstdio>

#include "core/base/text.h"
#include "eval/analysis/passes.h"

namespace switchyard {
namespace {

constexpr int64_t kLevels = 16;

TraceRecorder::Header header_of(Task& task, int64_t step) {
  auto header = trace_header(task, "sample", step, "data while they are made");
  header.domains.push_back(kNoCondition);
  header.seen.push_back(false);
  return header;
}

std::string uri_of(size_t item, double time, bool null) {
  char text[48];
  std::snprintf(text, sizeof text, "%zu@t=%.3f%s", item, time, null ? "#null" : "");
  return text;
}

}  // namespace

PassTrace::PassTrace(Task& task, int64_t step, std::vector<Generator::Item> items)
    : items_(std::move(items)),
      places_(task.generator()->places()),
      no_condition_(static_cast<int64_t>(task.domain_names().size())),
      recorder_(header_of(task, step)) {}

void PassTrace::prepare(const Generator::Pass& pass, ForwardContext& context) {
  const auto level = static_cast<int64_t>(std::floor(pass.time * kLevels));
  int64_t& last = last_level_[pass.null.front()];
  if (level == last) return;
  last = level;
  recorder_.begin_batch(batch_of(pass));
  context.trace = &recorder_;
}

void PassTrace::write(const std::filesystem::path& path) const {
  if (recorder_.has_sites()) recorder_.write(path);
}

TraceRecorder::BatchInfo PassTrace::batch_of(const Generator::Pass& pass) const {
  TraceRecorder::BatchInfo out;
  std::vector<int64_t> label;
  for (size_t r = 0; r < pass.null.size(); ++r) {
    const size_t i = r % items_.size();
    out.uris.push_back(uri_of(i, pass.time, pass.null[r]));
    out.groups.push_back(to_text(i));
    out.domain_ids.push_back(pass.null[r] ? no_condition_ : items_[i].domain);
    label.push_back(items_[i].label);
  }
  const auto rows = static_cast<int64_t>(pass.null.size());
  out.label = at::tensor(label, at::kLong).repeat_interleave(places_.size(0));
  out.coords = places_.repeat({rows, 1});
  out.time = at::full({rows}, pass.time, at::kFloat);
  return out;
}

}  // namespace switchyard
