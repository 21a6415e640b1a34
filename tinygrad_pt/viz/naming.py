"""`names_of` gives the values of a picture their names: the user's where there are any, else short ones."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from types import FrameType
from typing import Any

from tinygrad_pt.errors import refuse
from tinygrad_pt.graph import Leaf, Node, Tensor
from tinygrad_pt.viz.formula import exact
from tinygrad_pt.viz.latex_names import written
from tinygrad_pt.viz.text import clean

TARGETS = ("t", "y", "T", "Y", "target", "targets", "label", "labels", "alvo", "alvos")
DEEPEST, LONGEST = 4, 256  # how far into lists and dicts names are looked for

Known = dict[int, tuple[Any, str, bool]]  # id of a tensor → the tensor, its name, whether a module owns it

STEMS = {
    "mul": "p", "add": "s", "sub": "d", "div": "q", "neg": "m", "sum": "s", "mean": "m",
    **dict.fromkeys(("linear", "mm", "bmm", "mv", "dot", "einsum"), "z"),
    **dict.fromkeys(("sigmoid", "tanh", "relu", "softmax", "log_softmax", "log_sigmoid"), "h"),
    **dict.fromkeys(("square", "power", "pow"), "u"),
    **dict.fromkeys(("reshape", "t", "transpose", "permute", "expand", "getitem", "select", "narrow"), "v"),
}  # fmt: skip


class Names:
    """The names that a caller gives, and those of the variables around the call for what he gives none."""

    def __init__(self, given: Mapping[str, Any] | None, frame: FrameType | None = None) -> None:
        if given is not None and not isinstance(given, Mapping):
            raise refuse(TypeError, f"names must be a mapping of names to tensors, not {type(given).__name__}")
        self.given: dict[str, Any] = dict(given or {})
        self.around: dict[str, Any] = {} if frame is None else _variables(frame)

    def tensors(self, boxes: Collection[Any], constants: Iterable[Any]) -> Known:
        """The tensors of a graph that have a name."""
        constants = list(constants)
        found = known_tensors(self.given, boxes, constants)
        around = known_tensors(self.around, boxes, constants)
        return around | {
            key: (t, name, owned or around.get(key, (t, "", False))[2]) for key, (t, name, owned) in found.items()
        }

    def of(self, tensor: Tensor) -> str:
        """What a picture calls a tensor: its own name, else that of a parameter, a variable, or an entry of a list."""
        found = self.tensors({tensor.node}, ()).get(id(tensor), (tensor, "?"))
        return clean(written(tensor.name or found[1])[0])


def _variables(frame: FrameType) -> dict[str, Any]:
    """The local and then the global variables that a frame sees, without those that begin with an underscore."""
    near: Any = frame.f_locals
    found = {**near, **frame.f_globals, **near}
    # Before Python 3.13 a function's frame keeps the dictionary, and with it the values, until the function ends. It is
    # emptied, unless `locals()` has given it to the user too: then there is a reference besides the frame's and ours.
    if sys.version_info < (3, 13) and frame.f_code.co_flags & inspect.CO_OPTIMIZED and sys.getrefcount(near) <= 3:
        near.clear()
    return {name: value for name, value in found.items() if not name.startswith("_")}


def known_tensors(names: Mapping[str, Any], boxes: Collection[Any], constants: Iterable[Any]) -> Known:
    """The tensors of a graph that the user has a name for: first parameters, then variables and lists."""
    alive = {id(t) for t in (c.handle() for c in constants) if t is not None}

    def drawn(t: Any) -> bool:
        return isinstance(t, Tensor) and (id(t) in alive if t.node is None else t.node in boxes)

    found: Known = {}
    modules = []
    for name, value in names.items():
        if callable(getattr(type(value), "named_parameters", None)):
            owned = (*value.named_parameters(), *value.named_buffers())
            entries = [(path, t) for path, t in owned if drawn(t)]
            modules += [(str(name), entries)] if entries else []
    for name, entries in modules:
        for path, t in entries:
            found.setdefault(id(t), (t, f"{name}.{path}" if len(modules) > 1 else path, True))
    for name, value in names.items():
        if drawn(value):
            found.setdefault(id(value), (value, str(name), False))
    for name, value in names.items():
        for path, t in _entries(str(name), value):
            if drawn(t):
                found.setdefault(id(t), (t, path, False))
    return found


def _entries(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """The tensors in lists, tuples and dicts, with names such as `w[0][1]`."""
    stack = [(name, value, 0)]
    while stack:
        path, here, depth = stack.pop()
        if isinstance(here, Tensor):
            yield path, here
        elif isinstance(here, (list, tuple, dict)) and len(here) <= LONGEST and depth < DEEPEST:
            pairs = here.items() if isinstance(here, dict) else enumerate(here)
            stack += reversed([(f"{path}[{key}]", entry, depth + 1) for key, entry in pairs])


def names_of(
    boxes: Iterable[Any], handle: Mapping[Any, Any], known: Known, source: Callable[[Node], Node]
) -> tuple[dict[Any, str], dict[Any, str]]:
    """One name per box, each once (but numbers are called what they are), in the order of the boxes; and the LaTeX of
    those that are given so.
    """
    names: dict[Any, str] = {}
    latex: dict[Any, str] = {}
    taken: set[str] = set()
    count: dict[str, int] = {}
    boxes = list(boxes)
    for box in boxes:
        t = handle.get(box)
        text, source_ = written(str(getattr(t, "name", None) or known.get(id(t), (t, ""))[1]))
        given = clean(text)
        if given and t is not None:
            names[box] = _free(given, given, "_", taken, count)
            if source_ and names[box] == text:
                latex[box] = source_
    for box in boxes:
        if box not in names:
            if hasattr(box, "raw"):
                names[box] = exact(box.raw)
                continue
            stem = "c"
            if isinstance(box, Node):
                op = source(box).op.name.rpartition(".")[2].lower()
                stem = "w" if isinstance(box, Leaf) else STEMS.get(op, clean(op, 12))
            names[box] = _free("", stem, "", taken, count)
    return {box: names[box] for box in boxes}, latex


def _free(name: str, stem: str, joint: str, taken: set[str], count: dict[str, int]) -> str:
    """A name nobody has: the one wanted, or the stem with the next number."""
    while not name or name in taken:
        count[stem] = count.get(stem, 1 if joint else 0) + 1
        name = f"{stem}{joint}{count[stem]}"
    taken.add(name)
    return name
