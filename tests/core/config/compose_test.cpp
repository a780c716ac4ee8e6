#include "core/config/compose.h"

#include <cstdlib>

#include "core/base/params.h"
#include "core/base/random.h"
#include "core/config/inspect.h"
#include "core/config/interpolate.h"
#include "core/config/sweep.h"
#include "core/config/yaml.h"
#include "core/io/file.h"
#include "tests/test.h"

using namespace switchyard;
using namespace switchyard::test;

namespace {

/// A small config folder that the tests can add files to.
class Folder {
 public:
  Folder() {
    put("config",
        "defaults:\n  - model: small\n  - optimizer: adamw\n  - _self_\n  - experiment: null\n"
        "seed: 0\ndevice: cpu\ntrainer: {max_steps: 10, every: \"${trainer.max_steps}\"}\n"
        "run: {dir: \"runs/${model.name}-${seed}\"}\n");
    put("model/small", "type: dit\nname: small\ndepth: 2\nmoe: null\n");
    put("model/large",
        "defaults:\n  - small\nname: large\ndepth: 8\nmoe:\n  attn:\n    layers: [0]\n"
        "    router: {scorer: linear, hooks: [noise]}\n  ffn: {layers: [1]}\n");
    put("model/other", "type: ptv3\nname: other\nmoe: {layers: all}\n");
    put("optimizer/adamw", "type: adamw\nlr: 0.001\nbetas: [0.9, 0.95]\n");
    put("optimizer/sgd", "type: sgd\nlr: 0.1\nmomentum: 0.9\n");
    put("experiment/point_cloud/demo",
        "defaults:\n  - override /model: large\noptimizer:\n  lr: 0.003\nseed: 7\n");
    put("router/topk", "scorer: linear\nselector: {type: topk, k: 2}\n");
    put("router/topp", "scorer: cosine\nselector: {type: topp, p: 0.4}\n");
    put("experts/mlp", "type: mlp\nhidden: 64\n");
    put("moe/base", "defaults:\n  - /router: topk\ncombine: sum\n");
  }

  void put(const std::string& name, const std::string& text) {
    const auto path = dir_ / (name + ".yaml");
    std::filesystem::create_directories(path.parent_path());
    write_text(path, text);
  }
  Composer composer() const { return Composer({dir_.path()}); }
  ConfigNode compose(const std::vector<std::string>& overrides = {}) const {
    return composer().compose("config", overrides);
  }
  std::string line(const std::string& key, const std::vector<std::string>& overrides = {}) const {
    const auto config = compose(overrides);
    const auto* node = config.find_path(key);
    return node ? node->to_line() : "(none)";
  }
  /// The error, with the temporary folder cut out.
  std::string error(const std::vector<std::string>& overrides) const {
    std::string text = error_of([&] { compose(overrides); });
    const std::string prefix = dir_.path().generic_string() + "/";
    for (size_t at; (at = text.find(prefix)) != std::string::npos;) text.erase(at, prefix.size());
    CHECK(text.find('\n') == std::string::npos);
    return text;
  }

 private:
  TempDir dir_;
};

bool contains(const std::string& text, const std::string& part) {
  INFO(text);
  INFO(part);
  const bool found = text.find(part) != std::string::npos;
  CHECK(found);
  return found;
}

}  // namespace

TEST_CASE("groups fill nodes by path, later files win", "[config][compose]") {
  Folder f;
  CHECK(f.line("model.depth") == "2");
  CHECK(f.line("optimizer.lr") == "0.001");
  CHECK(f.line("model.depth", {"model=large"}) == "8");
  CHECK(f.line("model.type", {"model=large"}) == "dit");
  CHECK(f.line("optimizer", {"optimizer=sgd"}) == "{type: sgd, lr: 0.1, momentum: 0.9}");
  CHECK(f.line("optimizer", {"optimizer=null"}) == "(none)");
  f.put("trainer/long", "max_steps: 99\n");
  CHECK(f.line("trainer.max_steps", {"trainer=long"}) == "99");
}

