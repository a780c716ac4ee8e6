#pragma once

#include "core/train/trainer.h"

namespace switchyard {

/// setup.provenance and what the library knows: versions of torch and compiler.
std::map<std::string, std::string> full_provenance(const TrainSetup& setup);

/// Makes the run folder with config.yaml, overrides.txt and provenance.json (provenance, seed,
/// threads, data hash). Errors: without resume, a folder that holds checkpoints; cannot write.
void prepare_run_folder(const TrainSetup& setup, const std::string& data_hash);

}  // namespace switchyard
