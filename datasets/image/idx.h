#pragma once
// The IDX files of MNIST (http://yann.lecun.com/exdb/mnist) and of sets in its format (USPS,
// Fashion-MNIST, EMNIST), several sets as data domains:
//
//   ROOT/PART-images-idx3-ubyte[.gz]   big-endian: magic 0x803, count, rows, columns; u8 pixels
//   ROOT/PART-labels-idx1-ubyte[.gz]   magic 0x801, count; u8 labels
//
// The parameter `domains` says which parts make a domain: {mnist: {train: mnist-train, test:
// mnist-t10k}, usps: usps-t2007}. A part without a split is split by the hash of its uris
// (hash_split.h). Null: parts `train` and `t10k` are the splits of one domain of the folder's name,
// and any other part is a domain. Images of any size are fitted to S x S (decode.h). Samples: image
// [C,S,S] u8, label [1] i64; every image is a group of its own.

#include <filesystem>
#include <memory>

#include "datasets/dataset.h"
#include "datasets/hash_split.h"
#include "datasets/image/image_shape.h"
#include "datasets/layout.h"

namespace switchyard {

struct IdxParams : ImageShape {
  IdxParams() {
    size = 28;
    channels = 1;
  }
  std::string root, source;
  ConfigNode domains;
  std::vector<std::string> classes;
  HashSplit split;
  static void declare(Fields<IdxParams>& f);
};

/// Reads and hashes the files. Errors: no pair, a part that is not there, another number of labels
/// than of images, a label without a class; see read_idx.
std::unique_ptr<Dataset> open_idx(const IdxParams& params);

/// An IDX file of u8 with `dims` axes. Errors: another magic number, nothing in it, more or fewer
/// bytes than the shape says, more than 2^32 bytes.
at::Tensor read_idx(const std::filesystem::path& path, int64_t dims);

Layout idx_layout();

}  // namespace switchyard
