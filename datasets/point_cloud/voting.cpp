#include "datasets/point_cloud/voting.h"

#include <numbers>

#include "datasets/point_cloud/transforms/rotate.h"
#include "datasets/point_cloud/transforms/scale_flip.h"

namespace switchyard {

std::vector<std::string> vote_view_names() { return {"indoor13", "outdoor10"}; }

std::vector<VoteView> vote_views(const std::string& name) {
  check_name("vote_views", "set of views", name, vote_view_names());
  std::vector<VoteView> out;
  if (name == "outdoor10") {
    for (bool flipped : {false, true}) {
      for (double scale : {.9, .95, 1., 1.05, 1.1}) out.push_back({0, scale, flipped});
    }
    return out;
  }
  for (double scale : {1., .95, 1.05}) {
    for (double rotation : {0., .5, 1., 1.5}) out.push_back({rotation, scale, false});
  }
  out.push_back({0, 1, true});
  return out;
}

Sample view_of(const Sample& sample, const VoteView& view) {
  Sample out = sample;
  for (const char* key : {"coord", "normal", "origin"}) {
    const auto found = out.tensors.find(key);
    if (found != out.tensors.end()) found->second = found->second.clone();
  }
  rotate(out, 'z', view.rot_z_pi * std::numbers::pi, Row3{});
  scale(out, {view.scale, view.scale, view.scale});
  flip(out, view.flip, view.flip);
  return out;
}

void add_votes(const at::Tensor& votes_NK, const at::Tensor& rows_M, const at::Tensor& logits_MK) {
  at::Tensor votes = votes_NK;
  votes.index_add_(0, rows_M.to(votes.device()), at::softmax(logits_MK.to(votes.options()), -1));
}

}  // namespace switchyard
