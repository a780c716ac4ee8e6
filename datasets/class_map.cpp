#include "datasets/class_map.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "core/base/error.h"
#include "core/base/params.h"

namespace switchyard {
namespace {

constexpr int64_t kIgnore = -1;
constexpr const char* kIgnoreName = "ignore";

struct ClassMapParams {
  std::vector<std::string> classes;
  ConfigNode map;
  static void declare(Fields<ClassMapParams>& f) {
    f.add("classes", &ClassMapParams::classes, "class names; the index is the label");
    f.add("map", &ClassMapParams::map, "raw id: class name or ignore");
  }
};

std::string counts_text(const std::map<int64_t, int64_t>& counts) {
  std::vector<std::string> items;
  for (const auto& [id, count] : counts) items.push_back(cat(id, " (", count, " times)"));
  return join(items);
}

}  // namespace

int64_t raw_id(const std::string& text, const std::string& where) {
  int64_t id = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  check(error == std::errc() && end == text.data() + text.size() && id >= 0, where,
        "bad raw id: got '", text, "', expected an integer of at least 0");
  return id;
}

ClassMap ClassMap::from_config(const ConfigNode& node, const std::string& what) {
  const auto params = parse_params<ClassMapParams>(node, what);
  ClassMap out;
  out.class_names_ = params.classes;
  std::vector<std::string> valid = params.classes;
  check(!valid.empty(), what, "classes: the list is empty");
  valid.push_back(kIgnoreName);
  check(std::set<std::string>(valid.begin(), valid.end()).size() == valid.size(), what,
        "classes: a name occurs twice or is 'ignore': got ", join(params.classes));
  for (const auto& [id, name] : params.map.as_map(what + ".map")) {
    const std::string where = name.origin().text();
    check_name(where, "class", name.as_string(what + ".map." + id), valid);
    const auto found = std::find(params.classes.begin(), params.classes.end(), name.as_string());
    const int64_t index = found == params.classes.end() ? kIgnore : found - params.classes.begin();
    check(out.index_of_.emplace(raw_id(id, where), index).second, where,
          "raw id given twice: got '", id, "'");
  }
  return out;
}

at::Tensor ClassMap::apply(const at::Tensor& raw, const std::string& where) const {
  const at::Tensor ids = raw.to(at::kLong).contiguous();
  at::Tensor out = at::empty(ids.sizes(), at::kLong);
  const int64_t* id = ids.const_data_ptr<int64_t>();
  int64_t* label = out.data_ptr<int64_t>();
  std::map<int64_t, int64_t> unknown;
  for (int64_t i = 0; i < ids.numel(); ++i) {
    const auto found = index_of_.find(id[i]);
    if (found == index_of_.end()) {
      ++unknown[id[i]];
    } else {
      label[i] = found->second;
    }
  }
  check(unknown.empty(), where, "label ids missing from the class map: got ", counts_text(unknown));
  return out;
}

std::string ClassMap::text() const {
  std::string out = join(class_names_);
  for (const auto& [id, index] : index_of_) out += cat(";", id, "=", index);
  return out;
}

}  // namespace switchyard
