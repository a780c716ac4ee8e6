#include "datasets/domain_plan.h"

#include "tests/datasets/support.h"

using namespace switchyard;
using namespace switchyard::test;

namespace {

using Names = std::vector<std::string>;

/// Two samples, of class a and b, in every domain and split.
MemoryDataset cells() {
  std::vector<Sample> samples;
  for (const char* domain : {"photo", "sketch"})
    for (const char* split : {"train", "test"})
      for (int64_t label = 0; label < 2; ++label)
        samples.push_back({{{"label", at::full({1}, label, at::kLong)}},
                           {cat(domain, "/", split, "/", label), domain, "", split}});
  return MemoryDataset(std::move(samples));
}

DomainPlan plan(const Names& trained, const Names& tested, const Names& left_out = {}) {
  return {DomainSpec::parse(trained, "train"), DomainSpec::parse(tested, "test"),
          DomainSpec::parse(left_out, "train")};
}

Names uris(const Dataset& dataset, const DomainIndex& index) {
  Names out;
  for (const auto& [domain, sample] : index.samples())
    out.push_back(cat(domain, " ", dataset.sample_info(sample).uri));
  return out;
}

}  // namespace

TEST_CASE("a domain is named by itself, a class and a split", "[datasets][domains]") {
  const auto spec = DomainSpec::parse("sketch:dog@val", "train");
  CHECK(spec.name == "sketch:dog@val");
  CHECK(spec.domain == "sketch");
  CHECK(spec.class_name == "dog");
  CHECK(spec.split == "val");
  CHECK(DomainSpec::parse("sketch", "train").split == "train");
  CHECK(DomainSpec::parse("sketch", "train").class_name.empty());
}

TEST_CASE("a cell left out is never trained on and counts as unseen", "[datasets][domains]") {
  const auto data = cells();
  const auto p = plan({"photo", "sketch"}, {"sketch:b", "sketch", "photo"}, {"sketch:b"});
  CHECK(uris(data, p.training_index(data)) ==
        Names{"0 photo/train/0", "0 photo/train/1", "1 sketch/train/0"});
  CHECK(uris(data, p.test_index(data)) == Names{"0 sketch/test/1", "1 sketch/test/0",
                                                "1 sketch/test/1", "2 photo/test/0",
                                                "2 photo/test/1"});
  CHECK(p.seen() == Names{"sketch", "photo"});
  CHECK(p.tested_of_trained() == std::vector<int64_t>{2, 0});
}

TEST_CASE("training on a cell leaves the rest of its domain unseen", "[datasets][domains]") {
  const auto p = plan({"sketch:a"}, {"sketch:a", "sketch:b", "sketch"});
  CHECK(p.seen() == Names{"sketch:a"});
}

TEST_CASE("training draws take the domains in turn and samples of them at random",
          "[datasets][domains]") {
  const auto data = cells();
  const DomainIndex index = plan({"photo", "sketch"}, {"photo", "sketch"}).training_index(data);
  std::set<int64_t> seen;
  for (int64_t item = 0; item < 64; ++item) {
    const auto [domain, sample] = index.draw({5, 0, item});
    CHECK(domain == item % 2);
    CHECK(data.sample_info(sample).domain == (domain == 0 ? "photo" : "sketch"));
    CHECK(index.draw({5, 0, item}) == std::pair(domain, sample));
    seen.insert(sample);
  }
  CHECK(seen.size() == 4);
}

TEST_CASE("domains that do not fit are refused by name", "[datasets][domains]") {
  const auto data = cells();
  CHECK(error_of([] { plan({"photo"}, {"sketch"}); }).find("expected 'photo' among sketch") !=
        std::string::npos);
  CHECK(error_of([&] {
          plan({"photo:c"}, {"photo"}).training_index(data);
        }).find("unknown class: got 'c'") != std::string::npos);
  CHECK(error_of([&] {
          plan({}, {"photo@val"}).test_index(data);
        }).find("no sample of domain 'photo@val' in split 'val'; present: photo@test") !=
        std::string::npos);
  const MemoryDataset no_label({{{}, {"x", "photo", "", "train"}}});
  CHECK(error_of([&] {
          plan({"photo:a"}, {"photo"}).training_index(no_label);
        }).find("[x] has no label, which 'photo:a' asks for") != std::string::npos);
}
