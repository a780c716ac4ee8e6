#include "core/io/file.h"

#include <sys/resource.h>

#include <csignal>
#include <ostream>

#include "core/io/sha256.h"
#include "tests/test.h"

using namespace switchyard;
using namespace switchyard::test;

namespace {

/// Files of this process cannot grow beyond `bytes` while this lives: a full disk in small.
class SmallDisk {
 public:
  explicit SmallDisk(rlim_t bytes) : old_handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &old_);
    const rlimit small{bytes, old_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &small);
  }
  ~SmallDisk() {
    ::setrlimit(RLIMIT_FSIZE, &old_);
    std::signal(SIGXFSZ, old_handler_);
  }

 private:
  rlimit old_{};
  void (*old_handler_)(int);
};

size_t entries(const std::filesystem::path& folder) {
  return std::distance(std::filesystem::directory_iterator(folder), {});
}

}  // namespace

TEST_CASE("a full disk leaves the old file and no temporary one", "[io]") {
  TempDir folder;
  write_text(folder / "a.txt", "old");
  std::string message;
  {
    SmallDisk disk(1000);
    message = error_of([&] { write_text(folder / "a.txt", std::string(100'000, 'x')); });
  }
  CHECK(message.find("cannot write (the old file is kept)") != std::string::npos);
  CHECK(read_text(folder / "a.txt") == "old");
  CHECK(entries(folder.path()) == 1);
}

TEST_CASE("a writer that throws leaves the old file or folder", "[io]") {
  TempDir folder;
  write_text(folder / "a.txt", "old");
  CHECK(error_of([&] {
          write_atomic(folder / "a.txt", [](std::ostream&) { fail("here", "stop"); });
        }) == "[here] stop");
  CHECK(read_text(folder / "a.txt") == "old");
  write_text(folder / "kept/a.txt", "old");
  CHECK(error_of([&] {
          write_folder_atomic(folder / "kept", [](const auto&) { fail("here", "stop"); });
        }) == "[here] stop");
  CHECK(read_text(folder / "kept/a.txt") == "old");
  CHECK(entries(folder.path()) == 2);
}

TEST_CASE("unreadable files are named", "[io]") {
  TempDir folder;
  CHECK(error_of([&] { read_text(folder / "none"); }).find("cannot open") != std::string::npos);
  CHECK(error_of([&] { read_text(folder.path()); }).find("not a regular file") !=
        std::string::npos);
  write_text(folder / "a.txt", "12345");
  CHECK(error_of([&] { read_text(folder / "a.txt", 4); }).find("is too large") !=
        std::string::npos);
}

TEST_CASE("SHA-256 gives the published digests", "[io]") {
  TempDir folder;
  const std::string abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  CHECK(sha256_text("abc") == abc);
  CHECK(sha256_text("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(Sha256().update("a").update("bc").hex() == abc);
  write_text(folder / "abc", "abc");
  CHECK(sha256_file(folder / "abc") == abc);
}