TEST_CASE("an experiment merges at the root and overrides choices", "[config][compose]") {
  Folder f;
  const auto config = f.compose({"experiment=point_cloud/demo"});
  CHECK(config.find("experiment")->as_string() == "point_cloud/demo");
  CHECK(config.find_path("model.name")->as_string() == "large");
  CHECK(config.find_path("optimizer.lr")->as_double() == .003);
  CHECK(config.find_path("optimizer.type")->as_string() == "adamw");
  CHECK(config.find("seed")->as_int() == 7);
  CHECK(config.find_path("run.dir")->as_string() == "runs/large-7");
  CHECK(f.line("model.name", {"experiment=point_cloud/demo", "model=small"}) == "small");
  f.put("experiment/child", "defaults:\n  - point_cloud/demo\n  - /task: seg\nseed: 8\n");
  f.put("task/seg", "type: seg\n");
  const auto child = f.compose({"experiment=child"});
  CHECK(child.find("seed")->as_int() == 8);
  CHECK(child.find_path("task.type")->as_string() == "seg");
  CHECK(child.find_path("optimizer.lr")->as_double() == .003);
  f.put("experiment/group/grandchild", "defaults:\n  - /experiment: child\n  - _self_\nseed: 9\n");
  const auto grandchild = f.compose({"experiment=group/grandchild"});
  CHECK(grandchild.find("experiment")->as_string() == "group/grandchild");
  CHECK(grandchild.find("seed")->as_int() == 9);
  CHECK(grandchild.find_path("model.name")->as_string() == "large");
  f.put("model/sub/tiny", "defaults:\n  - /model: small\n  - /model/sub/more\nname: tiny\n");
  f.put("model/sub/more", "more: 1\n");
  CHECK(f.line("model", {"model=sub/tiny"}) ==
        "{type: dit, name: tiny, depth: 2, moe: null, more: 1}");
}

TEST_CASE("experiments work where the primary file does not list them", "[config][compose]") {
  Folder f;
  f.put("config", "defaults: [model: small]\nseed: 0\n");
  f.put("experiment/a", "defaults: [override /model: large]\nseed: 1\n");
  CHECK(f.line("model.name", {"experiment=a"}) == "large");
  CHECK(f.line("seed", {"experiment=a"}) == "1");
}

TEST_CASE("recipe and experiment come after the body of the primary file", "[config][compose]") {
  Folder f;
  f.put("config",
        "defaults: [experiment: b, recipe: a, _self_]\nseed: 0\ndevice: cpu\ntrainer: {x: 0}\n");
  f.put("recipe/a", "seed: 1\ndevice: cuda\n");
  f.put("experiment/b", "seed: 2\n");
  CHECK(f.line("seed") == "2");
  CHECK(f.line("device") == "cuda");
  CHECK(f.line("experiment") == "b");
}

TEST_CASE("_self_ places the body among the entries", "[config][compose]") {
  Folder f;
  f.put("config", "defaults:\n  - _self_\n  - model: small\nmodel: {depth: 5, extra: 1}\n");
  CHECK(f.line("model.depth") == "2");
  CHECK(f.line("model.extra") == "1");
  f.put("config", "defaults:\n  - model: small\nmodel: {depth: 5}\n");
  CHECK(f.line("model.depth") == "5");
}

TEST_CASE("nested defaults lists are relative to their group", "[config][compose]") {
  Folder f;
  f.put("model/with_head",
        "defaults:\n  - small\n  - head: linear\n  - optional head2: none\ndepth: 3\n");
  f.put("model/head/linear", "classes: 4\n");
  f.put("model/head/mlp", "classes: 5\n");
  CHECK(f.line("model.head.classes", {"model=with_head"}) == "4");
  CHECK(f.line("model.depth", {"model=with_head"}) == "3");
  CHECK(f.line("model.head.classes", {"model=with_head", "model/head=mlp"}) == "5");
}

