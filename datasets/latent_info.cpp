#include "datasets/latent_info.h"

#include "core/base/error.h"

namespace switchyard {

Json to_json(const LatentInfo& info) {
  return {{"vae", info.vae}, {"scaling_factor", info.scaling_factor}, {"flip", info.flip}};
}

LatentInfo latent_info_from(const Json& json, const std::string& where) {
  try {
    return {json.at("vae").get<std::string>(), json.at("scaling_factor").get<double>(),
            json.at("flip").get<bool>()};
  } catch (const Json::exception&) {
    fail(where, "damaged description of latents: got ", json.dump(),
         ", expected {\"vae\": text, \"scaling_factor\": number, \"flip\": true or false}");
  }
}

}  // namespace switchyard
