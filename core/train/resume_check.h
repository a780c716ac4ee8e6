#pragma once

#include "core/config/node.h"

namespace switchyard {

/// Fails, naming the key and both values, if `now` differs from `saved` in anything but what may
/// change on resume: trainer.{max_steps, stop_after, checkpoint_every, keep_last, eval_every,
/// log_every, prefetch, dry_run, step_times} and the nodes run, resume, trace, eval and report.
void check_resumed_config(const ConfigNode& saved, const ConfigNode& now);

}  // namespace switchyard