TEST_CASE("lists replace, and a changed type drops the old parameters", "[config][compose]") {
  Folder f;
  f.put("experiment/t",
        "optimizer: {betas: [0.5]}\nmodel: {type: ptv3, width: 3}\nrun: {dir: x}\n");
  CHECK(f.line("optimizer.betas", {"experiment=t"}) == "[0.5]");
  CHECK(f.line("model", {"experiment=t"}) == "{type: ptv3, width: 3}");
  f.put("experiment/u", "optimizer: adamw\n");
  CHECK(f.line("optimizer.lr", {"experiment=u"}) == "0.001");
  CHECK(f.line("optimizer", {"experiment=u", "optimizer.type=sgd"}) == "{type: sgd}");
  CHECK(f.line("optimizer", {"++optimizer={type: lion}", "+optimizer.lr=2"}) ==
        "{type: lion, lr: 2}");
}

TEST_CASE("short groups fill every MoE site or one", "[config][compose]") {
  Folder f;
  const auto all = f.compose({"model=large", "router=topp", "experts=mlp"});
  for (const char* site : {"attn", "ffn"}) {
    const auto* moe = all.find_path(std::string("model.moe.") + site);
    REQUIRE(moe);
    CHECK(moe->find("router")->to_line() == "{scorer: cosine, selector: {type: topp, p: 0.4}}");
    CHECK(moe->find_path("experts.hidden")->as_int() == 64);
  }
  CHECK(all.find_path("model.moe.attn.layers")->to_line() == "[0]");
  const auto one = f.compose({"model=large", "router@ffn=topk"});
  CHECK(one.find_path("model.moe.ffn.router.selector.k")->as_int() == 2);
  CHECK(one.find_path("model.moe.attn.router.hooks")->to_line() == "[noise]");
  CHECK(f.line("model.moe", {"model=other", "moe=base"}) ==
        "{layers: all, router: {scorer: linear, selector: {type: topk, k: 2}}, combine: sum}");
  CHECK(f.line("model.moe.router.scorer", {"model=other", "moe=base", "router=topp"}) == "cosine");
  CHECK(f.line("model.moe.router.scorer", {"router=topp"}) == "cosine");
  f.put("moe/none", "{}\n");
  f.put("moe/sites", "ffn: {router: {scorer: hash}}\n");
  CHECK(f.line("model.moe", {"model=large", "moe=none"}) == "{}");
  CHECK(f.line("model.moe", {"model=other", "moe=sites"}) == "{ffn: {router: {scorer: hash}}}");
  CHECK(f.line("model.moe.ffn", {"model=large", "moe=sites"}) ==
        "{layers: [1], router: {scorer: hash}}");
  contains(f.error({"model=large", "router@atn=topk"}),
           "[argument 'router@atn=topk'] unknown MoE site: got 'atn'; nearest: attn, ffn; valid: "
           "attn, ffn");
  contains(f.error({"model=other", "router@attn=topk"}), "one setting for all sites");
}

TEST_CASE("an experiment can choose a router and change it; an argument wins",
          "[config][compose]") {
  Folder f;
  f.put("experiment/m",
        "defaults:\n  - override /model: other\n  - override /router: topk\n"
        "model: {moe: {router: {selector: {k: 4}}}}\n");
  CHECK(f.line("model.moe.router.selector", {"experiment=m"}) == "{type: topk, k: 4}");
  CHECK(f.line("model.moe.router.selector", {"experiment=m", "router=topp"}) ==
        "{type: topp, p: 0.4}");
}

