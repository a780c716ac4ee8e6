// `switchyard datasets get`.

#include "core/io/file.h"
#include "tests/support/program.h"
#include "tests/support/text.h"
#include "tests/test.h"

using namespace switchyard;
using namespace switchyard::test;

TEST_CASE("datasets get counts samples and draws a sheet of them", "[apps][image]") {
  TempDir folder;
  const std::string sheet = (folder / "sheet.png").string();
  const std::string shapes = " dataset=image/shapes dataset.size=16 dataset.train=1 dataset.test=1";
  const Result result = run("datasets get " + sheet + shapes);
  CHECK(result.code == 0);
  CHECK(holds(result.output, "samples of sketch/test: 8"));
  CHECK(holds(result.output, "label 3 star: 10"));
  CHECK(holds(read_text(sheet), "IHDR"));
  CHECK(holds(run("datasets get" + shapes).output, "classes: circle, square"));
  const Result wrong = run("datasets get a.png b.png" + shapes);
  CHECK(wrong.code == 1);
  CHECK(holds(wrong.output, "expected at most one PNG: got 2"));
}
