#include "core/config/sweep.h"

#include <cmath>

#include "core/base/error.h"
#include "core/base/glob.h"
#include "core/config/yaml.h"

namespace switchyard {
namespace {

constexpr size_t kMaxCells = 100'000;

/// Text between the parentheses of name(...), if `value` has that form.
bool take_call(std::string_view value, std::string_view name, std::string& inner) {
  if (!value.starts_with(name) || !value.ends_with(')') || value.substr(name.size()).front() != '(')
    return false;
  inner = value.substr(name.size() + 1, value.size() - name.size() - 2);
  return true;
}

double number(const std::string& text, const Override& o) {
  const ConfigNode node(plain_scalar(text), {o.where()});
  const double value = node.as_double("range");
  check(std::isfinite(value), o.where(), "range needs finite numbers: got ", text);
  return value;
}

std::vector<std::string> range_values(const std::string& inner, const Override& o) {
  const auto parts = split_top_level(inner);
  check(parts.size() <= 3, o.where(), "bad range: got ", inner,
        ", expected range(stop), range(start,stop[,step])");
  const double start = parts.size() > 1 ? number(parts[0], o) : 0;
  const double stop = number(parts.size() > 1 ? parts[1] : parts[0], o);
  const double step = parts.size() > 2 ? number(parts[2], o) : 1;
  const double count = step == 0 ? 0 : std::ceil((stop - start) / step - 1e-9);
  check(count >= 1 && count <= kMaxCells, o.where(), "range has no values or too many: got ", inner,
        ", expected 1 to ", kMaxCells);
  std::vector<std::string> out;
  for (int64_t i = 0; i < static_cast<int64_t>(count); ++i)
    out.push_back(to_text(std::round((start + i * step) * 1e12) / 1e12));
  return out;
}

std::vector<std::string> glob_values(const std::string& pattern, const Override& o,
                                     const ConfigFolders& folders) {
  check(folders.is_group(o.key), o.where(), "glob needs a config group: got '", o.key, "'");
  std::vector<std::string> out;
  const auto options = folders.options(o.key);
  for (const auto& option : options) {
    if (matches_glob(pattern, option)) out.push_back(option);
  }
  check(!out.empty(), o.where(), "glob matches no option: got ", pattern,
        "; valid: ", join(options));
  return out;
}

std::vector<std::string> sweep_values(const Override& o, const ConfigFolders& folders) {
  const std::string value(trim(o.value_text));
  std::string inner;
  if (take_call(value, "range", inner)) return range_values(inner, o);
  if (take_call(value, "glob", inner)) return glob_values(inner, o, folders);
  auto values = split_top_level(take_call(value, "choice", inner) ? inner : value);
  for (const auto& item : values)
    check(!item.empty(), o.where(), "a sweep value is empty: got ", value);
  return values;
}

/// The override once per value.
std::vector<std::string> alternatives(const std::string& text, const ConfigFolders& folders) {
  const Override o = parse_override(text);
  if (!o.has_value || !is_sweep_value(o.value_text)) return {text};
  std::vector<std::string> out;
  const std::string prefix = text.substr(0, text.find('=') + 1);
  for (const auto& value : sweep_values(o, folders)) out.push_back(prefix + value);
  return out;
}

}  // namespace

std::vector<std::vector<std::string>> expand_sweep(const std::vector<std::string>& overrides,
                                                   const Composer& composer) {
  std::vector<std::vector<std::string>> cells(1);
  for (const auto& text : overrides) {
    const auto choices = alternatives(text, composer.folders());
    check(cells.size() * choices.size() <= kMaxCells, "argument '" + text + "'",
          "the sweep has more than ", kMaxCells, " cells");
    std::vector<std::vector<std::string>> next;
    for (const auto& cell : cells) {
      for (const auto& choice : choices) {
        next.push_back(cell);
        next.back().push_back(choice);
      }
    }
    cells = std::move(next);
  }
  return cells;
}

bool has_sweep(const std::vector<std::string>& overrides) {
  for (const auto& text : overrides) {
    const Override o = parse_override(text);
    if (o.has_value && is_sweep_value(o.value_text)) return true;
  }
  return false;
}

}  // namespace switchyard
