#include "core/io/gzip.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <ostream>

#include "core/base/error.h"
#include "core/io/file.h"

namespace switchyard {
namespace {

constexpr int kGzip = 16 + MAX_WBITS;  // the gzip wrapper and no other
constexpr size_t kPiece = size_t{1} << 16;

/// zlib counts in unsigned int.
uInt piece_of(size_t bytes) { return static_cast<uInt>(std::min(bytes, size_t{1} << 30)); }

class Inflater {
 public:
  explicit Inflater(const std::string& where) : where_(where) {
    check(inflateInit2(&stream_, kGzip) == Z_OK, where_, "zlib cannot start");
  }
  ~Inflater() { inflateEnd(&stream_); }

  std::vector<std::byte> run(std::span<const std::byte> in, size_t limit) {
    std::vector<std::byte> out;
    std::array<std::byte, kPiece> piece;
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(in.data()));
    size_t left = in.size();
    for (int state = Z_OK; state != Z_STREAM_END;) {
      const uInt given = piece_of(left);
      stream_.avail_in = given;
      stream_.next_out = reinterpret_cast<Bytef*>(piece.data());
      stream_.avail_out = kPiece;
      state = inflate(&stream_, Z_NO_FLUSH);
      left -= given - stream_.avail_in;
      check(state == Z_OK || state == Z_STREAM_END, where_, "not a complete gzip file: ",
            state == Z_BUF_ERROR ? "it is cut short" : "its data are damaged");
      const size_t made = kPiece - stream_.avail_out;
      check(out.size() + made <= limit, where_, "too large: more than ", limit, " bytes unpacked");
      out.insert(out.end(), piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(made));
    }
    check(left == 0, where_, "not a plain gzip file: ", left, " bytes follow its end");
    return out;
  }

 private:
  std::string where_;
  z_stream stream_{};
};

}  // namespace

std::vector<std::byte> read_gzip(const std::filesystem::path& path, size_t limit) {
  const auto file = MappedFile::open(path);
  return Inflater(path.string()).run(file->bytes(), limit);
}

void write_gzip(const std::filesystem::path& path, const std::vector<std::byte>& bytes) {
  z_stream stream{};
  check(deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kGzip, 8, Z_DEFAULT_STRATEGY) ==
            Z_OK,
        path.string(), "zlib cannot start");
  std::vector<char> out(deflateBound(&stream, bytes.size()));
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(bytes.data()));
  stream.avail_in = piece_of(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = piece_of(out.size());
  const bool done = deflate(&stream, Z_FINISH) == Z_STREAM_END && stream.total_in == bytes.size();
  out.resize(stream.total_out);
  deflateEnd(&stream);
  check(done, path.string(), "cannot be compressed: got ", bytes.size(), " bytes");
  write_atomic(path, [&](std::ostream& file) {
    file.write(out.data(), static_cast<std::streamsize>(out.size()));
  });
}

}  // namespace switchyard
