#include "eval/report/sampling.h"

#include "core/base/error.h"
#include "core/io/json.h"
#include "core/io/safetensors.h"

namespace switchyard {
namespace fs = std::filesystem;
namespace {

void read_facts(Sampling& out, const fs::path& path) {
  const Json json = read_json(path);
  try {
    out.domains = json.at("domains").get<std::vector<std::string>>();
    out.classes = json.at("classes").get<std::vector<std::string>>();
    out.columns = json.at("columns").get<int64_t>();
    out.sampler = json.at("sampler").get<std::string>();
    out.checkpoint_step = json.at("step").get<int64_t>();
  } catch (const Json::exception& error) {
    fail(path.string(), "damaged facts of samples: ", std::string(error.what()));
  }
}

Indices ids(const SafeTensors& file, const std::string& name, int64_t count, size_t below) {
  const at::Tensor values = file.get(name);
  check(values.scalar_type() == at::kLong && values.dim() == 1 && values.size(0) == count,
        file.path().string(), name, " must be i64 [", count, "]");
  const int64_t* data = values.const_data_ptr<int64_t>();
  for (int64_t i = 0; i < count; ++i)
    check(data[i] >= 0 && data[i] < static_cast<int64_t>(below), file.path().string(), name,
          " is out of range: got ", data[i], ", expected 0 to ", static_cast<int64_t>(below) - 1);
  return {data, data + count};
}

void read_images(Sampling& out, const fs::path& path) {
  if (!fs::exists(path)) return;
  const SafeTensors file = SafeTensors::open(path);
  out.image_NCHW = file.get("image");
  check(out.image_NCHW.scalar_type() == at::kByte && out.image_NCHW.dim() == 4 &&
            out.image_NCHW.numel() > 0 &&
            (out.image_NCHW.size(1) == 1 || out.image_NCHW.size(1) == 3),
        path.string(), "image must be u8 [N, 1 or 3, H, W]");
  out.label = ids(file, "label", out.image_NCHW.size(0), out.classes.size());
  out.domain = ids(file, "domain", out.image_NCHW.size(0), out.domains.size());
}

}  // namespace

std::unique_ptr<Sampling> read_sampling(const fs::path& folder) {
  if (!fs::exists(folder / "samples.json")) return nullptr;
  auto out = std::make_unique<Sampling>();
  out->folder = folder;
  read_facts(*out, folder / "samples.json");
  read_images(*out, folder / "images.safetensors");
  if (fs::exists(folder / "trace.safetensors")) {
    out->trace = std::make_unique<TraceView>(load_trace(folder / "trace.safetensors"));
    out->counts = count_sequences(*out->trace);
  }
  return out;
}

}  // namespace switchyard
