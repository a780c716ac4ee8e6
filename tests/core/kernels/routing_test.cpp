#include "tests/test.h"

#include <ATen/ops/bincount.h>
#include <ATen/ops/diff.h>

#include <limits>

#include "core/kernels/routing.h"
#include "core/moe/assignment.h"
#include "tests/support/device.h"
#include "tests/support/moe.h"

using namespace switchyard;
using namespace switchyard::test;

namespace {
using Ints = std::vector<int64_t>;
at::Tensor ints(const Ints& values) { return at::tensor(values, at::kLong); }
Ints values(const at::Tensor& t) {
  const auto c = t.to(at::kCPU).contiguous();
  return {c.data_ptr<int64_t>(), c.data_ptr<int64_t>() + c.numel()};
}
}  // namespace

TEST_CASE("top-k breaks ties to the lowest slot and survives NaN", "[kernels]") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const auto scores =
      at::tensor(std::vector<double>{1, 2, 2, 0, 0, 0, 0, 0, nan, 5, nan, 7}, at::kDouble)
          .view({3, 4});
  for (const at::Device device : devices()) {
    for (auto type : {at::kDouble, at::kFloat, at::kBFloat16, at::kHalf}) {
      CHECK(values(top_k_slots(scores.to(device, type), 3)) == Ints{1, 2, 0, 0, 1, 2, 3, 1, 0});
    }
  }
  CHECK(error_of([&] { top_k_slots(scores, 5); }).find("expected 1 to 4") != std::string::npos);
}

TEST_CASE("assignment sorts variable k both ways", "[kernels]") {
  for (const at::Device device : devices()) {
    const auto a = make_assignment(ints({0, 2, 2, 3, 6}).to(device),
                                   ints({2, 0, 2, 0, 3, 2}).to(device), at::ones({6}, device), 5);
    CHECK(values(a.slot_offset) == Ints{0, 2, 2, 5, 6, 6});
    CHECK(values(a.token_of) == Ints{0, 3, 0, 2, 3, 3});
    CHECK(values(a.position) == Ints{2, 0, 3, 1, 5, 4});
    CHECK(values(a.entry) == Ints{1, 3, 0, 2, 5, 4});
    CHECK(values(a.count()) == Ints{2, 0, 3, 1, 0});
  }
  CHECK(error_of([] {
          make_assignment(ints({0, 1}), ints({4}), at::ones({1}), 4);
        }).find("slot: got 4") != std::string::npos);
  CHECK(error_of([] {
          make_assignment(ints({0, 3}), ints({1}), at::ones({1}), 4);
        }).find("token_offset") != std::string::npos);
}

namespace {
void check_stable(int64_t entries, int64_t count) {
  RandomStream stream(1, "slots");
  Ints slots(static_cast<size_t>(entries));
  for (auto& s : slots) s = stream.below(static_cast<uint64_t>(count));
  const auto slot_of = ints(slots), offset = at::arange(0, entries + 1, 2, at::kLong);
  for (const at::Device device : devices()) {
    INFO(device.str() << " entries " << entries << " slots " << count);
    const auto sorted = sort_by_slot(slot_of.to(device), offset.to(device), count);
    const auto entry = values(sorted.entry);
    bool stable = true;
    for (size_t i = 1; i < entry.size(); ++i) {
      const auto before = slots[static_cast<size_t>(entry[i - 1])],
                 now = slots[static_cast<size_t>(entry[i])];
      stable = stable && (before < now || (before == now && entry[i - 1] < entry[i]));
    }
    CHECK(stable);
    const auto total = at::bincount(slot_of, {}, count);
    CHECK(at::diff(sorted.slot_offset).cpu().equal(total));
    CHECK(
        at::equal(sorted.position.cpu().index_select(0, sorted.entry.cpu()), at::arange(entries)));
    CHECK(at::equal(sorted.token_of.cpu(), sorted.entry.cpu().floor_divide(2)));
  }
}
}  // namespace

TEST_CASE("counting sort is stable on many entries and slots", "[kernels][cuda]") {
  check_stable(20000, 13);
  check_stable(300000, 300);
  check_stable(400000, 2);
  check_stable(5000, 8192);
}
