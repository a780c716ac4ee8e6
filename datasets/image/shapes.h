#pragma once
// Pictures drawn when asked for: up to eight shapes (the classes) in up to five styles (the data
// domains), for experiments without any file. Place, size, turn, colours and light are drawn per
// picture; the shape alone is the class and the style alone the domain.

#include "core/base/params.h"
#include "datasets/dataset.h"

namespace switchyard {

struct ShapesParams {
  int64_t seed = 0, size = 32, train = 200, test = 50;
  double jitter = 1;  ///< of place, size and turn, over what a picture has room for
  std::vector<std::string> shapes = {"circle", "square", "triangle", "star",
                                     "cross",  "ring",   "heart",    "crescent"};
  std::vector<std::string> styles = {"flat", "photo", "sketch", "cartoon", "print"};
  static void declare(Fields<ShapesParams>& f);
};

/// Samples: image [3,S,S] u8, label [1] i64. Domain = style; uri = SPLIT/STYLE/SHAPE/NUMBER, which
/// with `seed` and `size` makes the picture. Every picture is a group of its own.
class Shapes : public Dataset {
 public:
  /// Errors: an unknown shape or style, one named twice, no picture.
  explicit Shapes(const ShapesParams& params);

  int64_t size() const override;
  SampleInfo sample_info(int64_t index) const override;
  Sample get(int64_t index, const Draw& draw) const override;
  const DatasetInfo& info() const override { return info_; }

 private:
  struct Place {
    bool train;
    int64_t style, shape, number;
  };
  Place place_of(int64_t index) const;
  SampleInfo info_of(const Place& place) const;

  ShapesParams params_;
  DatasetInfo info_;
};

}  // namespace switchyard
