#include "tests/test.h"

#include <map>

#include "core/bench/moe_shape.h"

using namespace switchyard;
using namespace switchyard::test;

namespace {

/// Of the table of floors: GFLOP of the forward pass, then ms of inference, of the forward pass in
/// training and with the backward pass, and fused inference and training where given (else 0).
struct Row {
  double gigaflops, inference, train, both, fused = 0, fused_both = 0;
};
const std::map<std::string, Row> kTable = {{"P0", {54, .399, .54, 1.56, .122, .28}},
                                           {"P2", {107, .202, .27, .79, .135, .47}},
                                           {"P4", {107, .135, .15, .42}},
                                           {"D1", {137, .172, .172, .52}},
                                           {"D2", {696, .872, .872, 2.62}},
                                           {"Q1", {1.9, .012, .013, .038, .009}},
                                           {"Q16", {30, .106, .125, .35, .067, .16}},
                                           {"A1", {831, 1.04, 1.04, 3.12}},
                                           {"A0", {6.5, .091, 0, 0}},
                                           {"F1", {464, .79, .86, 2.42}},
                                           {"F2", {1237, 1.55, 1.55, 4.65}},
                                           {"F3", {3402, 4.26, 4.26, 12.8}},
                                           {"M1", {11545, 14.5, 14.5, 43.4}},
                                           {"L0", {17.2, .311, .311, .711}},
                                           {"K1", {26.8, .174, .243, .730, .035, .118}}};

double floor_ms(const MoeShape& shape, Pass pass, bool fused) {
  return 1e3 * floor_seconds(moe_cost(shape, pass, fused, 2), kH100);
}

void check_near(double got, double table) {
  if (table > 0) CHECK(got == Approx(table).epsilon(.05));
}

}  // namespace

TEST_CASE("the counting rules give the published floors", "[bench]") {
  REQUIRE(moe_shapes().size() == kTable.size());
  for (const MoeShape& shape : moe_shapes()) {
    INFO(shape.name);
    const Row& row = kTable.at(shape.name);
    check_near(1e-9 * moe_cost(shape, Pass::Inference, false, 2).flops, row.gigaflops);
    check_near(floor_ms(shape, Pass::Inference, false), row.inference);
    check_near(floor_ms(shape, Pass::TrainForward, false), row.train);
    check_near(floor_ms(shape, Pass::ForwardBackward, false), row.both);
    check_near(floor_ms(shape, Pass::Inference, true), row.fused);
    check_near(floor_ms(shape, Pass::ForwardBackward, true), row.fused_both);
  }
  CHECK(error_of([] { moe_shape("P9"); }).find("P0") != std::string::npos);
}
