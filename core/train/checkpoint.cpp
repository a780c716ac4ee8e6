#include "core/train/checkpoint.h"

#include "core/base/random.h"
#include "core/io/file.h"
#include "core/io/json.h"
#include "core/train/load_weights.h"
#include "core/train/tensor_files.h"

namespace switchyard {
namespace fs = std::filesystem;
namespace {

constexpr const char* kSchema = "switchyard.checkpoint/1";

std::string hash_of(const fs::path& path) {
  const std::string_view digits = "0123456789abcdef";
  const auto file = MappedFile::open(path);
  uint64_t hash =
      hash64({reinterpret_cast<const char*>(file->bytes().data()), file->bytes().size()});
  std::string out(16, '0');
  for (size_t i = 16; i-- > 0; hash >>= 4) out[i] = digits[hash & 15];
  return out;
}

Json to_json(const TrainState& s) {
  Json json = {{"schema", kSchema},        {"step", s.step},
               {"source", s.source},       {"total_steps", s.total_steps},
               {"skipped", s.skipped},     {"skipped_in_a_row", s.skipped_in_a_row},
               {"best_step", s.best_step}, {"best_value", s.best_value},
               {"threads", s.threads},     {"seed", s.seed},
               {"data_hash", s.data_hash}, {"provenance", s.provenance},
               {"overrides", s.overrides}, {"config", switchyard::to_json(s.config)}};
  if (s.loss_scaler) {
    const auto& [scale, good_steps] = s.loss_scaler->state();
    json["loss_scaler"] = {{"scale", scale}, {"good_steps", good_steps}};
  }
  return json;
}

TrainState from_json(const Json& json, const std::string& where) {
  TrainState s;
  check(json.at("schema") == kSchema, where, "unknown schema: got ", json.at("schema").dump(),
        ", expected ", kSchema);
  json.at("step").get_to(s.step);
  json.at("source").get_to(s.source);
  json.at("total_steps").get_to(s.total_steps);
  json.at("skipped").get_to(s.skipped);
  json.at("skipped_in_a_row").get_to(s.skipped_in_a_row);
  json.at("best_step").get_to(s.best_step);
  json.at("best_value").get_to(s.best_value);
  json.at("threads").get_to(s.threads);
  json.at("seed").get_to(s.seed);
  if (json.contains("loss_scaler")) {
    const Json& scaler = json.at("loss_scaler");
    s.loss_scaler.emplace(LossScaler::State{scaler.at("scale").get<double>(),
                                            scaler.at("good_steps").get<int64_t>()});
  }
  json.at("data_hash").get_to(s.data_hash);
  json.at("provenance").get_to(s.provenance);
  json.at("overrides").get_to(s.overrides);
  s.config = to_config(json.at("config"), {where, 0});
  return s;
}

void check_file(const fs::path& path, const Json& expected) {
  check(fs::exists(path), path.string(), "is missing");
  const auto size = static_cast<int64_t>(fs::file_size(path)),
             wanted = expected.at("bytes").get<int64_t>();
  check(size == wanted, path.string(), "has the wrong size: got ", size, " bytes, expected ",
        wanted);
  const std::string hash = hash_of(path), wanted_hash = expected.at("hash").get<std::string>();
  check(hash == wanted_hash, path.string(), "is damaged: got hash ", hash, ", expected ",
        wanted_hash);
}

}  // namespace

void save_checkpoint(const fs::path& folder, const TrainState& state, const TrainParts& parts) {
  write_folder_atomic(folder, [&](const fs::path& into) {
    Json json = to_json(state);
    json["files"] = Json::object();
    const auto write = [&](const std::string& name, const NamedTensors& tensors) {
      write_safetensors(into / name, tensors);
      json["files"][name] = {{"bytes", fs::file_size(into / name)}, {"hash", hash_of(into / name)}};
    };
    write("model.safetensors", weights_of(parts.model));
    write("optimizer.safetensors", parts.optimizer.state());
    if (parts.ema) write(kAverageFile, parts.ema->state());
    write_json(into / "state.json", json);
  });
}

TrainState read_checkpoint(const fs::path& folder) {
  const fs::path path = folder / "state.json";
  const Json json = read_json(path);
  try {
    TrainState state = from_json(json, path.string());
    for (const auto& [name, file] : json.at("files").items()) {
      check(name.find('/') == std::string::npos, path.string(), "bad file name: got '", name, "'");
      check_file(folder / name, file);
    }
    return state;
  } catch (const Json::exception& error) {
    fail(path.string(), "is damaged: ", std::string(error.what()));
  }
}

void load_checkpoint(const fs::path& folder, const TrainParts& parts) {
  load_exact(SafeTensors::open(folder / "model.safetensors"), weights_of(parts.model));
  parts.optimizer.load_state(SafeTensors::open(folder / "optimizer.safetensors"));
  if (parts.ema) parts.ema->load_state(SafeTensors::open(folder / kAverageFile));
}

}  // namespace switchyard
