"""Writing objects as the opcodes of PyTorch's `data.pkl`.

A stream of opcodes builds an object on a stack: `K` pushes a small integer, `t` makes a tuple of
what stands above the last mark. What has been built is given a number (`q`), by which it is taken again (`h`): one
object in two places is one when it is read.
The elements of tensors stand elsewhere, once per storage; the stream names the storage.
"""

from __future__ import annotations

import struct
from collections import Counter, OrderedDict
from collections.abc import Iterator
from typing import Any

import numpy as np

from tinygrad_pt import dtypes
from tinygrad_pt.errors import CheckpointError, class_name, refuse
from tinygrad_pt.functions.arguments import Size
from tinygrad_pt.functions.copying import attributes, located
from tinygrad_pt.functions.creation import device
from tinygrad_pt.functions.strides import strides_of
from tinygrad_pt.nn import Module, Parameter
from tinygrad_pt.nn.parameter import Uninitialized
from tinygrad_pt.serialization.storages import PROTOCOL, STORAGES
from tinygrad_pt.tensor import Tensor

BATCH = 1000  # entries of a dictionary or list between two marks, as Python's pickle has them
UNSAVED = {"name", "persistent"}  # attributes of tensors that PyTorch's have not
OTHER_TYPES = "Cannot save multiple tensors or storages that view the same data as different types"
STATE_DICT = "save its state_dict: torch.save(model.state_dict(), f)"
PLAIN = "save what it is made of: dicts, lists, tuples, sets, numbers, strings, bytes and tensors"


class Global(str):
    """The name of something in a module: `torch._utils _rebuild_tensor_v2`."""


class Call(tuple[Any, ...]):
    """A global and the tuple of the arguments it is called with."""


class Reference(tuple[Any, ...]):
    """The description of a storage, whose elements stand elsewhere."""


