#pragma once
// A run folder of a model that makes pictures, with planted structure: three styles of which one
// unseen, four shapes, patches of 4 x 4 pixels, three sites with five experts. From noise to clean
// the experts turn from the place of a patch to what it shows; passes without condition go to the
// last expert, of the last two sites only to it.

#include <filesystem>

namespace switchyard::test {

struct FakePictures {
  bool traced = true;  ///< a test trace with kept pictures
  bool made = true;    ///< samples/
  bool guided = true;  ///< passes without condition
};

void write_fake_pictures(const std::filesystem::path& run, const FakePictures& options = {});

}  // namespace switchyard::test
