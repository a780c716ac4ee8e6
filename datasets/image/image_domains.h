#pragma once
// The same classes in several data domains (styles, cameras), in three layouts:
//
//   ROOT/DOMAIN/CLASS/*.jpg        PACS, Office-Home, VLCS and the like. No split is given: a
//                                  sample is in test by the hash of its path (hash_split.h)
//   ROOT/index.csv                 path,domain,class,label,split in any order of columns, no quotes
//   ROOT/DOMAIN_SPLIT.txt          DomainNet: "DOMAIN/CLASS/NAME.jpg LABEL" per line, SPLIT train
//                                  or test
//
// Samples as of image_folder. In folders the label is the alphabetical rank of the class over all
// domains. Every image is a group of its own.

#include <memory>

#include "datasets/dataset.h"
#include "datasets/hash_split.h"
#include "datasets/image/image_shape.h"
#include "datasets/layout.h"

namespace switchyard {

struct ImageDomainsParams : ImageShape {
  std::string root, source;
  std::vector<std::string> domains;
  HashSplit split;
  static void declare(Fields<ImageDomainsParams>& f);
};

/// Lists and hashes the files. Errors: no such folder or domain, no class, a class folder without
/// images; in lists (with the line) a missing column, a path that leaves the root or is not there,
/// a label of two classes, a class of two labels, labels with gaps.
std::unique_ptr<Dataset> open_image_domains(const ImageDomainsParams& params);

Layout image_domains_layout();

}  // namespace switchyard
