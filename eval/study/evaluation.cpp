#include "eval/study/evaluation.h"

#include <ATen/core/grad_mode.h>

#include <chrono>

#include "core/base/flop_counter.h"
#include "eval/metrics/confusion.h"

namespace switchyard {
namespace {

struct Sums {
  at::Tensor num_SC, den_SC, target_SC;  ///< f64
};

/// What a task that predicts classes gives: hits and unions of every sequence.
Sums class_sums(const Outputs& outputs, int64_t classes) {
  const at::Tensor predicted = outputs.tensors.at("predicted").cpu(),
                   label = outputs.tensors.at("label").cpu();
  const at::Tensor offset = outputs.tensors.at("seq_offset").cpu();
  std::vector<at::Tensor> num, den, target;
  for (size_t s = 0; s < outputs.uris.size(); ++s) {
    const int64_t begin = offset[int64_t(s)].item<int64_t>(),
                  end = offset[int64_t(s) + 1].item<int64_t>();
    const ClassCounts sums =
        Confusion(classes).add(predicted.slice(0, begin, end), label.slice(0, begin, end));
    num.push_back(sums.intersection);
    den.push_back(sums.union_of);
    target.push_back(sums.target);
  }
  return {at::stack(num), at::stack(den), at::stack(target)};
}

Sums sums_of(const Outputs& outputs, int64_t classes) {
  const auto num = outputs.tensors.find("num");
  if (num == outputs.tensors.end()) return class_sums(outputs, classes);
  const at::Tensor& den = outputs.tensors.at("den");
  return {num->second, den, den};
}

Row row_of(const at::Tensor& sums_SC, size_t s) {
  const at::Tensor row = sums_SC[int64_t(s)].to(at::kCPU, at::kDouble).contiguous();
  return {row.const_data_ptr<double>(), row.const_data_ptr<double>() + row.numel()};
}

/// Adds the sums of every sequence of a batch.
void add_rows(Evaluation& out, const Outputs& outputs, const std::vector<std::string>& domains,
              int64_t classes) {
  const Sums sums = sums_of(outputs, classes);
  for (size_t s = 0; s < outputs.uris.size(); ++s) {
    GroupRow row;
    row.domain = domains[static_cast<size_t>(outputs.domain_ids[s])];
    row.group = outputs.groups[s];
    row.uri = outputs.uris[s];
    row.num = row_of(sums.num_SC, s);
    row.den = row_of(sums.den_SC, s);
    auto& target = out.target[row.domain];
    target.resize(static_cast<size_t>(classes), 0.0);
    const Row count = row_of(sums.target_SC, s);
    std::transform(count.begin(), count.end(), target.begin(), target.begin(), std::plus<>());
    out.rows.push_back(std::move(row));
  }
}

}  // namespace

Evaluation evaluate(Task& task, Module& model, const std::string& split, const std::string& device,
                    const std::function<void(const Batch&, ForwardContext&)>& prepare,
                    const OutputsObserver& observe) {
  at::NoGradGuard no_grad;
  const bool was_training = model.training();
  model.train(false);
  const auto begin = std::chrono::steady_clock::now();
  const auto domains = task.domain_names(), seen = task.seen_domains();
  const auto classes = static_cast<int64_t>(task.class_names().size());
  Evaluation out;
  FlopCounter counter;
  const auto source = task.source(split);
  while (const auto batch = source->next()) {
    batch->to(at::Device(device));
    ForwardContext context;
    if (prepare) prepare(*batch, context);
    const Outputs outputs = task.predict(model, *batch, context);
    if (observe) observe(outputs, context);
    add_rows(out, outputs, domains, classes);
    out.tokens += batch->tokens();
  }
  for (auto& row : out.rows)
    row.seen = std::find(seen.begin(), seen.end(), row.domain) != seen.end();
  out.flops = counter.flops();
  out.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  model.train(was_training);
  return out;
}

std::map<std::string, Indices> class_lists(const Evaluation& evaluation, const std::string& metric,
                                           double share) {
  std::map<std::string, Indices> lists;
  for (const auto& [domain, target] : evaluation.target) {
    const double total = std::accumulate(target.begin(), target.end(), 0.0);
    for (size_t c = 0; c < target.size(); ++c) {
      const bool every = metric == "miou@voxel-all" || is_voted(metric);
      const bool present = every || (total > 0 && target[c] >= share * total);
      if (present)
        lists[domain].push_back(static_cast<int64_t>(c));
      else
        lists[domain];
    }
  }
  if (metric == "miou@voxel-all" || metric == "miou@voxel-present" || is_voted(metric))
    return lists;
  Indices common = lists.empty() ? Indices{} : lists.begin()->second;
  for (const auto& [domain, list] : lists) {
    std::erase_if(common,
                  [&](int64_t c) { return std::find(list.begin(), list.end(), c) == list.end(); });
  }
  for (auto& [domain, list] : lists) list = common;
  return lists;
}

}  // namespace switchyard
