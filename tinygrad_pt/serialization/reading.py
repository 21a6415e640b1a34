"""Reading the opcodes of a checkpoint: an interpreter that calls nothing but what its own table lists.

The names in the stream are looked up in that table, never imported. What is said about sizes is compared with what is
there before memory is taken.
"""

from __future__ import annotations

import math
import struct
from collections import Counter, OrderedDict
from collections.abc import Callable
from typing import Any, BinaryIO

import numpy as np

from tinygrad_pt import dtypes
from tinygrad_pt.calling import wrap
from tinygrad_pt.errors import CheckpointError, refuse
from tinygrad_pt.functions.arguments import Size
from tinygrad_pt.functions.copying import OWN, leaf
from tinygrad_pt.functions.creation import device
from tinygrad_pt.nn import Parameter
from tinygrad_pt.serialization.storages import FOREIGN, PROTOCOL, STORAGES
from tinygrad_pt.tensor import Tensor

LONGEST = 1 << 26  # bytes of opcodes, and of what calls copy: a model of 200,000 tensors has fewer
STEPS = 1 << 24  # opcodes, each of which makes an object of at most some hundred bytes
DEEPEST = 1000  # containers inside containers, as many as Python's pickle can write
KEY_PARTS = 1000  # the parts of a key that is a tuple
FAILED = "Weights only load failed. "
STATE_DICT = "load it where its classes are, and save its state_dict: torch.save(model.state_dict(), f)"
OTHER_NUMBERS = "convert it in PyTorch before saving: x.float(), or x.long()"


def malformed(reason: str, mend: str = "") -> Exception:
    """The error about a stream that PyTorch has not written so, or that is not read here."""
    return refuse(CheckpointError, FAILED + reason, None, mend=mend)


def shown(x: Any) -> str:
    """A value in an error: a short one itself, else its type, because the form of a large one may have any length."""
    short = type(x) in (bool, float) or (type(x) is int and abs(x) < 1 << 64) or (type(x) is str and len(x) < 100)
    return repr(x) if short else type(x).__name__


class Storage:
    """The memory of tensors, as bytes, and the dtype of its elements; None if each tensor says its own."""

    def __init__(self, kind: dtypes.dtype | None, memory: np.ndarray) -> None:
        self.kind, self.memory = kind, memory


class StorageType:
    """A class of storages: `torch.FloatStorage`."""

    def __init__(self, kind: dtypes.dtype | None) -> None:
        self.kind = kind


# ------------------------------------------------------------------------------------------ what may be called
def whole_number(x: Any) -> int:
    """A length, stride or place."""
    if type(x) is not int or not 0 <= x < 1 << 62:
        raise malformed(f"a size is {shown(x)}")
    return x


def placed(storage: Any, offset: Any, size: Any, stride: Any, kind: dtypes.dtype | None) -> np.ndarray:
    """The array of this size and stride at a place of a storage."""
    if not isinstance(storage, Storage) or kind is None or type(size) not in (tuple, Size) or type(stride) is not tuple:
        raise malformed("a tensor is not described as one")
    shape, steps = tuple(map(whole_number, size)), tuple(map(whole_number, stride))
    if len(shape) != len(steps) or len(shape) > 64:
        raise malformed(f"a tensor has {len(shape)} sizes and {len(steps)} strides")
    if math.prod(n for n in shape if n) * kind.itemsize >= 1 << 62:
        raise malformed(f"a tensor has the sizes {shape}")
    if 0 in shape:
        return np.empty(shape, kind.numpy)
    last = whole_number(offset) + sum((n - 1) * s for n, s in zip(shape, steps, strict=True))
    held = len(storage.memory) // kind.itemsize
    if last >= held:
        raise malformed(f"a tensor reaches to element {last} of a storage that has {held}")
    strides = tuple(s * kind.itemsize if n > 1 else kind.itemsize for n, s in zip(shape, steps, strict=True))
    return np.ndarray(shape, kind.numpy, storage.memory, offset * kind.itemsize, strides)


def tensor_of(array: np.ndarray, requires_grad: Any, metadata: Any = None) -> Tensor:
    """A tensor. One that PyTorch conjugates lazily is none here: its values would be a copy, of any size."""
    if metadata:
        raise malformed("a tensor is conjugated or negated lazily", mend="save x.resolve_conj().resolve_neg()")
    return leaf(Tensor, array, differentiable(requires_grad, array))


def differentiable(requires_grad: Any, array: np.ndarray) -> bool:
    """Whether a gradient is asked for, which only floating point numbers have."""
    if type(requires_grad) is not bool or (requires_grad and array.dtype.kind not in "fc"):
        raise malformed(f"requires_grad is {shown(requires_grad)}")
    return requires_grad and array.dtype.kind == "f"


