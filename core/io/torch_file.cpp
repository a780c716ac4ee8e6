#include "core/io/torch_file.h"

#include <set>

#include "core/base/error.h"
#include "core/io/file.h"
#include "core/io/numpy_pickle.h"
#include "core/io/pickle_writer.h"
#include "core/io/printable.h"
#include "core/io/stored_zip_writer.h"
#include "core/io/torch_storage.h"
#include "core/io/torch_tensors.h"

namespace switchyard {
namespace fs = std::filesystem;
namespace {

using Kind = PickleNode::Kind;

constexpr std::string_view kPickle = "data.pkl";

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

bool is_zip(std::string_view bytes) { return bytes.starts_with("PK\x03\x04"); }
bool is_pickle(std::string_view bytes) { return bytes.starts_with("\x80"); }

void check_format(const fs::path& path) {
  const auto file = MappedFile::open(path);
  const std::string_view bytes = text_of(file->bytes());
  check(!is_pickle(bytes), path.string(),
        "is in the format before PyTorch 1.6, which is not read; valid: the file saved anew, in "
        "Python: torch.save(torch.load('old.pth', weights_only=True), 'new.pth')");
  check(is_zip(bytes), path.string(), "is no .pth file: expected a zip archive");
}

/// The one folder at the top of the archive that holds data.pkl.
std::string folder_of(const ZipFile& zip, const std::string& where) {
  std::vector<std::string> folders;
  for (const std::string& name : zip.names()) {
    const size_t slash = name.find('/');
    if (slash != std::string::npos && name.substr(slash + 1) == kPickle)
      folders.push_back(name.substr(0, slash));
  }
  check(folders.size() == 1, where, "is no .pth file: got ", folders.size(),
        " members NAME/data.pkl, expected one");
  return folders.front();
}

void check_byte_order(const ZipFile& zip, const std::string& folder, const std::string& where) {
  const std::string member = folder + "/byteorder";
  if (!zip.has(member)) return;  // before PyTorch 2.1
  const std::string_view order = text_of(zip.get(member));
  check(order == "little", where, "unsupported byte order: got ", printable(order),
        ", expected 'little'");
}

/// The parts of a .pth, its pickle read.
struct Opened {
  ZipFile zip;
  std::string folder, where;
  Pickle pickle;
};

Opened open_torch(const fs::path& path, size_t max_bytes) {
  check_format(path);
  ZipFile zip = ZipFile::open(path);
  const std::string folder = folder_of(zip, path.string());
  const std::string member = folder + "/" + std::string(kPickle);
  check_byte_order(zip, folder, path.string());
  Pickle pickle = Pickle::read(zip.get(member), path.string() + ":" + member, max_bytes);
  return {std::move(zip), folder, path.string() + ":" + member, std::move(pickle)};
}

/// Calls visit(name, value) for the items of a dict.
template <class Visit>
void for_each_named(const PickleNode& dict, const std::string& where, Visit visit) {
  std::set<std::string> seen;
  for (size_t i = 0; i < dict.items.size(); i += 2) {
    const PickleNode& name = *dict.items[i];
    check(name.is(Kind::Text), where, "expected the name of a tensor: got ", name.describe());
    check(seen.insert(name.text).second, where + ":" + printable(name.text), "named twice");
    visit(name.text, *dict.items[i + 1]);
  }
}

/// Text keys of the dicts in `root`.
std::string dict_keys(const PickleNode& root) {
  std::vector<std::string> out;
  for (size_t i = 0; root.is(Kind::Dict) && i < root.items.size() && out.size() < 20; i += 2) {
    if (root.items[i]->is(Kind::Text) && root.items[i + 1]->is(Kind::Dict))
      out.push_back(printable(root.items[i]->text));
  }
  return out.empty() ? "none in this file" : join(out);
}

void check_globals(const Pickle& pickle, const std::string& where) {
  for (const PickleNode* global : pickle.globals()) {
    check(is_plain_global(global->text), where,
          "holds more than tensors and plain containers: got ", global->describe(),
          "; valid: a file of model.state_dict(), or switchyard convert --key ",
          "KEY, which leaves out all but the state dict under KEY: ", dict_keys(pickle.root()));
  }
}

const PickleNode& state_dict_of(const Pickle& pickle, const std::string& key,
                                const std::string& where) {
  const PickleNode& root = pickle.root();
  check(root.is(Kind::Dict), where, "expected a dict: got ", root.describe());
  const PickleNode* chosen = root.find(key.empty() ? "state_dict" : key);
  if (key.empty()) return chosen && chosen->is(Kind::Dict) ? *chosen : root;
  check(chosen && chosen->is(Kind::Dict), where, "no state dict under ", printable(key), ": got ",
        chosen ? chosen->describe() : "no such key", "; valid: ", dict_keys(root));
  return *chosen;
}

}  // namespace

bool is_torch_file(const fs::path& path) {
  const auto file = MappedFile::open(path);
  const std::string_view bytes = text_of(file->bytes());
  return is_zip(bytes) || is_pickle(bytes);
}

NamedTensors read_torch(const fs::path& path, const std::string& key) {
  const Opened file = open_torch(path, Pickle::kMaxBytes);
  if (key.empty()) check_globals(file.pickle, file.where);
  const PickleNode& dict = state_dict_of(file.pickle, key, file.where);
  TorchTensors tensors(file.zip, file.folder);
  NamedTensors out;
  for_each_named(dict, file.where, [&](const std::string& name, const PickleNode& value) {
    const std::string place = file.where + ":" + printable(name);
    check(value.is(Kind::Call), place, "is no tensor: got ", value.describe(),
          "; valid: --key KEY of a state dict: ", dict_keys(file.pickle.root()));
    out.emplace_back(name, tensors.make(value, place));
  });
  return out;
}

NamedTensors read_torch_arrays(const fs::path& path) {
  const Opened file = open_torch(path, size_t{4} << 30);
  for (const PickleNode* global : file.pickle.globals()) {
    check(is_plain_global(global->text) || is_numpy_global(global->text), file.where,
          "holds more than arrays and plain containers: got ", global->describe());
  }
  const PickleNode& root = file.pickle.root();
  check(root.is(Kind::Dict), file.where, "expected a dict of arrays: got ", root.describe());
  TorchTensors tensors(file.zip, file.folder);
  std::set<const PickleNode*> copied;
  NamedTensors out;
  for_each_named(root, file.where, [&](const std::string& name, const PickleNode& value) {
    const std::string place = file.where + ":" + printable(name);
    if (!is_numpy_array(value)) {
      if (TorchTensors::is_tensor(value)) out.emplace_back(name, tensors.make(value, place));
      return;
    }
    check(copied.insert(&value).second, place, "is an array that has another name too");
    out.emplace_back(name, read_numpy_array(value, place));
  });
  return out;
}

void write_torch(const fs::path& path, const NamedTensors& tensors, const std::string& key) {
  PickleWriter pickle;
  std::vector<at::Tensor> payload;
  std::set<std::string> seen;
  if (!key.empty()) pickle.begin_dict().text(key);
  pickle.begin_dict();
  for (const auto& [name, tensor] : tensors) {
    const std::string place = path.string() + ":" + name;
    check(seen.insert(name).second, place, "named twice");
    const at::Tensor& flat = payload.emplace_back(tensor.detach().cpu().contiguous());
    pickle.text(name).tensor(storage_name(flat.scalar_type(), place), payload.size() - 1,
                             flat.sizes().vec(), flat.strides().vec());
  }
  pickle.end_dict();
  if (!key.empty()) pickle.end_dict();
  const std::string text = pickle.finish();
  const auto bytes_of = [](std::string_view s) { return std::as_bytes(std::span(s)); };
  write_atomic(path, [&](std::ostream& out) {
    StoredZipWriter zip(out);
    zip.add("archive/data.pkl", bytes_of(text));
    zip.add("archive/byteorder", bytes_of("little"));
    for (size_t i = 0; i < payload.size(); ++i) {
      zip.add(cat("archive/data/", i),
              {static_cast<const std::byte*>(payload[i].data_ptr()), payload[i].nbytes()});
    }
    zip.add("archive/version", bytes_of("3\n"));
    zip.finish();
  });
}

}  // namespace switchyard
