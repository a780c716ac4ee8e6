#include "domains/point_cloud/model/segmentor_config.h"

#include "core/base/registry.h"
#include "core/base/text.h"

namespace switchyard {
namespace {

template <class S>
std::vector<std::string> field_names() {
  std::vector<std::string> names;
  for (const auto& entry : fields_of<S>().entries()) names.push_back(entry.name);
  return names;
}

}  // namespace

void SegmentorParams::declare(Fields<SegmentorParams>& f) {
  f.add("conditions", &SegmentorParams::conditions,
        "names of the prompts, norms and heads; empty: the training domains");
  f.add("condition_of", &SegmentorParams::condition_of,
        "map: condition that another data domain takes, an unseen one above all");
  f.add("context_channels", &SegmentorParams::context_channels,
        "learned context vector per condition; 0: none", at_least(0));
  f.add("head", &SegmentorParams::head, "linear, decoupled or language");
}

SegmentorConfig SegmentorConfig::parse(const ConfigNode& model,
                                       const std::vector<std::string>& train_domains) {
  const auto [type, node] = split_type(model, "model");
  check_name(model.origin().text(), "model", type, {"ptv3"});
  SegmentorConfig out{parse_params<Ptv3Params>(node, "model", field_names<SegmentorParams>()),
                      parse_params<SegmentorParams>(node, "model", field_names<Ptv3Params>())};
  if (out.segmentor.conditions.empty()) out.segmentor.conditions = train_domains;
  out.backbone.conditions = static_cast<int64_t>(out.segmentor.conditions.size());
  out.backbone.context_channels = out.segmentor.context_channels;
  return out;
}

std::unique_ptr<PointSegmentor> SegmentorConfig::build(
    const std::vector<std::string>& classes) const {
  auto head =
      segmentation_heads().make(segmentor.head, "model.head",
                                HeadShape{backbone.out_channels(), classes, segmentor.conditions});
  return std::make_unique<PointSegmentor>(backbone, std::move(head));
}

std::vector<std::string> SegmentorConfig::domain_readers() const {
  std::vector<std::string> readers;
  if (backbone.uses_conditions()) readers.push_back("prompt-driven norms");
  if (backbone.context_channels > 0) readers.push_back("context vectors");
  if (split_type(segmentor.head, "model.head").first != "linear") readers.push_back("head");
  return readers;
}

std::vector<int64_t> SegmentorConfig::conditions_of(const std::vector<std::string>& domains) const {
  const auto& names = segmentor.conditions;
  std::vector<int64_t> out;
  for (const auto& domain : domains) {
    const ConfigNode* given = segmentor.condition_of.find(domain);
    const auto name = given ? given->as_string("model.condition_of." + domain) : domain;
    const auto at = std::find(names.begin(), names.end(), name);
    check(at != names.end(), "model.condition_of",
          given ? "unknown condition: got '" + name + "' for '" + domain + "'"
                : "domain '" + domain + "' is no condition and none is given for it",
          "; valid: ", join(names), "; as in +model.condition_of.", domain, "=",
          names.empty() ? "NAME" : names.front());
    out.push_back(at - names.begin());
  }
  return out;
}

}  // namespace switchyard
