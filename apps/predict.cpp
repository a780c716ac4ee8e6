#include <ATen/core/grad_mode.h>

#include <iostream>
#include <limits>

#include "apps/model_run.h"
#include "apps/verbs.h"
#include "core/io/npy.h"
#include "eval/analysis/trace_view.h"
#include "eval/study/samples.h"

namespace switchyard {
namespace fs = std::filesystem;
namespace {

/// [sites, tokens] i16 -> per input element when the task says which token holds it.
at::Tensor spread(const at::Tensor& per_token, const Outputs& outputs) {
  const auto inverse = outputs.tensors.find("inverse");
  return inverse == outputs.tensors.end() ? per_token
                                          : per_token.index_select(-1, inverse->second.cpu());
}

/// Writes DIR/<uri>/labels.npy by test-time voting.
void predict_by_vote(LoadedModel& loaded, Batch& batch, const fs::path& out,
                     const std::string& device) {
  at::NoGradGuard no_grad;
  batch.to(at::Device(device));
  ForwardContext context;
  const Outputs outputs = loaded.task->predict(*loaded.model, batch, context);
  write_npy(out / batch.uris.front() / "labels.npy", outputs.tensors.at("predicted").cpu());
}

/// Writes DIR/<uri>/labels.npy and trace.safetensors, and experts.npy of every sequence.
void predict_one(LoadedModel& loaded, Batch& batch, const fs::path& out,
                 const std::string& device) {
  const fs::path folder = out / batch.uris.front();
  at::NoGradGuard no_grad;
  batch.to(at::Device(device));
  TraceRecorder recorder(
      trace_header(*loaded.task, "predict", loaded.step, "the predicted sequence"));
  recorder.begin_batch(
      {batch.uris, batch.groups, batch.domain_ids, batch.labels(), batch.places(), batch.times()});
  ForwardContext context;
  context.trace = &recorder;
  const Outputs outputs = loaded.task->predict(*loaded.model, batch, context);
  const auto predicted = outputs.tensors.find("predicted");
  check(predicted != outputs.tensors.end() || recorder.has_sites(), "predict",
        "nothing to write: the task predicts no labels and the model has no MoE site");
  if (predicted != outputs.tensors.end())
    write_npy(folder / "labels.npy", spread(predicted->second.cpu(), outputs));
  if (!recorder.has_sites()) return;
  recorder.write(folder / "trace.safetensors");
  const TraceView trace = load_trace(folder / "trace.safetensors");
  for (size_t s = 0; s < batch.uris.size(); ++s)
    write_npy(out / batch.uris[s] / "experts.npy",
              spread(first_choices(trace, static_cast<int64_t>(s)), outputs));
}

int run_predict(const Arguments& args) {
  const fs::path folder = args.path("a run folder");
  const RunConfig run = read_run(folder, args.overrides);
  LoadedModel loaded = load_model(folder, run);
  const fs::path out = args.value("out", (folder / "predict").string());
  const std::string wanted = args.value("match");
  const int64_t limit = args.number("limit", std::numeric_limits<int64_t>::max(), 1);
  int64_t done = 0;
  const bool votes = args.has("vote");
  const auto source = loaded.task->source(votes ? "test-vote" : "test");
  while (const auto batch = source->next()) {
    if (done >= limit) break;
    if (batch->uris.front().find(wanted) == std::string::npos) continue;
    const auto predict = votes ? predict_by_vote : predict_one;
    predict(loaded, *batch, out, run.device);
    std::cout << (out / batch->uris.front()).string() << "\n";
    ++done;
  }
  check(done > 0, "predict", "no sequence matches: got '", wanted, "'");
  return 0;
}

}  // namespace

Verb predict_verb() {
  return {"predict",
          "labels and expert ids for every point of the task's test scans, or of any data set",
          "RUN [--match TEXT] [--out DIR] [overrides...]",
          "switchyard predict runs/point_cloud/scan_demo/20261125-120000-1/cells/moe/unseen/seed0 "
          "--match livox --limit 1",
          {{"match", "only sequences whose uri contains this", true},
           {"limit", "at most this many", true},
           {"vote", "labels by test-time voting (task.voting); no expert ids", false},
           {"out", "folder to write (default: RUN/predict)", true}},
          run_predict};
}

}  // namespace switchyard
