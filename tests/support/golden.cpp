#include "tests/support/golden.h"

#include "core/golden/result.h"
#include "tests/test.h"

namespace switchyard::test {
namespace {

/// One value of `tensor` moved by a thousandth of the largest, or by 1.
void write_spoiled(const SafeTensors& file, const std::string& tensor,
                   const std::filesystem::path& to) {
  NamedTensors tensors;
  for (const std::string& name : file.names()) {
    const at::Tensor value = file.get(name).clone();
    if (name == tensor) {
      const at::Scalar step = value.is_floating_point()
                                  ? at::Scalar(.001 * value.abs().max().item<double>())
                                  : at::Scalar(1);
      value.view(-1)[0] += step;
    }
    tensors.emplace_back(name, value);
  }
  write_safetensors(to, tensors, file.metadata());
}

}  // namespace

void check_golden(const std::string& folder, const std::vector<std::string>& kinds,
                  GoldenPrecision precision) {
  const auto report = run_golden(folder, {kinds, precision});
  CHECK(report.passed > 0);
  for (const auto& line : report.lines) {
    INFO(line.kind << " " << line.name << ": " << line.worst_tensor << " " << line.error << " / "
                   << line.limit << " " << line.note);
    CHECK(line.passed);
  }
}

void check_golden(const std::string& folder, const std::vector<std::string>& kinds) {
  check_golden(folder, kinds, GoldenPrecision::Double);
  check_golden(folder, kinds, GoldenPrecision::Single);
}

void check_notices_faults(const std::filesystem::path& path) {
  const auto file = SafeTensors::open(path);
  for (const std::string& tensor : expected_tensors(file)) {
    TempDir folder;
    INFO(path.filename() << " " << tensor);
    write_spoiled(file, tensor, folder / path.filename().string());
    CHECK(run_golden(folder.path(), {{}, GoldenPrecision::Double}).failed == 1);
  }
}

}  // namespace switchyard::test
