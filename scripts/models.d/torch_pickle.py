"""Reads a PyTorch checkpoint without PyTorch: the file format of `torch.save` before version 1.6.

Five pickles in a row (magic number, protocol version, system, state dict, storage keys), then each storage as a little-endian
u64 count and raw numbers (torch/serialization.py, `_legacy_load`). A pickle can name any function to be called, so this reader
knows four names, all harmless, and refuses every other.
"""

import collections
import pickle
import struct

import numpy as np

MAGIC = 0x1950A86A20F9469CFC6C
PROTOCOL = 1001


class Refusing(pickle.Unpickler):
    known = {
        ("collections", "OrderedDict"): collections.OrderedDict,
        # What is kept of a tensor: its storage, where it begins there, its shape and its strides, in numbers.
        ("torch._utils", "_rebuild_tensor_v2"): lambda storage, offset, shape, strides, *_: (storage, offset, shape, strides),
        ("torch", "FloatStorage"): np.dtype("<f4"),
        ("torch", "LongStorage"): np.dtype("<i8"),
    }

    def find_class(self, module, name):
        if (module, name) not in self.known:
            raise pickle.UnpicklingError(f"the checkpoint names {module}.{name}, which no table of numbers needs")
        return self.known[module, name]

    def persistent_load(self, saved):
        kind, dtype, key, _location, count, view = saved
        if kind != "storage" or view is not None:
            raise pickle.UnpicklingError(f"the checkpoint refers to {saved!r}, which is no plain storage")
        return dtype, key, count


def read_checkpoint(path):
    """The state dict at `path`: arrays by name, in the file's order."""
    with open(path, "rb") as file:
        if Refusing(file).load() != MAGIC or Refusing(file).load() != PROTOCOL:
            raise ValueError(f"{path} is no PyTorch checkpoint of the format before 1.6")
        Refusing(file).load()
        tensors, keys = Refusing(file).load(), Refusing(file).load()
        storages = {storage[1]: storage for storage, *_ in tensors.values()}
        numbers = {}
        for key in keys:
            dtype, _, count = storages[key]
            (found,) = struct.unpack("<q", file.read(8))
            if found != count:
                raise ValueError(f"{path}: storage {key} has {found} numbers, expected {count}")
            numbers[key] = np.frombuffer(file.read(count * dtype.itemsize), dtype)
        if file.read(1):
            raise ValueError(f"{path} has more in it than its tensors")
    arrays = {}
    for name, ((_, key, _), offset, shape, strides) in tensors.items():
        stored = numbers[key][offset:]
        if min(strides, default=0) < 0 or sum((n - 1) * step for n, step in zip(shape, strides)) >= len(stored):
            raise ValueError(f"{path}: {name} reaches beyond its storage")
        # Copied, since a tensor's axes may be stored in another order than its own.
        steps = [step * stored.itemsize for step in strides]
        arrays[name] = np.lib.stride_tricks.as_strided(stored, shape, steps, writeable=False).copy()
    return arrays
