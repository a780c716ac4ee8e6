#include <ATen/core/Tensor.h>

#include "core/base/error.h"
#include "core/io/json.h"
#include "core/io/safetensors.h"
#include "eval/analysis/trace_view.h"

namespace switchyard {
namespace {

constexpr char kSchema[] = "switchyard.trace/1";
constexpr int64_t kMaxParts = 4096;  // levels and sites

class TraceFile {
 public:
  explicit TraceFile(const std::filesystem::path& path)
      : where_(path.string()),
        file_(SafeTensors::open(path)),
        head_(to_config(parse_json(file_.metadata("switchyard"), where_), {where_})) {
    const std::string schema = value(head_, "schema").as_string("schema");
    check(schema == kSchema, where_, "wrong trace schema: got ", schema, ", expected ", kSchema);
  }

  TraceView read() const {
    TraceView out;
    read_head(out);
    out.domain = integers<int64_t>("seq.domain");
    out.group = integers<int64_t>("seq.group");
    if (file_.has("seq.time")) out.time = reals("seq.time", 1);
    for (int64_t j = 0; j < part_count(value(head_, "levels").as_int("levels")); ++j)
      out.levels.push_back(read_level(j));
    const auto& sites = value(head_, "sites").as_list("sites");
    part_count(static_cast<int64_t>(sites.size()));
    for (size_t i = 0; i < sites.size(); ++i) out.sites.push_back(read_site(i, sites[i]));
    check_trace(out, where_);
    return out;
  }

 private:
  const ConfigNode& value(const ConfigNode& node, const std::string& key) const {
    node.as_map("metadata");
    const ConfigNode* found = node.find(key);
    check(found != nullptr, where_, "metadata key '", key, "' is missing");
    return *found;
  }

  int64_t part_count(int64_t n) const {
    check(n >= 1 && n <= kMaxParts, where_, "bad number of levels or sites: got ", n,
          ", expected 1 to ", kMaxParts);
    return n;
  }

  std::vector<std::string> strings(const std::string& key) const {
    std::vector<std::string> out;
    for (const auto& item : value(head_, key).as_list(key)) out.push_back(item.as_string(key));
    return out;
  }

  void read_head(TraceView& out) const {
    out.split = value(head_, "split").as_string("split");
    out.step = value(head_, "step").as_int("step");
    if (const auto* sampling = head_.find("sampling"))
      out.sampling = sampling->as_string("sampling");
    for (const auto& domain : value(head_, "domains").as_list("domains"))
      out.domains.push_back({value(domain, "name").as_string("domains.name"),
                             value(domain, "seen").as_bool("domains.seen")});
    out.classes = strings("classes");
    out.groups = strings("groups");
    out.uris = strings("uris");
  }

  at::Tensor tensor(const std::string& name, int64_t dims, bool floating) const {
    const at::Tensor out = file_.get(name);
    check(out.dim() == dims && out.is_floating_point() == floating && !out.is_complex(), where_,
          name, " has the wrong shape or type: got ", c10::toString(out.scalar_type()), " ",
          to_text(out.sizes().vec()), ", expected ", dims, " axes of ",
          floating ? "floating point" : "integers");
    return out;
  }

  template <class T>
  std::vector<T> integers(const std::string& name) const {
    const at::Tensor values = tensor(name, 1, false).to(at::kLong).contiguous();
    const int64_t* data = values.const_data_ptr<int64_t>();
    std::vector<T> out(values.numel());
    for (size_t i = 0; i < out.size(); ++i) {
      out[i] = static_cast<T>(data[i]);
      check(out[i] == data[i], where_, name, " holds an integer that does not fit: got ", data[i]);
    }
    return out;
  }

  std::vector<double> reals(const std::string& name, int64_t dims) const {
    const at::Tensor values = tensor(name, dims, true).to(at::kDouble).contiguous();
    const double* data = values.const_data_ptr<double>();
    return {data, data + values.numel()};
  }

  TraceLevel read_level(int64_t j) const {
    const std::string name = cat("level", j, ".");
    TraceLevel out;
    out.seq_offset = integers<int64_t>(name + "seq_offset");
    if (file_.has(name + "label")) out.label = integers<int32_t>(name + "label");
    if (j > 0 && file_.has(name + "member_of"))
      out.member_of = integers<int64_t>(name + "member_of");
    if (file_.has(name + "coords")) {
      const auto coords = reals(name + "coords", 2);
      out.coords.assign(coords.begin(), coords.end());
      out.coord_dims = file_.get(name + "coords").size(1);
    }
    return out;
  }

  TraceSite read_site(size_t i, const ConfigNode& head) const {
    const std::string name = cat("site", i, ".");
    TraceSite out;
    out.name = value(head, "name").as_string("sites.name");
    out.level = value(head, "level").as_int("sites.level");
    out.experts = value(head, "experts").as_int("sites.experts");
    if (const auto* k = head.find("k"); k != nullptr && k->is_int()) out.k = k->as_int("sites.k");
    out.token_offset = integers<int64_t>(name + "token_offset");
    out.slot = integers<int16_t>(name + "slot");
    out.weight = reals(name + "weight", 1);
    if (file_.has(name + "kept")) out.kept = integers<uint8_t>(name + "kept");
    if (file_.has(name + "scores")) read_scores(name + "scores", out);
    return out;
  }

  void read_scores(const std::string& name, TraceSite& out) const {
    out.scores = reals(name, 2);
    out.columns = file_.get(name).size(1);
    out.nulls = out.columns - out.experts;
    for (size_t row = 0; out.columns > 0 && row < out.scores.size(); row += out.columns) {
      double total = 0;
      for (int64_t c = 0; c < out.columns; ++c) total += out.scores[row + c];
      for (int64_t c = 0; c < out.columns && total > 0; ++c) out.scores[row + c] /= total;
    }
  }

  std::string where_;
  SafeTensors file_;
  ConfigNode head_;
};

}  // namespace

TraceView load_trace(const std::filesystem::path& path) { return TraceFile(path).read(); }

}  // namespace switchyard
