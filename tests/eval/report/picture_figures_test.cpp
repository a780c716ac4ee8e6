#include <set>

#include "core/io/file.h"
#include "core/io/json.h"
#include "core/io/safetensors.h"
#include "eval/report/overlay_image.h"
#include "eval/report/picture_samples.h"
#include "eval/report/report.h"
#include "tests/eval/report/fake_pictures.h"
#include "tests/test.h"

using namespace switchyard;
using namespace switchyard::test;

namespace {

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

Json figure(const TempDir& folder, const std::string& slug) {
  return read_json(folder.path() / "report" / "fig" / (slug + ".json"));
}

std::set<std::string> slugs_of(const TempDir& folder, const FakePictures& options) {
  write_fake_pictures(folder.path(), options);
  const auto slugs = write_report({folder.path()}).slugs;
  return {slugs.begin(), slugs.end()};
}

}  // namespace

TEST_CASE("a run about pictures has figures of pictures instead of points", "[report][pictures]") {
  const TempDir folder;
  const auto slugs = slugs_of(folder, {});
  CHECK(slugs.count("overlay-points") == 0);
  for (const char* slug :
       {"overlay-images", "samples", "overlay-denoising", "denoising", "condition-split"}) {
    INFO(slug);
    CHECK(slugs.count(slug) == 1);
    CHECK(figure(folder, slug).at("status") == "ok");
    CHECK_FALSE(contains(read_text(folder.path() / "report" / "fig" / (std::string(slug) + ".svg")),
                         "var("));
  }
  const std::string page = read_text(folder.path() / "report" / "index.html");
  CHECK(contains(page, "Sampler {type: euler, steps: 50}, checkpoint of step 900"));
  CHECK(contains(page, "data:image/png;base64,"));
}

TEST_CASE("the figures find the planted experts", "[report][pictures]") {
  const TempDir folder;
  slugs_of(folder, {});
  const Json split = figure(folder, "condition-split");
  CHECK(split.at("data").at("only_without") == Json{{1, 4}, {2, 4}});
  CHECK(contains(split.at("finding").get<std::string>(),
                 "Only passes without condition go to E4 of layers 1 and 2."));
  const Json noise = figure(folder, "denoising").at("data");
  CHECK(noise.at("made") == true);
  CHECK(noise.at("noise_level").size() == 8);
  for (size_t l = 0; l < 3; ++l) {
    CHECK(noise.at("js")[l].get<double>() > noise.at("null95")[l].get<double>());
    for (const char* key : {"with", "without"})
      for (const Json& level : noise.at(key)[l]) {
        double sum = 0;
        for (const Json& share : level) sum += share.get<double>();
        CHECK(sum == Approx(1));
      }
  }
  const Json overlay = figure(folder, "overlay-images").at("data");
  CHECK(overlay.at("samples").size() == 12);
  CHECK(overlay.at("kept").get<double>() > 0);
  CHECK(overlay.at("kept").get<double>() < 1);
  const std::string svg = read_text(folder.path() / "report" / "fig" / "overlay-images.svg");
  CHECK(svg.find(">sketch<") < svg.find(">flat<"));
}

TEST_CASE("what was not recorded is said with its command", "[report][pictures]") {
  const TempDir only_trace, only_made, without_guidance;
  slugs_of(only_trace, {true, false, true});
  CHECK(figure(only_trace, "samples").at("missing")[0].at("what") == "No picture was made.");
  CHECK(figure(only_trace, "condition-split").at("status") == "empty");
  CHECK(figure(only_trace, "denoising").at("data").at("made") == false);
  CHECK(figure(only_trace, "denoising").at("data").at("noise_level").size() == 4);
  const auto slugs = slugs_of(only_made, {false, true, true});
  CHECK(figure(only_made, "overlay-images").at("status") == "empty");
  CHECK(figure(only_made, "overlay-denoising").at("status") == "ok");
  CHECK(contains(read_text(only_made.path() / "report" / "index.html"), "id=\"layer\""));
  slugs_of(without_guidance, {true, true, false});
  CHECK(contains(figure(without_guidance, "condition-split").at("missing")[0].at("what"),
                 "guidance"));
}

TEST_CASE("damaged pictures are named errors", "[report][pictures]") {
  const TempDir folder;
  write_fake_pictures(folder.path());
  const auto samples = folder.path() / "samples";
  const auto message = [&] { return error_of([&] { write_report({folder.path()}); }); };
  write_safetensors(samples / "images.safetensors",
                    {{"image", at::zeros({2, 4, 8, 8}, at::kByte)}});
  CHECK(contains(message(), "1 or 3"));
  write_safetensors(samples / "images.safetensors", {{"image", at::zeros({2, 3, 8, 8}, at::kByte)},
                                                     {"label", at::tensor({0, 7}, at::kLong)},
                                                     {"domain", at::tensor({0, 0}, at::kLong)}});
  CHECK(contains(message(), "label is out of range: got 7"));
  write_text(samples / "samples.json", "{\"domains\": 3}");
  CHECK(contains(message(), "samples.json"));
  std::filesystem::remove_all(samples);
  write_safetensors(
      folder.path() / "trace" / "samples.safetensors",
      {{"sample0.image", at::zeros({3, 8, 8}, at::kByte)},
       {"sample0.coord", at::full({1, 2}, -1, at::kFloat)},
       {"sample0.expert", at::zeros({1, 1}, at::kShort)}},
      {{"switchyard", R"({"selection": "", "sites": ["a"], "samples": [{"kind": "ImageGrid"}]})"}});
  CHECK(contains(message(), "wrong place of a patch: got -1"));
}

TEST_CASE("the overlay of made pictures is one picture", "[report][pictures]") {
  const TempDir folder;
  write_fake_pictures(folder.path());
  const auto sampling = read_sampling(folder.path() / "samples");
  const at::Tensor all = overlay_image(*sampling);
  // Six pictures by three layers; the picture and eight levels, 96 pixels and a gap of 4 each.
  CHECK(all.sizes() == at::IntArrayRef({18 * 100 - 4, 9 * 100 - 4, 3}));
  CHECK(all[0][96][0].item<int64_t>() == 255);
  // A patch is the grey picture below its expert's colour: hues of two experts differ.
  std::set<std::vector<int64_t>> hues;
  for (int64_t y = 0; y < 96; y += 12)
    for (int64_t x = 100; x < 196; x += 12) {
      const at::Tensor p = all[y + 6][x + 6].to(at::kLong);
      hues.insert({(p[0] - p[1]).item<int64_t>(), (p[1] - p[2]).item<int64_t>()});
    }
  CHECK(hues.size() >= 2);
  CHECK(hues.size() <= 15);  // five experts, each within a step of rounding
  CHECK_FALSE(overlay_image({}).defined());
}

TEST_CASE("patches and thumbnails keep their places", "[report][pictures]") {
  const PatchGrid grid = patch_grid({0, 0, 2, 0, 1, 1}, "test");
  CHECK(grid.columns == 3);
  CHECK(grid.rows == 2);
  CHECK(grid.cell == Indices{0, 2, 4});
  const at::Tensor image = at::arange(3 * 128 * 64, at::kLong).remainder(256).to(at::kByte);
  CHECK(thumbnail(image.reshape({3, 128, 64}), 64).sizes() == at::IntArrayRef{64, 32, 3});
  CHECK(thumbnail(image.reshape({3, 128, 64}), 128).sizes() == at::IntArrayRef{128, 64, 3});
}
