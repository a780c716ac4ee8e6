#pragma once
// CIFAR-10, binary version (https://www.cs.toronto.edu/~kriz/cifar.html):
//
//   ROOT/data_batch_1.bin ...   records of 3,073 bytes: label, then 1,024 red, green and blue
//   ROOT/test_batch.bin         values, row by row
//   ROOT/batches.meta.txt       ten class names, one per line
//
// data_batch_* are split train, test_batch is test. Samples: image [C,S,S] u8 (S = 32 leaves the
// pixels as they are), label [1] i64. Every image is a group of its own.

#include <memory>

#include "datasets/dataset.h"
#include "datasets/image/image_shape.h"
#include "datasets/layout.h"

namespace switchyard {

struct Cifar10Params : ImageShape {
  Cifar10Params() { size = 32; }
  std::string root, domain = "cifar10", source = "CIFAR-10";
  static void declare(Fields<Cifar10Params>& f);
};

/// Maps and hashes the files. Errors: no batch, a size that is no multiple of a record, a label
/// without a class, no class names.
std::unique_ptr<Dataset> open_cifar10(const Cifar10Params& params);

Layout cifar10_layout();

}  // namespace switchyard
