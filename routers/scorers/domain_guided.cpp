#include "routers/scorers/domain_guided.h"

#include "core/base/text.h"
#include "core/moe/precision.h"
#include "core/moe/token_groups.h"

namespace switchyard {
namespace {

struct Params {
  int64_t context_channels = 16;
  static void declare(Fields<Params>& f) {
    f.add("context_channels", &Params::context_channels,
          "width of the context vectors; must equal the model's", at_least(1));
  }
};

}  // namespace

DomainGuidedScorer::DomainGuidedScorer(int64_t channels, int64_t context_channels, int64_t experts)
    : channels_(channels),
      context_channels_(context_channels),
      weight_EC_(add_parameter("weight", {experts, channels + context_channels},
                               Init::fan_in(channels + context_channels))) {
  add_buffer("score_accumulator", at::zeros({experts}, at::kFloat));
}

at::Tensor DomainGuidedScorer::forward(const at::Tensor& x_TC, const ForwardContext& context) {
  const auto& offset = context.level().seq_offset;
  const auto& cond_SC = context.cond;
  const int64_t sequences = offset.size(0) - 1;
  check(cond_SC.defined() && cond_SC.dim() == 2 && cond_SC.size(0) == sequences &&
            cond_SC.size(1) == context_channels_,
        "router.scorer domain_guided", "context vectors: got ",
        cond_SC.defined() ? to_text(cond_SC.sizes().vec()) : "none", ", expected [", sequences,
        ", ", context_channels_, "]; the model gives them with model.context_channels");
  const auto type = score_type(x_TC);
  const auto weight = weight_EC_.to(type);
  const auto of_context_SE =
      at::linear(cond_SC.to(type), weight.narrow(1, channels_, context_channels_));
  return at::linear(x_TC.to(type), weight.narrow(1, 0, channels_)) +
         of_context_SE.index_select(0, sequence_of(context.level(), x_TC.size(0)));
}

void register_domain_guided_scorer() {
  scorers().add<Params>(
      "domain_guided", "[x, context of the domain] W^T; an oracle, reads the domain",
      [](const Params& p, int64_t channels, int64_t experts) {
        return std::make_unique<DomainGuidedScorer>(channels, p.context_channels, experts);
      });
}

}  // namespace switchyard
