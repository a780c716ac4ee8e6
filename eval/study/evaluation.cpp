#include "eval/study/evaluation.h"

#include <ATen/core/grad_mode.h>

#include <chrono>

#include "core/base/flop_counter.h"
#include "eval/metrics/confusion.h"

namespace switchyard {
namespace {

/// Adds the sums of every sequence of a batch.
void add_rows(Evaluation& out, const Outputs& outputs, const std::vector<std::string>& domains,
              int64_t classes) {
  const at::Tensor predicted = outputs.tensors.at("predicted").cpu(),
                   label = outputs.tensors.at("label").cpu();
  const at::Tensor offset = outputs.tensors.at("seq_offset").cpu();
  for (size_t s = 0; s < outputs.uris.size(); ++s) {
    const int64_t begin = offset[int64_t(s)].item<int64_t>(),
                  end = offset[int64_t(s) + 1].item<int64_t>();
    const ClassCounts sums =
        Confusion(classes).add(predicted.slice(0, begin, end), label.slice(0, begin, end));
    GroupRow row;
    row.domain = domains[static_cast<size_t>(outputs.domain_ids[s])];
    row.group = outputs.groups[s];
    row.uri = outputs.uris[s];
    auto& target = out.target[row.domain];
    target.resize(static_cast<size_t>(classes), 0.0);
    for (int64_t c = 0; c < classes; ++c) {
      row.num.push_back(static_cast<double>(sums.intersection.data_ptr<int64_t>()[c]));
      row.den.push_back(static_cast<double>(sums.union_of.data_ptr<int64_t>()[c]));
      target[static_cast<size_t>(c)] += static_cast<double>(sums.target.data_ptr<int64_t>()[c]);
    }
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
      const bool every = metric == "miou@voxel-all" || metric == "miou@test-vote";
      const bool present = every || (total > 0 && target[c] >= share * total);
      if (present)
        lists[domain].push_back(static_cast<int64_t>(c));
      else
        lists[domain];
    }
  }
  if (metric != "miou@voxel-common") return lists;
  Indices common = lists.empty() ? Indices{} : lists.begin()->second;
  for (const auto& [domain, list] : lists) {
    std::erase_if(common,
                  [&](int64_t c) { return std::find(list.begin(), list.end(), c) == list.end(); });
  }
  for (auto& [domain, list] : lists) list = common;
  return lists;
}

}  // namespace switchyard