TEST_CASE("the four override forms", "[config][override]") {
  Folder f;
  CHECK(f.line("optimizer.lr", {"optimizer.lr=1e-2"}) == "0.01");
  CHECK(f.line("model.extra", {"+model.extra=[1,{a: x}]"}) == "[1, {a: x}]");
  CHECK(f.line("model.a.b", {"+model.a.b=1"}) == "1");
  CHECK(f.line("seed", {"++seed=3"}) == "3");
  CHECK(f.line("new", {"++new=3"}) == "3");
  CHECK(f.line("optimizer.lr", {"~optimizer.lr"}) == "(none)");
  CHECK(f.line("optimizer.lr", {"~optimizer.lr=0.001"}) == "(none)");
  CHECK(f.line("optimizer.lr", {"optimizer.lr=1", "optimizer.lr=2"}) == "2");
  CHECK(f.line("optimizer", {"~optimizer"}) == "(none)");
  CHECK(f.error({"optimizer.rl=1"}) ==
        "[argument 'optimizer.rl=1'] unknown key: got 'optimizer.rl', expected a key of the config "
        "(+optimizer.rl=VALUE adds one); nearest: optimizer.lr, optimizer, optimizer.type");
  contains(f.error({"+seed=1"}),
           "[argument '+seed=1'] key exists already: got 'seed', set at config.yaml:6");
  contains(f.error({"~sed"}), "nearest: seed");
  contains(f.error({"routr=topk"}), "nearest: router");
  contains(f.error({"model=large", "router.scorer=x"}), "nearest: model.moe.attn.router.scorer");
  contains(f.error({"~experiment"}), "expected experiment=null");
  contains(f.error({"~seed=4"}), "got value 4, expected 0 as set at config.yaml:6");
  contains(f.error({"+seed.x=4"}),
           "cannot set a key of seed: it has type int, set at config.yaml:6");
  contains(f.error({"seed"}), "not an override");
  contains(f.error({"=3"}), "not an override");
  contains(f.error({"a..b=3"}), "bad key");
  contains(f.error({"seed=1,2"}), "use `switchyard sweep`");
  contains(f.error({"seed=range(3)"}), "use `switchyard sweep`");
}

TEST_CASE("override values", "[config][override]") {
  const auto value = [](const std::string& text) { return parse_override_value(text, {"arg"}); };
  CHECK(value("3").is_int());
  CHECK(value("1e-3").is_double());
  CHECK(value("true").is_bool());
  CHECK(value("null").is_null());
  CHECK(value("'3'").is_string());
  CHECK(value("\"a,b\"").as_string() == "a,b");
  CHECK(value("a\\,b").as_string() == "a,b");
  CHECK(value("it's").as_string() == "it's");
  CHECK(value("").as_string().empty());
  CHECK(value("runs/x y:z=1").as_string() == "runs/x y:z=1");
  CHECK(value("${a.b}").as_string() == "${a.b}");
  CHECK(value("${env:X,1}").as_string() == "${env:X,1}");
  CHECK(value("[1, [2,'x, y'], {k: ${env:A,b}, 'q:r': []}]").to_line() ==
        "[1, [2, \"x, y\"], {k: \"${env:A,b}\", \"q:r\": []}]");
  CHECK(value("{}").is_map());
  for (const char* bad :
       {"[1", "{a: 1", "{a}", "[1]x", "'open", "[,]", "[1,]", "{a: 1, a: 2}", "{: 1}"}) {
    INFO(bad);
    CHECK(error_of([&] { value(bad); }).find("[arg] ") == 0);
  }
  CHECK(error_of([&] { value(std::string(100000, '[')); }).find("levels") != std::string::npos);
}

TEST_CASE("damaged overrides give an Error or a config", "[config][override]") {
  Folder f;
  RandomStream random(5, "override damage");
  const std::string alphabet = "ab.=+~[]{}(),:'\"\\$ 01@/-";
  for (int i = 0; i < 300; ++i) {
    std::string text = i % 2 ? "++model.x=" : "";
    for (int k = 0; k < 12; ++k) text += alphabet[random.below(alphabet.size())];
    try {
      f.compose({text});
    } catch (const Error&) {
    }
  }
}

