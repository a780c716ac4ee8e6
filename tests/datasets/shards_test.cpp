#include "datasets/shards.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>

#include "core/io/file.h"
#include "core/io/json.h"
#include "core/io/safetensors.h"
#include "datasets/pack.h"
#include "tests/datasets/support.h"
#include "tests/support/fuzz.h"

using namespace switchyard;
using namespace switchyard::test;

namespace {

Sample sample_of(int64_t points, const std::string& uri, bool color) {
  Sample out{{}, {uri, uri.substr(0, 1), "group-" + uri, points > 2 ? "train" : "test"}};
  out.tensors["coord"] = at::arange(points * 3, at::kFloat).reshape({points, 3});
  out.tensors["segment"] = at::arange(points, at::kLong) - 1;
  out.tensors["rate"] = at::full({}, points * 1000, at::kLong);
  if (color) out.tensors["color"] = at::arange(points * 3, at::kByte).reshape({points, 3});
  return out;
}

/// Empty and one-point clouds, keys that some samples lack.
MemoryDataset four_samples() {
  return MemoryDataset({sample_of(5, "a/0", true), sample_of(0, "a/1", true),
                        sample_of(1, "b/0", false), sample_of(7, "b/1", true)});
}

Json edit_index(const std::filesystem::path& folder, const std::function<void(Json&)>& edit) {
  Json json = read_json(folder / "index.json");
  edit(json);
  write_json(folder / "index.json", json);
  return json;
}

}  // namespace

TEST_CASE("packed samples are read back equal, whatever the shard size", "[datasets][shards]") {
  TempDir folder;
  const auto dataset = four_samples();
  for (int64_t max_bytes : {1, 150, 1 << 20}) {
    int64_t last = 0;
    pack(dataset, folder / "p",
         {max_bytes, true, "raw", [&](int64_t done, int64_t) { last = done; }});
    const ShardDataset shards(folder / "p");
    CHECK(last == 4);
    CHECK(same_samples(dataset, shards));
    CHECK(shards.index().shards.size() == (max_bytes == 1 ? 4 : max_bytes == 150 ? 3 : 1));
    CHECK(shards.info().class_names == std::vector<std::string>{"a", "b"});
    CHECK(shards.info().source == "memory");
    CHECK(shards.info().synthetic);
    CHECK(shards.index().source_hash == "h0");
    CHECK(shards.info().hash.size() == 64);
  }
}

TEST_CASE("the hash of a pack follows its content only", "[datasets][shards]") {
  TempDir folder;
  pack(four_samples(), folder / "a");
  pack(four_samples(), folder / "b");
  pack(MemoryDataset({sample_of(5, "a/0", true)}), folder / "c");
  CHECK(ShardDataset(folder / "a").info().hash == ShardDataset(folder / "b").info().hash);
  CHECK(ShardDataset(folder / "a").info().hash != ShardDataset(folder / "c").info().hash);
}

TEST_CASE("a damaged shard is named", "[datasets][shards]") {
  TempDir folder;
  pack(four_samples(), folder / "p", {150});
  const auto shard = folder / "p/shard-00001.safetensors";
  const std::string good = read_text(shard);
  std::string flipped = good;
  flipped.back() ^= 1;
  write_text(shard, flipped);
  CHECK(holds(error_of([&] { ShardDataset(folder / "p").verify(); }),
              "index.json: shard-00001.safetensors"));
  write_text(shard, good.substr(0, good.size() - 1));
  CHECK(holds(error_of([&] { ShardDataset(folder / "p"); }), "shard-00001.safetensors"));
  std::filesystem::remove(shard);
  CHECK(
      holds(error_of([&] { ShardDataset(folder / "p"); }), "shard-00001.safetensors] cannot open"));
}

