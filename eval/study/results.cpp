#include "eval/study/results.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/io/file.h"
#include "core/io/json.h"
#include "eval/study/csv.h"

namespace switchyard {
namespace {

constexpr char kRule[] = "mean_ratio";

// Typed access to one object of a results file.
class RowReader {
 public:
  RowReader(const ConfigNode& node, const std::string& where) : node_(node), where_(where) {
    node.as_map("row");
  }
  const ConfigNode& at(const std::string& key) const {
    const ConfigNode* found = node_.find(key);
    check(found != nullptr, where_, "key '", key, "' is missing");
    return *found;
  }
  bool has(const std::string& key) const { return node_.find(key) != nullptr; }
  std::string text(const std::string& key) const { return at(key).as_string(key); }
  int64_t integer(const std::string& key) const { return at(key).as_int(key); }
  bool flag(const std::string& key) const { return at(key).as_bool(key); }
  double real(const std::string& key) const {
    return at(key).is_null() ? kUndefined : at(key).as_double(key);
  }
  Row reals(const std::string& key) const {
    Row out;
    for (const auto& item : at(key).as_list(key)) out.push_back(item.as_double(key));
    return out;
  }

 private:
  const ConfigNode& node_;
  std::string where_;
};

TableRow table_row(const RowReader& f) {
  TableRow row;
  row.model = f.text("model");
  row.arm = f.text("arm");
  row.role = f.text("role");
  row.seed = f.integer("seed");
  row.domain = f.text("domain");
  row.seen = f.flag("seen");
  row.split = f.text("split");
  row.value = f.real("value");
  row.step = f.integer("step");
  row.weights = f.text("weights");
  row.params_total = f.real("params_total");
  row.params_active = f.real("params_active");
  row.flops_per_token = f.real("flops_per_token");
  row.data_hash = f.text("data_hash");
  row.oracle = f.has("oracle") && f.flag("oracle");  // absent in older tables
  if (!f.has("samples")) return row;
  row.samples = f.integer("samples");
  row.references = f.integer("references");
  row.warning = f.text("warning");
  return row;
}

Json row_json(const TableRow& row) {
  Json out{{"model", row.model},
           {"arm", row.arm},
           {"role", row.role},
           {"seed", row.seed},
           {"domain", row.domain},
           {"seen", row.seen},
           {"split", row.split},
           {"value", row.value},
           {"step", row.step},
           {"weights", row.weights},
           {"params_total", row.params_total},
           {"params_active", row.params_active},
           {"flops_per_token", row.flops_per_token},
           {"data_hash", row.data_hash},
           {"oracle", row.oracle}};
  if (row.samples == 0) return out;
  out["samples"] = row.samples;
  out["references"] = row.references;
  out["warning"] = row.warning;
  return out;
}

std::string table_csv(const ResultTable& table) {
  std::string out, separator;
  const Json names = row_json(table.rows.empty() ? TableRow{} : table.rows.front());
  for (const auto& item : names.items()) {
    out += separator + item.key();
    separator = ",";
  }
  for (const auto& row : table.rows) {
    separator = "\n";
    const Json cells = row_json(row);
    for (const auto& cell : cells) {
      out += separator + csv_cell(cell);
      separator = ",";
    }
  }
  return out + "\n";
}

void check_group_row(const GroupResults& groups, const GroupRow& row, const std::string& where) {
  check(row.num.size() == row.den.size(), where, "num and den of group ", row.group,
        " differ in length: got ", row.num.size(), " and ", row.den.size());
  const auto classes = groups.classes.find(row.domain);
  check(classes != groups.classes.end(), where, "no class list for domain '", row.domain, "'");
  for (int64_t c : classes->second)
    check(c >= 0 && c < static_cast<int64_t>(row.num.size()), where, "class index of domain '",
          row.domain, "' is out of range: got ", c, ", expected 0 to ", row.num.size() - 1);
}

}  // namespace

ResultTable read_table(const std::filesystem::path& path) {
  const ConfigNode root = to_config(read_json(path), {path.string()});
  const RowReader head(root, path.string());
  ResultTable out{head.text("protocol"), head.text("metric"), {}};
  for (const auto& item : head.at("rows").as_list("rows"))
    out.rows.push_back(table_row(RowReader(item, path.string())));
  return out;
}

void write_table(const std::filesystem::path& folder, const ResultTable& table,
                 const std::string& stem) {
  Json out{{"protocol", table.protocol}, {"metric", table.metric}, {"rows", Json::array()}};
  for (const auto& row : table.rows) out["rows"].push_back(row_json(row));
  write_json(folder / (stem + ".json"), out);
  write_text(folder / (stem + ".csv"), table_csv(table));
}

GroupResults read_groups(const std::filesystem::path& path) {
  const std::string where = path.string();
  const ConfigNode root = to_config(read_json(path), {where});
  const RowReader head(root, where);
  check(head.text("rule") == kRule, where, "unknown rule: got ", head.text("rule"), ", expected ",
        kRule);
  GroupResults out{head.text("metric"), head.real("scale"), {}, {}};
  for (const auto& [domain, list] : head.at("classes").as_map("classes"))
    for (const auto& item : list.as_list("classes"))
      out.classes[domain].push_back(item.as_int("classes"));
  for (const auto& item : head.at("rows").as_list("rows")) {
    const RowReader f(item, where);
    out.rows.push_back({f.text("arm"), f.integer("seed"), f.text("domain"), f.flag("seen"),
                        f.text("group"), f.text("uri"), f.reals("num"), f.reals("den")});
    check_group_row(out, out.rows.back(), where);
  }
  return out;
}

void write_groups(const std::filesystem::path& path, const GroupResults& groups) {
  Json out{{"metric", groups.metric},
           {"rule", kRule},
           {"scale", groups.scale},
           {"rows", Json::array()},
           {"classes", Json::object()}};
  for (const auto& row : groups.rows)
    out["rows"].push_back({{"arm", row.arm},
                           {"seed", row.seed},
                           {"domain", row.domain},
                           {"seen", row.seen},
                           {"group", row.group},
                           {"uri", row.uri},
                           {"num", row.num},
                           {"den", row.den}});
  for (const auto& [domain, list] : groups.classes) out["classes"][domain] = list;
  write_json(path, out, -1);
}

double ratio_metric(const std::vector<const GroupRow*>& rows, const Indices& classes,
                    double scale) {
  if (rows.empty() || classes.empty()) return kUndefined;
  double sum = 0;
  for (int64_t c : classes) {
    double num = 0, den = 0;
    for (const GroupRow* row : rows) {
      num += row->num[c];
      den += row->den[c];
    }
    if (den > 0) sum += num / den;
  }
  return scale * sum / classes.size();
}

}  // namespace switchyard
