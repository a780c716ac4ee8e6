#pragma once
// Base64 (RFC 4648), for bytes inside the page.

#include <cstdint>
#include <span>
#include <string>

namespace switchyard {

std::string base64(std::span<const uint8_t> bytes);
/// "data:image/png;base64,..." of a PNG file's bytes.
std::string png_uri(const std::string& png);

}  // namespace switchyard
