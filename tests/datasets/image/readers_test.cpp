// image_folder and image_domains: layouts, labels, splits, bad folders, packing.

#include "core/config/yaml.h"
#include "datasets/check.h"
#include "datasets/image/contact_sheet.h"
#include "datasets/image/image_domains.h"
#include "datasets/image/image_folder.h"
#include "datasets/pack.h"
#include "datasets/shards.h"
#include "tests/datasets/image/layouts/pictures.h"

using namespace switchyard;
using namespace switchyard::test;
namespace fs = std::filesystem;

namespace {

ImageFolderParams folder_at(const fs::path& root) {
  ImageFolderParams params;
  params.root = root.string();
  params.size = 8;
  return params;
}

ImageDomainsParams domains_at(const fs::path& root) {
  ImageDomainsParams params;
  params.root = root.string();
  params.size = 8;
  return params;
}

int64_t label_of(const Sample& sample) { return sample.tensors.at("label").item<int64_t>(); }

std::string folder_error(const fs::path& root) {
  return error_of([&] { open_image_folder(folder_at(root)); });
}
std::string domains_error(const fs::path& root) {
  return error_of([&] { open_image_domains(domains_at(root)); });
}

bool mentions(const std::vector<std::string>& lines, const std::string& text) {
  return std::any_of(lines.begin(), lines.end(),
                     [&](const auto& line) { return holds(line, text); });
}

}  // namespace

TEST_CASE("image_folder: the rank of the class over all splits is the label", "[image][datasets]") {
  TempDir root;
  write_class_folders(root.path(), {"train", "val"}, {"n02", "n01"});
  write_picture(root / "val" / "n03" / "9.png", picture(9));
  const auto dataset = open_image_folder(folder_at(root.path()));
  REQUIRE(dataset->size() == 9);
  CHECK(dataset->info().class_names == std::vector<std::string>{"n01", "n02", "n03"});
  CHECK(dataset->sample_info(0).uri == "train/n01/2.png");
  CHECK(dataset->sample_info(8).split == "val");
  CHECK(dataset->sample_info(8).domain == root.path().filename().string());
  if (!decoder_or_warn()) return;
  const Sample first = dataset->get(0, {});
  CHECK(first.tensors.at("image").equal(picture(2).permute({2, 0, 1})));
  CHECK(first.tensors.at("image").is_contiguous());
  CHECK(first.tensors.at("label").sizes() == at::IntArrayRef({1}));
  CHECK(label_of(first) == 0);
  CHECK(label_of(dataset->get(8, {})) == 2);
}

TEST_CASE("image_folder without split folders, with chosen splits, with other files among images",
          "[image][datasets]") {
  TempDir flat, nested;
  write_class_folders(flat.path(), {""}, {"a", "b"});
  write_text(flat / "a/notes.txt", "no image");
  const auto dataset = open_image_folder(folder_at(flat.path()));
  CHECK(dataset->size() == 4);
  CHECK(dataset->sample_info(3).split == "train");
  write_class_folders(nested.path(), {"x", "y", "z"}, {"a"});
  auto params = folder_at(nested.path());
  params.splits = parse_yaml("{train: [x, y], test: z}", "test");
  const auto chosen = open_image_folder(params);
  CHECK(chosen->size() == 6);
  CHECK(chosen->sample_info(3).split == "train");
  CHECK(chosen->sample_info(5).split == "test");
}

TEST_CASE("image_folder refuses empty, missing and damaged things by name", "[image][datasets]") {
  TempDir root;
  CHECK(holds(folder_error(root / "none"), "no such folder"));
  CHECK(holds(folder_error(root.path()), "no class found"));
  write_class_folders(root.path(), {"train"}, {"a"});
  auto params = folder_at(root.path());
  params.size = 0;
  CHECK(holds(error_of([&] { open_image_folder(params); }), "[size]"));
  params = folder_at(root.path());
  params.channels = 2;
  CHECK(holds(error_of([&] { open_image_folder(params); }), "valid: 1, 3"));
  fs::create_directories(root / "train/b");
  CHECK(holds(folder_error(root.path()), "train/b] class folder without a readable file"));
  write_text(root / "train/b/x.jpg", "no image");
  write_text(root / "train/b/y.jpg", "");
  const auto dataset = open_image_folder(folder_at(root.path()));
  CHECK(holds(error_of([&] { dataset->get(2, {}); }), "x.jpg] is no image"));
  CHECK(holds(error_of([&] { dataset->get(3, {}); }), "y.jpg] is empty"));
}

TEST_CASE("the hash follows contents, labels and size", "[image][datasets]") {
  TempDir root;
  write_class_folders(root.path(), {"train"}, {"a", "b"});
  const auto hash = [&](int64_t size) {
    auto params = folder_at(root.path());
    params.size = size;
    return open_image_folder(params)->info().hash;
  };
  const std::string before = hash(8);
  CHECK(before == hash(8));
  CHECK(before != hash(16));
  write_picture(root / "train/a/0.png", picture(77));
  CHECK(before != hash(8));
}

