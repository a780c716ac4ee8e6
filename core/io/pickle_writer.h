#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace switchyard {

/// Writes the pickles (protocol 2) of state dicts as torch.save does.
class PickleWriter {
 public:
  PickleWriter();
  /// Until end_dict() texts and values alternate.
  PickleWriter& begin_dict();
  PickleWriter& end_dict();
  PickleWriter& text(std::string_view text);
  /// A view from offset 0 of the storage `index`, of the type torch.<storage> on the CPU.
  PickleWriter& tensor(const std::string& storage, size_t index, const std::vector<int64_t>& size,
                       const std::vector<int64_t>& stride);
  /// The pickle; nothing may be added afterwards.
  std::string finish();

 private:
  void opcode(uint8_t code) { out_ += static_cast<char>(code); }
  void global(std::string_view module, std::string_view name);
  void integer(int64_t value);
  void tuple(const std::vector<int64_t>& values);

  std::string out_;
};

}  // namespace switchyard
