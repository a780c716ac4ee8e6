#include "core/config/yaml.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <charconv>
#include <optional>
#include <sstream>

#include "core/base/error.h"
#include "core/io/file.h"

namespace switchyard {
namespace {

bool is_one_of(const std::string& text, std::initializer_list<const char*> words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

/// [-+]? digits [. digits] [e[-+]digits], with a digit before or after the point.
bool looks_like_number(const std::string& text) {
  size_t i = text[0] == '-' || text[0] == '+' ? 1 : 0;
  const auto digits = [&] {
    const size_t begin = i;
    while (i < text.size() && text[i] >= '0' && text[i] <= '9') ++i;
    return i - begin;
  };
  size_t mantissa = digits();
  if (i < text.size() && text[i] == '.') mantissa += (++i, digits());
  if (mantissa == 0) return false;
  if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
    ++i;
    if (i < text.size() && (text[i] == '-' || text[i] == '+')) ++i;
    if (digits() == 0) return false;
  }
  return i == text.size();
}

template <class T>
std::optional<T> parse_number(const std::string& text) {
  T value{};
  const char* begin = text.data() + (text[0] == '+' ? 1 : 0);
  const char* end = text.data() + text.size();
  const auto result = std::from_chars(begin, end, value);
  if (result.ec != std::errc() || result.ptr != end) return std::nullopt;
  return value;
}

/// Builds nodes from parser events and refuses what the strict form forbids.
class TreeBuilder : public YAML::EventHandler {
 public:
  explicit TreeBuilder(std::string place) : place_(std::move(place)) {}
  ConfigNode take() { return std::move(root_); }
  /// Where the last quoted or block scalar begins.
  const std::optional<YAML::Mark>& last_quoted() const { return last_quoted_; }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (documents_++ > 0) reject(mark, "several documents in one file: expected one");
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    add_scalar(mark, "?", anchor, "null");
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    reject(mark, "aliases are not supported: expected ${key}");
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& text) override {
    add_scalar(mark, tag, anchor, text);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, ConfigNode::List{});
  }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, ConfigNode::Map{});
  }
  void OnSequenceEnd() override { close(); }
  void OnMapEnd() override { close(); }

 private:
  struct Level {
    ConfigNode node;
    std::optional<std::string> key;  ///< of the map entry whose value comes next
  };

  Origin origin(const YAML::Mark& mark) const { return {place_, mark.line + 1}; }

  template <class... Parts>
  [[noreturn]] void reject(const YAML::Mark& mark, const Parts&... parts) const {
    fail(origin(mark).text(), parts...);
  }

  void check_properties(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    if (anchor != 0) reject(mark, "anchors are not supported: expected ${key}");
    if (!is_one_of(tag, {"", "?", "!"})) reject(mark, "tags are not supported: got ", tag);
    if (++values_ > kMaxConfigValues) reject(mark, "more than ", kMaxConfigValues, " values");
  }

  bool expects_key() const {
    return !levels_.empty() && levels_.back().node.is_map() && !levels_.back().key;
  }

  void add_scalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  const std::string& text) {
    check_properties(mark, tag, anchor);
    const bool plain = tag != "!";
    if (!plain) last_quoted_ = mark;
    if (expects_key()) return set_key(mark, text, plain);
    add({plain ? plain_scalar(text) : ConfigNode::Value(text), origin(mark)});
  }

  void set_key(const YAML::Mark& mark, const std::string& key, bool plain) {
    if (plain && key == "<<")
      reject(mark, "merge keys (<<) are not supported: use the defaults list");
    if (plain && is_one_of(key, {"", "~", "null"})) reject(mark, "a key is missing before ':'");
    if (const ConfigNode* first = levels_.back().node.find(key)) {
      reject(mark, "duplicate key '", key, "': first set at ", first->origin().text());
    }
    levels_.back().key = key;
  }

  void open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
            ConfigNode::Value value) {
    check_properties(mark, tag, anchor);
    if (expects_key()) reject(mark, "a key must be a scalar: got a list or map");
    if (levels_.size() >= kMaxConfigDepth) reject(mark, "more than ", kMaxConfigDepth, " levels");
    levels_.push_back({ConfigNode(std::move(value), origin(mark)), std::nullopt});
  }

  void close() {
    ConfigNode node = std::move(levels_.back().node);
    levels_.pop_back();
    add(std::move(node));
  }

  void add(ConfigNode node) {
    if (levels_.empty()) {
      root_ = std::move(node);
      return;
    }
    Level& level = levels_.back();
    ConfigNode::Value& value = level.node.mutable_value();
    if (auto* list = std::get_if<ConfigNode::List>(&value)) list->push_back(std::move(node));
    if (auto* map = std::get_if<ConfigNode::Map>(&value)) {
      map->emplace_back(std::move(*level.key), std::move(node));
      level.key.reset();
    }
  }

  std::string place_;
  ConfigNode root_;
  std::vector<Level> levels_;
  std::optional<YAML::Mark> last_quoted_;
  size_t values_ = 0;
  int documents_ = 0;
};