TEST_CASE("a damaged index is refused", "[datasets][shards]") {
  TempDir folder;
  const auto message = [&](const std::function<void(Json&)>& edit) {
    pack(four_samples(), folder / "p");
    edit_index(folder / "p", edit);
    return error_of([&] { ShardDataset(folder / "p"); });
  };
  CHECK(holds(error_of([&] { ShardDataset(folder / "none"); }), "index.json] cannot open"));
  CHECK(holds(message([](Json& j) { j["schema"] = "other/1"; }), "unknown schema"));
  CHECK(holds(message([](Json& j) { j.erase("classes"); }), "damaged index"));
  CHECK(holds(message([](Json& j) { j["shards"][0]["file"] = "../x"; }), "bad shard name"));
  CHECK(holds(message([](Json& j) { j["shards"][0]["bytes"] = 3; }), "wrong size"));
  CHECK(holds(message([](Json& j) { j["shards"][0]["samples"] = 9; }), "damaged offsets"));
  CHECK(holds(message([](Json& j) { j["samples"][0]["row"] = 4; }), "lies outside the shards"));
  CHECK(holds(message([](Json& j) { j["samples"][0]["shard"] = -1; }), "lies outside the shards"));
  CHECK(holds(message([](Json& j) { j["samples"][0]["row"] = 1.5; }), "not a whole number"));
  CHECK(holds(message([](Json& j) { j["samples"][0]["uri"] = 3; }), "damaged index"));
  pack(four_samples(), folder / "p");
  write_text(folder / "p/index.json", "{\"schema\":");
  CHECK(holds(error_of([&] { ShardDataset(folder / "p"); }), "not valid JSON"));
}

TEST_CASE("a damaged pack never does more than throw an Error", "[datasets][shards][fuzz]") {
  TempDir folder;
  pack(four_samples(), folder / "p");
  const auto read_all = [&] {
    const ShardDataset shards(folder / "p");
    for (int64_t i = 0; i < shards.size(); ++i) shards.get(i, {});
  };
  CHECK(refusals(folder / "p/index.json", read_all, 300) > 50);
  for (const auto& entry : std::filesystem::directory_iterator(folder / "p")) {
    if (entry.path().extension() == ".safetensors")
      CHECK(refusals(entry.path(), read_all, 300) > 50);
  }
}

TEST_CASE("offsets that do not rise are refused", "[datasets][shards]") {
  TempDir folder;
  pack(MemoryDataset({sample_of(2, "a", false), sample_of(1, "b", false)}), folder / "p");
  const auto path = folder / "p/shard-00000.safetensors";
  NamedTensors tensors;
  {
    const auto file = SafeTensors::open(path);
    for (const auto& name : file.names()) tensors.emplace_back(name, file.get(name).clone());
  }
  for (auto& [name, tensor] : tensors) {
    if (name == "coord.offset") tensor[1] = 5;
  }
  write_safetensors(path, tensors);
  CHECK(holds(error_of([&] { ShardDataset(folder / "p"); }), "coord] damaged offsets"));
}

TEST_CASE("what cannot be packed is refused and leaves no folder", "[datasets][shards]") {
  TempDir folder;
  const auto message = [&](std::vector<Sample> samples) {
    const auto out = error_of([&] { pack(MemoryDataset(std::move(samples)), folder / "p"); });
    CHECK(std::filesystem::is_empty(folder.path()));
    return out;
  };
  Sample wide = sample_of(2, "b", false), real = wide, dotted = wide;
  wide.tensors["coord"] = at::zeros({2, 4});
  real.tensors["segment"] = at::zeros({2});
  dotted.tensors["x.offset"] = at::zeros({2});
  CHECK(holds(message({}), "nothing to pack"));
  CHECK(holds(message({sample_of(1, "a", false), sample_of(2, "a", false)}),
              "two samples have this uri"));
  CHECK(holds(message({sample_of(1, "a", false), wide}), "'coord' differs in shape"));
  CHECK(holds(message({sample_of(1, "a", false), real}), "'segment' differs in type"));
  CHECK(holds(message({dotted}), "'.offset'"));
}

TEST_CASE("pack replaces a pack, never another folder", "[datasets][shards]") {
  TempDir folder;
  write_text(folder / "home/letter.txt", "dear");
  CHECK(holds(error_of([&] { pack(four_samples(), folder / "home"); }), "is no pack"));
  CHECK(read_text(folder / "home/letter.txt") == "dear");
  pack(four_samples(), folder / "p", {1});
  pack(four_samples(), folder / "p");
  CHECK_FALSE(std::filesystem::exists(folder / "p/shard-00001.safetensors"));
}

TEST_CASE("a pack knows whether it holds these data", "[datasets][shards]") {
  TempDir folder;
  CHECK_FALSE(is_packed(four_samples(), folder / "p"));
  pack(four_samples(), folder / "p");
  CHECK(is_packed(four_samples(), folder / "p"));
  const std::vector<Sample> one = {sample_of(1, "a", false)};
  CHECK_FALSE(is_packed(MemoryDataset(one, {{"a"}, "memory", "h1", true}), folder / "p"));
  CHECK_FALSE(is_packed(MemoryDataset(one, {{"a"}, "memory", "", true}), folder / "p"));
}
