#include "apps/bench_moe.h"

#include <ATen/Context.h>

#include <cstdio>
#include <ctime>

#include "apps/first_line.h"
#include "core/base/text.h"
#include "core/bench/moe_bench.h"
#include "core/io/json.h"
#include "core/train/runtime.h"

namespace switchyard {
namespace {

at::ScalarType type_named(const std::string& name) {
  const std::map<std::string, at::ScalarType> types = {
      {"bf16", at::kBFloat16}, {"fp16", at::kHalf}, {"fp32", at::kFloat}, {"fp64", at::kDouble}};
  std::vector<std::string> names;
  for (const auto& [known, type] : types) names.push_back(known);
  check_name("type", "type", name, names);
  return types.at(name);
}

std::vector<std::string> all_shapes() {
  std::vector<std::string> out;
  for (const MoeShape& shape : moe_shapes()) out.push_back(shape.name);
  return out;
}
std::vector<std::string> all_variants() {
  std::vector<std::string> out;
  for (const MoeVariant& variant : moe_variants()) out.push_back(variant.name);
  return out;
}

MoeBenchOptions options_of(const Arguments& args) {
  MoeBenchOptions out;
  out.device = parse_device(args.value("device", at::hasCUDA() ? "cuda" : "cpu"));
  const bool gpu = out.device.is_cuda();
  out.shapes = args.has("shape") ? split(args.value("shape"), ',') : all_shapes();
  out.variants = args.has("variant") ? split(args.value("variant"), ',') : all_variants();
  for (const auto& name : out.shapes) moe_shape(name);
  for (const auto& name : out.variants) moe_variant(name);
  out.mode = args.value("mode", "eager");
  check_name("mode", "mode", out.mode, {"eager", "graph"});
  check(gpu || out.mode == "eager", "mode", "graph needs a GPU: got the CPU; valid: eager");
  out.routing = args.value("routing", "balanced");
  out.type = type_named(args.value("type", gpu ? "bf16" : "fp32"));
  out.bias = args.has("bias");
  out.divide = args.number("divide", gpu ? 1 : 64, 1);
  return out;
}

/// What the card says of itself now; empty on the CPU.
std::string card_state(at::Device device) {
  if (!device.is_cuda()) return "";
  const std::string line = first_line(
      "nvidia-smi --query-gpu=name,driver_version,clocks.sm,clocks.mem,power.draw "
      "--format=csv,noheader 2>/dev/null");
  return line.empty() ? "unknown" : line;
}

std::string now() {
  const std::time_t time = std::time(nullptr);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", std::gmtime(&time));
  return text;
}

double floor_of(const MoeBenchRow& row, bool fused, int64_t element) {
  return floor_seconds(moe_cost(row.shape, row.pass, fused, element), kH100);
}

Json row_json(const MoeBenchRow& row, int64_t element) {
  Json out = {{"shape", row.shape.name},
              {"tokens", row.shape.tokens},
              {"variant", row.variant},
              {"pass", row.pass == Pass::Inference ? "forward" : "forward+backward"}};
  if (!row.skipped.empty()) {
    out["skipped"] = row.skipped;
    return out;
  }
  const Cost cost = moe_cost(row.shape, row.pass, false, element);
  const double median = row.timings.median();
  out["median_ms"] = 1e3 * median;
  out["p20_ms"] = 1e3 * row.timings.quantile(.2);
  out["p80_ms"] = 1e3 * row.timings.quantile(.8);
  out["noise"] = row.noise;
  out["tflops"] = 1e-12 * cost.flops / median;
  out["gb_per_s"] = 1e-9 * cost.bytes / median;
  out["floor_ms"] = 1e3 * floor_of(row, false, element);
  out["fused_floor_ms"] = 1e3 * floor_of(row, true, element);
  out["peak_bytes"] = row.peak_bytes;
  if (row.saved_bytes_per_token) out["saved_bytes_per_token"] = *row.saved_bytes_per_token;
  return out;
}

void print_row(const MoeBenchRow& row, int64_t element) {
  std::printf("%-4s %-16s %-4s ", row.shape.name.c_str(), row.variant.c_str(),
              row.pass == Pass::Inference ? "fwd" : "f+b");
  if (!row.skipped.empty()) {
    std::printf("%s\n", row.skipped.substr(0, 100).c_str());
    return;
  }
  const Cost cost = moe_cost(row.shape, row.pass, false, element);
  const double median = row.timings.median();
  std::printf("%9.4f ms [%9.4f %9.4f] +-%3.0f%% %6.1f TFLOP/s %6.0f GB/s %5.1f%% of floor",
              1e3 * median, 1e3 * row.timings.quantile(.2), 1e3 * row.timings.quantile(.8),
              100 * row.noise, 1e-12 * cost.flops / median, 1e-9 * cost.bytes / median,
              100 * floor_of(row, false, element) / median);
  if (row.saved_bytes_per_token) std::printf(" %7.0f B/token saved", *row.saved_bytes_per_token);
  if (row.peak_bytes > 0) std::printf(" %7.1f MB peak", 1e-6 * double(row.peak_bytes));
  std::printf("\n");
  std::fflush(stdout);
}

}  // namespace

std::vector<VerbFlag> bench_moe_flags() {
  return {{"shape", "moe: shapes, as P0,Q1", true},
          {"variant", "moe: ways to compute the layer, as ours,loop", true},
          {"mode", "moe: eager or graph", true},
          {"routing", "moe: balanced, zipf, one, or a .npy file of slots [tokens, k]", true},
          {"type", "moe: bf16, fp16, fp32 or fp64", true},
          {"device", "moe: cpu or cuda", true},
          {"divide", "moe: divide the tokens of every shape by this (CPU: 64)", true},
          {"bias", "moe: experts with biases"}};
}

int run_bench_moe(const Arguments& args) {
  const MoeBenchOptions options = options_of(args);
  init_runtime(0, /*deterministic=*/false);
  const auto element = static_cast<int64_t>(c10::elementSize(options.type));
  Json report = {{"date", now()},
                 {"device", options.device.str()},
                 {"card_before", card_state(options.device)},
                 {"type", c10::toString(options.type)},
                 {"mode", options.mode},
                 {"routing", options.routing},
                 {"bias", options.bias},
                 {"rows", Json::array()}};
  std::printf("%s %s %s, %s, %s routing; floors are those of one H100\n", now().c_str(),
              options.device.str().c_str(), card_state(options.device).c_str(),
              options.mode.c_str(), options.routing.c_str());
  for (const auto& name : options.shapes) {
    const MoeShape shape = moe_shape(name).scaled(options.divide);
    for (const Pass pass : {Pass::Inference, Pass::ForwardBackward}) {
      for (const auto& row : bench_moe(shape, pass, options)) {
        print_row(row, element);
        report["rows"].push_back(row_json(row, element));
      }
    }
  }
  report["card_after"] = card_state(options.device);
  if (args.has("json")) write_json(args.value("json"), report);
  return 0;
}

}  // namespace switchyard
