#include "eval/report/base64.h"

#include <openssl/evp.h>

namespace switchyard {

std::string base64(std::span<const uint8_t> bytes) {
  std::string out(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), bytes.data(),
                                   static_cast<int>(bytes.size()));
  out.resize(static_cast<size_t>(size));
  return out;
}

std::string png_uri(const std::string& png) {
  return "data:image/png;base64," +
         base64({reinterpret_cast<const uint8_t*>(png.data()), png.size()});
}

}  // namespace switchyard
