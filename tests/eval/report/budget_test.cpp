#include "eval/report/budget.h"

#include "tests/test.h"

using namespace switchyard;

namespace {

FigureView view_of(const std::string& id, const std::string& label, int64_t layer) {
  Svg svg(10, 10);
  for (int i = 0; i < 200; ++i) svg.rect(i, 0, 1, 1, "cell");
  return {id, label, {svg}, layer, ""};
}

/// An overlay of nine layers with three clouds, and a figure with three views.
Page large_page() {
  Page page;
  page.title = "large";
  Figure overlay, share;
  overlay.slug = "overlay", overlay.number = "11", overlay.section = "look";
  overlay.default_layer = 5;
  for (int64_t l = 0; l < 9; ++l) overlay.views.push_back(view_of("layer", "", l));
  for (const char* name : {"first", "second", "third"}) {
    Cloud cloud;
    cloud.name = name;
    cloud.position = std::string(20'000, 'A');
    for (int64_t l = 0; l < 9; ++l) cloud.layers[l] = std::string(2'000, 'B');
    overlay.clouds.push_back(cloud);
  }
  share.slug = "share", share.number = "2", share.section = "answer";
  share.views = {view_of("share", "share", -1), view_of("diff", "difference", -1),
                 view_of("ratio", "ratio", -1)};
  page.figures = {share, overlay};
  return page;
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a page that fits is left as it is", "[report][budget]") {
  const Page page = large_page();
  CHECK(page_within(page, 1 << 20) == page_html(page));
}

TEST_CASE("a page too large drops in the stated order and names each drop", "[report][budget]") {
  const Page page = large_page();
  const auto whole = static_cast<int64_t>(page_html(page).size());
  const std::string drops[] = {"the turnable cloud third",
                               "the turnable cloud second",
                               "layers 1, 2, 3, 6 and 7 of figure 11",
                               "the pictures of layers 0, 4 and 8 of figure 11",
                               "the view difference of figure 2",
                               "the view ratio of figure 2"};
  size_t fewest = 0;
  for (int64_t bytes = whole - 1; bytes > whole / 4; bytes -= whole / 40) {
    const std::string html = page_within(page, bytes);
    size_t count = 0;
    while (count < std::size(drops) && has(html, drops[count])) ++count;
    INFO(bytes << " of " << whole << " bytes, " << count << " drops");
    for (size_t later = count; later < std::size(drops); ++later)
      CHECK_FALSE(has(html, drops[later]));
    CHECK(count >= std::max<size_t>(fewest, 1));
    fewest = count;
    const bool fits = static_cast<int64_t>(html.size()) <= bytes;
    CHECK(fits != has(html, "nothing else can be left out"));
  }
  CHECK(fewest == std::size(drops));
}

TEST_CASE("a page that cannot get smaller says so", "[report][budget]") {
  const std::string html = page_within(large_page(), 100);
  CHECK(has(html, "the view ratio of figure 2"));
  CHECK(has(html, "nothing else can be left out"));
  CHECK(has(html, "data-view=\"share\""));
  CHECK(has(html, "data-layer=\"5\""));
}