def rebuild(storage: Any, offset: Any, size: Any, stride: Any) -> Tensor:
    return wrap(placed(storage, offset, size, stride, getattr(storage, "kind", None)))


def rebuild_2(storage: Any, offset: Any, size: Any, stride: Any, grad: Any, hooks: Any, metadata: Any = None) -> Tensor:
    return tensor_of(placed(storage, offset, size, stride, getattr(storage, "kind", None)), grad, metadata)


def rebuild_3(
    storage: Any, offset: Any, size: Any, stride: Any, grad: Any, hooks: Any, kind: Any, metadata: Any = None
) -> Tensor:
    if not isinstance(kind, dtypes.dtype):
        raise malformed("a tensor has no dtype")
    return tensor_of(placed(storage, offset, size, stride, kind), grad, metadata)


def parameter(data: Any, requires_grad: Any, hooks: Any = None, state: Any = None) -> Parameter:
    if type(data) is not Tensor:
        raise malformed("a parameter is made of no tensor")
    made = Parameter(data, differentiable(requires_grad, data.array))
    return attributed(made, state)


def attributed(t: Any, state: Any) -> Any:
    """A tensor with the attributes that a user has added."""
    if state is None:
        return t
    if type(state) is tuple and len(state) == 2 and not state[1]:
        state = state[0]  # the second are the slots of a class
    if not isinstance(t, Tensor) or type(state) is not dict:
        raise malformed("the attributes of a tensor are no dict")
    for name in state:
        if type(name) is not str or name in OWN or name.startswith("__") or name in dir(Tensor):
            raise malformed(f"a tensor has the attribute {shown(name)}")
    vars(t).update(state)
    return t


def typed(function: Any, kind: Any, args: Any, state: Any) -> Any:
    """A tensor with attributes, which PyTorch saves as the call that makes it, its class, and these."""
    if not isinstance(function, Allowed) or function.role != "tensor" or type(args) is not tuple:
        raise malformed("a tensor is not described as one")
    if kind not in (Tensor, Parameter):
        raise malformed("a tensor is of an unknown class")
    return attributed(function(*args), state)


def ordered(pairs: Any = ()) -> OrderedDict[Any, Any]:
    made: OrderedDict[Any, Any] = OrderedDict()
    for pair in a(pairs, list, tuple):
        key, value = a(pair, list, tuple)
        made[usable(key)] = value
    return made


def counter(counts: Any = None) -> Counter[Any]:
    return Counter(a({} if counts is None else counts, dict))


def encoded(text: Any, encoding: Any = "latin1") -> bytes:
    if encoding not in ("latin1", "latin-1", "ascii", "utf-8"):
        raise malformed(f"bytes are written as {shown(encoding)}")
    return bytes(a(text, str), encoding)


def place(kind: Any, index: Any = None) -> device:
    return device(a(kind, str)) if index is None else device(a(kind, str), whole_number(index))


def complex_number(real: Any, imaginary: Any) -> complex:
    return complex(a(real, float), a(imaginary, float))


def a(x: Any, *kinds: type) -> Any:
    """The argument, if it is of one of these types."""
    if type(x) not in kinds:
        raise malformed(f"{' or '.join(k.__name__ for k in kinds)} expected, and there is {type(x).__name__}")
    return x


class Allowed:
    """One of the functions that a checkpoint may call."""

    def __init__(self, function: Callable[..., Any], role: str = "") -> None:
        self.function, self.role = function, role

    def __call__(self, *args: Any) -> Any:
        return self.function(*args)


GLOBALS: dict[str, Any] = {
    "collections.OrderedDict": Allowed(ordered), "collections.Counter": Allowed(counter),
    "_codecs.encode": Allowed(encoded),
    "builtins.bytes": Allowed(lambda: b""), "builtins.bytearray": Allowed(lambda x=b"": bytearray(a(x, bytes))),
    "builtins.set": Allowed(lambda x=(): set(map(usable, a(x, list, tuple)))),
    "builtins.complex": Allowed(complex_number),
    "torch.Size": Allowed(lambda x=(): Size(map(whole_number, a(x, tuple, list)))), "torch.device": Allowed(place),
    "torch.Tensor": Tensor, "torch.nn.parameter.Parameter": Parameter,
    "torch._utils._rebuild_tensor": Allowed(rebuild, "tensor"),
    "torch._utils._rebuild_tensor_v2": Allowed(rebuild_2, "tensor"),
    "torch._utils._rebuild_tensor_v3": Allowed(rebuild_3, "tensor"),
    "torch._utils._rebuild_parameter": Allowed(parameter, "tensor"),
    "torch._utils._rebuild_parameter_with_state": Allowed(parameter, "tensor"),
    "torch._tensor._rebuild_from_type_v2": Allowed(typed),
    "torch.storage.UntypedStorage": StorageType(None),
    **{f"torch.{name}": StorageType(kind) for kind, name in STORAGES.items()},
    **{f"torch.{kind.name}": kind for kind in dtypes.ALL},
}  # fmt: skip
COPIED: dict[type, int] = {
    str: 1,
    bytes: 1,
    list: 16,
    tuple: 16,
    dict: 16,
}  # what a call copies counts so many bytes per element
INSIDE = (Allowed, Storage, StorageType)  # what the stream works with, and no result has


