// OBJ and MTL reading, catalogue parsing, fitting and the mesh cache, on tiny texts.

#include <fstream>

#include "core/base/random.h"
#include "core/io/file.h"
#include "datasets/point_cloud/scan/catalogue.h"
#include "datasets/point_cloud/scan/mesh_cache.h"
#include "datasets/point_cloud/scan/model_library.h"
#include "datasets/point_cloud/scan/obj_loader.h"
#include "tests/test.h"

namespace switchyard::scan {
namespace {

const std::string kSquare = "v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\n";

FileSource no_files() {
  return [](const std::string&) { return std::nullopt; };
}
FileSource one_file(const std::string& name, const std::string& text) {
  return [=](const std::string& wanted) {
    return wanted == name ? std::optional(text) : std::nullopt;
  };
}
Mesh load(const std::string& text) { return load_obj(text, "m.obj", no_files()); }

}  // namespace

TEST_CASE("obj corner forms, CRLF, comments and foreign elements", "[scan]") {
  for (const char* face : {"f 1 2 3 4", "f 1/1 2/1 3/1 4/1", "f 1//1 2//1 3//1 4//1",
                           "f 1/1/1 2/1/1 3/1/1 4/1/1", "f -4 -3 -2 -1"}) {
    const Mesh mesh =
        load("# c\r\nvn 0 0 1\nvt 0 0\n" + kSquare + "g a\ns 1\nl 1 2\nf 1 2\n" + face + "\r\n");
    CHECK(mesh.triangles.size() == 2);
    CHECK(mesh.vertices.size() == 4);
    CHECK(mesh.colors[0] == Rgb{153, 153, 153});
  }
  CHECK(load("").triangles.empty());
  CHECK(load(kSquare + "f 1 1 2\nf 1 2 3").triangles.size() == 1);
  CHECK(load(kSquare + "v 5 5 5\nf 1 2 3").vertices.size() == 3);
}

TEST_CASE("materials: colour, glass, windows path, missing and undefined", "[scan]") {
  const std::string mtl =
      "newmtl red paint\r\nKd 1 0 0\r\nnewmtl glass\nKd 0 0 1\nd 0.4\n"
      "newmtl tex\nKd 0 1 0\nmap_Kd C:\\Users\\me\\wood.ppm\nnewmtl lost\nKd 0 1 0\nmap_Kd "
      "none.png\n";
  const FileSource files = [&](const std::string& name) -> std::optional<std::string> {
    if (name == "a b.mtl") return mtl;
    if (name == "wood.ppm")
      return std::string("P6 2 1 255\n") + std::string("\x0a\x14\x1e\x28\x32\x3c", 6);
    return std::nullopt;
  };
  const std::string head = "mtllib a b.mtl\nmtllib gone.mtl\n" + kSquare + "vt .75 .5\n";
  const auto color = [&](const std::string& body) {
    return load_obj(head + body, "m.obj", files).colors.at(0);
  };
  CHECK(color("usemtl red paint\nf 1 2 3") == Rgb{255, 0, 0});
  CHECK(color("usemtl nowhere\nf 1 2 3") == Rgb{153, 153, 153});
  CHECK(color("usemtl tex\nf 1/1 2/1 3/1") == Rgb{40, 50, 60});
  CHECK(color("usemtl tex\nf 1 2 3") == Rgb{0, 255, 0});
  CHECK(color("usemtl lost\nf 1/1 2/1 3/1") == Rgb{0, 255, 0});
  const Mesh glass = load_obj(head + "usemtl glass\nf 1 2 3 4", "m.obj", files);
  CHECK(glass.triangles.empty());
  CHECK(glass.vertices.size() == 4);
}

TEST_CASE("hostile obj text gives errors that name the line", "[scan]") {
  for (const char* bad :
       {"f 1 2 9", "f 0 1 2", "f -9 1 2", "f a b c", "f 1/7 2 3", "f 1/ 2/x 3", "v 1 2",
        "v 1 2 nan", "v 1e400 0 0", "v inf 0 0", "vt", "f 99999999999999999999 1 2", "f / / /"}) {
    INFO(bad);
    CHECK(test::error_of([&] { load(kSquare + bad); }).find("m.obj:5") != std::string::npos);
  }
  std::string many = "f";
  for (int i = 0; i < 2000; ++i) many += " 1";
  CHECK(test::error_of([&] { load(kSquare + many); }).find("too many corners") !=
        std::string::npos);
  CHECK(test::error_of([&] {
          load_obj("mtllib m", "m.obj", one_file("m", "newmtl a\nKd x"));
        }).find("m:2") != std::string::npos);
}

TEST_CASE("random damage never does more than throw an Error", "[scan]") {
  const std::string text =
      "mtllib m\n" + kSquare + "vt 0 1\nvt .5 .5\nusemtl a\nf 1/1 2/2 3/1 4/2\nf -1 -2 -3\n";
  const std::string alphabet = "0123456789 -/.\nfvt#e\r\t\\\xff";
  RandomStream random(5, "fuzz");
  for (int round = 0; round < 3000; ++round) {
    std::string damaged = text;
    for (int64_t n = 1 + random.below(6); n > 0; --n) {
      damaged[random.below(int64_t(damaged.size()))] =
          alphabet[random.below(int64_t(alphabet.size()))];
    }
    try {
      const Mesh mesh =
          load_obj(damaged, "m.obj", one_file("m", "newmtl a\nKd .1 .2 .3\nmap_Kd m\n"));
      REQUIRE(mesh.colors.size() == mesh.triangles.size());
      for (const auto& t : mesh.triangles) {
        for (const uint32_t i : t) REQUIRE(i < mesh.vertices.size());
      }
    } catch (const Error&) {
    }
  }
}

TEST_CASE("fitting stretches to the catalogue size and turns the front to -Y", "[scan]") {
  Mesh mesh;
  mesh.vertices = {{-1, 2, -3}, {1, 6, 3}, {0, 4, 3}};
  ModelEntry entry;
  entry.width = 2, entry.depth = 1, entry.height = .5;
  fit_mesh(mesh, entry);
  CHECK(mesh.vertices[0] == std::array<float, 3>{-1, .5f, 0});
  CHECK(mesh.vertices[1] == std::array<float, 3>{1, -.5f, .5f});
  Mesh flat;
  flat.vertices = {{0, 0, 0}, {1, 0, 1}};
  fit_mesh(flat, entry);
  for (const auto& v : flat.vertices) {
    for (const float x : v) CHECK(std::isfinite(x));
  }
}

TEST_CASE("properties and model list", "[scan]") {
  const auto entries = parse_properties(
      "# c\nid=x\nname#1=Caf\\u00e9\nmodel#1=/a/b.obj\r\nname#12=T\\:v\nbad#x=1\n#3=1\n");
  CHECK(entries.size() == 2);
  CHECK(entries.at(1).at("name") == "Caf\xc3\xa9");
  CHECK(entries.at(1).at("model") == "/a/b.obj");
  CHECK(entries.at(12).at("name") == "T:v");
  test::TempDir dir;
  const std::string header =
      "library,model,name,class,role,split,width_cm,depth_cm,height_cm,elevation_cm,triangles\n";
  const auto message = [&](const std::string& row) {
    write_text(dir / "list.csv", header + row);
    return test::error_of([&] { read_model_list(dir / "list.csv"); });
  };
  CHECK(message("a,b").find("list.csv:2") != std::string::npos);
  CHECK(message("L,m,n,chairs,chair,train,1,1,1,0,5").find("chair") != std::string::npos);
  CHECK(message("L,m,n,chair,chair,both,1,1,1,0,5").find("valid: train, test") !=
        std::string::npos);
  CHECK(message("L,m,n,chair,chair,test,1,x,1,0,5").find("not a number") != std::string::npos);
  CHECK(message("L,m,n,chair,chair,test,1,0,1,0,5").find("positive") != std::string::npos);
  CHECK(message("").find("empty") != std::string::npos);
  CHECK(test::error_of([&] { archive_path(dir.path(), "Scopia"); }).find("sweethome3d-furniture") !=
        std::string::npos);
}

TEST_CASE("the shipped list keeps models and near-duplicates on one side", "[scan]") {
  const auto list = read_model_list(test::data_dir().parent_path() /
                                    "configs/dataset/point_cloud/scan-models.csv");
  CHECK(list.size() == 247);
  std::map<std::string, bool> side;
  for (const auto& e : list) {
    const auto round4 = [](double metres) {
      return std::nearbyint(std::round(metres * 1e5) / 1e3 / 4);
    };
    for (const std::string& key :
         {e.collection + e.path,
          cat(e.label, "/", round4(e.width), "/", round4(e.depth), "/", round4(e.height))}) {
      const auto [found, added] = side.emplace(key, e.test);
      CHECK((added || found->second == e.test));
    }
  }
}

TEST_CASE("mesh cache round trip, wrong key and damage", "[scan]") {
  test::TempDir dir;
  const Mesh mesh = load(kSquare + "f 1 2 3 4");
  write_mesh_cache(dir / "sub/c.bin", 42, {mesh, Mesh()});
  const auto back = read_mesh_cache(dir / "sub/c.bin", 42);
  REQUIRE(back.has_value());
  CHECK((back->at(0).vertices == mesh.vertices));
  CHECK((back->at(0).triangles == mesh.triangles));
  CHECK(back->at(1).colors.empty());
  CHECK_FALSE(read_mesh_cache(dir / "sub/c.bin", 43).has_value());
  CHECK_FALSE(read_mesh_cache(dir / "none.bin", 42).has_value());
  std::string bytes = read_text(dir / "sub/c.bin");
  for (const size_t cut : {size_t{0}, size_t{9}, size_t{33}, bytes.size() - 1}) {
    write_text(dir / "cut.bin", bytes.substr(0, cut));
    CHECK_FALSE(read_mesh_cache(dir / "cut.bin", 42).has_value());
  }
  bytes[bytes.size() / 2] ^= 1;
  write_text(dir / "cut.bin", bytes);
  CHECK_FALSE(read_mesh_cache(dir / "cut.bin", 42).has_value());
}

}  // namespace switchyard::scan
