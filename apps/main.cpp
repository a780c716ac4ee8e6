// The only file that sees CLI11. Parses `switchyard VERB ...` and turns errors into exit codes.

#include <CLI/CLI.hpp>
#include <iostream>

#include "apps/register_all.h"
#include "apps/verbs.h"
#include "core/base/error.h"
#include "core/base/log.h"
#include "core/config/yaml.h"

namespace switchyard {

std::string Arguments::value(const std::string& flag, const std::string& fallback) const {
  const auto found = flags.find(flag);
  return found == flags.end() ? fallback : found->second;
}

int64_t Arguments::number(const std::string& flag, int64_t fallback, int64_t least) const {
  if (!has(flag)) return fallback;
  const std::string where = "--" + flag;
  const int64_t out = parse_yaml(value(flag), where).as_int(where);
  check(out >= least, where, "got ", out, ", expected at least ", least);
  return out;
}

const std::string& Arguments::path(const std::string& what) const {
  check(paths.size() == 1, "arguments", "expected ", what, ": got ", paths.size(), " paths",
        paths.empty() ? "" : ": ", join(paths));
  return paths.front();
}

namespace {

bool is_override(const std::string& text) {
  return text.find('=') != std::string::npos || text.front() == '+' || text.front() == '~';
}

/// Storage that CLI11 writes to while it parses one verb.
struct ParsedVerb {
  Verb verb;
  std::vector<std::string> words;
  std::map<std::string, std::string> values;
  std::map<std::string, bool> switches;

  Arguments arguments() const {
    Arguments out;
    for (const auto& word : words) (is_override(word) ? out.overrides : out.paths).push_back(word);
    for (const auto& [name, on] : switches) {
      if (on) out.flags[name] = "";
    }
    for (const auto& [name, value] : values) {
      if (!value.empty()) out.flags[name] = value;
    }
    return out;
  }
};

void add_verb(CLI::App& app, ParsedVerb& parsed) {
  const Verb& verb = parsed.verb;
  auto* sub = app.add_subcommand(verb.name, verb.summary);
  sub->footer("Usage:\n  switchyard " + verb.name + " " + verb.usage + "\nExample:\n  " +
              verb.example);
  sub->add_option("words", parsed.words, "paths and config overrides (key=value)");
  for (const auto& flag : verb.flags) {
    if (flag.takes_value)
      sub->add_option("--" + flag.name, parsed.values[flag.name], flag.doc);
    else
      sub->add_flag("--" + flag.name, parsed.switches[flag.name], flag.doc);
  }
}

int run(int argc, char** argv) {
  CLI::App app("Switchyard: mixture-of-experts research on non-text data", "switchyard");
  app.require_subcommand(1);
  std::vector<std::unique_ptr<ParsedVerb>> verbs;
  for (auto* make :
       {train_verb, sweep_verb, eval_verb, predict_verb, sample_verb, report_verb, describe_verb,
        pack_verb, parity_verb, datasets_verb, runs_verb, bench_verb, convert_verb, rerun_verb}) {
    verbs.push_back(std::make_unique<ParsedVerb>());
    verbs.back()->verb = make();
    add_verb(app, *verbs.back());
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 1;
  }
  register_all();
  for (const auto& parsed : verbs) {
    if (app.got_subcommand(parsed->verb.name)) return parsed->verb.run(parsed->arguments());
  }
  return 1;
}

}  // namespace
}  // namespace switchyard

int main(int argc, char** argv) {
  try {
    return switchyard::run(argc, argv);
  } catch (const switchyard::Error& error) {
    switchyard::log::error(error.what());
    return 1;
  } catch (const std::exception& error) {
    switchyard::log::error("internal: ", error.what());
    return 2;
  }
}
