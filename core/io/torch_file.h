#pragma once
// PyTorch's .pth and .pt files (torch.save since 1.6): a zip of stored members, NAME/data.pkl with
// a pickle of protocol 2 and NAME/data/<key> with the storages that its tensors are views of.
// Nothing in a file is run. Values that are taken: tensors and parameters, dict, OrderedDict, list,
// tuple, int, float, str, bool, None; every other global is refused by name.

#include <filesystem>
#include <string>

#include "core/io/safetensors.h"

namespace switchyard {

/// Whether the file begins as a zip archive or as a pickle does.
bool is_torch_file(const std::filesystem::path& path);

/// The tensors of a state dict, in its order: the dict under `key`, or without `key` the one under
/// "state_dict" where the file has that, else the file's only dict. They are views of a mapping of
/// the file and share storage where they did: never write to one. With `key` the rest of the file
/// may hold anything: it is left out unseen. f64 f32 f16 bf16 i64 i32 i16 i8 u8 bool.
/// Errors, naming the file and the byte or member: see ZipFile and Pickle; a global that is
/// refused; a value in the dict that is no tensor; a view outside its storage; tensors that repeat
/// the file's bytes more than fourfold; big-endian; the format before PyTorch 1.6.
NamedTensors read_torch(const std::filesystem::path& path, const std::string& key = "");

/// The arrays of a dict that torch.save wrote, in its order: tensors and NumPy arrays (bool, whole
/// and floating numbers, little-endian). Plain values beside them (text, numbers) are left out. The
/// form of Pointcept's scenes. Errors: as above; an array of another type; a pickle over 4 GiB.
NamedTensors read_torch_arrays(const std::filesystem::path& path);

/// A file that torch.load(weights_only=True) takes: a dict from name to tensor, inside a dict with
/// `key` if that is not empty. Atomic; equal tensors give equal bytes. Tensors may be on any device
/// and strided; each gets a storage of its own. Errors: names that are not unique, a dtype not
/// listed above.
void write_torch(const std::filesystem::path& path, const NamedTensors& tensors,
                 const std::string& key = "");

}  // namespace switchyard