TEST_CASE("choices that do not exist name the nearest and the valid options", "[config][compose]") {
  Folder f;
  CHECK(f.error({"model=smal"}) ==
        "[argument 'model=smal'] unknown option of model: got 'smal'; nearest: small; valid: "
        "large, other, small");
  contains(f.error({"model=../config"}), "unknown option of model");
  contains(f.error({"experiment=demo"}), "valid: point_cloud/demo");
  f.put("experiment/bad", "defaults:\n  - override /modle: large\n");
  contains(f.error({"experiment=bad"}),
           "[experiment/bad.yaml:2] override of a group that no defaults list has");
  f.put("experiment/twice", "defaults:\n  - /model: large\n");
  contains(f.error({"experiment=twice"}), "use `override /model: OPTION`");
  f.put("experiment/relative", "defaults:\n  - model: large\n");
  contains(f.error({"experiment=relative"}), "did you mean /model");
  f.put("experiment/cycle", "defaults:\n  - cycle\n");
  contains(f.error({"experiment=cycle"}), "cycle");
  f.put("experiment/list", "- 1\n");
  contains(f.error({"experiment=list"}), "must be a map");
  f.put("experiment/entry", "defaults:\n  - [1]\n");
  contains(f.error({"experiment=entry"}), "[experiment/entry.yaml:2] bad defaults entry");
  f.put("experiment/package", "defaults:\n  - /model@x: large\n");
  contains(f.error({"experiment=package"}), "packages are not supported");
  f.put("config", "defaults:\n  - model: ???\n");
  contains(f.error({}),
           "[config.yaml:2] model must be chosen: got ???, expected model=OPTION; valid: large");
  CHECK(f.line("model.name", {"model=small"}) == "small");
  CHECK(error_of([&] { f.composer().compose("none", {}); }).find("no such file") !=
        std::string::npos);
  CHECK_THROWS_AS(Composer({"/no/such/folder"}), Error);
}

TEST_CASE("interpolation keeps types, nests, and reads the environment", "[config][interpolate]") {
  setenv("SWITCHYARD_TEST_VALUE", "5", 1);
  const auto config = interpolate(parse_yaml(
      "a: {n: 3, l: [1, \"${a.n}\"], same: \"${.n}\", up: \"${..b.x}\"}\nb: {x: deep, m: "
      "\"${a}\"}\n"
      "text: \"n=${a.n} ${a.same}\"\npick: \"${b.${key}}\"\nkey: x\nthrough: \"${b.m.n}\"\n"
      "env: \"${env:SWITCHYARD_TEST_VALUE}\"\nfallback: \"${oc.env:SWITCHYARD_NONE,1e-3}\"\n"
      "words: \"${env:SWITCHYARD_NONE,'1'}\"\nraw: '\\${x}'\nitem: \"${a.l.1}\"\n"
      "open: ???\nwaits: \"run-${open}\"\nnothing: ~\nnone: \"${nothing}\"\n",
      "a.yaml"));
  CHECK(config.find_path("a.l")->to_line() == "[1, 3]");
  CHECK(config.find_path("a.same")->as_int() == 3);
  CHECK(config.find_path("a.up")->as_string() == "deep");
  CHECK(config.find_path("b.m.n")->as_int() == 3);
  CHECK(config.find("text")->as_string() == "n=3 3");
  CHECK(config.find("pick")->as_string() == "deep");
  CHECK(config.find("through")->as_int() == 3);
  CHECK(config.find("env")->as_int() == 5);
  CHECK(config.find("fallback")->as_double() == 1e-3);
  CHECK(config.find("words")->as_string() == "1");
  CHECK(config.find("raw")->as_string() == "${x}");
  CHECK(config.find("item")->as_int() == 3);
  CHECK(config.find("none")->is_null());
  CHECK(missing_keys(config) == std::vector<std::string>{"open", "waits"});
}

