#pragma once
// The verbs of `switchyard`: one file each, listed in main.cpp.

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace switchyard {

struct VerbFlag {
  std::string name, doc;
  bool takes_value = false;
};

/// What stood behind the verb: paths, overrides (anything with '=' or a leading + or ~) and flags.
struct Arguments {
  std::vector<std::string> paths, overrides;
  std::map<std::string, std::string> flags;

  bool has(const std::string& flag) const { return flags.count(flag) > 0; }
  std::string value(const std::string& flag, const std::string& fallback = "") const;
  /// A whole number. Errors: another text, less than `least`.
  int64_t number(const std::string& flag, int64_t fallback, int64_t least) const;
  /// The only path; Error if there is none or more than one. `what` names it: "a run folder".
  const std::string& path(const std::string& what) const;
};

struct Verb {
  std::string name, summary, usage, example;
  std::vector<VerbFlag> flags;
  std::function<int(const Arguments&)> run;  ///< returns the exit code
};

Verb train_verb();
Verb sweep_verb();
Verb eval_verb();
Verb predict_verb();
Verb sample_verb();
Verb report_verb();
Verb describe_verb();
Verb pack_verb();
Verb parity_verb();
Verb datasets_verb();
Verb runs_verb();
Verb bench_verb();
Verb convert_verb();
Verb rerun_verb();

}  // namespace switchyard
