#include "routers/register.h"

#include "routers/granularities/batch.h"
#include "routers/granularities/sequence.h"
#include "routers/granularities/token.h"
#include "routers/granularities/window.h"
#include "routers/hooks/temperature.h"
#include "routers/losses/balance.h"
#include "routers/losses/z_loss.h"
#include "routers/scorers/domain_guided.h"
#include "routers/scorers/linear.h"
#include "routers/selectors/topk.h"
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
    register_temperature_hook();
    register_topk_selector();
    register_softmax_weigher();
    register_balance_loss();
    register_z_loss();
    return true;
  }();
}

}  // namespace switchyard
