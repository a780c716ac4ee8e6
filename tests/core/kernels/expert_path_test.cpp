#include "core/kernels/expert_path.h"

#include "tests/test.h"

using namespace switchyard;
using namespace switchyard::test;

namespace {

std::string way(at::DeviceType device, at::ScalarType type, int64_t channels,
                Activation activation = Activation::SiLU, bool gated = true, int64_t rows = 1000) {
  const int64_t hidden = gated ? 2 * channels : channels;
  return expert_path_of(
             {device, type, 8, channels, hidden, channels, activation, gated, rows, true})
      .name;
}

}  // namespace

TEST_CASE("the way to compute experts follows device, type and widths", "[kernels]") {
  CHECK(way(at::kCPU, at::kFloat, 64) == "blocked");
  CHECK(way(at::kCPU, at::kDouble, 64) == "blocked");
  CHECK(way(at::kCPU, at::kFloat, 1024) == "blocked");
  CHECK(way(at::kCPU, at::kDouble, 1024) == "loop");
  CHECK(way(at::kCPU, at::kBFloat16, 64) == "loop");
  CHECK(way(at::kCUDA, at::kBFloat16, 64) == "fused");
  CHECK(way(at::kCUDA, at::kHalf, 64) == "fused");
  CHECK(way(at::kCUDA, at::kBFloat16, 64, Activation::ELU) == "grouped");
  CHECK(way(at::kCUDA, at::kBFloat16, 1024) == "grouped");
  CHECK(way(at::kCUDA, at::kBFloat16, 256, Activation::GELU, false, 100) == "fused");
  CHECK(way(at::kCUDA, at::kBFloat16, 256, Activation::GELU, false, 1000) == "grouped");
  CHECK(way(at::kCUDA, at::kBFloat16, 60) == "loop");
  CHECK(way(at::kCUDA, at::kHalf, 1024) == "loop");
  CHECK(way(at::kCUDA, at::kFloat, 64) == "fused");
  CHECK(way(at::kCUDA, at::kFloat, 256, Activation::GELU, false, 100) == "fused");
  CHECK(way(at::kCUDA, at::kFloat, 256, Activation::GELU, false) == "loop");
  CHECK(way(at::kCUDA, at::kFloat, 1024) == "loop");
  CHECK(way(at::kCUDA, at::kDouble, 64) == "loop");
  const auto linear = [](at::DeviceType device, at::ScalarType type, int64_t channels) {
    return expert_path_of(
               {device, type, 8, channels, 0, channels, Activation::ELU, false, 1000, true})
        .name;
  };
  CHECK(linear(at::kCPU, at::kFloat, 64) == "grouped");
  CHECK(linear(at::kCUDA, at::kHalf, 64) == "fused");
  CHECK(linear(at::kCUDA, at::kHalf, 256) == "fused");
  CHECK(linear(at::kCUDA, at::kFloat, 128) == "fused");
  CHECK(linear(at::kCUDA, at::kFloat, 256) == "loop");
  CHECK(linear(at::kCUDA, at::kBFloat16, 512) == "grouped");
}