def usable(key: Any) -> Any:
    """A key of a dictionary or an element of a set, if its hash can be had without deep recursion."""
    rest, count = [key], 0
    while rest:
        x = rest.pop()
        count += 1
        if type(x) in (tuple, Size):
            if count + len(rest) + len(x) > KEY_PARTS:
                raise malformed(f"a key has more than {KEY_PARTS} parts")
            rest += x
        elif x is not None and not isinstance(x, (bool, int, float, complex, str, bytes, dtypes.dtype, device, Tensor)):
            raise malformed(f"a key is of type {type(x).__name__}")
    return key


# ------------------------------------------------------------------------------------------ the interpreter
class Reader:
    """The object that a stream of opcodes builds; `storage` answers to the description of one."""

    def __init__(
        self, file: BinaryIO, storage: Callable[[tuple[Any, ...]], Storage] | None = None, encoding: str = "utf-8"
    ) -> None:
        self.file, self.storage, self.encoding = file, storage, encoding
        self.left, self.steps = LONGEST, 0
        self.stack: list[Any] = []
        self.marked: list[list[Any]] = []
        self.memo: dict[int, Any] = {}

    def load(self) -> Any:
        """The object. It is checked for depth, and that nothing stands in it with which the stream only works."""
        while (code := self._take(1)) != b".":
            action = ACTIONS.get(code)
            if action is None:
                raise malformed(f"Unsupported operand {code[0]}")
            action(self)
            self.steps += 1
            if self.steps > STEPS:
                raise malformed(f"there are more than {STEPS} opcodes")
        found = self._pop()
        check_depth(found)
        return found

    def _spend(self, count: int) -> None:
        self.left -= count
        if self.left < 0:
            raise malformed(f"more than {LONGEST} bytes are described, without those of tensors")

    def _take(self, count: int) -> bytes:
        self._spend(count)
        data = self.file.read(count)
        if len(data) < count:
            raise malformed("Ran out of input")
        return data

    def _number(self, form: str) -> Any:
        return struct.unpack(form, self._take(struct.calcsize(form)))[0]

    def _line(self) -> str:
        line = self.file.readline(256)
        self._spend(len(line))
        if line[-1:] != b"\n":
            raise malformed("a name is longer than 255 bytes, or ends with the file")
        return str(line[:-1], "utf-8", "replace")

    def _pop(self) -> Any:
        if not self.stack:
            raise malformed("something is taken from an empty stack")
        return self.stack.pop()

    def _top(self, *kinds: type) -> Any:
        if not self.stack or (kinds and type(self.stack[-1]) not in kinds):
            raise malformed("something is put into what is no container of its kind")
        return self.stack[-1]

    def _items(self) -> list[Any]:
        """What stands above the last mark."""
        if not self.marked:
            raise malformed("there is no mark")
        items, self.stack = self.stack, self.marked.pop()
        return items

    def mark(self) -> None:
        if len(self.marked) >= DEEPEST:
            raise malformed(f"the data are nested more than {DEEPEST} deep")
        self.marked.append(self.stack)
        self.stack = []

    def gather(self, count: int | None = None) -> None:
        """A tuple of the last ones."""
        items = self._items() if count is None else [self._pop() for _ in range(count)][::-1]
        self.stack.append(tuple(items))

    def append(self) -> None:
        item = self._pop()
        self._top(list).append(item)

    def extend(self) -> None:
        items = self._items()
        self._top(list).extend(items)

    def set_item(self) -> None:
        value, key = self._pop(), self._pop()
        self._top(dict, OrderedDict, Counter)[usable(key)] = value

    def set_items(self) -> None:
        items = self._items()
        if len(items) % 2:
            raise malformed("a key has no value")
        target = self._top(dict, OrderedDict, Counter)
        for key, value in zip(items[::2], items[1::2], strict=True):
            target[usable(key)] = value

    def text(self) -> None:
        self.stack.append(str(self._take(self._number("<I")), "utf-8", "surrogatepass"))

    def short_text(self) -> None:
        data = self._take(self._number("<B"))
        self.stack.append(data if self.encoding == "bytes" else str(data, self.encoding))

    def long(self) -> None:
        self.stack.append(int.from_bytes(self._take(self._number("<B")), "little", signed=True))

    def put(self, form: str) -> None:
        self.memo[self._number(form)] = self._top()

    def get(self, form: str) -> None:
        number = self._number(form)
        if number not in self.memo:
            raise malformed(f"object {number} is not there")
        self.stack.append(self.memo[number])

    def push(self, form: str) -> None:
        self.stack.append(self._number(form))

    def protocol(self) -> None:
        if (number := self._number("<B")) != PROTOCOL:
            raise malformed(f"the opcodes are of protocol {number}: protocol 2 is read")

    def look_up(self) -> None:
        """What a name means; only the table knows, and nothing is imported."""
        space, name = self._line(), self._line()
        path = f"{'builtins' if space == '__builtin__' else space}.{name}"
        found = GLOBALS.get(path)
        if found is None:
            raise unknown(space, name, path)
        self.stack.append(found)

    def call(self) -> None:
        args, function = self._pop(), self._pop()
        if type(function) is not Allowed or type(args) is not tuple:
            raise malformed("Trying to call reduce for unrecognized function")
        self._spend(sum(len(x) * COPIED[type(x)] for x in args if type(x) in COPIED))
        self.stack.append(function(*args))

    def build(self) -> None:
        """The attributes of an OrderedDict: PyTorch keeps the versions of modules there."""
        state = self._pop()
        target = self._top(OrderedDict)
        if type(state) is not dict or any(type(k) is not str or k in dir(OrderedDict) for k in state):
            raise malformed("Can only build attributes of a collections.OrderedDict")
        vars(target).update(state)

    def refer(self) -> None:
        description = self._pop()
        known = type(description) is tuple and description[:1] in (("storage",), (b"storage",))
        if self.storage is None or not known:
            raise malformed("Only persistent_load of storage is allowed")
        self.stack.append(self.storage(description[1:]))


