#include "core/golden/golden.h"

#include "domains/diffusion/golden.h"
#include "tests/test.h"

using namespace switchyard;
using namespace switchyard::test;
namespace fs = std::filesystem;

namespace {

void run_all(const std::string& folder, const std::string& kind, GoldenPrecision precision) {
  const auto report = run_golden(folder, {{kind}, precision});
  CHECK(report.passed > 0);
  for (const auto& line : report.lines) {
    INFO(line.name << ": " << line.worst_tensor << " " << line.error << " / " << line.limit << " "
                   << line.note);
    CHECK(line.passed);
  }
}

std::string group_of(const std::string& tensor) { return tensor.substr(0, tensor.find('/')); }

/// Largest absolute value among a file's results of the group of `name`.
double largest_beside(const SafeTensors& file, const std::string& name) {
  double largest = 0;
  for (const std::string& other : file.names())
    if (group_of(other) == group_of(name))
      largest = std::max(largest, file.get(other).abs().max().item<double>());
  return largest;
}

/// The case fails once any one of its results is changed a little.
void check_sensitive(const fs::path& folder, const std::string& name) {
  const auto file = SafeTensors::open(folder / (name + ".safetensors"));
  for (const std::string& changed : file.names()) {
    if (group_of(changed) == "weights" || group_of(changed) == "inputs") continue;
    NamedTensors tensors;
    for (const std::string& other : file.names()) tensors.emplace_back(other, file.get(other));
    for (auto& [other, tensor] : tensors) {
      if (other != changed) continue;
      tensor = tensor.clone();
      tensor.view(-1)[tensor.abs().view(-1).argmax()] += 1e-4 * largest_beside(file, changed);
    }
    TempDir copy;
    write_safetensors(copy / "a.safetensors", tensors, file.metadata());
    INFO(name << " " << changed);
    CHECK(run_golden(copy.path(), {{}, GoldenPrecision::Double}).failed == 1);
  }
}

fs::path small_cases() { return data_dir() / "golden/diffusion"; }

}  // namespace

TEST_CASE("parts of the VAE reproduce the published numbers", "[diffusion][vae][golden]") {
  register_diffusion_golden();
  const std::string kind = GENERATE("vae_module", "vae_posterior");
  run_all(small_cases(), kind, GoldenPrecision::Double);
  run_all(small_cases(), kind, GoldenPrecision::Single);
}

TEST_CASE("a changed number of a VAE case is found", "[diffusion][vae][golden]") {
  register_diffusion_golden();
  check_sensitive(small_cases(), GENERATE("vae_attention", "vae_downsample_odd", "vae_posterior"));
}

TEST_CASE("the VAE cases of the set diffusion agree where it is given",
          "[diffusion][vae][golden]") {
  const char* folder = variable_or_warn("SWITCHYARD_GOLDEN");
  if (!folder) return;
  register_diffusion_golden();
  const fs::path set = fs::path(folder) / "diffusion";
  run_all(set, "vae_*", GoldenPrecision::Double);
  run_all(set, "vae_*", GoldenPrecision::Single);
  check_sensitive(set, "vae_full_noquant_noattn");
}
