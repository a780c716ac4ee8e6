#include "core/moe/forward_context.h"

#include "core/base/error.h"

namespace switchyard {

void ForwardContext::start(TokenLevel finest) {
  levels_.clear();
  levels_.push_back(std::move(finest));
  losses_.clear();
  reports_.clear();
}

void ForwardContext::descend(TokenLevel coarser) {
  check(coarser.member_of.defined(), "ForwardContext.descend", "level has no member_of map");
  levels_.push_back(std::move(coarser));
}

void ForwardContext::ascend() {
  check(levels_.size() > 1, "ForwardContext.ascend", "no coarser level to leave: got depth ",
        depth());
  levels_.pop_back();
}

const TokenLevel& ForwardContext::level() const {
  check(!levels_.empty(), "ForwardContext.level", "start() was not called");
  return levels_.back();
}

const TokenLevel& ForwardContext::level(int64_t at) const {
  check(at >= 0 && at <= depth(), "ForwardContext.level", "no such level: got ", at,
        ", expected 0 to ", depth());
  return levels_[static_cast<size_t>(at)];
}

void ForwardContext::add_loss(std::string name, at::Tensor value) {
  losses_.emplace_back(std::move(name), std::move(value));
}

}  // namespace switchyard
