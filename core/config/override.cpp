#include "core/config/override.h"

#include "core/base/error.h"
#include "core/config/yaml.h"

namespace switchyard {
namespace {

bool is_quote(char c) { return c == '\'' || c == '"'; }

/// Drops the backslash before characters that the grammar would otherwise read.
std::string unescape(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool escape =
        text[i] == '\\' && i + 1 < text.size() &&
        std::string_view("\\,()[]{}:='\" ").find(text[i + 1]) != std::string_view::npos;
    out += text[escape ? ++i : i];
  }
  return out;
}

/// Recursive descent over one value.
class ValueParser {
 public:
  ValueParser(const std::string& text, const Origin& origin) : text_(text), origin_(origin) {}

  ConfigNode parse() {
    skip_space();
    const char first = peek();
    if (first != '[' && first != '{' && !is_quote(first)) return plain(text_.substr(at_));
    ConfigNode node = value(0);
    skip_space();
    if (at_ < text_.size()) reject("unexpected text after the value: '", text_.substr(at_), "'");
    return node;
  }

 private:
  template <class... Parts>
  [[noreturn]] void reject(const Parts&... parts) const {
    fail(origin_.text(), "bad value: ", parts...);
  }

  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  void skip_space() {
    while (peek() == ' ') ++at_;
  }
  bool accept(char c) {
    skip_space();
    if (peek() != c) return false;
    ++at_;
    return true;
  }
  ConfigNode node(ConfigNode::Value value) const { return {std::move(value), origin_}; }
  ConfigNode plain(std::string_view raw) const {
    const std::string_view trimmed = trim(raw);
    if (trimmed.empty()) return node(std::string());
    return node(plain_scalar(unescape(trimmed)));
  }

  ConfigNode value(int depth) {
    if (depth >= kMaxConfigDepth) reject("more than ", kMaxConfigDepth, " levels");
    skip_space();
    if (accept('[')) return list(depth);
    if (accept('{')) return map(depth);
    if (is_quote(peek())) return node(quoted());
    const std::string_view raw = word(",]}");
    if (trim(raw).empty()) reject("a value is missing at character ", at_ + 1);
    return plain(raw);
  }

  ConfigNode list(int depth) {
    ConfigNode::List items;
    if (accept(']')) return node(std::move(items));
    do items.push_back(value(depth + 1));
    while (accept(','));
    if (!accept(']')) reject("expected , or ] at character ", at_ + 1);
    return node(std::move(items));
  }

  ConfigNode map(int depth) {
    ConfigNode out = node(ConfigNode::Map{});
    if (accept('}')) return out;
    do {
      skip_space();
      const std::string key = is_quote(peek()) ? quoted() : unescape(trim(word(":,]}")));
      if (key.empty() || !accept(':')) reject("expected KEY: VALUE at character ", at_ + 1);
      if (out.find(key)) reject("duplicate key '", key, "'");
      out.child(key) = value(depth + 1);
    } while (accept(','));
    if (!accept('}')) reject("expected , or } at character ", at_ + 1);
    return out;
  }

  std::string quoted() {
    const char quote = text_[at_++];
    std::string out;
    while (at_ < text_.size() && text_[at_] != quote) {
      const bool escape = text_[at_] == '\\' && at_ + 1 < text_.size() &&
                          (text_[at_ + 1] == quote || text_[at_ + 1] == '\\');
      out += text_[escape ? ++at_ : at_];
      ++at_;
    }
    if (!accept(quote)) reject("the quote ", std::string(1, quote), " is not closed");
    return out;
  }

  /// Up to one of `ends` outside ${...}.
  std::string_view word(std::string_view ends) {
    const size_t begin = at_;
    for (int depth = 0; at_ < text_.size(); ++at_) {
      if (text_.compare(at_, 2, "${") == 0)
        ++depth, ++at_;
      else if (text_[at_] == '\\' && at_ + 1 < text_.size())
        ++at_;
      else if (depth > 0)
        depth -= text_[at_] == '}';
      else if (ends.find(text_[at_]) != std::string_view::npos)
        break;
    }
    return std::string_view(text_).substr(begin, at_ - begin);
  }

  const std::string& text_;
  const Origin& origin_;
  size_t at_ = 0;
};

}  // namespace

Override parse_override(const std::string& text) {
  Override out;
  out.text = text;
  std::string_view rest = text;
  const auto take = [&](std::string_view prefix) {
    if (!rest.starts_with(prefix)) return false;
    rest.remove_prefix(prefix.size());
    return true;
  };
  if (take("++"))
    out.kind = Override::Kind::Force;
  else if (take("+"))
    out.kind = Override::Kind::Add;
  else if (take("~"))
    out.kind = Override::Kind::Delete;
  const size_t equals = rest.find('=');
  out.has_value = equals != std::string_view::npos;
  out.key = trim(rest.substr(0, equals));
  if (out.has_value) out.value_text = rest.substr(equals + 1);
  const bool plain_key =
      !out.key.empty() && out.key.find_first_of(" []{},:\"'") == std::string::npos;
  check(plain_key && (out.has_value || out.kind == Override::Kind::Delete), out.where(),
        "not an override: expected KEY=VALUE, +KEY=VALUE, ++KEY=VALUE, ~KEY or GROUP=OPTION");
  for (const auto& part : split(out.key, '.')) {
    check(!part.empty(), out.where(), "bad key: got '", out.key,
          "', expected names with single dots between");
  }
  check(split(out.key, '.').size() < kMaxConfigDepth, out.where(), "more than ", kMaxConfigDepth,
        " levels");
  return out;
}

std::vector<std::string> split_top_level(const std::string& text) {
  std::vector<std::string> out;
  std::string piece;
  int depth = 0;
  char quote = '\0';
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\\' && i + 1 < text.size()) {
      piece += c;
      piece += text[++i];
      continue;
    }
    const bool at_start = trim(piece).empty() ||
                          std::string_view("[{(,:").find(piece.back()) != std::string_view::npos;
    if (quote)
      quote = c == quote ? '\0' : quote;
    else if (is_quote(c) && at_start)
      quote = c;
    else if (c == '[' || c == '{' || c == '(')
      ++depth;
    else if (c == ']' || c == '}' || c == ')')
      --depth;
    if (c == ',' && depth == 0 && !quote) {
      out.emplace_back(trim(piece));
      piece.clear();
    } else {
      piece += c;
    }
  }
  out.emplace_back(trim(piece));
  return out;
}

bool is_sweep_value(const std::string& text) {
  const std::string_view value = trim(text);
  for (const std::string_view name : {"choice(", "range(", "glob("}) {
    if (value.starts_with(name) && value.ends_with(')')) return true;
  }
  return split_top_level(text).size() > 1;
}

ConfigNode parse_override_value(const std::string& text, const Origin& origin) {
  check(!is_sweep_value(text), origin.text(), "several values for one run: got ", text,
        ", expected one; use `switchyard sweep`, write a list as [a,b], or quote the text");
  return ValueParser(text, origin).parse();
}

}  // namespace switchyard
