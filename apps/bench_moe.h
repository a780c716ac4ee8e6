#pragma once

#include "apps/verbs.h"

namespace switchyard {

/// `switchyard bench moe`: the MoE layer alone at fixed shapes, against other ways to compute it.
int run_bench_moe(const Arguments& args);
std::vector<VerbFlag> bench_moe_flags();

}  // namespace switchyard
