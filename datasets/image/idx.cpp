#include "datasets/image/idx.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <cstring>
#include <set>

#include "core/io/byte_reader.h"
#include "core/io/file.h"
#include "core/io/gzip.h"
#include "datasets/folder.h"
#include "datasets/image/image_arrays.h"
#include "datasets/split_map.h"

namespace switchyard {
namespace fs = std::filesystem;
namespace {

constexpr const char* kImages = "-images-idx3-ubyte";
constexpr const char* kLabels = "-labels-idx1-ubyte";

/// The file itself or, if that is not there, packed.
fs::path plain_or_packed(const fs::path& root, const std::string& name) {
  const fs::path plain = root / name;
  return fs::exists(plain) ? plain : root / (name + ".gz");
}

std::vector<std::byte> bytes_of(const fs::path& path) {
  if (path.extension() == ".gz") return read_gzip(path);
  const auto file = MappedFile::open(path);
  return {file->bytes().begin(), file->bytes().end()};
}

/// One set of files and what it is in the dataset.
struct Part {
  std::string name, domain, split;
};

std::set<std::string> parts_in(const fs::path& root) {
  std::set<std::string> out;
  for (const char* end : {"", ".gz"})
    for (const auto& name : stems_of(root, cat(kImages, end))) out.insert(name);
  return out;
}

std::vector<Part> found_parts(const fs::path& root) {
  std::vector<Part> out;
  for (const auto& name : parts_in(root)) {
    const bool train = name == "train", test = name == "t10k";
    out.push_back({name, train || test ? root.filename().string() : name,
                   train  ? "train"
                   : test ? "test"
                          : ""});
  }
  return out;
}

std::vector<Part> parts_of(const IdxParams& params) {
  if (params.domains.is_null()) return found_parts(params.root);
  std::vector<Part> out;
  for (const auto& [domain, value] : params.domains.as_map("domains")) {
    const std::string what = "domains." + domain;
    if (!value.is_map()) {
      out.push_back({value.as_string(what), domain, ""});
      continue;
    }
    for (const auto& [split, name] : read_split_map(value, what, {}))
      out.push_back({name, domain, split});
  }
  for (const Part& part : out) check_inside(part.name, "domains");
  return out;
}

ImageBlock read_part(const fs::path& root, const Part& part, std::vector<fs::path>& files) {
  const fs::path images = plain_or_packed(root, part.name + kImages),
                 labels = plain_or_packed(root, part.name + kLabels);
  files.insert(files.end(), {images, labels});
  ImageBlock out{part.name, part.domain, part.split, read_idx(images, 3).unsqueeze(1),
                 read_idx(labels, 1)};
  check(out.image_NCHW.size(0) == out.label_N.size(0), labels.string(),
        "wrong number of labels: got ", out.label_N.size(0), ", expected ", out.image_NCHW.size(0),
        " as images");
  return out;
}

int64_t largest_label(const std::vector<ImageBlock>& blocks) {
  int64_t out = 0;
  for (const ImageBlock& block : blocks) out = std::max(out, block.label_N.max().item<int64_t>());
  return out;
}

}  // namespace

at::Tensor read_idx(const fs::path& path, int64_t dims) {
  const auto bytes = bytes_of(path);
  ByteReader in(bytes, path.string());
  const int64_t magic = in.big_endian(4), expected = 0x800 + dims;
  check(magic == expected, path.string(), "is no IDX file of u8 with ", dims,
        " axes: got magic number ", magic, ", expected ", expected);
  std::vector<int64_t> shape;
  uint64_t values = 1;
  for (int64_t i = 0; i < dims; ++i) {
    shape.push_back(in.big_endian(4));
    check(!__builtin_mul_overflow(values, static_cast<uint64_t>(shape.back()), &values),
          path.string(), "bad shape: got ", to_text(shape));
  }
  check(values > 0, path.string(), "holds nothing: got shape ", to_text(shape));
  check(values == in.left(), path.string(), "wrong size: got ", in.left(), " values, expected ",
        values, " for shape ", to_text(shape));
  at::Tensor out = at::empty(shape, at::kByte);
  std::memcpy(out.data_ptr(), in.take(values).data(), values);
  return out;
}

void IdxParams::declare(Fields<IdxParams>& f) {
  f.add("root", &IdxParams::root, "folder of PART-images-idx3-ubyte[.gz] and its labels");
  f.add("source", &IdxParams::source, "public name of the data, quoted in results");
  f.add("domains", &IdxParams::domains,
        "{domain: PART or {split: PART}}; null: train and t10k, any other part is a domain");
  f.add("classes", &IdxParams::classes, "class names; empty: the labels as numbers");
  f.node("split", &IdxParams::split, "how to split parts without a split");
  declare_image_shape(f);
}

std::unique_ptr<Dataset> open_idx(const IdxParams& params) {
  const fs::path root = params.root;
  check(fs::is_directory(root), root.string(), "no such folder");
  std::vector<fs::path> files;
  std::vector<ImageBlock> blocks;
  std::string options = to_text(params);
  for (const Part& part : parts_of(params)) {
    blocks.push_back(read_part(root, part, files));
    options += cat("\n", part.domain, "/", part.split);
  }
  check(!blocks.empty(), root.string(), "no part found: expected PART", kImages, "[.gz]");
  DatasetInfo info;
  info.class_names = params.classes;
  if (params.classes.empty())
    for (int64_t i = 0; i <= largest_label(blocks); ++i)
      info.class_names.push_back(std::to_string(i));
  info.source = params.source.empty() ? root.filename().string() : params.source;
  info.hash = hash_of_files(root, files,
                            cat(options, "\n", join(info.class_names), "\n", params.split.seed, "/",
                                params.split.test_share));
  return std::make_unique<ImageArrays>(std::move(blocks), std::move(info), params, params.split);
}

Layout idx_layout() {
  const auto found = [](const fs::path& folder) { return !parts_in(folder).empty(); };
  const auto check = [](const fs::path& folder) {
    IdxParams params;
    params.root = folder.string();
    Layout::Lines lines = {"layout: idx (PART-images-idx3-ubyte and labels), read at 28 x 28"};
    add_samples(*open_idx(params), lines);
    lines.push_back("make shards: " + pack_command("idx", folder));
    return lines;
  };
  return {"idx", cat("PART", kImages, "[.gz]"), found, check};
}

}  // namespace switchyard
