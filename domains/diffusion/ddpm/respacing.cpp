#include "domains/diffusion/ddpm/respacing.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>
#include <set>

#include "core/base/error.h"

namespace switchyard {
namespace {

constexpr const char* kWhere = "respacing";
constexpr std::string_view kDdim = "ddim";

int64_t count_from(const std::string& text, const std::string& respacing) {
  int64_t out = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  check(error == std::errc() && end == text.data() + text.size() && out >= 0, kWhere, "got '",
        respacing, "', expected a count, counts separated by commas, or ddim and a count");
  return out;
}

int64_t kept_by_stride(int64_t steps, int64_t stride) { return (steps + stride - 1) / stride; }

/// The nearest counts, below and above, that some whole stride gives.
[[noreturn]] void fail_stride(int64_t steps, int64_t count) {
  std::set<int64_t> counts;
  for (int64_t stride = 1; stride < steps; ++stride) counts.insert(kept_by_stride(steps, stride));
  const auto above = counts.upper_bound(count);
  std::vector<int64_t> near;
  if (above != counts.begin()) near.push_back(*std::prev(above));
  if (above != counts.end()) near.push_back(*above);
  fail(kWhere, "no whole stride keeps so many of ", steps, " steps: got ddim", count,
       "; nearest valid counts: ", to_text(near));
}

std::vector<int64_t> by_stride(int64_t steps, int64_t count) {
  int64_t stride = 1;
  while (stride < steps && kept_by_stride(steps, stride) != count) ++stride;
  if (stride >= steps) fail_stride(steps, count);
  std::vector<int64_t> out;
  for (int64_t t = 0; t < steps; t += stride) out.push_back(t);
  return out;
}

/// Appends `count` of the `size` steps from `first` on.
void spread(int64_t first, int64_t size, int64_t count, std::vector<int64_t>& out) {
  check(count <= size, kWhere, "a section of ", size, " steps cannot keep ", count);
  const double stride =
      count > 1 ? static_cast<double>(size - 1) / static_cast<double>(count - 1) : 1;
  double place = 0;
  for (int64_t i = 0; i < count; ++i, place += stride)
    out.push_back(first + static_cast<int64_t>(std::nearbyint(place)));  // halves to even
}

std::vector<int64_t> by_sections(int64_t steps, const std::string& respacing) {
  std::vector<int64_t> out;
  const auto counts = split(respacing, ',');
  const auto sections = static_cast<int64_t>(counts.size());
  int64_t first = 0;
  for (int64_t i = 0; i < sections; ++i) {
    const int64_t size = steps / sections + (i < steps % sections);
    spread(first, size, count_from(counts[static_cast<size_t>(i)], respacing), out);
    first += size;
  }
  check(!out.empty(), kWhere, "keeps no step: got '", respacing, "'");
  return out;
}

}  // namespace

std::vector<int64_t> kept_steps(int64_t steps, const std::string& respacing) {
  if (respacing.starts_with(kDdim))
    return by_stride(steps, count_from(respacing.substr(kDdim.size()), respacing));
  if (!respacing.empty()) return by_sections(steps, respacing);
  std::vector<int64_t> all(static_cast<size_t>(steps));
  std::iota(all.begin(), all.end(), int64_t{0});
  return all;
}

std::string respacing_text(const ConfigNode& node, const std::string& what) {
  if (node.is_null()) return "";
  if (node.is_string()) return node.as_string(what);
  if (!node.is_list()) return cat(node.as_int(what));
  std::vector<std::string> counts;
  for (const ConfigNode& item : node.as_list(what)) counts.push_back(cat(item.as_int(what)));
  return join(counts, ",");
}

}  // namespace switchyard
