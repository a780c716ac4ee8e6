#include "core/io/printable.h"

namespace switchyard {

std::string printable(std::string_view text) {
  constexpr size_t kShown = 100;
  std::string out = "'";
  for (const char c : text.substr(0, kShown)) out += c < ' ' || c > '~' ? '?' : c;
  return out + (text.size() > kShown ? "...'" : "'");
}

}  // namespace switchyard
