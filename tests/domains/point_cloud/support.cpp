#include "tests/test.h"

#include "tests/domains/point_cloud/support.h"

#include <array>
#include <set>

#include "core/base/random.h"
#include "routers/register.h"

namespace switchyard::test {

PointInput scan_like(int64_t clouds, int64_t n) {
  RandomStream random(1);
  std::vector<int64_t> grid;
  PointInput input;
  input.offset = {0};
  for (int64_t b = 0; b < clouds; ++b) {
    std::set<std::array<int64_t, 3>> seen;
    while (static_cast<int64_t>(seen.size()) < n) {
      std::array<int64_t, 3> p = {random.below(60), random.below(60), random.below(40)};
      p[static_cast<size_t>(random.below(3))] = 10 * random.below(2);
      seen.insert(p);
    }
    for (const auto& p : seen) grid.insert(grid.end(), p.begin(), p.end());
    input.offset.push_back(input.offset.back() + n);
  }
  input.grid_N3 = at::tensor(grid, at::kLong).view({-1, 3});
  input.coord_N3 = input.grid_N3.to(at::kFloat);
  input.feat_NC = at::ones({clouds * n, 5}) * input.coord_N3.narrow(1, 0, 1) / 60;
  return input;
}

Ptv3Params scan_demo() {
  Ptv3Params p;
  p.in_channels = 5;
  p.stride = {2, 2};
  p.enc_depths = {1, 1, 1};
  p.enc_channels = {24, 48, 72};
  p.enc_num_head = {2, 3, 4};
  p.enc_patch_size = {64, 64, 64};
  p.dec_depths = {1, 1};
  p.dec_channels = {24, 48};
  p.dec_num_head = {2, 3};
  p.dec_patch_size = {64, 64};
  p.mlp_ratio = 2;
  p.drop_path = 0;
  p.stem_kernel = 3;
  p.shuffle_orders = false;
  return p;
}

Ptv3Params small_ptv3(bool moe) {
  register_routers();
  Ptv3Params p = scan_demo();
  p.stride = {2};
  p.enc_depths = {1, 1};
  p.enc_channels = {8, 16};
  p.enc_num_head = {2, 2};
  p.enc_patch_size = {32, 32};
  p.dec_depths = {1};
  p.dec_channels = {8};
  p.dec_num_head = {2};
  p.dec_patch_size = {32};
  if (moe) {
    ConfigNode& site = p.moe.child("attn_out_proj");
    site.child("router").child("losses") =
        ConfigNode(ConfigNode::List{ConfigNode(std::string("balance"))});
    site.child("experts").child("count") = ConfigNode(int64_t{4});
  }
  return p;
}

}  // namespace switchyard::test
