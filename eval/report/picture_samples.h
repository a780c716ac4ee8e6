#pragma once
// Pictures with the routing of their patches, each seen by the network at one or more noise levels.

#include "eval/report/kept_samples.h"
#include "eval/report/sampling.h"

namespace switchyard {

/// Patches of a picture, in the order of the tokens.
struct PatchGrid {
  int64_t columns = 0, rows = 0;
  Indices cell;  ///< [N] row * columns + column
};
/// `place` [N][2]: column and row. Errors at `where`: no whole numbers from 0 to 4095.
PatchGrid patch_grid(const std::vector<float>& place, const std::string& where);

/// One pass.
struct PictureSample : KeptSample {
  at::Tensor image_CHW;  ///< u8, C 1 or 3
  PatchGrid grid;
  double time = kUndefined;  ///< noise level
};

struct PictureSamples {
  std::string selection;
  std::vector<std::string> sites;
  std::vector<PictureSample> samples;
};

/// Those of kind ImageGrid; the noise level is what follows "@t=" in the uri. Errors: shapes that
/// do not fit.
PictureSamples read_picture_samples(const SampleFile& file);

/// Passes with condition that made the traced pictures, at most `most_levels` noise levels spread
/// over all. First one picture of every domain and class, then the second, ...
PictureSamples made_picture_samples(const Sampling& sampling, int64_t most_levels = 8);

/// The passes of a picture, from noise to clean.
using PicturePasses = std::vector<const PictureSample*>;
/// At most `most` pictures, the domains in turn.
std::vector<PicturePasses> pictures_in_turn(const PictureSamples& samples, size_t most);

/// [H, W, C] of at most `side` pixels a side.
at::Tensor thumbnail(const at::Tensor& image_CHW, int64_t side);

}  // namespace switchyard
