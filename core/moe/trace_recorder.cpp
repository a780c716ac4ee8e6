#include "core/moe/trace_recorder.h"

#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/diff.h>
#include <ATen/ops/softmax.h>

#include "core/base/error.h"
#include "core/io/safetensors.h"
#include "core/moe/forward_context.h"
#include "core/moe/router.h"
#include "core/moe/traced_choices.h"

namespace switchyard {
namespace {

constexpr auto kWhere = "trace";

at::Tensor to_cpu(const at::Tensor& t, at::ScalarType type) {
  return t.detach().to(at::kCPU, type).contiguous();
}

/// [N+1] offsets from the [N] lengths of all batches.
at::Tensor offsets(const std::vector<at::Tensor>& lengths) {
  return at::cat({at::zeros({1}, at::kLong), at::cat(lengths).cumsum(0)});
}

/// Most frequent label >= 0 of the finest tokens in each cell, ties to the lowest; -1 without any.
at::Tensor majority(const at::Tensor& label_T0, const at::Tensor& member_T0, int64_t cells) {
  const int64_t *label = label_T0.data_ptr<int64_t>(), *member = member_T0.data_ptr<int64_t>();
  std::vector<std::pair<int64_t, int64_t>> pairs;
  for (int64_t t = 0; t < label_T0.size(0); ++t) {
    if (label[t] >= 0) pairs.emplace_back(member[t], label[t]);
  }
  std::sort(pairs.begin(), pairs.end());
  auto out = at::full({cells}, -1, at::kLong);
  std::vector<int64_t> best(static_cast<size_t>(cells), 0);
  for (size_t i = 0, j = 0; i < pairs.size(); i = j) {
    while (j < pairs.size() && pairs[j] == pairs[i]) ++j;
    auto& most = best[static_cast<size_t>(pairs[i].first)];
    if (static_cast<int64_t>(j - i) <= most) continue;
    most = static_cast<int64_t>(j - i);
    out.data_ptr<int64_t>()[pairs[i].first] = pairs[i].second;
  }
  return out;
}

/// [T, slots and null slots] softmax of the logits, 0 for slots that hooks added.
at::Tensor shares_of(const RouterOutput& routed) {
  const auto shares = at::softmax(routed.logits_TE, 1);
  const int64_t nulls = routed.null_slots, experts = shares.size(1) - nulls;
  const auto own =
      at::constant_pad_nd(shares.narrow(1, 0, experts), {0, routed.assignment.slots() - experts});
  return at::cat({own, shares.narrow(1, experts, nulls)}, 1);
}

Json mean_k(const std::vector<at::Tensor>& lengths) {
  const auto all = at::cat(lengths);
  const int64_t entries = all.sum().item<int64_t>(), tokens = std::max<int64_t>(1, all.size(0));
  if (entries % tokens == 0) return entries / tokens;
  return static_cast<double>(entries) / static_cast<double>(tokens);
}

}  // namespace

void TraceRecorder::begin_batch(BatchInfo batch) {
  const size_t sequences = batch.uris.size();
  check(batch.groups.size() == sequences && batch.domain_ids.size() == sequences, kWhere,
        "batch lists differ: got ", sequences, " uris, ", batch.groups.size(), " groups, ",
        batch.domain_ids.size(), " domain ids");
  for (size_t s = 0; s < sequences; ++s) {
    const int64_t domain = batch.domain_ids[s];
    check(domain >= 0 && domain < static_cast<int64_t>(header_.domains.size()), kWhere,
          "domain id of ", batch.uris[s], ": got ", domain, ", expected 0 to ",
          static_cast<int64_t>(header_.domains.size()) - 1);
    uris_.push_back(batch.uris[s]);
    domain_.push_back(domain);
    group_.push_back(group_index(batch.groups[s]));
  }
  if (batch.time.defined()) time_.push_back(to_cpu(batch.time, at::kFloat));
  batch_ = std::move(batch);
  batch_levels_ = 0;
  ++batches_;
}

int64_t TraceRecorder::group_index(const std::string& name) {
  if (name.empty()) return -1;
  const auto found = std::find(groups_.begin(), groups_.end(), name);
  const int64_t index = found - groups_.begin();
  if (found == groups_.end()) groups_.push_back(name);
  return index;
}

void TraceRecorder::record(const std::string& name, const RouterOutput& routed,
                           const ForwardContext& context) {
  const Assignment& assignment = routed.assignment;
  check(batches_ > 0, kWhere, "begin_batch was not called before site ", name);
  for (; batch_levels_ <= context.depth(); ++batch_levels_)
    record_level(batch_levels_, context.level(batch_levels_));
  Site& entry = site(name, context.depth(), assignment.slots());
  check(static_cast<int64_t>(entry.length.size()) == batches_ - 1, kWhere, "site ", name,
        " was recorded ", entry.length.size(), " times in ", batches_,
        " batches, expected once per batch");
  const TracedChoices choices = traced_choices(routed);
  entry.length.push_back(choices.length_T);
  entry.slot.push_back(choices.slot_A);
  entry.weight.push_back(choices.weight_A);
  entry.kept.push_back(choices.kept_A);
  if (routed.logits_TE.defined()) entry.scores.push_back(to_cpu(shares_of(routed), at::kHalf));
}

void TraceRecorder::record_level(int64_t depth, const TokenLevel& level) {
  if (static_cast<size_t>(depth) == levels_.size()) levels_.emplace_back();
  Level& out = levels_[static_cast<size_t>(depth)];
  const auto length = to_cpu(at::diff(level.seq_offset), at::kLong);
  check(length.size(0) == static_cast<int64_t>(batch_.uris.size()), kWhere, "level ", depth,
        ": got ", length.size(0), " sequences, expected ", batch_.uris.size());
  const int64_t tokens = length.sum().item<int64_t>();
  const auto finest_label = to_cpu(batch_.label, at::kLong).clamp_min(-1);
  if (depth == 0) {
    check(finest_label.size(0) == tokens, kWhere, "labels: got ", finest_label.size(0),
          ", expected ", tokens);
    out.label.push_back(finest_label);
  } else {
    const auto member = to_cpu(level.member_of, at::kLong);
    member_ = depth == 1 ? member : member.index_select(0, member_);
    out.member_of.push_back(member_ + out.tokens);
    out.label.push_back(majority(finest_label, member_, tokens));
  }
  const auto& coords = depth == 0 && batch_.coords.defined() ? batch_.coords : level.coords;
  if (coords.defined()) out.coords.push_back(to_cpu(coords, at::kFloat));
  out.length.push_back(length);
  out.tokens += tokens;
}

TraceRecorder::Site& TraceRecorder::site(const std::string& name, int64_t depth, int64_t experts) {
  for (Site& known : sites_) {
    if (known.name == name) return known;
  }
  sites_.push_back({name, depth, experts, {}, {}, {}, {}, {}});
  return sites_.back();
}

Json TraceRecorder::metadata() const {
  Json domains = Json::array(), sites = Json::array();
  for (size_t d = 0; d < header_.domains.size(); ++d) {
    domains.push_back(
        {{"name", header_.domains[d]}, {"seen", d < header_.seen.size() && header_.seen[d]}});
  }
  for (const Site& s : sites_) {
    sites.push_back(
        {{"name", s.name}, {"level", s.level}, {"experts", s.experts}, {"k", mean_k(s.length)}});
  }
  return {{"schema", "switchyard.trace/1"},
          {"split", header_.split},
          {"step", header_.step},
          {"domains", domains},
          {"classes", header_.classes},
          {"groups", groups_},
          {"uris", uris_},
          {"sites", sites},
          {"levels", levels_.size()},
          {"sampling", header_.sampling}};
}

void TraceRecorder::write(const std::filesystem::path& path) const {
  check(!sites_.empty(), kWhere,
        "no routing was recorded: the model has no MoE site, or no batch was run");
  NamedTensors out = {{"seq.domain", at::tensor(domain_)}, {"seq.group", at::tensor(group_)}};
  if (static_cast<int64_t>(time_.size()) == batches_) out.emplace_back("seq.time", at::cat(time_));
  for (size_t j = 0; j < levels_.size(); ++j) {
    const std::string name = "level" + to_text(j) + ".";
    const Level& level = levels_[j];
    check(static_cast<int64_t>(level.length.size()) == batches_, kWhere, "level ", j,
          " is missing in some batches");
    out.emplace_back(name + "seq_offset", offsets(level.length));
    if (level.coords.size() == level.length.size())
      out.emplace_back(name + "coords", at::cat(level.coords));
    out.emplace_back(name + "label", at::cat(level.label));
    if (j > 0) out.emplace_back(name + "member_of", at::cat(level.member_of));
  }
  for (size_t i = 0; i < sites_.size(); ++i) {
    const std::string name = "site" + to_text(i) + ".";
    const Site& site = sites_[i];
    check(static_cast<int64_t>(site.length.size()) == batches_, kWhere, "site ", site.name,
          " is missing in some batches");
    out.emplace_back(name + "token_offset", offsets(site.length));
    out.emplace_back(name + "slot", at::cat(site.slot));
    out.emplace_back(name + "weight", at::cat(site.weight));
    const auto kept = at::cat(site.kept);
    if (kept.numel() > 0 && kept.min().item<uint8_t>() == 0) out.emplace_back(name + "kept", kept);
    if (site.scores.size() == site.length.size())
      out.emplace_back(name + "scores", at::cat(site.scores));
  }
  write_safetensors(path, out, {{"switchyard", metadata().dump()}});
}

}  // namespace switchyard
