#include "core/train/event_log.h"

#include <chrono>
#include <cstring>

#include "core/io/file.h"
#include "core/io/tfrecord.h"

namespace switchyard {
namespace fs = std::filesystem;
namespace {

constexpr const char* kFile = "tb/events.out.tfevents.0.switchyard";

// Field keys of the protobuf wire format: number * 8 + wire type (0 varint, 1 eight bytes, 2 length
// and bytes, 5 four bytes). tensorflow/core/util/event.proto and framework/summary.proto.
enum WireType : unsigned { kVarint = 0, kEight = 1, kBytes = 2, kFour = 5 };
enum EventField : unsigned { kWallTime = 1, kStep = 2, kFileVersion = 3, kSummary = 5 };
enum SummaryField : unsigned { kValue = 1 };
enum ValueField : unsigned { kTag = 1, kSimpleValue = 2 };

std::string varint(uint64_t value) {
  std::string out;
  for (; value >= 128; value >>= 7) out += static_cast<char>(value | 128);
  return out + static_cast<char>(value);
}

std::string key(unsigned field, WireType type) { return varint(field * 8 + type); }

template <class T>
std::string fixed_field(unsigned field, T value) {
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  return key(field, sizeof value == 8 ? kEight : kFour) + std::string(bytes, sizeof value);
}

std::string bytes_field(unsigned field, const std::string& bytes) {
  return key(field, kBytes) + varint(bytes.size()) + bytes;
}

std::string event(int64_t step, const std::string& content) {
  const std::chrono::duration<double> now = std::chrono::system_clock::now().time_since_epoch();
  return to_tfrecord(fixed_field(kWallTime, now.count()) + key(kStep, kVarint) +
                     varint(static_cast<uint64_t>(step)) + content);
}

std::optional<uint64_t> take_varint(std::string_view& bytes) {
  uint64_t value = 0;
  for (int shift = 0; shift < 64 && !bytes.empty(); shift += 7) {
    const auto byte = static_cast<uint8_t>(bytes.front());
    bytes.remove_prefix(1);
    value |= static_cast<uint64_t>(byte & 127) << shift;
    if (byte < 128) return value;
  }
  return {};
}

/// Takes the content of a field that is not wanted; false if it is cut off or of an unknown type.
bool skip_field(std::string_view& bytes, uint64_t type) {
  if (type == kVarint) return take_varint(bytes).has_value();
  std::optional<uint64_t> size;
  if (type == kEight) size = 8;
  if (type == kFour) size = 4;
  if (type == kBytes) size = take_varint(bytes);
  if (!size || *size > bytes.size()) return false;
  bytes.remove_prefix(*size);
  return true;
}

/// Rewrites the file with its leading whole events up to step `until`. Returns the path.
fs::path keep_events(const fs::path& path, int64_t until) {
  if (!fs::exists(path)) return path;
  const std::string file = read_text(path);
  const size_t kept = walk_tfrecords(file, [&](std::string_view data) {
    const auto step = step_of_event(data);
    return step && *step <= until;
  });
  if (kept < file.size()) write_text(path, file.substr(0, kept));
  return path;
}

}  // namespace

std::optional<int64_t> step_of_event(std::string_view event) {
  int64_t step = 0;
  while (!event.empty()) {
    const auto field = take_varint(event);
    if (!field) return {};
    if (*field != kStep * 8 + kVarint) {
      if (!skip_field(event, *field % 8)) return {};
      continue;
    }
    const auto value = take_varint(event);
    if (!value) return {};
    step = static_cast<int64_t>(*value);
  }
  return step;
}

EventLog::EventLog(const fs::path& run_folder, int64_t keep_until)
    : file_(keep_events(run_folder / kFile, keep_until)) {
  if (fs::file_size(run_folder / kFile) == 0)
    file_.append(event(0, bytes_field(kFileVersion, "brain.Event:2")));
}

void EventLog::write(int64_t step, const std::map<std::string, double>& row) {
  std::string summary;
  for (const auto& [name, value] : row) {
    summary += bytes_field(
        kValue, bytes_field(kTag, name) + fixed_field(kSimpleValue, static_cast<float>(value)));
  }
  file_.append(event(step, bytes_field(kSummary, summary)));
}

}  // namespace switchyard
