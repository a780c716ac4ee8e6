#include <iostream>

#include "apps/model_run.h"
#include "apps/study_tables.h"
#include "apps/verbs.h"
#include "core/io/json.h"
#include "datasets/check.h"
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

int run_datasets(const Arguments& args) {
  check(!args.paths.empty(), "datasets", "expected an action; valid: list, check, probe");
  const std::string& action = args.paths.front();
  check_name("datasets", "action", action, {"list", "check", "probe"});
  if (action == "list") {
    list_datasets();
  } else if (action == "check") {
    check(args.paths.size() == 2, "datasets check", "expected one folder: got ",
          args.paths.size() - 1);
    for (const auto& line : check_dataset(args.paths[1])) std::cout << line << "\n";
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
          "list dataset types, check a folder, or probe what the input gives away",
          "list | check FOLDER | probe RUN",
          "switchyard datasets check data/scan_demo",
          {},
          run_datasets};
}

}  // namespace switchyard
