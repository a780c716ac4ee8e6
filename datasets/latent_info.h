#pragma once

#include "core/io/json.h"
#include "datasets/dataset.h"

namespace switchyard {

/// {"vae": text, "scaling_factor": number, "flip": bool}
Json to_json(const LatentInfo& info);
/// Errors at `where`: a member is missing or of another type.
LatentInfo latent_info_from(const Json& json, const std::string& where);

}  // namespace switchyard
