#include "core/config/yaml.h"

#include "core/base/random.h"
#include "core/io/file.h"
#include "tests/test.h"

using namespace switchyard;
using namespace switchyard::test;

namespace {

std::string error_in(const std::string& text) {
  return error_of([&] { parse_yaml(text, "a.yaml"); });
}

std::string repeat(const std::string& text, int count) {
  std::string out;
  for (int i = 0; i < count; ++i) out += text;
  return out;
}

}  // namespace

TEST_CASE("plain scalars follow YAML 1.2", "[config][yaml]") {
  const auto node = parse_yaml(
      "i: 12\nn: -3\nf: 1e-3\np: .5\nd: 2.\ninf: .inf\nminus: -.inf\nt: true\nz: ~\nempty:\n"
      "yes: yes\noff: off\nhex: 0x10\ndate: 2024-01-02\nversion: 1.2.3\nq: \"12\"\ns: 'true'\nb: "
      "|\n  7\n",
      "a.yaml");
  CHECK(node.find("i")->as_int() == 12);
  CHECK(node.find("n")->as_int() == -3);
  CHECK(node.find("f")->as_double() == 1e-3);
  CHECK(node.find("p")->as_double() == .5);
  CHECK(node.find("d")->is_double());
  CHECK(node.find("inf")->as_double() > 1e300);
  CHECK(node.find("minus")->as_double() < -1e300);
  CHECK(node.find("t")->as_bool());
  CHECK(node.find("z")->is_null());
  CHECK(node.find("empty")->is_null());
  for (const char* key : {"yes", "off", "hex", "date", "version", "q", "s", "b"}) {
    INFO(key);
    CHECK(node.find(key)->is_string());
  }
}

TEST_CASE("quoted text at the end of a file is read whole", "[config][yaml]") {
  for (const char* text :
       {"a: \"x\"", "a: 'x'\n", "é: [b, \"x\"] # \"c\n", "a: |\n  'x\n", "a: >\n  \"x",
        "\xef\xbb\xbf"
        "a: 'x'",
        "a: 'it''s'\n", "a: \"\\\"\"\n", "\"a\": \"x\"\n\n"}) {
    INFO(text);
    CHECK(parse_yaml(text, "a.yaml").is_map());
  }
}

TEST_CASE("values remember file and line", "[config][yaml]") {
  const auto node = parse_yaml("a:\n  b: 1\n  c: [x,\n    y]\n", "dir/a.yaml");
  CHECK(node.find_path("a.b")->origin().text() == "dir/a.yaml:2");
  CHECK(node.find_path("a.c")->as_list()[1].origin().text() == "dir/a.yaml:4");
}

TEST_CASE("the reader refuses what would be silently wrong", "[config][yaml]") {
  CHECK(error_in("a: 1\nb: 2\na: 3\n") == "[a.yaml:3] duplicate key 'a': first set at a.yaml:1");
  CHECK(error_in("x: {k: 1, k: 2}\n").find("[a.yaml:1] duplicate key 'k'") == 0);
  CHECK(error_in("a:\n  <<: {b: 1}\n").find("[a.yaml:2] merge keys") == 0);
  CHECK(error_in("a: &x 1\n").find("[a.yaml:1] anchors") == 0);
  CHECK(error_in("a: !!python/object 1\n").find("[a.yaml:1] tags") == 0);
  CHECK(error_in("[1, 2]: 3\n").find("[a.yaml:1] a key must be a scalar") == 0);
  CHECK(error_in("a: 1\n---\nb: 2\n").find("[a.yaml:2] several documents") == 0);
  CHECK(error_in("a: 1\n  b: 2\n").find("[a.yaml:2] not valid YAML") == 0);
  CHECK(error_in("~: 1\n").find("key is missing") != std::string::npos);
}

