#include "core/io/pickle_machine.h"

#include <bit>

#include "core/io/pickle_opcodes.h"

namespace switchyard {
namespace {

constexpr size_t kMaxNodes = 1'000'000;  // of marks, memo and stack too

}  // namespace

PickleMachine::PickleMachine(Pickle& out, std::span<const std::byte> bytes,
                             const std::string& where)
    : out_(out), in_(bytes, where) {}

void PickleMachine::run() {
  for (;;) {
    opcode_at_ = in_.at();
    const auto opcode = in_.number<uint8_t>();
    if (opcode == pickle::kStop) break;
    if (opcode == pickle::kProtocol) {
      const int protocol = in_.number<uint8_t>();
      check(protocol == 2, in_.where(), "unsupported pickle protocol: got ", protocol,
            ", expected 2; valid: a file saved with the pickle_protocol that torch.save has by "
            "itself");
      continue;
    }
    require(number(opcode) || text_or_global(opcode) || container(opcode) || fill(opcode) ||
                object(opcode) || memo(opcode),
            "got opcode ", static_cast<int>(opcode), ", expected one of protocol 2");
  }
  out_.root_ = &pop();
  require(stack_.empty() && marks_.empty(), "got ", stack_.size(), " values left over");
}

bool PickleMachine::number(uint8_t opcode) {
  switch (opcode) {
    case pickle::kNone:
      push(Kind::None);
      return true;
    case pickle::kTrue:
      push(Kind::Bool).integer = 1;
      return true;
    case pickle::kFalse:
      push(Kind::Bool).integer = 0;
      return true;
    case pickle::kInt32:
      push_int(in_.number<int32_t>());
      return true;
    case pickle::kInt8:
      push_int(in_.number<uint8_t>());
      return true;
    case pickle::kInt16:
      push_int(in_.number<uint16_t>());
      return true;
    case pickle::kLong:
      push_long(in_.number<uint8_t>());
      return true;
    case pickle::kDouble: {
      const auto bits = __builtin_bswap64(in_.number<uint64_t>());  // big-endian
      push(Kind::Real).real = std::bit_cast<double>(bits);
      return true;
    }
    default:
      return false;
  }
}

void PickleMachine::push_long(uint8_t length) {
  require(length <= 8, "got a whole number of ", static_cast<int>(length),
          " bytes, expected at most 8");
  const std::string_view bytes = in_.take(length);
  uint64_t value = length > 0 && (bytes.back() & 0x80) ? ~uint64_t{0} : 0;
  for (size_t i = length; i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  push_int(static_cast<int64_t>(value));
}

bool PickleMachine::text_or_global(uint8_t opcode) {
  if (opcode == pickle::kText) {
    const auto length = in_.number<uint32_t>();
    const std::string_view text = in_.take(length);
    push(Kind::Text).text = text;
    return true;
  }
  if (opcode != pickle::kGlobal) return false;
  const std::string_view module = in_.line(), name = in_.line();
  PickleNode& node = push(Kind::Global);
  node.text.append(module).append(".").append(name);
  out_.globals_.push_back(&node);
  return true;
}

bool PickleMachine::container(uint8_t opcode) {
  switch (opcode) {
    case pickle::kMark:
      require(marks_.size() < kMaxNodes, "more than ", kMaxNodes, " marks");
      marks_.push_back(stack_.size());
      return true;
    case pickle::kEmptyDict:
      push(Kind::Dict);
      return true;
    case pickle::kEmptyList:
      push(Kind::List);
      return true;
    case pickle::kEmptyTuple:
      push(Kind::Tuple);
      return true;
    case pickle::kTuple:
      push_tuple(pop_to_mark());
      return true;
    case pickle::kTuple1:
    case pickle::kTuple2:
    case pickle::kTuple3: {
      std::vector<const PickleNode*> items(opcode - pickle::kTuple1 + 1u);
      for (size_t i = items.size(); i-- > 0;) items[i] = &pop();
      push_tuple(std::move(items));
      return true;
    }
    case pickle::kPop:
      pop();
      return true;
    case pickle::kPopMark:
      pop_to_mark();
      return true;
    default:
      return false;
  }
}

bool PickleMachine::fill(uint8_t opcode) {
  switch (opcode) {
    case pickle::kAppend:
      append({&pop()});
      return true;
    case pickle::kAppends:
      append(pop_to_mark());
      return true;
    case pickle::kSetItem: {
      const PickleNode &value = pop(), &key = pop();
      set_items({&key, &value});
      return true;
    }
    case pickle::kSetItems:
      set_items(pop_to_mark());
      return true;
    default:
      return false;
  }
}

bool PickleMachine::object(uint8_t opcode) {
  switch (opcode) {
    case pickle::kReduce:
    case pickle::kNewObject: {
      const PickleNode &arguments = pop(), &callee = pop();
      call(arguments, callee);
      return true;
    }
    case pickle::kBuild: {
      const PickleNode& state = pop();  // of a dict: OrderedDict's _metadata
      require(top().is(Kind::Dict) || top().is(Kind::Call), "attributes of ", top().describe());
      if (top().is(Kind::Call) && top().items.size() == 2) top().items.push_back(&state);
      return true;
    }
    case pickle::kPersistent: {
      const PickleNode& id = pop();
      push(Kind::Persistent).items = {&id};
      return true;
    }
    default:
      return false;
  }
}

void PickleMachine::call(const PickleNode& arguments, const PickleNode& callee) {
  require(arguments.is(Kind::Tuple), "arguments: got ", arguments.describe(), ", expected a tuple");
  require(callee.is(Kind::Global) || callee.is(Kind::Call), "a call of ", callee.describe());
  const bool dict = callee.text == "collections.OrderedDict" && arguments.items.empty();
  PickleNode& node = push(dict ? Kind::Dict : Kind::Call);
  if (!dict) node.items = {&callee, &arguments};
}

bool PickleMachine::memo(uint8_t opcode) {
  switch (opcode) {
    case pickle::kPut8:
      remember(in_.number<uint8_t>());
      return true;
    case pickle::kPut32:
      remember(in_.number<uint32_t>());
      return true;
    case pickle::kGet8:
      recall(in_.number<uint8_t>());
      return true;
    case pickle::kGet32:
      recall(in_.number<uint32_t>());
      return true;
    default:
      return false;
  }
}

PickleNode& PickleMachine::push(Kind kind) {
  require(out_.nodes_.size() < kMaxNodes, "more than ", kMaxNodes, " values");
  PickleNode& node = out_.nodes_.emplace_back();
  node.kind = kind;
  node.offset = static_cast<uint32_t>(opcode_at_);
  stack_.push_back(&node);
  return node;
}

void PickleMachine::push_tuple(std::vector<const PickleNode*> items) {
  push(Kind::Tuple).items = std::move(items);
}

PickleNode& PickleMachine::top() {
  require(stack_.size() > (marks_.empty() ? 0 : marks_.back()), "a value is missing");
  return *stack_.back();
}

PickleNode& PickleMachine::pop() {
  PickleNode& node = top();
  stack_.pop_back();
  return node;
}

std::vector<const PickleNode*> PickleMachine::pop_to_mark() {
  require(!marks_.empty(), "a mark is missing");
  const auto begin = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
  std::vector<const PickleNode*> items(begin, stack_.end());
  stack_.erase(begin, stack_.end());
  marks_.pop_back();
  return items;
}

void PickleMachine::append(const std::vector<const PickleNode*>& items) {
  PickleNode& target = top();
  if (target.is(Kind::Call)) return;  // items of an object that is never made
  require(target.is(Kind::List), "items of ", target.describe(), ", expected a list");
  target.items.insert(target.items.end(), items.begin(), items.end());
}

void PickleMachine::set_items(const std::vector<const PickleNode*>& items) {
  PickleNode& target = top();
  require(items.size() % 2 == 0, "got ", items.size(), " keys and values");
  if (target.is(Kind::Call)) return;  // items of an object that is never made
  require(target.is(Kind::Dict), "items of ", target.describe(), ", expected a dict");
  target.items.insert(target.items.end(), items.begin(), items.end());
}

void PickleMachine::remember(uint32_t index) {
  require(memo_.size() < kMaxNodes, "more than ", kMaxNodes, " kept values");
  memo_[index] = &top();
}

void PickleMachine::recall(uint32_t index) {
  const auto found = memo_.find(index);
  require(found != memo_.end(), "nothing was kept under ", index);
  require(stack_.size() < kMaxNodes, "more than ", kMaxNodes, " values in a row");
  stack_.push_back(found->second);
}

}  // namespace switchyard
