#include "eval/report/kept_samples.h"

#include "core/base/error.h"
#include "core/base/text.h"

namespace switchyard {

std::optional<SampleFile> SampleFile::open(const std::filesystem::path& path) {
  if (!std::filesystem::exists(path)) return std::nullopt;
  SampleFile out(SafeTensors::open(path));
  try {
    out.read_head();
  } catch (const Json::exception& error) {
    fail(path.string(), "damaged samples: ", std::string(error.what()));
  }
  return out;
}

void SampleFile::read_head() {
  const Json head = parse_json(file_.metadata("switchyard"), file_.path().string());
  selection_ = head.at("selection").get<std::string>();
  sites_ = head.at("sites").get<std::vector<std::string>>();
  for (const auto& item : head.at("samples")) {
    const std::string prefix = cat("sample", samples_.size(), ".");
    prefixes_[item.at("kind").get<std::string>()].push_back(prefix);
    samples_[prefix] = {item.value("uri", ""),
                        item.value("domain", ""),
                        item.value("group", ""),
                        item.value("why", ""),
                        {}};
  }
}

const std::vector<std::string>& SampleFile::of_kind(const std::string& kind) const {
  static const std::vector<std::string> none;
  const auto found = prefixes_.find(kind);
  return found == prefixes_.end() ? none : found->second;
}

std::string SampleFile::where(const std::string& prefix) const {
  return cat(file_.path().string(), ": ", prefix);
}

KeptSample SampleFile::sample(const std::string& prefix) const {
  KeptSample out = samples_.at(prefix);
  const at::Tensor expert = tensor(prefix + "expert"), coord = tensor(prefix + "coord");
  const auto sites = static_cast<int64_t>(sites_.size());
  check(expert.scalar_type() == at::kShort && expert.dim() == 2 && expert.size(0) == sites &&
            coord.dim() == 2 && expert.size(1) == coord.size(0),
        where(prefix), "expert must be i16 [sites, N]");
  const int16_t* e = expert.const_data_ptr<int16_t>();
  for (int64_t s = 0; s < sites; ++s, e += expert.size(1))
    out.expert.emplace_back(e, e + expert.size(1));
  return out;
}

std::vector<float> SampleFile::coord(const std::string& prefix, int64_t columns) const {
  const at::Tensor coord = tensor(prefix + "coord");
  check(coord.scalar_type() == at::kFloat && coord.dim() == 2 && coord.size(1) == columns,
        where(prefix), "coord must be f32 [N, ", columns, "]");
  const float* data = coord.const_data_ptr<float>();
  return {data, data + coord.numel()};
}

}  // namespace switchyard
