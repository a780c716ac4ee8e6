#include "tests/eval/analysis/golden_support.h"

#include <cmath>

#include "core/base/error.h"
#include "core/io/safetensors.h"

namespace switchyard::test {
namespace {

std::vector<int64_t> longs(const SafeTensors& file, const std::string& name) {
  const at::Tensor values = file.get("inputs/" + name).contiguous();
  const int64_t* data = values.const_data_ptr<int64_t>();
  return {data, data + values.numel()};
}

std::vector<double> doubles(const SafeTensors& file, const std::string& name) {
  const at::Tensor values = file.get("inputs/" + name).contiguous();
  const double* data = values.const_data_ptr<double>();
  return {data, data + values.numel()};
}

TraceSite site_of(const SafeTensors& file, size_t l, const Json& head) {
  const std::string name = cat("layer", l, "/");
  TraceSite out;
  out.name = cat("layer", l);
  out.experts = head["experts"];
  out.nulls = head["null"];
  out.token_offset = longs(file, name + "off");
  for (int64_t x : longs(file, name + "slot")) out.slot.push_back(static_cast<int16_t>(x));
  for (int64_t x : longs(file, name + "kept")) out.kept.push_back(static_cast<uint8_t>(x));
  out.weight = doubles(file, name + "weight");
  out.scores = doubles(file, name + "scores");
  out.columns = out.experts + out.nulls;
  return out;
}

}  // namespace

TraceView golden_trace(const std::filesystem::path& path) {
  const SafeTensors file = SafeTensors::open(path);
  const Json config = parse_json(file.metadata("config"), path.string());
  TraceView out;
  for (const auto& domain : config["domains"])
    out.domains.push_back({domain["name"], domain["seen"]});
  for (int64_t c = 0; c < config["classes"].get<int64_t>(); ++c) out.classes.push_back(cat("c", c));
  out.domain = longs(file, "seq_domain");
  out.group = longs(file, "seq_room");
  for (int64_t g : out.group)
    while (g >= static_cast<int64_t>(out.groups.size()))
      out.groups.push_back(cat("room", out.groups.size()));
  TraceLevel level;
  level.seq_offset = {0};
  for (int64_t n : longs(file, "seq_len")) {
    out.uris.push_back(cat("sequence", out.uris.size()));
    level.seq_offset.push_back(level.seq_offset.back() + n);
  }
  for (int64_t x : longs(file, "label")) level.label.push_back(static_cast<int32_t>(x));
  out.levels.push_back(level);
  for (size_t l = 0; l < config["layers"].size(); ++l)
    out.sites.push_back(site_of(file, l, config["layers"][l]));
  check_trace(out, path.string());
  return out;
}

std::string difference(const Json& got, const Json& expected, double tolerance,
                       const std::string& at) {
  const auto text = [&] { return at + ": got " + got.dump() + ", expected " + expected.dump(); };
  const bool got_null = got.is_null() || (got.is_number_float() && std::isnan(got.get<double>()));
  if (expected.is_null() || got_null) return expected.is_null() && got_null ? "" : text();
  if (expected.is_object()) {
    for (const auto& [key, value] : expected.items()) {
      if (!got.contains(key)) return at + "/" + key + " was not computed";
      const auto inner = difference(got[key], value, tolerance, at + "/" + key);
      if (!inner.empty()) return inner;
    }
    return "";
  }
  if (expected.is_array()) {
    if (!got.is_array() || got.size() != expected.size()) return text();
    for (size_t i = 0; i < got.size(); ++i) {
      const auto inner = difference(got[i], expected[i], tolerance, cat(at, "/", i));
      if (!inner.empty()) return inner;
    }
    return "";
  }
  if (!expected.is_number() || expected.is_number_integer()) return got == expected ? "" : text();
  if (!got.is_number()) return text();
  const double x = got, ref = expected;
  return std::abs(x - ref) <= tolerance * std::max(1.0, std::abs(ref)) ? "" : text();
}

Json reals(const Row& values) {
  Json out = Json::array();
  for (double x : values) out.push_back(defined(x) ? Json(x) : Json());
  return out;
}

}  // namespace switchyard::test