class Writer:
    """The opcodes of an object, in `stream`, and the memory of its tensors, in `storages`, by number."""

    def __init__(self, obj: Any) -> None:
        self.stream = bytearray([0x80, PROTOCOL])
        self.storages: list[np.ndarray] = []
        self._numbers: dict[Any, int] = {}  # of what has been written: by the name of a global, else by id
        self._kept: list[Any] = []  # while an object lives, no other has its id
        self._keys: dict[tuple[int, int], tuple[str, dtypes.dtype]] = {}
        begun = [iter((obj,))]
        while begun:  # no recursion: data may be nested as deep as memory allows
            for part in begun[-1]:
                begun.append(self._write(part))
                break
            else:
                begun.pop()
        self.stream += b"."

    def _write(self, x: Any) -> Iterator[Any]:
        """Write an object; the parts that are to be written in between are handed out."""
        kind = type(x)
        number = self._numbers.get(x if kind is Global else id(x))
        if x is None or kind is bool:
            self.stream += {None: b"N", True: b"\x88", False: b"\x89"}[x]
        elif kind is int:
            self._integer(x)
        elif kind is float:
            self.stream += b"G" + struct.pack(">d", x)
        elif kind is tuple and not x:
            self.stream += b")"
        elif number is not None:
            self.stream += struct.pack("<cB", b"h", number) if number < 256 else struct.pack("<cI", b"j", number)
        elif kind is Reference:
            yield tuple(x)
            self.stream += b"Q"
        elif kind is Global:
            self._remember(x, b"c" + x.replace(" ", "\n").encode() + b"\n", x)
        elif kind is str:
            text = x.encode("utf-8", "surrogatepass")
            self._remember(x, b"X" + struct.pack("<I", len(text)) + text)
        elif kind is tuple:
            short = len(x) < 4
            self.stream += b"" if short else b"("
            yield from x
            self._remember(x, b"\x85\x86\x87"[len(x) - 1 : len(x)] if short else b"t")
        elif kind is list:
            self._remember(x, b"]")
            yield from self._filled(x, 1, b"ae")
        elif kind is dict:
            self._remember(x, b"}")
            yield from self._filled(x.items(), 2, b"su")
        elif kind is OrderedDict:
            yield from self._called(x, Call((Global("collections OrderedDict"), ())))
            yield from self._filled(x.items(), 2, b"su")
            if vars(x):
                yield dict(vars(x))  # PyTorch keeps the versions of modules in an attribute of the state dict
                self.stream += b"b"
        elif kind is Call:
            yield from self._called(x, x)
        else:
            yield from self._called(x, self._call_of(x))

    def _remember(self, x: Any, opcodes: bytes, key: Any = None) -> None:
        number = self._numbers[id(x) if key is None else key] = len(self._numbers)
        self._kept.append(x)
        self.stream += opcodes
        self.stream += struct.pack("<cB", b"q", number) if number < 256 else struct.pack("<cI", b"r", number)

    def _called(self, x: Any, call: Call) -> Iterator[Any]:
        yield from call
        if len(call) > 1:
            self._remember(x, b"R")

    def _filled(self, items: Any, width: int, opcodes: bytes) -> Iterator[Any]:
        """The entries of a list or dictionary, between marks unless there is one alone."""
        rest = list(items)
        for i in range(0, len(rest), BATCH):
            batch = rest[i : i + BATCH]
            self.stream += b"(" if len(batch) > 1 else b""
            for entry in batch:
                yield from entry if width == 2 else (entry,)
            self.stream += opcodes[1:] if len(batch) > 1 else opcodes[:1]

    def _integer(self, x: int) -> None:
        if 0 <= x < 256:
            self.stream += struct.pack("<cB", b"K", x)
        elif 0 <= x < 1 << 16:
            self.stream += struct.pack("<cH", b"M", x)
        elif -(1 << 31) <= x < 1 << 31:
            self.stream += struct.pack("<ci", b"J", x)
        else:
            width = x.bit_length() // 8 + 1
            if x < 0 and (x >> (8 * width - 9)) == -1:
                width -= 1  # the sign fits into the bytes before
            if width > 255:
                raise refuse(CheckpointError, f"cannot save an integer of {width} bytes: a checkpoint has at most 255")
            self.stream += struct.pack("<cB", b"\x8a", width) + x.to_bytes(width, "little", signed=True)

    # ------------------------------------------------------------------------------------------ calls
    def _call_of(self, x: Any) -> Call:
        """What is called when the object is read."""
        kind = type(x)
        if isinstance(x, Tensor):
            return self._tensor(x)
        if isinstance(x, dtypes.dtype):
            return Call((Global(f"torch {x.name}"),))
        if kind is Size:
            return Call((Global("torch Size"), (tuple(x),)))
        if kind is device:
            return Call((Global("torch device"), (x.type,) if x.index is None else (x.type, x.index)))
        if kind is bytes:
            return Call((Global("_codecs encode"), (x.decode("latin1"), "latin1")))
        if kind is bytearray:
            return Call((Global("__builtin__ bytearray"), (bytes(x),) if x else ()))
        if kind is set:
            return Call((Global("__builtin__ set"), (list(x),)))
        if kind is complex:
            return Call((Global("__builtin__ complex"), (x.real, x.imag)))
        if kind is Counter:
            return Call((Global("collections Counter"), (dict(x),)))
        path = class_name(kind)
        text = f"cannot save {path}: GLOBAL {path} is not an allowed global by default when weights are loaded"
        raise refuse(CheckpointError, text, None, mend=STATE_DICT if isinstance(x, Module) else PLAIN)

    def _tensor(self, x: Tensor) -> Call:
        if isinstance(x, Uninitialized):
            raise refuse(CheckpointError, f"cannot save a {type(x).__name__}: its shape is not known yet", None)
        more = {name: value for name, value in attributes(x).items() if name not in UNSAVED}
        hooks: OrderedDict[str, Any] = OrderedDict()  # none are saved
        if isinstance(x, Parameter):
            state = (x.detach(), x.requires_grad, hooks)
            if more:
                return Call((Global("torch._utils _rebuild_parameter_with_state"), (*state, more)))
            return Call((Global("torch._utils _rebuild_parameter"), state))
        strides = strides_of(x)
        reference, offset = self._storage(x.array)
        rebuild = Global("torch._utils _rebuild_tensor_v2")
        args = (reference, offset, tuple(x.array.shape), strides, x.requires_grad, hooks)
        if more:
            return Call((Global("torch._tensor _rebuild_from_type_v2"), (rebuild, Global("torch Tensor"), args, more)))
        return Call((rebuild, args))

    def _storage(self, x: np.ndarray) -> tuple[Reference, int]:
        """The storage of an array, as it is named in the stream, and the place of the first element in it."""
        kind = dtypes.of(x.dtype)
        memory, layout = located(x)
        start = 0 if layout is None else layout[3]
        if layout is None or start % x.itemsize or memory.nbytes % x.itemsize:
            memory, start = np.ascontiguousarray(x).ravel(), 0
        place = (memory.ctypes.data, memory.nbytes)
        key, written = self._keys.get(place, ("", kind))
        if written is not kind:
            raise refuse(CheckpointError, OTHER_TYPES, None, mend="save one of them, and view it again when it is read")
        if not key:
            key = str(len(self.storages))
            self.storages.append(memory)
            if memory.nbytes:
                self._keys[place] = key, kind
        count = memory.nbytes // x.itemsize
        return Reference(("storage", Global(f"torch {STORAGES[kind]}"), key, "cpu", count)), start // x.itemsize
