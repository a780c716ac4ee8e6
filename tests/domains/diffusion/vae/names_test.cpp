// The published layout of sd-vae-ft-mse and the three naming schemes of its files.

#include "domains/diffusion/vae/names.h"

#include <ATen/ops/zeros.h>

#include "core/config/compose.h"
#include "core/io/json.h"
#include "core/io/sha256.h"
#include "core/train/load_weights.h"
#include "domains/diffusion/vae/bare_vae.h"
#include "tests/support/moe.h"
#include "tests/test.h"

using namespace switchyard;
using namespace switchyard::test;

namespace {

std::unique_ptr<AutoencoderKl> preset(const std::string& name, const std::string& moe = "none") {
  const std::vector<std::string> overrides = {"model=diffusion/" + name, "moe=" + moe};
  return bare_vae(Composer({source_dir() / "configs"}).compose("config", overrides).at("model"));
}

std::string shape_of(const at::Tensor& tensor) { return to_text(tensor.sizes().vec()); }

/// "NAME SHAPE LDM-NAME LDM-SHAPE LEGACY-NAME" per tensor.
std::vector<std::string> layout(const AutoencoderKl& vae) {
  std::vector<std::string> lines;
  const auto ldm = vae.to_scheme(weights_of(vae), "ldm");
  for (const ParamView& view : vae.views()) {
    const auto& [name, tensor] = ldm[lines.size()];
    lines.push_back(cat(view.name, " ", shape_of(view.value()), " ", name, " ", shape_of(tensor),
                        " ", legacy_vae_name(view.name)));
  }
  return lines;
}

NamedTensors legacy(const NamedTensors& tensors) {
  NamedTensors out;
  for (const auto& [name, tensor] : tensors) out.emplace_back(legacy_vae_name(name), tensor);
  return out;
}

NamedTensors prefixed(const NamedTensors& tensors, const std::string& prefix) {
  NamedTensors out;
  for (const auto& [name, tensor] : tensors) out.emplace_back(prefix + name, tensor);
  return out;
}

}  // namespace

TEST_CASE("the VAE has the published tensors, in order", "[diffusion][vae]") {
  const auto vae = preset("sd_vae_ft_mse");
  CHECK(count_parameters(*vae) == 83653863);
  CHECK(vae->views().size() == 248);
  CHECK(vae->params().factor() == 8);
  std::string all;
  for (const auto& line : layout(*vae)) all += line + "\n";
  CHECK(sha256_text(all) == "85d7beaa8464be327f1ba628fc42970e9d0d7deb21bf8ec27bf5b540fdfd5a6c");
}

TEST_CASE("every name of the published key table is met where it is given", "[diffusion][vae]") {
  const char* folder = variable_or_warn("SWITCHYARD_GOLDEN");
  if (!folder) return;
  const Json table = read_json(std::filesystem::path(folder) / "diffusion/key_layout_sd_vae.json");
  const auto found = layout(*preset("sd_vae_ft_mse"));
  const Json& entries = table.at("entries");
  REQUIRE(entries.size() == found.size());
  for (size_t i = 0; i < found.size(); ++i) {
    const auto name = entries[i].at("diffusers").get<std::string>();
    const auto shape = [&](const char* key) {
      return to_text(entries[i].at(key).get<std::vector<int64_t>>());
    };
    CHECK(found[i] == cat(name, " ", shape("shape"), " ", entries[i].at("ldm").get<std::string>(),
                          " ", shape("ldm_shape"), " ",
                          entries[i].value("diffusers_legacy", name)));
  }
}

TEST_CASE("files of every naming scheme load alike", "[diffusion][vae]") {
  const auto from = preset("vae_tiny"), to = preset("vae_tiny");
  init_parameters(*from, 3);
  const auto own = weights_of(*from), ldm = from->to_scheme(own, "ldm");
  CHECK(from->to_scheme(own, "diffusers").front().first == own.front().first);
  auto whole = prefixed(ldm, "first_stage_model.");
  whole.emplace_back("model.diffusion_model.out.2.bias", at::zeros({4}));
  auto trained = ldm;
  trained.emplace_back("loss.logvar", at::zeros({}));
  trained.emplace_back("model_ema.decay", at::zeros({}));
  for (const NamedTensors& file :
       {own, legacy(own), ldm, whole, trained, prefixed(legacy(own), "module.")}) {
    INFO(file[20].first);
    const auto match = match_weights(*to, file);
    CHECK(match.report.complete());
    REQUIRE(match.fitting.size() == own.size());
    for (size_t i = 0; i < own.size(); ++i) {
      CHECK(match.fitting[i].first == own[i].first);
      CHECK(match.fitting[i].second.equal(own[i].second));
    }
  }
  CHECK(match_weights(*to, whole).report.renamed ==
        "140 from another published scheme, without other parts (1)");
}

TEST_CASE("weights that do not fit the VAE are named", "[diffusion][vae]") {
  const auto vae = preset("vae_tiny");
  auto file = vae->to_scheme(weights_of(*vae), "ldm");
  file.erase(file.begin());
  file.emplace_back("encoder.down.9.block.0.norm1.bias", at::zeros({2}));
  const auto report = match_weights(*vae, file).report;
  CHECK(report.missing == std::vector<std::string>{"encoder.conv_in.weight"});
  CHECK(report.unexpected == std::vector<std::string>{"encoder.down.9.block.0.norm1.bias"});
  file.emplace_back("decoder.up_blocks.0.resnets.0.norm1.weight", at::zeros({32}));
  CHECK(error_of([&] { match_weights(*vae, file); }).find("two names become one") !=
        std::string::npos);
}

TEST_CASE("a mixture is no part of the VAE", "[diffusion][vae]") {
  CHECK(error_of([] { preset("vae_tiny", "promoe_tc"); }).find("expected moe=none") !=
        std::string::npos);
}
