#include "core/io/numpy_pickle.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/tensor.h>

#include "core/io/file.h"
#include "core/io/torch_file.h"
#include "tests/core/io/torch_support.h"
#include "tests/support/fuzz.h"

using namespace switchyard;
using namespace switchyard::test;

namespace {

// pickle.dumps(dict(a=[200, 1] u1, f=[[1, 2, 3], [4, 5, -6]] f4 in Fortran order, e=zeros((0, 3))
// f8, n=np.float32(3), s='x'), protocol=2) of NumPy 2.4
constexpr char kNumpy[] =
    "\x80\x02}q\x00(X\x01\x00\x00\x00"
    "aq\x01"
    "cnumpy._core.multiarray\n_reconstruct\n"
    "q\x02"
    "cnumpy\nndarray\nq\x03K\x00\x85q\x04"
    "c_codecs\nencode\nq\x05X\x01\x00\x00"
    "\x00"
    "bq\x06X\x06\x00\x00\x00latin1q\x07\x86q\x08Rq\x09\x87q\nRq\x0b(K\x01K\x02\x85"
    "q\x0c"
    "cnumpy\ndtype\nq\x0dX\x02\x00\x00\x00u1q\x0e\x89\x88\x87q\x0fRq\x10(K\x03X"
    "\x01\x00\x00\x00|q\x11NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tq\x12"
    "b\x89h\x05"
    "X\x03\x00\x00\x00\xc3\x88\x01q\x13h\x07\x86q\x14Rq\x15tq\x16"
    "bX\x01\x00\x00\x00"
    "f"
    "q\x17h\x02h\x03K\x00\x85q\x18h\x09\x87q\x19Rq\x1a(K\x01K\x02K\x03\x86q\x1bh\x0dX\x02"
    "\x00\x00\x00"
    "f4q\x1c\x89\x88\x87q\x1dRq\x1e(K\x03X\x01\x00\x00\x00<q\x1fNNNJ\xff"
    "\xff\xff\xffJ\xff\xff\xff\xffK\x00tq b\x88h\x05X\x1d\x00\x00\x00\x00\x00\xc2\x80?"
    "\x00\x00\xc2\x80@\x00\x00\x00@\x00\x00\xc2\xa0@\x00\x00@@\x00\x00\xc3\x80\xc3\x80"
    "q!h\x07\x86q\"Rq#tq$bX\x01\x00\x00\x00"
    "eq%h\x02h\x03K\x00\x85q&h\x09\x87q'Rq((K\x01"
    "K\x00K\x03\x86q)h\x0dX\x02\x00\x00\x00"
    "f8q*\x89\x88\x87q+Rq,(K\x03h\x1fNNNJ\xff\xff"
    "\xff\xffJ\xff\xff\xff\xffK\x00tq-b\x89"
    "c__builtin__\nbytes\nq.)Rq/tq0bX\x01\x00\x00"
    "\x00nq1cnumpy._core.multiarray\nscalar\nq2h\x1eh\x05X\x04\x00\x00\x00\x00\x00@@q3"
    "h\x07\x86q4Rq5\x86q6Rq7X\x01\x00\x00\x00sq8X\x01\x00\x00\x00xq9u.";
const std::string kPickle(kNumpy, sizeof kNumpy - 1);

NamedTensors read(const std::string& pickle) {
  TempDir dir;
  write_pth(dir / "a.pth", pickle, {});
  return read_torch_arrays(dir / "a.pth");
}

/// The pickle with one piece of it replaced.
std::string error_with(const std::string& piece, const std::string& other) {
  std::string pickle = kPickle;
  REQUIRE(pickle.find(piece) != std::string::npos);
  pickle.replace(pickle.find(piece), piece.size(), other);
  return error_of([&] { read(pickle); });
}

}  // namespace

TEST_CASE("arrays that NumPy pickled are read; plain values are left out", "[io][numpy_pickle]") {
  const NamedTensors arrays = read(kPickle);
  REQUIRE(arrays.size() == 3);
  CHECK(arrays[0].first == "a");
  CHECK(arrays[0].second.equal(at::tensor({200, 1}, at::kByte)));
  CHECK(arrays[1].second.equal(at::tensor({1.f, 2.f, 3.f, 4.f, 5.f, -6.f}).reshape({2, 3})));
  CHECK(arrays[2].second.sizes() == at::IntArrayRef({0, 3}));
  CHECK(arrays[2].second.scalar_type() == at::kDouble);
}

TEST_CASE("damaged or foreign arrays are refused", "[io][numpy_pickle]") {
  CHECK(holds(error_with("numpy\nndarray", "os\nsystem"), "got global 'os.system'"));
  CHECK(holds(error_with("u1", "O8"), "unsupported type: got '|O8'"));
  CHECK(holds(error_with("K\x01K\x02\x85", "K\x01K\x03\x85"), "wrong file size: got 2 bytes"));
  CHECK(holds(error_with("latin1", "utf-16"), "expected Latin-1 text"));
  CHECK(holds(error_with("\xc3\x88", "\xc4\x88"), "no Latin-1 text at byte 0"));
}

TEST_CASE("damaged pickles of arrays never crash the reader", "[io][fuzz]") {
  TempDir dir;
  write_text(dir / "data.pkl", kPickle);
  CHECK(refusals(
            dir / "data.pkl",
            [&] {
              write_pth(dir / "b.pth", read_text(dir / "data.pkl"), {});
              read_torch_arrays(dir / "b.pth");
            },
            600) > 100);
}
