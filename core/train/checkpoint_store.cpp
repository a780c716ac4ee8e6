#include "core/train/checkpoint_store.h"

#include <charconv>

#include "core/train/checkpoint.h"

namespace switchyard {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kPrefix = "step-";

/// Step of "step-00000020"; -1 for any other name.
int64_t step_of(const std::string& name) {
  if (!name.starts_with(kPrefix)) return -1;
  int64_t step = -1;
  const char* end = name.data() + name.size();
  const auto result = std::from_chars(name.data() + kPrefix.size(), end, step);
  return result.ec == std::errc() && result.ptr == end ? step : -1;
}

/// What is wrong with a checkpoint; empty if it is whole.
std::string damage_of(const fs::path& folder) {
  try {
    read_checkpoint(folder);
    return {};
  } catch (const Error& error) {
    return error.what();
  }
}

}  // namespace

fs::path CheckpointStore::at_step(int64_t step) const {
  const std::string digits = std::to_string(step);
  return folder_ / (std::string(kPrefix) +
                    std::string(digits.size() < 8 ? 8 - digits.size() : 0, '0') + digits);
}

std::vector<int64_t> CheckpointStore::steps() const {
  std::vector<int64_t> out;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder_, ignored)) {
    const int64_t step = step_of(entry.path().filename().string());
    if (step >= 0 && entry.is_directory()) out.push_back(step);
  }
  std::sort(out.begin(), out.end());
  return out;
}

fs::path CheckpointStore::newest() const {
  const auto all = steps();
  check(!all.empty(), folder_.string(),
        "no checkpoint to start from: got an empty or missing folder");
  const fs::path newest = at_step(all.back());
  const std::string damage = damage_of(newest);
  if (damage.empty()) return newest;
  for (auto step = all.rbegin() + 1; step != all.rend(); ++step) {
    if (!damage_of(at_step(*step)).empty()) continue;
    fail(newest.string(), "the newest checkpoint is damaged: ", damage,
         "; the one before it is whole, use it with resume=", at_step(*step).string());
  }
  fail(newest.string(), "the newest checkpoint is damaged and no older one is whole: ", damage);
}

void CheckpointStore::prune(int64_t keep, int64_t best_step) const {
  const auto all = steps();
  const auto last = static_cast<size_t>(std::max<int64_t>(keep, 1));
  for (size_t i = 0; i + last < all.size(); ++i) {
    if (all[i] != best_step) fs::remove_all(at_step(all[i]));
  }
}

void CheckpointStore::link_best(int64_t step) const {
  const fs::path temporary = folder_ / "best.tmp";
  fs::remove(temporary);
  fs::create_directory_symlink(at_step(step).filename(), temporary);
  fs::rename(temporary, folder_ / "best");
}

void CheckpointStore::start_from(int64_t step) const {
  std::vector<fs::path> leftovers;
  for (const auto& entry : fs::directory_iterator(folder_)) {
    if (entry.path().filename().string().find(".tmp-") != std::string::npos)
      leftovers.push_back(entry.path());
  }
  for (const auto& path : leftovers) fs::remove_all(path);
  for (int64_t newer : steps()) {
    if (newer <= step) continue;
    const fs::path discarded = at_step(newer).string() + ".discarded";
    fs::remove_all(discarded);
    fs::rename(at_step(newer), discarded);
  }
}

}  // namespace switchyard