TEST_CASE("bad interpolation is an error with its place", "[config][interpolate]") {
  const auto message = [](const std::string& text) {
    return error_of([&] { interpolate(parse_yaml(text, "a.yaml")); });
  };
  CHECK(message("a: {lr: 1}\nb: \"${a.lt}\"\n") ==
        "[a.yaml:2] interpolation of a missing key: got ${a.lt}, no 'lt'; nearest: lr");
  CHECK(message("a: \"${b}\"\nb: \"${a}\"\n").find("forms a cycle: a -> b -> a") !=
        std::string::npos);
  CHECK(message("a: {b: \"${a}\"}\n").find("cycle") != std::string::npos);
  CHECK(message("a: \"${env:SWITCHYARD_NONE}\"\n").find("environment variable is not set") !=
        std::string::npos);
  CHECK(message("a: \"${now:x}\"\n").find("valid: env, oc.env") != std::string::npos);
  CHECK(message("a: \"${b\"\n").find("not closed") != std::string::npos);
  CHECK(message("a: \"${}\"\n").find("without a key") != std::string::npos);
  CHECK(message("a: \"${....b}\"\n").find("leaves the config") != std::string::npos);
  CHECK(message("a: \"x${b}\"\nb: [1]\n").find("a list cannot stand inside text") !=
        std::string::npos);
  for (const char* link : {"[\"${k#}\", \"${k#}\"]", "\"${k#}${k#}\""}) {
    std::string bomb = "k0: x\n";
    for (int i = 1; i < 40; ++i) {
      std::string value = link;
      for (size_t at; (at = value.find('#')) != std::string::npos;)
        value.replace(at, 1, std::to_string(i - 1));
      bomb += cat("k", i, ": ", value, "\n");
    }
    CHECK(message(bomb).find("grows beyond") != std::string::npos);
  }
}

TEST_CASE("why tells who set a key and what it overrode", "[config][inspect]") {
  Folder f;
  const auto composed = f.composer().compose_traced(
      "config", {"experiment=point_cloud/demo", "trainer.max_steps=5", "router=topk"});
  contains(why(composed, "optimizer.lr"), "optimizer.lr = 0.003, set by ");
  contains(why(composed, "optimizer.lr"), "experiment/point_cloud/demo.yaml:4 (overrides ");
  contains(why(composed, "optimizer.lr"), "optimizer/adamw.yaml:2)");
  contains(why(composed, "trainer.max_steps"),
           "= 5, set by argument 'trainer.max_steps=5' (overrides ");
  contains(why(composed, "trainer.every"), "config.yaml:8 as \"${trainer.max_steps}\"");
  contains(why(composed, "model.moe.attn.router"), "router/topk.yaml:2");
  contains(why(composed, "experiment"), "argument 'experiment=point_cloud/demo'");
  CHECK(composed.choices.at("model") == "large");
  CHECK(composed.choices.at("router") == "topk");
  contains(error_of([&] { why(composed, "optimizer.rl"); }), "nearest: optimizer.lr");
}

TEST_CASE("unknown top-level keys are refused", "[config][inspect]") {
  check_top_level(parse_yaml("seed: 1\nmodel: {}\n", "a.yaml"));
  CHECK(error_of([] {
          check_top_level(parse_yaml("seed: 1\nmodle: {}\n", "a.yaml"));
        }).find("[a.yaml:2] unknown top-level key: got 'modle'; nearest: model") == 0);
}

TEST_CASE("the composed text parses back to the same value", "[config][compose]") {
  Folder f;
  const auto config =
      f.compose({"experiment=point_cloud/demo", "router=topp", "+data.root='a: b'"});
  CHECK(parse_yaml(config.to_yaml(), "job").same_value(config));
}

