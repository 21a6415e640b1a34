"""Saving and loading, in PyTorch's own files: `torch.save`, `torch.load`."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from typing import Any, BinaryIO

import numpy as np

from tinygrad_pt import dtypes
from tinygrad_pt.errors import CheckpointError, refuse
from tinygrad_pt.files import whole
from tinygrad_pt.functions.creation import device, here
from tinygrad_pt.serialization.archive import Members, write
from tinygrad_pt.serialization.reading import LONGEST, Reader, Storage, StorageType, a, malformed, shown, whole_number
from tinygrad_pt.serialization.storages import LEGACY_VERSION, MAGIC
from tinygrad_pt.serialization.writing import Writer

__all__ = ["CheckpointError", "load", "save"]

File = str | os.PathLike[str] | BinaryIO
Place = str | device | Mapping[str, Any] | Callable[..., Any] | None
# What can go wrong in a call that the stream describes and its words do not fit, such as a missing argument.
UNFIT = (TypeError, ValueError, KeyError, OverflowError, RuntimeError, MemoryError)
SCRIPT = "Cannot use ``weights_only=True`` with TorchScript archives passed to ``torch.load``."
TAR = "Cannot use ``weights_only=True`` with files saved in the legacy .tar format."
SAVE_AGAIN = "load it in PyTorch, and save its state_dict: torch.save(model.state_dict(), f)"


def save(
    obj: object,
    f: File,
    pickle_module: Any = None,
    pickle_protocol: int = 2,
    _use_new_zipfile_serialization: bool = True,
    _disable_byteorder_record: bool = False,
) -> None:
    """Write an object to a file that PyTorch reads too.

    The object is made of dicts, OrderedDicts, Counters, lists, tuples, sets, strings, bytes, numbers, None, tensors,
    parameters, sizes, dtypes and devices: a `state_dict()` of a model or an optimizer, or a dict of several with what
    belongs to them. Tensors that share memory share it again when they are loaded. `f` is a path, or a file opened for
    writing bytes. A path leads to the old file until the new one is on the disk as a whole. `pickle_module` and
    `pickle_protocol` are accepted; the file is the same without them.

    Raises CheckpointError for an object of another class, such as a module; RuntimeError if there is no such folder.

    >>> import io
    >>> x, file = torch.arange(4), io.BytesIO()
    >>> torch.save({"x": x, "half": x[:2], "epoch": 3}, file)
    >>> file.seek(0); again = torch.load(file); again
    0
    {'x': tensor([0, 1, 2, 3]), 'half': tensor([0, 1]), 'epoch': 3}
    >>> again["x"][0] = 7; again["half"]
    tensor([7, 1])
    """
    if not _use_new_zipfile_serialization:
        raise refuse(
            ValueError, "the older format is read here, and not written", "save", mend="leave the argument out"
        )
    name = "archive"
    if isinstance(f, (str, os.PathLike)):
        folder, file_name = os.path.split(os.fspath(f))
        name = os.path.splitext(file_name)[0] or name
        if folder and not os.path.isdir(folder):
            raise refuse(RuntimeError, f"Parent directory {folder} does not exist.", "save", mend="os.makedirs(folder)")
    elif not hasattr(f, "write"):
        text = "expected 'f' to be string, path, or a file-like object with a 'write' attribute"
        raise refuse(AttributeError, text, "save")
    written = Writer(obj)
    with whole(f) if isinstance(f, (str, os.PathLike)) else nullcontext(f) as file:
        write(file, name, bytes(written.stream), written.storages, sys.byteorder)


def load(
    f: File,
    map_location: Place = None,
    pickle_module: Any = None,
    *,
    weights_only: bool | None = None,
    mmap: bool | None = None,
    **pickle_load_args: Any,
) -> Any:
    """Read what `save` here or in PyTorch has written, in the format of today or the one before PyTorch 1.6.

    Nothing in the file is executed, whatever `weights_only` says: what may stand in it are the types that `save` lists.
    Everything is loaded to the CPU, from whichever device it was saved. With `mmap=True`, `f` is a path, and elements
    are read from the disk where they are used; what is written to them stays in memory.

    Raises CheckpointError, with the reason, for a file that is damaged, or that has other things in it, such as a whole
    model; for numbers of a type that NumPy has not, such as bfloat16, too.

    >>> import io
    >>> file = io.BytesIO()
    >>> torch.save(torch.nn.Linear(2, 1).state_dict(), file)
    >>> file.seek(0); model = torch.nn.Linear(2, 1)
    0
    >>> model.load_state_dict(torch.load(file))
    <All keys matched successfully>
    """
    if isinstance(map_location, (str, device)):
        here(map_location)
    path = os.fspath(f) if isinstance(f, (str, os.PathLike)) else ""
    if not path and not all(hasattr(f, name) for name in ("read", "readline", "seek", "tell")):
        text = f"'{type(f).__name__}' object has no attribute 'read', 'readline', 'seek' or 'tell'"
        raise refuse(AttributeError, text, "load", mend="wrap the bytes in io.BytesIO(...)")
    if mmap and not path:
        raise refuse(ValueError, "f must be a file path in order to use the mmap argument", "load")
    encoding = pickle_load_args.get("encoding", "utf-8")
    with open(f, "rb") if isinstance(f, (str, os.PathLike)) else nullcontext(f) as file:
        try:
            start = file.tell()
            head = file.read(4)
            file.seek(start)
            if head == b"PK\3\4":
                return read_archive(file, path if mmap else "", encoding)
            if mmap:
                text = "mmap can only be used with files saved with `torch.save(_use_new_zipfile_serialization=True)"
                raise refuse(CheckpointError, text, "load")
            return read_legacy(file, encoding)
        except CheckpointError:
            raise
        except UNFIT as error:
            raise malformed(f"{type(error).__name__}: {error}") from error


def read_archive(file: BinaryIO, path: str, encoding: str) -> Any:
    """What a zip archive holds; if there is a path, the elements of its tensors are mapped from the disk."""
    members = Members(file)
    if "constants.pkl" in members:
        raise refuse(CheckpointError, SCRIPT, "load", mend=SAVE_AGAIN)
    order = members.read("byteorder", 16) if "byteorder" in members else b"little"
    if order not in (b"little", b"big"):
        raise malformed(f"Unknown endianness type: {order!r}")
    swapped = order.decode() != sys.byteorder
    known: dict[str, Storage] = {}

    def storage(description: tuple[Any, ...]) -> Storage:
        kind, key, _, count = described(description, 4)
        size = count * (1 if kind is None else kind.itemsize)
        if key not in known:
            if members.size(f"data/{key}") != size:
                raise malformed(f"storage {key} has {members.size(f'data/{key}')} bytes where {size} are described")
            memory = members.mapped(f"data/{key}", path) if path else members.memory(f"data/{key}")
            known[key] = settled(kind, memory, swapped)
        if known[key].kind is not kind or len(known[key].memory) != size:
            raise malformed(f"storage {key} is described in two ways")
        return known[key]

    return Reader(io.BytesIO(members.read("data.pkl", LONGEST)), storage, encoding).load()


def read_legacy(file: BinaryIO, encoding: str) -> Any:
    """What a file of the older format holds: five objects one after the other, and the elements of each storage."""
    start = file.tell()
    length = file.seek(0, os.SEEK_END) - start
    file.seek(start)
    if b"ustar" in file.read(512)[257:265]:
        raise refuse(CheckpointError, TAR, "load", mend=SAVE_AGAIN)
    file.seek(start)
    known: dict[str, Storage] = {}
    taken = 0

    def storage(description: tuple[Any, ...]) -> Storage:
        nonlocal taken
        kind, key, view, count = described(description, 5)
        width = 1 if kind is None else kind.itemsize
        if key not in known:
            taken += count * width
            if taken > length:
                raise malformed(f"storages of {taken} bytes are described in a file that has {length}")
            known[key] = Storage(kind, np.zeros(count * width, np.uint8))
        found = known[key]
        if found.kind is not kind or len(found.memory) != count * width:
            raise malformed(f"storage {key} is described in two ways")
        if view is None:
            return found
        _, first, size = a(view, tuple)
        first, size = whole_number(first) * width, whole_number(size) * width
        if first + size > len(found.memory):
            raise malformed(f"a part of storage {key} reaches beyond it")
        return Storage(kind, found.memory[first : first + size])

    if length and Reader(file).load() != MAGIC:
        raise malformed("Invalid magic number; corrupt file?")
    if (version := Reader(file).load()) != LEGACY_VERSION:
        raise malformed(f"Invalid protocol version: {shown(version)}")
    Reader(file).load()  # what it says of the machine that wrote it: the elements are always little-endian
    found = Reader(file, storage, encoding).load()
    for key in a(Reader(file).load(), list):
        if type(key) is not str or key not in known:
            raise malformed(f"storage {shown(key)} belongs to no tensor")
        stored = known.pop(key)
        width = 1 if stored.kind is None else stored.kind.itemsize
        count = int.from_bytes(file.read(8), "little")
        if count * width != len(stored.memory):
            raise malformed(f"storage {key} has {count} elements where {len(stored.memory) // width} are described")
        data = file.read(len(stored.memory))
        if len(data) < len(stored.memory):
            raise malformed("Ran out of input")
        stored.memory[:] = np.frombuffer(data, np.uint8)
        settled(stored.kind, stored.memory, sys.byteorder == "big")
    if known:
        raise malformed(f"the elements of storage {min(known)} are missing")
    return found


def described(description: tuple[Any, ...], count: int) -> tuple[dtypes.dtype | None, str, Any, int]:
    """The dtype, name, last word but one or (in the older format) last, and number of elements of a storage."""
    if len(description) != count or type(description[0]) is not StorageType or type(description[1]) is not str:
        raise malformed("a storage is not described as one")
    return description[0].kind, description[1], description[-1] if count == 5 else None, whole_number(description[3])


def settled(kind: dtypes.dtype | None, memory: np.ndarray, swapped: bool) -> Storage:
    """A storage whose bytes are in the order of this machine, and whose truth values are 0 or 1."""
    if kind is dtypes.bool and not isinstance(memory, np.memmap):
        memory[:] = memory != 0
    if swapped and kind is not None and memory.size:
        memory.view(kind.numpy if not kind.is_complex else f"f{kind.itemsize // 2}").byteswap(inplace=True)
    return Storage(kind, memory)
