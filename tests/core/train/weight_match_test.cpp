#include "core/train/weight_match.h"

#include <ATen/ops/ones.h>

#include "core/io/tensor_io.h"
#include "core/nn/linear.h"
#include "tests/core/train/toy_task.h"
#include "tests/test.h"

using namespace switchyard;
using namespace switchyard::test;

namespace {

/// A network inside a segmentor: backbone.fc.{weight,bias}, head.{weight,bias}.
struct Segmentor : Module {
  Segmentor() {
    auto backbone = std::make_unique<Backbone>();
    add_child("backbone", std::move(backbone));
    emplace_child<Linear>("head", 2, 3);
  }
  struct Backbone : Module {
    Backbone() { emplace_child<Linear>("fc", 4, 2); }
  };
};

NamedTensors tensors(const std::vector<std::pair<std::string, std::vector<int64_t>>>& shapes) {
  NamedTensors out;
  for (const auto& [name, shape] : shapes) out.emplace_back(name, at::ones(shape));
  return out;
}

NamedTensors segmentor_file(const std::string& all, const std::string& backbone) {
  return tensors({{all + "head.weight", {3, 2}},
                  {all + "head.bias", {3}},
                  {all + backbone + "fc.weight", {2, 4}},
                  {all + backbone + "fc.bias", {2}}});
}

}  // namespace

TEST_CASE("prefixes of published checkpoints come off and on", "[train][weights]") {
  const Segmentor model;
  for (const std::string all : {"", "module."}) {
    for (const std::string backbone : {"", "backbone."}) {
      INFO(all << backbone);
      const auto match = match_weights(model, segmentor_file(all, backbone));
      CHECK(match.report.complete());
      CHECK(match.report.matched == 4);
      REQUIRE(match.fitting.size() == 4);
      CHECK(match.fitting[0].first == "backbone.fc.weight");
      CHECK(match.report.renamed.empty() == (all.empty() && !backbone.empty()));
    }
  }
  const Segmentor::Backbone bare;
  const auto report = match_weights(bare, segmentor_file("module.", "backbone.")).report;
  CHECK(report.matched == 2);
  CHECK(report.text() ==
        "matched 2; unexpected 2: head.weight, head.bias; names of the file taken without "
        "'module.', without 'backbone.'");
}

TEST_CASE("what does not fit is named with its shapes", "[train][weights]") {
  const auto match = match_weights(
      Segmentor(), tensors({{"backbone.fc.weight", {2, 4}}, {"head.weight", {5, 2}}, {"x", {1}}}));
  CHECK_FALSE(match.report.complete());
  CHECK(match.report.missing == std::vector<std::string>{"backbone.fc.bias", "head.bias"});
  CHECK(match.report.unexpected == std::vector<std::string>{"x"});
  CHECK(match.report.reshaped == std::vector<std::string>{"head.weight [5, 2] for [3, 2]"});
  CHECK(match.fitting.size() == 1);
}

TEST_CASE("a prefix given by hand must be there and leave names apart", "[train][weights]") {
  const auto file = tensors({{"net.a", {1}}, {"b", {1}}});
  CHECK(strip_prefix(file, "net.", "w.pth")[0].first == "a");
  CHECK(strip_prefix(file, "net.", "w.pth")[1].first == "b");
  CHECK(error_of([&] { strip_prefix(file, "nett.", "w.pth"); }) ==
        "[w.pth] no name has the prefix: got 'nett.'; the first names are: net.a, b");
  const auto same = tensors({{"net.b", {1}}, {"b", {1}}});
  CHECK(error_of([&] { strip_prefix(same, "net.", "w.pth"); }).find("two names become one") !=
        std::string::npos);
  CHECK(strip_module(file)[0].first == "net.a");
}

TEST_CASE("checkpoint= takes a .pth", "[train][weights]") {
  TempDir dir;
  ToyModel model, other;
  NamedTensors published;
  for (const auto& [name, tensor] : weights_of(model))
    published.emplace_back("module." + name, tensor);
  at::NoGradGuard no_grad;
  for (const auto& [name, tensor] : published) at::Tensor(tensor).fill_(3);
  write_tensors(dir / "w.pth", published, "state_dict");
  CHECK(load_weights(other, dir / "w.pth").complete());
  for (const auto& [name, tensor] : weights_of(other)) CHECK((tensor == 3).all().item<bool>());
}
