#!/usr/bin/env python3
"""Checks a .pth file that switchyard wrote by means of others. Standard library only, but for --torch.

    scripts/check_pth.py FILE.pth [--like FILE.safetensors] [--torch]

Checks: Python's zipfile finds every member whole and stored, storages begin at multiples of 64
bytes, pickletools finds a well-formed pickle of protocol 2 with no globals but those of tensors, one
storage per tensor. --like: names, shapes, dtypes and bytes equal those of the safetensors file.
--torch: PyTorch loads it with weights_only=True; with --like, equal tensors there too.
Exit status: 0 all hold, 1 a check failed.
"""
import argparse
import json
import pickletools
import struct
import sys
import zipfile

DTYPES = {"Double": "F64", "Float": "F32", "Half": "F16", "BFloat16": "BF16", "Long": "I64",
          "Int": "I32", "Short": "I16", "Char": "I8", "Byte": "U8", "Bool": "BOOL"}
TENSOR = "torch._utils _rebuild_tensor_v2"
GLOBALS = {TENSOR, "collections OrderedDict"} | {f"torch {name}Storage" for name in DTYPES}


def require(holds, what):
    if not holds:
        sys.exit(f"FAIL {what}")


def data_offset(raw, info):
    """Where the data of a member begin: behind its own header, name and extra field."""
    name, extra = struct.unpack_from("<HH", raw, info.header_offset + 26)
    return info.header_offset + 30 + name + extra


def check_archive(path):
    """Members by name below their folder."""
    raw = open(path, "rb").read()
    with zipfile.ZipFile(path) as archive:
        require(archive.testzip() is None, "a member's checksum")
        infos = archive.infolist()
        require(all(i.compress_type == zipfile.ZIP_STORED for i in infos), "members are stored")
        for info in infos:
            require(data_offset(raw, info) % 64 == 0, f"{info.filename} begins at a multiple of 64")
        members = {i.filename.partition("/")[2]: archive.read(i) for i in infos}
    require(members["version"] == b"3\n", "version")
    require(members["byteorder"] == b"little", "byteorder")
    return members


class Machine:
    """Runs the opcodes that PickleWriter uses; tensors come out as (dtype, storage key, size)."""

    def __init__(self, pickle):
        self.stack, self.tensors = [], {}
        for opcode, argument, _ in pickletools.genops(pickle):
            getattr(self, "op_" + opcode.name, self.push)(argument)

    def push(self, argument):
        self.stack.append(argument)

    def op_PROTO(self, protocol):
        require(protocol == 2, "protocol 2")

    def op_GLOBAL(self, name):
        require(name in GLOBALS, f"global {name} is one of a tensor")
        self.stack.append(name)

    def op_MARK(self, _):
        self.stack.append("MARK")

    def to_mark(self):
        at = len(self.stack) - 1 - self.stack[::-1].index("MARK")
        items = self.stack[at + 1:]
        del self.stack[at:]
        return items

    def op_EMPTY_DICT(self, _):
        self.stack.append({})

    def op_EMPTY_TUPLE(self, _):
        self.stack.append(())

    def op_TUPLE(self, _):
        self.stack.append(tuple(self.to_mark()))

    def op_BINPERSID(self, _):
        kind, storage, key, _, elements = self.stack.pop()
        require(kind == "storage", "persistent id of a storage")
        self.stack.append((DTYPES[storage[len("torch "):-len("Storage")]], key, elements))

    def op_NEWFALSE(self, _):
        self.stack.append(False)

    def op_REDUCE(self, _):
        arguments, callee = self.stack.pop(), self.stack.pop()
        if callee == TENSOR:
            (dtype, key, _), offset, size = arguments[:3]
            require(offset == 0, "offset 0")
            self.stack.append((dtype, key, list(size)))
        else:
            self.stack.append({})

    def op_SETITEMS(self, _):
        items = self.to_mark()
        self.stack[-1].update(zip(items[::2], items[1::2]))

    def op_STOP(self, _):
        require(len(self.stack) == 1, "one value")
        self.tensors = self.stack[0]
        while len(self.tensors) == 1 and isinstance(next(iter(self.tensors.values())), dict):
            self.tensors = next(iter(self.tensors.values()))


def read_safetensors(path):
    raw = open(path, "rb").read()
    length, = struct.unpack_from("<Q", raw)
    header = json.loads(raw[8:8 + length])
    header.pop("__metadata__", None)
    data = raw[8 + length:]
    return {name: (t["dtype"], t["shape"], data[slice(*t["data_offsets"])])
            for name, t in header.items()}


def check_torch(path, like):
    import torch
    loaded = torch.load(path, weights_only=True)
    while len(loaded) == 1 and isinstance(next(iter(loaded.values())), dict):
        loaded = next(iter(loaded.values()))
    for name, (_, shape, data) in like.items():
        tensor = loaded[name]
        require(list(tensor.shape) == shape, f"{name} has its shape in PyTorch")
        flat = tensor.contiguous().reshape(-1).view(torch.uint8)
        require(bytes(flat.numpy().data) == data, f"{name} has its bytes in PyTorch")
    total = sum(t.numel() for t in loaded.values())
    print(f"torch {torch.__version__} loads {len(loaded)} tensors, {total} elements, weights_only=True")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file")
    parser.add_argument("--like")
    parser.add_argument("--torch", action="store_true")
    options = parser.parse_args()
    members = check_archive(options.file)
    tensors = Machine(members["data.pkl"]).tensors
    keys = sorted(t[1] for t in tensors.values())
    stored = sorted(n.removeprefix("data/") for n in members if n.startswith("data/"))
    require(keys == stored, "one storage per tensor")
    like = read_safetensors(options.like) if options.like else {}
    if options.like:
        require(set(like) == set(tensors), "the same names")
        for name, (dtype, shape, data) in like.items():
            require(tensors[name][0] == dtype and tensors[name][2] == shape, f"{name}: dtype and shape")
            require(members["data/" + tensors[name][1]] == data, f"{name}: bytes")
    print(f"{len(tensors)} tensors: archive and pickle are well formed"
          + (f", equal to {options.like}" if like else ""))
    if options.torch:
        check_torch(options.file, like)


if __name__ == "__main__":
    main()