ACTIONS: dict[bytes, Callable[[Reader], None]] = {
    b"N": lambda r: r.stack.append(None), b"\x88": lambda r: r.stack.append(True),
    b"\x89": lambda r: r.stack.append(False), b"]": lambda r: r.stack.append([]), b"}": lambda r: r.stack.append({}),
    b"\x8f": lambda r: r.stack.append(set()), b")": lambda r: r.stack.append(()),
    b"K": lambda r: r.push("<B"), b"M": lambda r: r.push("<H"), b"J": lambda r: r.push("<i"),
    b"G": lambda r: r.push(">d"), b"\x8a": Reader.long, b"X": Reader.text, b"U": Reader.short_text,
    b"(": Reader.mark, b"t": Reader.gather, b"\x85": lambda r: r.gather(1), b"\x86": lambda r: r.gather(2),
    b"\x87": lambda r: r.gather(3), b"a": Reader.append, b"e": Reader.extend, b"s": Reader.set_item,
    b"u": Reader.set_items, b"q": lambda r: r.put("<B"), b"r": lambda r: r.put("<I"), b"h": lambda r: r.get("<B"),
    b"j": lambda r: r.get("<I"), b"c": Reader.look_up, b"R": Reader.call, b"b": Reader.build, b"Q": Reader.refer,
    b"\x80": Reader.protocol,
}  # fmt: skip


def unknown(space: str, name: str, path: str) -> Exception:
    """The error about a name that the table has not."""
    if space.partition(".")[0] == "torch" and name in FOREIGN:
        text = f"the checkpoint has numbers of type torch.{FOREIGN[name]}, which NumPy has not"
        return malformed(text, mend=OTHER_NUMBERS)
    shown = path.removeprefix("builtins.")
    return malformed(f"Unsupported global: GLOBAL {shown} was not an allowed global by default.", mend=STATE_DICT)


def check_depth(found: Any) -> None:
    """Raise an error if containers are nested too deep, or if something is in them that is no data."""
    level, seen, depth = [found], set(), 0
    while level:
        below: list[Any] = []
        for x in level:
            if isinstance(x, INSIDE) or isinstance(x, type):
                raise malformed("a function or a class stands among the data")
            if isinstance(x, (list, tuple, set, dict)) and id(x) not in seen:
                seen.add(id(x))
                below += x.values() if isinstance(x, dict) else x
        level, depth = below, depth + 1
        if depth > DEEPEST:
            raise malformed(f"the data are nested more than {DEEPEST} deep")
