#pragma once

#include "datasets/dataset.h"

namespace switchyard {

/// One picture u8 [H,W,C] of a dataset with the keys image and label: a row per data domain, a
/// column per class, in each place the first sample found among at most 4,096 spread over the
/// dataset. Errors: samples without these keys, no class.
at::Tensor contact_sheet(const Dataset& dataset);

}  // namespace switchyard
