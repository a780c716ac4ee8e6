#include <iostream>

#include "apps/run_config.h"
#include "apps/verbs.h"
#include "datasets/pack.h"
#include "datasets/registry.h"

namespace switchyard {
namespace {

int run_pack(const Arguments& args) {
  const std::string folder = args.path("the folder to write");
  const ConfigNode config = config_composer().compose("config", args.overrides);
  const auto dataset = datasets().make(*config.find("dataset"), "dataset");
  if (args.has("if-changed") && is_packed(*dataset, folder)) {
    std::cout << folder << " holds these data already" << std::endl;
    return 0;
  }
  PackOptions options;
  options.verify = args.has("verify");
  pack(*dataset, folder, options);
  std::cout << "packed " << dataset->size() << " samples into " << folder << std::endl;
  return 0;
}

}  // namespace

Verb pack_verb() {
  return {"pack",
          "turn any dataset into packed shards",
          "FOLDER dataset=OPTION [overrides...]",
          "switchyard pack data/scan_demo dataset=point_cloud/scan",
          {{"if-changed", "do nothing where FOLDER holds these data already (equal source hash)"},
           {"verify", "read everything back and compare the hashes"}},
          run_pack};
}

}  // namespace switchyard
