#pragma once
// Python pickles, protocol 2 (Python's pickletools documents the opcodes), read as data. Nothing is
// looked up or run: a global is its name, a call is a node with the name of what would be called.
// The reader of a format decides which names it knows and refuses the others.

#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <vector>

namespace switchyard {

struct PickleNode {
  enum class Kind : uint8_t {
    None,
    Bool,        ///< integer 0 or 1
    Int,         ///< integer
    Real,        ///< real
    Text,        ///< text, whatever its encoding
    List,        ///< items
    Tuple,       ///< items
    Dict,        ///< items: key, value, key, value ...; a collections.OrderedDict too
    Global,      ///< text: "module.name"
    Call,        ///< items: what is called, its Tuple of arguments, the state set on it if any
    Persistent,  ///< items: the id of something kept outside the pickle
  };
  Kind kind = Kind::None;
  uint32_t offset = 0;  ///< of its opcode, for messages
  union {
    int64_t integer = 0;
    double real;
  };
  std::string text;
  std::vector<const PickleNode*> items;

  bool is(Kind k) const { return kind == k; }
  /// A Call of the global `name`.
  bool calls(std::string_view name) const;
  /// For messages: "int 5 at byte 12", "call of os.system at byte 40".
  std::string describe() const;
  /// Value of a text key of a Dict; nullptr if there is none. Of equal keys the last counts.
  const PickleNode* find(std::string_view key) const;
};

/// A pickle that has been read. Nodes may be shared and may contain themselves, to any depth: walk
/// them with a limit.
class Pickle {
 public:
  static constexpr size_t kMaxBytes = size_t{16} << 20;
  /// `where` is file:member. Errors, with the byte: cut off, over max_bytes or a million nodes,
  /// an opcode of another protocol, operands that are missing or of the wrong kind, whole numbers
  /// beyond 64 bits. Attributes that a pickle sets on a dict are left out.
  static Pickle read(std::span<const std::byte> bytes, const std::string& where,
                     size_t max_bytes = kMaxBytes);

  const PickleNode& root() const { return *root_; }
  /// Every global, in order of appearance.
  const std::vector<const PickleNode*>& globals() const { return globals_; }

 private:
  friend class PickleMachine;
  std::deque<PickleNode> nodes_;  // keeps addresses; freed without recursion, cycles too
  const PickleNode* root_ = nullptr;
  std::vector<const PickleNode*> globals_;
};

}  // namespace switchyard
