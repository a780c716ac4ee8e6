#include <iostream>

#include "apps/model_run.h"
#include "apps/run_config.h"
#include "apps/study_tables.h"
#include "apps/verbs.h"
#include "core/io/json.h"
#include "core/io/png.h"
#include "datasets/check.h"
#include "datasets/image/contact_sheet.h"
#include "datasets/layout.h"
#include "datasets/registry.h"

namespace switchyard {
namespace {

void list_datasets() {
  for (const auto& entry : datasets().entries()) {
    std::cout << entry.name << ": " << entry.doc << "\n";
    for (const auto& field : entry.fields()) {
      std::cout << "  " << field.name << " (" << field.type << ", default " << field.default_text
                << "): " << field.doc << "\n";
    }
  }
}

/// What the configured dataset holds; with a path also its pictures.
void get_dataset(const Arguments& args) {
  check(args.paths.size() <= 2, "datasets get", "expected at most one PNG: got ",
        args.paths.size() - 1);
  const ConfigNode config = config_composer().compose("config", args.overrides);
  const auto dataset = datasets().make(*config.find("dataset"), "dataset");
  Layout::Lines lines = {"source: " + dataset->info().source};
  add_samples(*dataset, lines);
  for (const auto& line : lines) std::cout << line << "\n";
  if (args.paths.size() == 1) return;
  write_png(args.paths[1], contact_sheet(*dataset));
  std::cout << "rows are domains, columns classes: " << args.paths[1] << "\n";
}

int run_datasets(const Arguments& args) {
  check(!args.paths.empty(), "datasets", "expected an action; valid: list, check, get, probe");
  const std::string& action = args.paths.front();
  check_name("datasets", "action", action, {"list", "check", "get", "probe"});
  if (action == "list") {
    list_datasets();
  } else if (action == "check") {
    check(args.paths.size() == 2, "datasets check", "expected one folder: got ",
          args.paths.size() - 1);
    for (const auto& line : check_dataset(args.paths[1])) std::cout << line << "\n";
  } else if (action == "get") {
    get_dataset(args);
  } else {
    check(args.paths.size() == 2, "datasets probe", "expected one run or study folder: got ",
          args.paths.size() - 1);
    std::cout << write_probe(args.paths[1]) << "\n";
  }
  return 0;
}

}  // namespace

Verb datasets_verb() {
  return {"datasets",
          "list dataset types, check a folder, count (and draw) a dataset's samples, or probe what "
          "the input gives away",
          "list | check FOLDER | get [SHEET.png] dataset=OPTION | probe RUN",
          "switchyard datasets check data/scan_demo",
          {},
          run_datasets};
}

}  // namespace switchyard