TEST_CASE("sweeps are cartesian products in order", "[config][sweep]") {
  Folder f;
  const auto expand = [&](const std::vector<std::string>& overrides) {
    return expand_sweep(overrides, f.composer());
  };
  using Cells = std::vector<std::vector<std::string>>;
  CHECK(expand({}) == Cells{{}});
  CHECK(expand({"seed=0,1", "optimizer.lr=choice(1,[2,3])"}) ==
        Cells{{"seed=0", "optimizer.lr=1"},
              {"seed=0", "optimizer.lr=[2,3]"},
              {"seed=1", "optimizer.lr=1"},
              {"seed=1", "optimizer.lr=[2,3]"}});
  CHECK(expand({"seed=range(3)"}) == Cells{{"seed=0"}, {"seed=1"}, {"seed=2"}});
  CHECK(expand({"+x=range(0,0.3,0.1)"}) == Cells{{"+x=0"}, {"+x=0.1"}, {"+x=0.2"}});
  CHECK(expand({"seed=range(4,0,-2)"}) == Cells{{"seed=4"}, {"seed=2"}});
  CHECK(expand({"router=glob(*)"}) == Cells{{"router=topk"}, {"router=topp"}});
  CHECK(expand({"model=glob(?ther)", "model.name='a,b'"}) ==
        Cells{{"model=other", "model.name='a,b'"}});
  CHECK(has_sweep({"seed=1", "model=a,b"}));
  CHECK(!has_sweep({"seed=1", "x=[1,2]", "~y"}));
  for (const char* bad :
       {"seed=range(0)", "seed=range(0,1,0)", "seed=range(a)", "seed=range(1,2,3,4)", "seed=1,,2",
        "seed=glob(*)", "model=glob(z*)", "seed=range(1000000)", "seed=choice()"}) {
    INFO(bad);
    CHECK(error_of([&] { expand({bad}); }).find("[argument '") == 0);
  }
  CHECK_THROWS_AS(expand({"a=range(1000)", "b=range(1000)"}), Error);
}

namespace {

struct OptimizerParams {
  std::string type;
  double lr = 0;
  std::vector<double> betas;
  static void declare(Fields<OptimizerParams>& f) {
    f.add("type", &OptimizerParams::type, "name");
    f.add("lr", &OptimizerParams::lr, "rate", between(0, 1));
    f.add("betas", &OptimizerParams::betas, "decay");
  }
};

}  // namespace

TEST_CASE("every class of wrong config is one line with its place and what would be valid",
          "[config][compose]") {
  Folder f;
  const auto message = [&](const std::string& experiment,
                           const std::vector<std::string>& overrides = {}) {
    f.put("experiment/e", experiment);
    auto all = overrides;
    all.push_back("experiment=e");
    return error_of([&] {
      const auto config = f.compose(all);
      check_top_level(config);
      parse_params<OptimizerParams>(*config.find("optimizer"), "optimizer");
    });
  };
  contains(message("optimizer:\n  lrr: 1\n"),
           "experiment/e.yaml:2] unknown key in optimizer: got 'lrr'; nearest: lr");
  contains(message("optimizer:\n  lr: fast\n"),
           "experiment/e.yaml:2] optimizer.lr has the wrong type");
  contains(message("optimizer:\n  lr: 2\n"),
           "experiment/e.yaml:2] optimizer.lr is out of range: got 2, expected 0 to 1");
  contains(message("optimizer:\n  lr: ???\n"), "experiment/e.yaml:2] optimizer.lr must be set");
  contains(message("seed: 1\nseed: 2\n"), "experiment/e.yaml:2] duplicate key 'seed'");
  contains(message("sed: 1\n"),
           "experiment/e.yaml:1] unknown top-level key: got 'sed'; nearest: seed");
  contains(message("", {"optimizer.lr=2"}),
           "[argument 'optimizer.lr=2'] optimizer.lr is out of range");
  contains(message("", {"optimizer.lr=[1]"}),
           "[argument 'optimizer.lr=[1]'] optimizer.lr has the wrong type");
}
