#include "domains/diffusion/ddpm/respacing.h"

#include "core/io/json.h"
#include "tests/test.h"

using namespace switchyard;
using namespace switchyard::test;

TEST_CASE("kept steps are spread with both ends, halves to even", "[diffusion][ddpm]") {
  using Steps = std::vector<int64_t>;
  CHECK(kept_steps(4, "") == Steps{0, 1, 2, 3});
  CHECK(kept_steps(10, "7") == Steps{0, 2, 3, 4, 6, 8, 9});  // 1.5, 4.5 and 7.5
  CHECK(kept_steps(10, "1") == Steps{0});
  CHECK(kept_steps(11, "2,3") == Steps{0, 5, 6, 8, 10});  // the first section is one longer
  CHECK(kept_steps(10, "ddim4") == Steps{0, 3, 6, 9});
  CHECK(kept_steps(1000, "ddim25").back() == 960);
  CHECK(kept_steps(1000, "250").back() == 999);
}

TEST_CASE("a respacing that cannot be is refused, with what can", "[diffusion][ddpm]") {
  const auto error = [](int64_t steps, const std::string& text) {
    return error_of([&] { kept_steps(steps, text); });
  };
  CHECK(error(1000, "ddim60").find("[59, 63]") != std::string::npos);
  CHECK(error(1000, "ddim999").find("[500, 1000]") != std::string::npos);
  CHECK(error(1000, "ddim2000").find("[1000]") != std::string::npos);
  CHECK(error(1000, "ddim1").find("[2]") != std::string::npos);
  CHECK(error(1000, "1001").find("cannot keep 1001") != std::string::npos);
  CHECK(error(10, "6,2").find("a section of 5 steps") != std::string::npos);
  CHECK(error(10, "0").find("keeps no step") != std::string::npos);
  for (const char* text : {"ddim", "fast", "5,", "-3", "2.5", " 7", "99999999999999999999"})
    CHECK(error(10, text).find("expected a count") != std::string::npos);
}

TEST_CASE("a config gives a respacing as number, list or text", "[diffusion][ddpm]") {
  const auto text = [](const Json& value) { return respacing_text(to_config(value), "steps"); };
  CHECK(text(250) == "250");
  CHECK(text({10, 15, 20}) == "10,15,20");
  CHECK(text("ddim25") == "ddim25");
  CHECK(text(nullptr) == "");
  CHECK(error_of([&] { text(2.5); }).find("steps") != std::string::npos);
}
