#include "eval/report/answers.h"

#include <algorithm>

#include "core/base/text.h"
#include "eval/report/figures/figures.h"
#include "eval/report/number.h"
#include "eval/report/palette.h"
#include "eval/report/svg.h"
#include "eval/study/metric_info.h"

namespace switchyard {
namespace {

constexpr size_t kMostDomains = 3, kMostGroups = 3;
constexpr double kStrong = 1.5, kWeak = 0.02;

std::string strong(const std::string& text) { return "<strong>" + text + "</strong> "; }

std::string interval(const Difference& d, int decimals) {
  return cat(signed_text(d.lo, decimals), " to ", signed_text(d.hi, decimals));
}

/// "3.1 points", "0.42" where the metric is no percentage.
std::string amount(double x, const MetricInfo& info) {
  return fixed_text(std::abs(x), info.decimals) + (info.unit == "%" ? " points" : "");
}

std::string twin_word(const SummaryTable& s) {
  return s.arms.size() > 2 ? "the better dense twin" : "the dense twin";
}

const Difference* difference_of(const SummaryRow& row) {
  return row.better_twin < 0 ? nullptr
                             : &row.differences[static_cast<size_t>(row.better_twin)].difference;
}

std::vector<const SummaryRow*> unseen_rows(const SummaryTable& s) {
  std::vector<const SummaryRow*> domains, mean;
  for (const auto& row : s.rows)
    if (!row.seen) (row.is_mean ? mean : domains).push_back(&row);
  return domains.size() > kMostDomains && !mean.empty() ? mean : domains;
}

/// "On sonar MoE beats the dense twin by 3.1 points (95\u00a0% interval +1.5 to +4.7)."
std::string compared(const SummaryTable& s, const SummaryRow& row) {
  const Difference* d = difference_of(row);
  const MetricInfo& info = metric_info(s.metric);
  const std::string on = cat("On ", escape_xml(short_name(row.domain)), " ");
  if (!d || !defined(d->diff)) return on + "there is no comparison.";
  if (s.seeds < 3) {
    const std::string how =
        cat(amount(d->diff, info), d->diff < 0 ? " below " : " above ", twin_word(s));
    return cat(
        on, "MoE is ", how,
        defined(d->lo) ? cat(" (over the same ", "groups: ", interval(*d, info.decimals), ")") : "",
        info.higher_is_better ? "." : "; lower is better.");
  }
  if (d->verdict == "undecided" || !defined(d->lo))
    return cat(on, "the ", s.seeds, " seeds cannot separate them (",
               signed_text(d->diff, info.decimals), ", ", interval(*d, info.decimals), ").");
  return cat(on, "MoE ", d->verdict == "beats" ? "beats " : "loses to ", twin_word(s), " by ",
             amount(d->diff, info), " (95\u00a0% interval ", interval(*d, info.decimals), ").");
}

std::string only_scores(const SummaryTable& s, const std::vector<const SummaryRow*>& rows) {
  const int decimals = metric_info(s.metric).decimals;
  std::vector<std::string> scores;
  for (const auto* row : rows)
    scores.push_back(
        cat(fixed_text(row->cells[0].mean, decimals), " on ", escape_xml(short_name(row->domain))));
  std::string out =
      strong("Not compared.") + cat("No dense twin was evaluated; ",
                                    s.arms[0] == "moe" ? "MoE" : escape_xml(s.arms[0]), " scores ",
                                    listed(scores));
  for (const auto& row : s.rows)
    if (row.is_mean && row.seen)
      out += cat(", against ", fixed_text(row.cells[0].mean, decimals), " on seen domains");
  return out + ".";
}

std::string chip(const Routing& r, int64_t layer, int64_t expert) {
  const Indices track = r.tracks.track_of(layer, r.trace.sites[static_cast<size_t>(layer)].experts);
  const int64_t t = track[static_cast<size_t>(expert)];
  const std::string colour = t < 0 || t >= 16 ? "grey" : cat("e", t);
  return cat("<span class=\"nb\" data-expert=\"", expert_address(layer, expert),
             "\"><span class=\"chip\" style=\"background:var(--", colour, ")\"></span>",
             expert_name(expert), "</span>");
}

struct DomainGroup {
  std::vector<std::string> names;
  Indices domains;
};

std::vector<DomainGroup> domain_groups(const Routing& r) {
  std::vector<DomainGroup> out;
  Indices ids;
  for (int64_t d : r.order) {
    const int64_t id = r.facts.groups[static_cast<size_t>(d)];
    const auto found = std::find(ids.begin(), ids.end(), id);
    const auto at = static_cast<size_t>(found - ids.begin());
    if (found == ids.end()) ids.push_back(id), out.emplace_back();
    out[at].names.push_back(escape_xml(short_name(r.trace.domains[static_cast<size_t>(d)].name)));
    out[at].domains.push_back(d);
  }
  return out;
}

/// Experts with at least 1.5 times their equal share of every domain of the group, by share.
Indices experts_of(const Routing& r, const DomainGroup& group) {
  Indices out;
  for (int64_t e : r.facts.experts[static_cast<size_t>(group.domains.front())]) {
    const auto uses = [&](int64_t d) {
      const Row& share = r.load.share[static_cast<size_t>(r.reference)][static_cast<size_t>(d)];
      return share[static_cast<size_t>(e)] * static_cast<double>(share.size()) >= kStrong;
    };
    if (std::all_of(group.domains.begin(), group.domains.end(), uses)) out.push_back(e);
  }
  return out;
}

std::string groups_sentence(const Routing& r) {
  std::vector<std::string> parts;
  size_t flat = 0;
  for (const auto& group : domain_groups(r)) {
    std::vector<std::string> experts;
    for (int64_t e : experts_of(r, group)) experts.push_back(chip(r, r.reference, e));
    if (experts.empty())
      ++flat;
    else
      parts.push_back(
          cat(listed(group.names), group.names.size() > 1 ? " use " : " uses ", listed(experts)));
  }
  const size_t left = parts.size() > kMostGroups ? parts.size() - kMostGroups : 0;
  if (left > 0) parts.resize(kMostGroups);
  if (parts.empty())
    return cat("At layer ", r.reference, " no expert takes 1.5× its equal share of a domain.");
  std::string out = cat("At layer ", r.reference, " ", join(parts, "; "), ".");
  if (left + flat > 0) out += cat(" ", left + flat, " more in figure 2.");
  return out;
}

std::string given_class(const Routing& r) {
  const auto l = static_cast<size_t>(r.reference);
  const double part = r.domain.given_class[l] / r.domain.nmi[l];
  if (!defined(part)) return "";
  return cat(" Once the class is known, ", percent_text(std::min(part, 1.0)),
             " of the split remains.");
}

}  // namespace

std::string generalisation_answer(const ReportData& data) {
  if (!data.summary) return strong("Not evaluated.") + "No result table was found.";
  const SummaryTable& s = *data.summary;
  const auto rows = unseen_rows(s);
  if (rows.empty()) return "Not tested: every evaluated domain was in training.";
  std::string out;
  if (s.arms.size() < 2) {
    out = only_scores(s, rows);
  } else {
    const auto wins = std::count_if(rows.begin(), rows.end(), [](const auto* row) {
      const Difference* d = difference_of(*row);
      return d && d->verdict == "beats";
    });
    out = s.seeds < 3 ? strong(cat(s.seeds, s.seeds == 1 ? " seed" : " seeds", ", no interval."))
                      : strong(cat("On ", wins, " of ", rows.size(), "."));
    std::vector<std::string> sentences;
    for (const auto* row : rows) sentences.push_back(compared(s, *row));
    out += join(sentences, " ");
  }
  return data.conclusions() ? out : out + " Too short a run to say anything about the models.";
}

std::string routing_answer(const ReportData& data) {
  if (!data.routing) return strong("Not recorded.") + "The run has no routing trace.";
  const Routing& r = *data.routing;
  if (r.facts.reference_layer < 0)
    return strong("One domain only.") + "There is nothing to compare routing between.";
  const auto l = static_cast<size_t>(r.reference);
  const double nmi = r.domain.nmi[l], null = r.domain.null95[l];
  if (nmi < kWeak)
    return strong("Experts hardly depend on the domain.") +
           cat("The largest NMI is ", information_text(nmi), ", at layer ", r.reference, ".");
  std::string head = "Experts depend on the domain.";
  if (!defined(null))
    head = "Domains cannot be told from their scenes.";
  else if (nmi <= null)
    head = "No more than chance.";
  return strong(head) + groups_sentence(r) + given_class(r);
}

}  // namespace switchyard
