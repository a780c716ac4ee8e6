#include "core/train/resume_check.h"

#include "core/base/error.h"

namespace switchyard {
namespace {

using Leaves = std::map<std::string, const ConfigNode*>;

const std::vector<std::string>& changeable() {
  static const std::vector<std::string> keys = {"trainer.max_steps",
                                                "trainer.stop_after",
                                                "trainer.checkpoint_every",
                                                "trainer.keep_last",
                                                "trainer.eval_every",
                                                "trainer.log_every",
                                                "trainer.prefetch",
                                                "trainer.dry_run",
                                                "trainer.tensorboard",
                                                "trainer.step_times",
                                                "run",
                                                "resume",
                                                "trace",
                                                "eval",
                                                "report"};
  return keys;
}

bool may_change(const std::string& key) {
  return std::any_of(changeable().begin(), changeable().end(), [&](const std::string& allowed) {
    return key == allowed || key.starts_with(allowed + ".");
  });
}

void collect(const ConfigNode& node, const std::string& key, Leaves& out) {
  if (!node.is_map() || node.as_map().empty()) {
    out[key] = &node;
    return;
  }
  for (const auto& [name, child] : node.as_map())
    collect(child, key.empty() ? name : key + "." + name, out);
}

std::string text_of(const Leaves& leaves, const std::string& key) {
  const auto found = leaves.find(key);
  return found == leaves.end() ? "nothing" : found->second->to_line();
}

}  // namespace

void check_resumed_config(const ConfigNode& saved, const ConfigNode& now) {
  Leaves before, after;
  collect(saved, "", before);
  collect(now, "", after);
  Leaves all = after;
  all.insert(before.begin(), before.end());
  for (const auto& [key, node] : all) {
    const std::string was = text_of(before, key), is = text_of(after, key);
    check(was == is || may_change(key), "resume", key, " cannot change on resume: got ", is,
          ", expected ", was, "; may change: ", join(changeable()));
  }
}

}  // namespace switchyard
