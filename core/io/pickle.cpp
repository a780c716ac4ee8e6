#include "core/io/pickle.h"

#include "core/base/error.h"
#include "core/io/pickle_machine.h"
#include "core/io/printable.h"

namespace switchyard {
namespace {

std::string name_of(const PickleNode& node) {
  using Kind = PickleNode::Kind;
  switch (node.kind) {
    case Kind::None:
      return "None";
    case Kind::Bool:
      return node.integer ? "True" : "False";
    case Kind::Int:
      return cat("int ", node.integer);
    case Kind::Real:
      return cat("float ", node.real);
    case Kind::Text:
      return "text " + printable(node.text);
    case Kind::List:
      return cat("a list of ", node.items.size());
    case Kind::Tuple:
      return cat("a tuple of ", node.items.size());
    case Kind::Dict:
      return cat("a dict of ", node.items.size() / 2);
    case Kind::Global:
      return "global " + printable(node.text);
    case Kind::Persistent:
      return "a storage";
    case Kind::Call:
      return "a call";
  }
  return {};
}

}  // namespace

bool PickleNode::calls(std::string_view name) const {
  return is(Kind::Call) && items.front()->is(Kind::Global) && items.front()->text == name;
}

std::string PickleNode::describe() const {
  // A call of a call of ...: the innermost name, within a limit.
  const PickleNode* callee = this;
  for (int depth = 0; depth < 100 && callee->is(Kind::Call); ++depth)
    callee = callee->items.front();
  const std::string what = is(Kind::Call) ? "a call of " + name_of(*callee) : name_of(*this);
  return cat(what, " at byte ", offset);
}

const PickleNode* PickleNode::find(std::string_view key) const {
  for (size_t i = items.size(); is(Kind::Dict) && i >= 2; i -= 2) {
    if (items[i - 2]->is(Kind::Text) && items[i - 2]->text == key) return items[i - 1];
  }
  return nullptr;
}

Pickle Pickle::read(std::span<const std::byte> bytes, const std::string& where, size_t max_bytes) {
  check(bytes.size() <= max_bytes, where, "pickle is too large: got ", bytes.size(),
        " bytes, expected at most ", max_bytes);
  Pickle out;
  PickleMachine(out, bytes, where).run();
  return out;
}

}  // namespace switchyard
