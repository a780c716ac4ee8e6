#pragma once
// Text files of numbers: one point a line, columns apart by blanks.

#include <ATen/core/Tensor.h>

#include <filesystem>

namespace switchyard {

/// [N, columns] f64. Blank lines at the end are left out. With `repair`, bytes whose bit 5 was
/// lost (0x00 for a blank, 0x0e for '.', 0x10 .. 0x19 for a digit) get it back, with a warning that
/// counts them and names the first line; without, they are errors as all else is that is no number.
/// Errors, as file:line: another number of columns, no number, out of range.
at::Tensor read_number_rows(const std::filesystem::path& path, int64_t columns, bool repair);

}  // namespace switchyard
