#include <ATen/Parallel.h>

#include <algorithm>
#include <chrono>
#include <iostream>

#include "tests/support/moe.h"
#include "tests/test.h"

using namespace switchyard;
using namespace switchyard::test;

namespace {

double milliseconds_once(SubLayer& layer, const at::Tensor& x, bool backward) {
  auto context = one_sequence(x.size(0));
  const auto start = std::chrono::steady_clock::now();
  const auto y = layer.forward(x, context);
  if (backward) y.sum().backward();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
      .count();
}

}  // namespace

// Hidden: timings depend on the machine. Run with switchyard_tests "[.speed]".
TEST_CASE("speed of the fused pass against the plain loop, CPU, fp32", "[.speed]") {
  std::cout << at::get_num_threads()
            << " threads; T 9216, E 4, k 2, hidden = C, gated; ms, median of 15, interleaved\n";
  for (int64_t channels : {24, 48, 72}) {
    for (const char* activation : {"relu", "gelu"}) {
      auto config = moe_config(4, 2, 1, true, activation);
      auto fast = moe_layer(config, channels, channels, at::kFloat);
      config.backend = "reference";
      auto loop = moe_layer(config, channels, channels, at::kFloat);
      const auto x = normal({9216, channels}, "x").to(at::kFloat).requires_grad_(true);
      std::vector<double> ms[4];
      for (int repeat = 0; repeat < 17; ++repeat) {
        for (int arm = 0; arm < 4; ++arm) {
          const double t = milliseconds_once(arm % 2 ? *loop : *fast, x, arm >= 2);
          if (repeat >= 2) ms[arm].push_back(t);
        }
      }
      for (auto& list : ms) std::sort(list.begin(), list.end());
      std::cout << "C " << channels << " " << activation << ": forward " << ms[0][7] << " against "
                << ms[1][7] << ", with backward " << ms[2][7] << " against " << ms[3][7] << "\n";
    }
  }
}
