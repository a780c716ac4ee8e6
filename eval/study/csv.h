#pragma once
// Cells of the CSV files beside results.

#include "core/io/json.h"

namespace switchyard {

/// A scalar as a CSV cell (RFC 4180); an undefined number is empty.
std::string csv_cell(const Json& value);

}  // namespace switchyard
