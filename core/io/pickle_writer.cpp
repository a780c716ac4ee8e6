#include "core/io/pickle_writer.h"

#include <functional>
#include <limits>
#include <numeric>

#include "core/base/error.h"
#include "core/io/pickle_opcodes.h"

namespace switchyard {
namespace {

template <class Number>
void put(std::string& out, Number value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

}  // namespace

PickleWriter::PickleWriter() {
  opcode(pickle::kProtocol);
  put<uint8_t>(out_, 2);
}

PickleWriter& PickleWriter::begin_dict() {
  opcode(pickle::kEmptyDict);
  opcode(pickle::kMark);
  return *this;
}

PickleWriter& PickleWriter::end_dict() {
  opcode(pickle::kSetItems);
  return *this;
}

PickleWriter& PickleWriter::text(std::string_view text) {
  check(text.size() <= std::numeric_limits<uint32_t>::max(), "PickleWriter", "text is too long");
  opcode(pickle::kText);
  put(out_, static_cast<uint32_t>(text.size()));
  out_ += text;
  return *this;
}

void PickleWriter::global(std::string_view module, std::string_view name) {
  opcode(pickle::kGlobal);
  out_.append(module).append("\n").append(name).append("\n");
}

void PickleWriter::integer(int64_t value) {
  if (value >= 0 && value <= std::numeric_limits<int32_t>::max()) {
    opcode(pickle::kInt32);
    put(out_, static_cast<int32_t>(value));
  } else {
    opcode(pickle::kLong);
    put<uint8_t>(out_, 8);
    put(out_, value);
  }
}

void PickleWriter::tuple(const std::vector<int64_t>& values) {
  opcode(pickle::kMark);
  for (const int64_t value : values) integer(value);
  opcode(pickle::kTuple);
}

PickleWriter& PickleWriter::tensor(const std::string& storage, size_t index,
                                   const std::vector<int64_t>& size,
                                   const std::vector<int64_t>& stride) {
  global("torch._utils", "_rebuild_tensor_v2");
  opcode(pickle::kMark);
  opcode(pickle::kMark);
  text("storage");
  global("torch", storage);
  text(std::to_string(index)).text("cpu");
  integer(std::accumulate(size.begin(), size.end(), int64_t{1}, std::multiplies<>()));
  opcode(pickle::kTuple);
  opcode(pickle::kPersistent);
  integer(0);  // offset
  tuple(size);
  tuple(stride);
  opcode(pickle::kFalse);                // requires_grad
  global("collections", "OrderedDict");  // backward hooks
  opcode(pickle::kEmptyTuple);
  opcode(pickle::kReduce);
  opcode(pickle::kTuple);
  opcode(pickle::kReduce);
  return *this;
}

std::string PickleWriter::finish() {
  opcode(pickle::kStop);
  return std::move(out_);
}

}  // namespace switchyard
