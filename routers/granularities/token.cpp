#include "routers/granularities/token.h"

namespace switchyard {
namespace {
struct Params {
  static void declare(Fields<Params>&) {}
};
}  // namespace

void register_token_granularity() {
  granularities().add<Params>("token", "every token decides alone",
                              [](const Params&) { return std::make_unique<TokenGranularity>(); });
}

}  // namespace switchyard