TEST_CASE("hostile YAML ends in an error, not in a crash", "[config][yaml]") {
  CHECK(error_in(repeat("[", 100000)).find("[a.yaml:1]") == 0);
  CHECK(error_in("a: " + repeat("{a: ", 100) + repeat("}", 100)).find("levels") !=
        std::string::npos);
  CHECK(error_in(repeat("- ", 5000)).find("levels") != std::string::npos);
  CHECK(error_in("a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]\n").find("anchors") != std::string::npos);
  CHECK(error_in(std::string("a\0b", 3)).find("not a text file") != std::string::npos);
  CHECK(error_in("\x7f"
                 "ELF\x02\x01")
            .find("not a text file") != std::string::npos);
  for (const char* text :
       {"a: \"never closed\n", "a: \"never closed", "b: é\na: 'it''s\n", "{é: \"x\\\"\n",
        "a: \"x\": \"y", "'a", "- \"", "a: {b: 1\n", "a: {b: 1", "a: {b: [1, 2"}) {
    INFO(text);
    CHECK(error_in(text).find("[a.yaml:") == 0);
  }
  CHECK(error_in("a: [1, 2\n").find("[a.yaml:") == 0);
  CHECK(error_in("[" + repeat("1,", 250000) + "1]").find("values") != std::string::npos);
  CHECK(error_in(repeat("#", kMaxYamlBytes + 1)).find("too large") != std::string::npos);
}

TEST_CASE("damaged files give an Error or a tree", "[config][yaml]") {
  const std::string good =
      "a: {b: [1, 2.5, 'x'], c: \"${d}\"}\nd: |\n  text\n# end\ne:\n  - f: ~\n";
  RandomStream random(3, "yaml damage");
  for (int i = 0; i < 3000; ++i) {
    std::string text = good.substr(0, 1 + random.below(good.size()));
    for (int k = 0; k < 3; ++k)
      text[random.below(text.size())] = static_cast<char>(random.below(256));
    try {
      parse_yaml(text, "a.yaml");
    } catch (const Error& error) {
      CHECK(error.where().find("a.yaml") == 0);
    }
  }
}

TEST_CASE("files are named by relative place, and a missing or too large file is an error",
          "[config][yaml]") {
  TempDir dir;
  write_text(dir / "x.yaml", "a: 1\n");
  CHECK(load_yaml(dir / "x.yaml").find("a")->as_int() == 1);
  write_text(dir / "empty.yaml", "# nothing\n");
  CHECK(load_yaml(dir / "empty.yaml").is_null());
  CHECK_THROWS_AS(load_yaml(dir / "none.yaml"), Error);
  CHECK_THROWS_AS(load_yaml(dir.path()), Error);
  write_text(dir / "big.yaml", repeat("#", kMaxYamlBytes + 1));
  CHECK_THROWS_AS(load_yaml(dir / "big.yaml"), Error);
}

TEST_CASE("yaml text parses back to the same value", "[config][yaml]") {
  ConfigNode node;
  int i = 0;
  for (const char* text :
       {"plain", "true", "12", "1e-3", "a: b", "",       "- x",  "null", "x\ny\tz",
        "\x01",  "\r",   "'",  "\"",   "\\",   "${a.b}", "a b ", "[1]",  "{",
        "#",     "é",    "<<", "=",    "yes",  "1.",     "."}) {
    node.child(cat("k", i++)) = ConfigNode(std::string(text));
    node.child(text[0] ? text : "none") =
        ConfigNode(ConfigNode::List{ConfigNode(std::string(text))});
  }
  node.child("numbers") =
      ConfigNode(ConfigNode::List{ConfigNode(2.0), ConfigNode(int64_t{-7}), ConfigNode(1e-300),
                                  ConfigNode(-INFINITY), ConfigNode(true), ConfigNode()});
  node.child("maps").child("inner") = ConfigNode(
      ConfigNode::List{ConfigNode(ConfigNode::Map{{"a: b", ConfigNode(std::string(", "))}})});
  node.child("empty_map") = ConfigNode(ConfigNode::Map{});
  node.child("empty_list") = ConfigNode(ConfigNode::List{});
  CHECK(parse_yaml(node.to_yaml(), "out").same_value(node));
  CHECK(parse_yaml(node.to_line(), "out").same_value(node));
}
