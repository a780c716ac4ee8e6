// Entry points of libFuzzer. The target is chosen by SWITCHYARD_FUZZ_TARGET; see scripts/fuzz.

#include <cstdlib>
#include <iostream>

#include "core/base/log.h"
#include "tests/fuzz/targets.h"

namespace {
const switchyard::fuzz::Target* chosen = nullptr;
}

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  const char* name = std::getenv("SWITCHYARD_FUZZ_TARGET");
  const auto& all = switchyard::fuzz::targets();
  const auto found = all.find(name ? name : "");
  if (found == all.end()) {
    std::cerr << "SWITCHYARD_FUZZ_TARGET: got '" << (name ? name : "") << "'; valid:";
    for (const auto& [known, target] : all) std::cerr << " " << known;
    std::cerr << std::endl;
    std::exit(1);
  }
  chosen = &found->second;
  switchyard::log::set_level(switchyard::log::Level::Error);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  switchyard::fuzz::run(*chosen, std::as_bytes(std::span(data, size)));
  return 0;
}
