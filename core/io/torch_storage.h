#pragma once
// Names that PyTorch gives to storages of a dtype in its pickles.

#include <c10/core/ScalarType.h>

#include <string>
#include <string_view>

namespace switchyard {

/// "torch.FloatStorage" -> kFloat. Undefined if there is no such storage.
at::ScalarType storage_dtype(std::string_view global);
/// kFloat -> "FloatStorage". Errors: a dtype without one, named with `where`.
std::string storage_name(at::ScalarType dtype, const std::string& where);

}  // namespace switchyard