void check_is_text(const std::string& text, const std::string& place) {
  check(text.size() <= kMaxYamlBytes, place, "too large: got ", text.size(),
        " bytes, expected at most ", kMaxYamlBytes);
  int line = 1;
  for (const unsigned char c : text) {
    if (c == '\n') ++line;
    const bool control = (c < 0x20 && c != '\n' && c != '\r' && c != '\t') || c == 0x7f;
    check(!control, cat(place, ":", line), "not a text file: got byte ", static_cast<int>(c));
  }
}

/// Byte position of a mark.
size_t position_of(const std::string& text, const YAML::Mark& mark) {
  size_t at = 0;
  for (int line = 0; line < mark.line; ++line) at = text.find('\n', at) + 1;
  return at + mark.column;
}

/// yaml-cpp accepts a quoted scalar that the end of the file cuts off; only the last one can be.
void check_closed(const std::string& text, const YAML::Mark& mark, const std::string& place) {
  size_t at = position_of(text, mark);
  if (at >= text.size() || (text[at] != '"' && text[at] != '\'')) return;
  const char quote = text[at++];
  const auto skips = [&] {  // \" and ''
    return quote == '"' ? text[at] == '\\' : text.compare(at, 2, "''") == 0;
  };
  while (at < text.size() && (skips() || text[at] != quote)) at += skips() ? 2 : 1;
  check(at < text.size(), cat(place, ":", mark.line + 1), "not valid YAML: a quote is not closed");
}

std::string place_of(const std::filesystem::path& path) {
  if (!path.is_absolute()) return path.lexically_normal().generic_string();
  const auto relative = path.lexically_relative(std::filesystem::current_path());
  const bool below = !relative.empty() && *relative.begin() != "..";
  return (below ? relative : path).lexically_normal().generic_string();
}

}  // namespace

ConfigNode::Value plain_scalar(const std::string& text) {
  if (is_one_of(text, {"", "~", "null", "Null", "NULL"})) return std::monostate{};
  if (is_one_of(text, {"true", "True", "TRUE"})) return true;
  if (is_one_of(text, {"false", "False", "FALSE"})) return false;
  if (is_one_of(text, {".inf", "+.inf", ".Inf", ".INF"}))
    return std::numeric_limits<double>::infinity();
  if (is_one_of(text, {"-.inf", "-.Inf", "-.INF"})) return -std::numeric_limits<double>::infinity();
  if (is_one_of(text, {".nan", ".NaN", ".NAN"})) return std::numeric_limits<double>::quiet_NaN();
  if (!looks_like_number(text)) return text;
  if (const auto integer = parse_number<int64_t>(text)) return *integer;
  if (const auto real = parse_number<double>(text)) return *real;
  return text;
}

ConfigNode parse_yaml(const std::string& text, const std::string& place) {
  if (text.starts_with("\xef\xbb\xbf")) return parse_yaml(text.substr(3), place);
  check_is_text(text, place);
  TreeBuilder builder(place);
  try {
    std::istringstream stream(text);
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const YAML::Exception& error) {
    const Origin where{place, error.mark.is_null() ? 0 : error.mark.line + 1};
    fail(where.text(), "not valid YAML: ", error.msg);
  }
  if (builder.last_quoted()) check_closed(text, *builder.last_quoted(), place);
  return builder.take();
}

ConfigNode load_yaml(const std::filesystem::path& path) {
  return parse_yaml(read_text(path, kMaxYamlBytes), place_of(path));
}

}  // namespace switchyard