TEST_CASE("image_domains: folders are split by hash, reproducibly", "[image][datasets]") {
  TempDir root;
  write_class_folders(root.path(), {"photo", "sketch"}, {"a", "b"}, 40);
  auto params = domains_at(root.path());
  const auto count = [&] {
    const auto dataset = open_image_domains(params);
    int64_t test = 0;
    for (int64_t i = 0; i < dataset->size(); ++i) test += dataset->sample_info(i).split == "test";
    return test;
  };
  const int64_t test = count();
  CHECK(test > 15);
  CHECK(test < 50);
  CHECK(count() == test);
  params.split.test_share = 0;
  CHECK(count() == 0);
  params.domains = {"sketch"};
  CHECK(open_image_domains(params)->size() == 80);
  params.domains = {"cartoon"};
  CHECK(holds(error_of([&] { open_image_domains(params); }), "valid: photo, sketch"));
}

TEST_CASE("image_domains: index.csv and DomainNet's lists say domain, label and split",
          "[image][datasets]") {
  TempDir csv, text;
  write_class_folders(csv.path(), {"p", "q"}, {"a", "b"}, 1);
  write_text(csv / "index.csv",
             "split,path,domain,class,label\ntrain,p/a/0.png,photo,dog,1\r\n"
             "val,q/b/3.png,sketch,cat,0\n\n");
  const auto listed = open_image_domains(domains_at(csv.path()));
  REQUIRE(listed->size() == 2);
  CHECK(listed->info().class_names == std::vector<std::string>{"cat", "dog"});
  CHECK(listed->sample_info(1).domain == "sketch");
  CHECK(listed->sample_info(1).split == "val");
  write_class_folders(text.path(), {"clipart"}, {"a", "b"}, 1);
  write_text(text / "clipart_train.txt", "clipart/a/0.png 0\n");
  write_text(text / "clipart_test.txt", "clipart/b/1.png 1\n");
  const auto lines = open_image_domains(domains_at(text.path()));
  REQUIRE(lines->size() == 2);
  CHECK(lines->info().class_names == std::vector<std::string>{"a", "b"});
  CHECK(lines->sample_info(0).domain == "clipart");
  CHECK(lines->sample_info(0).split == "train");
  CHECK(lines->sample_info(1).split == "test");
}

TEST_CASE("lists of images are refused with file and line", "[image][datasets]") {
  TempDir root;
  write_class_folders(root.path(), {"p"}, {"a", "b"}, 1);
  const auto error = [&](const std::string& rows) {
    write_text(root / "index.csv", "path,domain,class,label,split\n" + rows);
    return domains_error(root.path());
  };
  CHECK(holds(error("p/a/0.png,d,a,0\n"), "index.csv:2] lacks a field"));
  CHECK(holds(error("p/a/0.png,d,,0,train\n"), "lacks a field"));
  CHECK(holds(error("p/a/7.png,d,a,0,train\n"), "not there: 'p/a/7.png'"));
  CHECK(holds(error("../x.png,d,a,0,train\n"), "below the root"));
  CHECK(holds(error("p/a/0.png,d,a,zero,train\n"), "zero"));
  CHECK(holds(error("p/a/0.png,d,a,1,train\n"), "no image has label 0"));
  CHECK(holds(error("p/a/0.png,d,a,0,train\np/b/1.png,d,b,0,train\n"), ":3] class and label"));
  CHECK(holds(error("\"p/a/0.png\",d,a,0,train\n"), "quoted"));
  CHECK(holds(error(""), "no image found"));
  write_text(root / "index.csv", "path,domain,class,label\np/a/0.png,d,a,0\n");
  CHECK(holds(domains_error(root.path()), "no column 'split'"));
}

TEST_CASE("datasets check knows image layouts apart", "[image][datasets]") {
  if (!decoder_or_warn()) return;
  TempDir splits, flat, domains;
  write_class_folders(splits.path(), {"train", "val"}, {"a", "b"});
  write_class_folders(flat.path(), {""}, {"a", "b"});
  write_class_folders(domains.path(), {"photo", "sketch"}, {"a", "b"});
  CHECK(mentions(check_dataset(splits.path()), "layout: image_folder (ROOT/SPLIT/"));
  CHECK(mentions(check_dataset(flat.path()), "layout: image_folder (ROOT/CLASS/"));
  const auto lines = check_dataset(domains.path());
  CHECK(mentions(lines, "layout: image_domains"));
  CHECK(mentions(lines, "label 1 b: 4"));
}

TEST_CASE("packed images are the images, and a contact sheet shows them", "[image][datasets]") {
  if (!decoder_or_warn()) return;
  TempDir root, shards;
  write_class_folders(root.path(), {"photo", "sketch"}, {"a", "b", "c"});
  const auto dataset = open_image_domains(domains_at(root.path()));
  pack(*dataset, shards / "pack", {.max_bytes = 1000, .verify = true});
  const ShardDataset packed(shards / "pack");
  CHECK(packed.index().shards.size() > 1);
  CHECK(same_samples(packed, *dataset));
  CHECK(packed.info().class_names == dataset->info().class_names);
  CHECK(contact_sheet(packed).sizes() == at::IntArrayRef({18, 28, 3}));
  CHECK(contact_sheet(packed).narrow(1, 0, 8).narrow(0, 0, 8).sum().item<int64_t>() > 0);
}
