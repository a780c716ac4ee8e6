#include "core/base/error.h"
#include "eval/report/png.h"

namespace switchyard {

std::string png_unavailable() { return "this program was built without librsvg"; }

std::string svg_to_png(const std::string&, double) {
  fail("report/png", png_unavailable(), "; install librsvg2-dev and build again");
}

}  // namespace switchyard
