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
          {{"verify", "read everything back and compare the hashes"}},
          run_pack};
}

}  // namespace switchyard
