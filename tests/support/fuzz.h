#pragma once

#include <filesystem>
#include <functional>

namespace switchyard::test {

/// Damages the file at `path` in `rounds` random ways (bytes changed, tail cut), calls `read` after
/// each and restores the file. Returns how often `read` refused with an Error; any other exception
/// leaves the test.
int64_t refusals(const std::filesystem::path& path, const std::function<void()>& read,
                 int64_t rounds = 1000);

}  // namespace switchyard::test
