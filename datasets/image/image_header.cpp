#include "datasets/image/image_header.h"

#include "core/io/byte_reader.h"

namespace switchyard {
namespace {

using Bytes = std::span<const std::byte>;

ImageHeader png(ByteReader& in) {
  in.seek(8);
  check(in.big_endian(4) == 13 && in.take(4) == "IHDR", in.where(), "damaged PNG header");
  const int64_t width = in.big_endian(4), height = in.big_endian(4);
  return {"png", height, width};
}

ImageHeader bmp(ByteReader& in) {
  in.seek(14);
  if (in.number<uint32_t>() == 12) {
    const int64_t width = in.number<uint16_t>(), height = in.number<uint16_t>();
    return {"bmp", height, width};
  }
  const int64_t width = in.number<int32_t>(), height = in.number<int32_t>();
  return {"bmp", height < 0 ? -height : height, width};  // negative: rows from the top
}

ImageHeader webp(ByteReader& in) {
  in.seek(12);
  const std::string_view chunk = in.take(4);
  in.take(4);  // its size
  if (chunk == "VP8X") {
    in.take(4);  // flags
    const auto side = [&] {
      const int64_t low = in.number<uint16_t>();
      return 1 + low + (int64_t{in.number<uint8_t>()} << 16);
    };
    const int64_t width = side(), height = side();
    return {"webp", height, width};
  }
  if (chunk == "VP8L") {
    check(in.number<uint8_t>() == 0x2f, in.where(), "damaged WebP header");
    const auto bits = in.number<uint32_t>();
    return {"webp", 1 + int64_t{bits >> 14 & 0x3fff}, 1 + int64_t{bits & 0x3fff}};
  }
  check(chunk == "VP8 ", in.where(), "damaged WebP header");
  in.take(3);  // frame tag
  check(in.take(3) == "\x9d\x01\x2a", in.where(), "damaged WebP header");
  const int64_t width = in.number<uint16_t>() & 0x3fff, height = in.number<uint16_t>() & 0x3fff;
  return {"webp", height, width};
}

/// Goes through the segments of a JPEG (ITU-T T.81, annex B) to its end.
class JpegSegments {
 public:
  explicit JpegSegments(ByteReader& in) : in_(in) {}

  ImageHeader read() {
    in_.seek(2);
    for (uint8_t marker = next_marker(); marker != kEnd; marker = next_marker()) {
      if (is_bare(marker)) continue;
      const uint32_t length = in_.big_endian(2);
      check(length >= 2, in_.where(), "damaged JPEG segment at byte ", in_.at());
      read_segment(marker, in_.take(length - 2));
      if (marker == kScan) skip_scan();
    }
    check(header_.height > 0, in_.where(), "JPEG without a frame");
    check(components_ != 4 || adobe_, in_.where(),
          "is a CMYK JPEG without Adobe's marker: whether 255 means ink or none is not said");
    return header_;
  }

 private:
  static constexpr uint8_t kEnd = 0xd9, kScan = 0xda, kAdobe = 0xee;

  static bool is_bare(uint8_t marker) {
    return marker == 0x01 || (marker >= 0xd0 && marker <= 0xd8);
  }
  static bool is_frame(uint8_t marker) {
    return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
  }

  uint8_t next_byte() {
    check(in_.left() > 0, in_.where(), "is cut off: no end-of-image marker");
    return in_.number<uint8_t>();
  }

  /// Bytes between segments are passed over, as libjpeg does.
  uint8_t next_marker() {
    while (next_byte() != 0xff) continue;
    uint8_t marker = 0xff;
    while (marker == 0xff) marker = next_byte();
    return marker;
  }

  void read_segment(uint8_t marker, std::string_view data) {
    if (marker == kAdobe && data.starts_with("Adobe")) adobe_ = true;
    if (!is_frame(marker)) return;
    ByteReader frame(std::as_bytes(std::span(data)), in_.where() + " (frame)");
    frame.take(1);  // precision
    header_ = {"jpeg", frame.big_endian(2), frame.big_endian(2)};
    components_ = frame.number<uint8_t>();
  }

  /// To the next marker that is no restart; 0xff 0x00 is a byte of data.
  void skip_scan() {
    for (;;) {
      if (next_byte() != 0xff) continue;
      const uint8_t next = next_byte();
      if (next == 0 || (next >= 0xd0 && next <= 0xd7)) continue;
      in_.seek(in_.at() - 2);
      return;
    }
  }

  ByteReader& in_;
  ImageHeader header_;
  int components_ = 0;
  bool adobe_ = false;
};

ImageHeader by_first_bytes(Bytes bytes, const std::string& where) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  ByteReader in(bytes, where);
  if (text.starts_with("\xff\xd8\xff")) return JpegSegments(in).read();
  if (text.starts_with("\x89PNG\r\n\x1a\n")) return png(in);
  if (text.starts_with("RIFF") && text.find("WEBP") == 8) return webp(in);
  if (text.starts_with("BM")) return bmp(in);
  fail(where, "is no image: got ", bytes.size(),
       " bytes of another format; valid: JPEG, PNG, WebP, BMP");
}

}  // namespace

ImageHeader read_image_header(Bytes bytes, const std::string& where) {
  check(!bytes.empty(), where, "is empty: expected an image");
  const ImageHeader out = by_first_bytes(bytes, where);
  check(out.height > 0 && out.width > 0, where, "has no size: got ", out.height, " x ", out.width);
  check(out.height <= kMaxImageSide && out.width <= kMaxImageSide &&
            out.height * out.width <= kMaxImagePixels,
        where, "is too large: got ", out.height, " x ", out.width, " pixels, expected at most ",
        kMaxImageSide, " on a side and ", kMaxImagePixels, " in all");
  return out;
}

}  // namespace switchyard
