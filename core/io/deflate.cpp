#include "core/io/deflate.h"

#include <zlib.h>

#include <algorithm>
#include <array>

#include "core/base/error.h"

namespace switchyard {
namespace {

constexpr size_t kPiece = size_t{1} << 16;

/// As zlib codes it: negative without a wrapper, 16 more for gzip.
int window_bits(DeflateFormat format) {
  if (format == DeflateFormat::Raw) return -MAX_WBITS;
  return format == DeflateFormat::Gzip ? 16 + MAX_WBITS : MAX_WBITS;
}

const char* name_of(DeflateFormat format) {
  return format == DeflateFormat::Gzip ? "gzip file" : "deflated stream";
}

/// zlib counts in unsigned int.
uInt piece_of(size_t bytes) { return static_cast<uInt>(std::min(bytes, size_t{1} << 30)); }

Bytef* zlib_pointer(const std::byte* bytes) {
  return reinterpret_cast<Bytef*>(const_cast<std::byte*>(bytes));
}

class Inflater {
 public:
  Inflater(DeflateFormat format, const std::string& where) : format_(format), where_(where) {
    check(inflateInit2(&stream_, window_bits(format)) == Z_OK, where_, "zlib cannot start");
  }
  ~Inflater() { inflateEnd(&stream_); }

  std::vector<std::byte> run(std::span<const std::byte> in, size_t limit) {
    std::vector<std::byte> out;
    std::array<std::byte, kPiece> piece;
    stream_.next_in = zlib_pointer(in.data());
    size_t left = in.size();
    for (int state = Z_OK; state != Z_STREAM_END;) {
      const uInt given = piece_of(left);
      stream_.avail_in = given;
      stream_.next_out = zlib_pointer(piece.data());
      stream_.avail_out = kPiece;
      state = inflate(&stream_, Z_NO_FLUSH);
      left -= given - stream_.avail_in;
      check(state == Z_OK || state == Z_STREAM_END, where_, "not a complete ", name_of(format_),
            ": ", state == Z_BUF_ERROR ? "it is cut short" : "its data are damaged");
      const size_t made = kPiece - stream_.avail_out;
      check(out.size() + made <= limit, where_, "too large: more than ", limit, " bytes unpacked");
      out.insert(out.end(), piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(made));
    }
    check(left == 0, where_, "not a plain ", name_of(format_), ": ", left, " bytes follow its end");
    return out;
  }

 private:
  DeflateFormat format_;
  std::string where_;
  z_stream stream_{};
};

}  // namespace

std::vector<std::byte> inflate_bytes(std::span<const std::byte> in, DeflateFormat format,
                                     size_t limit, const std::string& where) {
  return Inflater(format, where).run(in, limit);
}

std::vector<std::byte> deflate_bytes(std::span<const std::byte> in, DeflateFormat format,
                                     const std::string& where) {
  z_stream stream{};
  check(deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, window_bits(format), 8,
                     Z_DEFAULT_STRATEGY) == Z_OK,
        where, "zlib cannot start");
  std::vector<std::byte> out(deflateBound(&stream, in.size()));
  stream.next_in = zlib_pointer(in.data());
  stream.avail_in = piece_of(in.size());
  stream.next_out = zlib_pointer(out.data());
  stream.avail_out = piece_of(out.size());
  const bool done = deflate(&stream, Z_FINISH) == Z_STREAM_END && stream.total_in == in.size();
  out.resize(stream.total_out);
  deflateEnd(&stream);
  check(done, where, "cannot be compressed: got ", in.size(), " bytes");
  return out;
}

}  // namespace switchyard
