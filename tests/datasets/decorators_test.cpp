#include <ATen/ops/full.h>

#include "datasets/class_map.h"
#include "datasets/concat.h"
#include "datasets/pack.h"
#include "datasets/registry.h"
#include "datasets/subset.h"
#include "tests/datasets/support.h"

using namespace switchyard;
using namespace switchyard::test;

namespace {

Sample sample_of(const std::string& domain, const std::string& split, int64_t value) {
  return {{{"coord", at::full({1, 3}, value, at::kFloat)}},
          {domain + split + std::to_string(value), domain, "g", split}};
}

std::shared_ptr<MemoryDataset> mixed() {
  return std::make_shared<MemoryDataset>(
      std::vector<Sample>{sample_of("x", "train", 0), sample_of("y", "train", 1),
                          sample_of("x", "test", 2), sample_of("y", "test", 3)});
}

ConfigNode text(const std::string& value) { return ConfigNode(value); }
ConfigNode list(ConfigNode::List items) { return ConfigNode(std::move(items)); }
ConfigNode map(ConfigNode::Map items) { return ConfigNode(std::move(items)); }

ConfigNode small_map() {
  return map({{"classes", list({text("road"), text("car")})},
              {"map", map({{"0", text("ignore")}, {"3", text("car")}, {"9", text("road")}})}});
}

std::string map_error(ConfigNode node) {
  return error_of([&] { ClassMap::from_config(node, "class_map"); });
}

}  // namespace

TEST_CASE("subset keeps order, domains and splits, and changes the hash", "[datasets]") {
  const auto all = mixed();
  const Subset test_x(all, SampleChoice{{"x"}, {"test"}});
  CHECK(test_x.size() == 1);
  CHECK(test_x.get(0, {}).tensors.at("coord")[0][0].item<float>() == 2);
  CHECK(Subset(all, SampleChoice{}).size() == 4);
  const Subset y(all, SampleChoice{{"y"}, {}});
  CHECK(y.sample_info(1).uri == "ytest3");
  CHECK(y.info().hash != test_x.info().hash);
  CHECK(y.info().class_names == all->info().class_names);
  const Subset even(all, "even", [](const SampleInfo& s) { return s.uri.back() == '0'; });
  CHECK(even.size() == 1);
}

TEST_CASE("subset refuses names that do not occur and empty choices", "[datasets]") {
  CHECK(holds(error_of([] {
                Subset(mixed(), SampleChoice{{"z"}, {}});
              }),
              "unknown domain: got 'z'"));
  CHECK(holds(error_of([] { Subset(mixed(), SampleChoice{{}, {"tain"}}); }), "train"));
  CHECK(holds(error_of([] { Subset(mixed(), "nothing", [](const SampleInfo&) { return false; }); }),
              "no sample is left"));
}

TEST_CASE("concat joins in order and refuses what does not fit", "[datasets]") {
  const auto first = std::make_shared<MemoryDataset>(
      std::vector<Sample>{sample_of("x", "a", 0), sample_of("x", "a", 1)});
  const auto second = std::make_shared<MemoryDataset>(std::vector<Sample>{sample_of("y", "a", 2)});
  const Concat both({first, second});
  CHECK(both.size() == 3);
  CHECK(both.get(1, {}).info.uri == "xa1");
  CHECK(both.get(2, {}).info.uri == "ya2");
  CHECK(both.info().synthetic);
  CHECK(both.info().source == "memory");
  CHECK(holds(error_of([&] { both.sample_info(3); }), "no such sample"));
  CHECK(holds(error_of([&] { Concat({first, first}); }), "two samples have the uri"));
  CHECK(holds(error_of([] { Concat(std::vector<std::shared_ptr<const Dataset>>{}); }),
              "no dataset given"));
  const auto other =
      std::make_shared<MemoryDataset>(std::vector<Sample>{}, DatasetInfo{{"c"}, "s", "h", false});
  CHECK(holds(error_of([&] { Concat({first, other}); }), "same classes"));
}

TEST_CASE("class maps translate ids and count the missing ones", "[datasets][class_map]") {
  const auto classes = ClassMap::from_config(small_map(), "class_map");
  CHECK(classes.apply(at::arange(9, 10, at::kInt), "f").item<int64_t>() == 0);
  CHECK(classes.apply(at::full({2}, 3, at::kLong), "f").sum().item<int64_t>() == 2);
  CHECK(classes.apply(at::full({1}, 0, at::kByte), "f").item<int64_t>() == -1);
  CHECK(classes.apply(at::empty({0}, at::kLong), "f").numel() == 0);
  const auto message = error_of([&] { classes.apply(at::arange(9, 12, at::kLong), "a.label"); });
  CHECK(message ==
        "[a.label] label ids missing from the class map: got 10 (1 times), 11 (1 times)");
}

TEST_CASE("bad class maps are refused", "[datasets][class_map]") {
  auto twice = small_map(), typo = small_map(), negative = small_map(), none = small_map(),
       reserved = small_map();
  twice.child("classes") = list({text("road"), text("road")});
  typo.child("map").child("5") = text("raod");
  negative.child("map").child("-5") = text("road");
  none.child("classes") = list({});
  reserved.child("classes") = list({text("ignore")});
  CHECK(holds(map_error(twice), "a name occurs twice"));
  CHECK(holds(map_error(typo), "road"));
  CHECK(holds(map_error(negative), "bad raw id: got '-5'"));
  CHECK(holds(map_error(none), "the list is empty"));
  CHECK(holds(map_error(reserved), "'ignore'"));
}

TEST_CASE("datasets are built by name", "[datasets]") {
  TempDir folder;
  register_datasets();
  register_datasets();
  pack(*mixed(), folder / "p");
  const auto shards =
      map({{"type", text("shards")}, {"root", text(folder / "p")}, {"verify", ConfigNode(true)}});
  CHECK(datasets().make(shards, "dataset")->size() == 4);
  const auto train =
      map({{"type", text("subset")}, {"dataset", shards}, {"splits", list({text("train")})}});
  CHECK(datasets().make(train, "dataset")->size() == 2);
  const auto test =
      map({{"type", text("subset")}, {"dataset", shards}, {"splits", list({text("test")})}});
  const auto both = map({{"type", text("concat")}, {"datasets", list({train, test})}});
  CHECK(datasets().make(both, "dataset")->size() == 4);
  CHECK(holds(error_of([] { datasets().make(text("shard"), "dataset"); }), "shards"));
}
