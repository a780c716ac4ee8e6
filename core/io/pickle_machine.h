#pragma once
// The stack machine behind Pickle::read; not for other users.

#include <unordered_map>

#include "core/io/byte_reader.h"
#include "core/io/pickle.h"

namespace switchyard {

class PickleMachine {
 public:
  PickleMachine(Pickle& out, std::span<const std::byte> bytes, const std::string& where);
  void run();

 private:
  using Kind = PickleNode::Kind;
  // Each takes one opcode, or returns false if it is of another family.
  bool number(uint8_t opcode);
  bool text_or_global(uint8_t opcode);
  bool container(uint8_t opcode);
  bool fill(uint8_t opcode);
  bool object(uint8_t opcode);
  bool memo(uint8_t opcode);

  PickleNode& push(Kind kind);
  void push_int(int64_t value) { push(Kind::Int).integer = value; }
  void push_long(uint8_t length);
  void push_tuple(std::vector<const PickleNode*> items);
  PickleNode& pop();
  PickleNode& top();
  /// The nodes above the last mark, which goes too.
  std::vector<const PickleNode*> pop_to_mark();
  void call(const PickleNode& arguments, const PickleNode& callee);
  void set_items(const std::vector<const PickleNode*>& items);
  void append(const std::vector<const PickleNode*>& items);
  void remember(uint32_t index);
  void recall(uint32_t index);
  template <class... Parts>
  void require(bool ok, const Parts&... parts) const {
    check(ok, in_.where(), "damaged pickle at byte ", opcode_at_, ": ", parts...);
  }

  Pickle& out_;
  ByteReader in_;
  size_t opcode_at_ = 0;
  std::vector<PickleNode*> stack_;
  std::vector<size_t> marks_;
  std::unordered_map<uint32_t, PickleNode*> memo_;
};

}  // namespace switchyard
