#pragma once
// SHA-256 (FIPS 180-4) through libcrypto. Digests are 64 lower-case hex digits.

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace switchyard {

class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  Sha256& update(std::span<const std::byte> bytes);
  Sha256& update(std::string_view text);
  /// Digest of everything so far; call once.
  std::string hex();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string sha256_text(std::string_view text);
/// Errors: missing or unreadable file.
std::string sha256_file(const std::filesystem::path& path);

}  // namespace switchyard
