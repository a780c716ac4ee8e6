#include "routers/register.h"

#include "routers/granularities/batch.h"
#include "routers/granularities/sequence.h"
#include "routers/granularities/token.h"
#include "routers/granularities/window.h"
#include "routers/hooks/capacity.h"
#include "routers/hooks/forced_slot.h"
#include "routers/hooks/temperature.h"
#include "routers/losses/balance.h"
#include "routers/losses/routing_contrastive.h"
#include "routers/losses/z_loss.h"
#include "routers/scorers/domain_guided.h"
#include "routers/scorers/linear.h"
#include "routers/scorers/prototype.h"
#include "routers/selectors/capacity_predictor.h"
#include "routers/selectors/expert_choice.h"
#include "routers/selectors/topk.h"
#include "routers/selectors/topp.h"
#include "routers/weighers/pointwise.h"
#include "routers/weighers/softmax.h"

namespace switchyard {

void register_routers() {
  [[maybe_unused]] static const bool once = [] {
    register_token_granularity();
    register_window_granularity();
    register_sequence_granularity();
    register_batch_granularity();
    register_linear_scorer();
    register_domain_guided_scorer();
    register_prototype_scorer();
    register_temperature_hook();
    register_forced_slot_hook();
    register_capacity_hook();
    register_topk_selector();
    register_topp_selector();
    register_expert_choice_selector();
    register_capacity_predictor_selector();
    register_softmax_weigher();
    register_pointwise_weighers();
    register_balance_loss();
    register_z_loss();
    register_routing_contrastive_loss();
    return true;
  }();
}

}  // namespace switchyard
