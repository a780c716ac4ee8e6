#pragma once
// NumPy arrays inside a pickle of protocol 2 (ndarray.__reduce__): a call of _reconstruct whose
// state is (version, shape, dtype, is Fortran order, bytes). Python 3 writes bytes as Latin-1 text.

#include <ATen/core/Tensor.h>

#include "core/io/pickle.h"

namespace switchyard {

/// Whether such an array may name this global.
bool is_numpy_global(const std::string& name);
bool is_numpy_array(const PickleNode& node);

/// A private copy in C order. `where`: file and name. Errors: damaged, see npy_array.
at::Tensor read_numpy_array(const PickleNode& node, const std::string& where);

}  // namespace switchyard
