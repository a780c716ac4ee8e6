#pragma once
// Images sorted into folders by class, as ImageNet is released:
//
//   ROOT/SPLIT/CLASS/*.jpg    or .jpeg, .png, .webp, .bmp; letter case ignored
//   ROOT/CLASS/*.jpg          without split folders: all have the parameter `split`
//
// The label is the alphabetical rank of the class's name over all splits (torchvision's
// ImageFolder, ImageNet's synsets). Files of other names are left out, with a warning that counts
// them; a file that is named as an image must be one. Samples: image [C,S,S] u8, label [1] i64;
// what happens to grey, alpha, 16 bits, CMYK and EXIF: decode.h. Every image is a group of its own.

#include <memory>

#include "datasets/dataset.h"
#include "datasets/image/image_shape.h"
#include "datasets/layout.h"

namespace switchyard {

struct ImageFolderParams : ImageShape {
  std::string root, domain, source, split = "train";
  ConfigNode splits;
  static void declare(Fields<ImageFolderParams>& f);
};

/// Lists and hashes the files. Errors: no such folder, no class, a class folder without images.
std::unique_ptr<Dataset> open_image_folder(const ImageFolderParams& params);

Layout image_folder_layout();

}  // namespace switchyard
