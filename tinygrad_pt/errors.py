"""Errors: PyTorch's text first, then the op with its arguments, the module, and a way to mend it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tinygrad_pt.language import chosen, said

if TYPE_CHECKING:
    from tinygrad_pt.modes import Scope


# What the lines below an error's first one begin with, in Portuguese.
LABELS = {
    "op": "operação", "module": "módulo", "mend": "conserto", "list": "lista", "line": "linha", "element": "elemento",
    "there": "ali", "given": "recebido", "earlier": "antes disso", "freed by": "liberado por",
    "changed in place": "alterado no lugar", "g is 0 because of": "g é 0 por causa de",
    "the inf before it": "o inf antes dele",
}  # fmt: skip
_MEND = re.compile(rf"\n  (?:mend|{LABELS['mend']}): ")


class LinAlgError(RuntimeError):
    """A matrix is singular, or not positive-definite, or an iteration does not converge: `torch.linalg.LinAlgError`."""


class CheckpointError(RuntimeError):
    """A checkpoint cannot be read, or an object cannot be saved as one; the text says why."""


def describe(value: Any) -> str:
    """An argument in short: `float32[2, 3]` for anything with dtype and shape, a number itself, else its type.

    >>> import numpy as np
    >>> describe(np.zeros((2, 3), "float32")), describe(2.5), describe([1])
    ('float32[2, 3]', '2.5', 'list')
    """
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        kind = getattr(value.dtype, "name", value.dtype)
        return f"{kind}{list(value.shape)}"
    if isinstance(value, (bool, int, float, complex)):
        return repr(value)
    return type(value).__name__


def class_name(kind: type) -> str:
    """The name of a class, with its module unless it is built in.

    >>> import collections
    >>> class_name(int), class_name(collections.OrderedDict)
    ('int', 'collections.OrderedDict')
    """
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def typename(value: Any) -> str:
    """PyTorch's word for the type of a value: `torch.FloatTensor`, `int`, `collections.OrderedDict`."""
    if isinstance(value, type):
        return class_name(value)
    return str(value.type()) if hasattr(value, "array") else class_name(type(value))


def lang() -> str:
    """The language of errors, which an unknown one in the environment does not hide."""
    try:
        return chosen()
    except ValueError:
        return "en"


def label(name: str) -> str:
    """The word for a line of an error, in the language that is set."""
    return LABELS[name] if lang() == "pt" else name


def told(text: str, facts: Mapping[str, object]) -> str:
    """A sentence, and below it the facts that are known, the mend among them."""
    known = [(name, fact) for name, fact in facts.items() if fact]
    if known and lang() == "pt":
        known = [(LABELS.get(name, name), said(str(x), "pt") if name == "mend" else x) for name, x in known]
    return "\n".join([text, *[f"  {name}: {fact}" for name, fact in known]])


def tells(text: str, name: str) -> bool:
    """Whether an error's text has a line of this name, in whatever language."""
    return any(f"\n  {label}: " in f"\n{text}" for label in (name, LABELS[name]))


def refuse(
    kind: type[Exception],
    text: str,
    op: str | None = "",
    *args: Any,
    mend: str = "",
    scope: Scope | None = None,
    facts: Mapping[str, Any] | None = None,
) -> Exception:
    """An exception with all that helps to mend it: `raise refuse(...)`.

    PyTorch's `text` comes first, then the op with its arguments, then `facts`, then the mend. When a module is called,
    the call adds the path of the module (`locate`); only a backward walk, which no module calls, gives the `scope` of
    the vertex. A function may leave `op` to its decorator (`name_op`); it is None where the function that called this
    one may know better.

    >>> print(refuse(ValueError, "bad", "mul", 2.0, mend="reshape one of them"))
    bad
      op: mul(2.0)
      mend: reshape one of them
    """
    called = f"{op}({', '.join(map(describe, args))})" if op else ""
    error = kind(told(text, {"op": called, "module": scope, **(facts or {}), "mend": mend}))
    vars(error)["op"] = op
    return error


def _above_mend(text: str, fact: str) -> str:
    found = _MEND.search(text)
    place = found.start() if found else len(text)
    return f"{text[:place]}\n{fact}{text[place:]}"


def name_op(error: Exception, op: str, *args: Any) -> bool:
    """Say in an exception of `refuse` which op it is about, unless it says so; False if `refuse` did not build it."""
    known = vars(error)
    if "op" in known and not known["op"]:
        fact = f"  {label('op')}: {op}({', '.join(map(describe, args))})"
        error.args = (_above_mend(error.args[0], fact),)
        known["op"] = op
    return "op" in known


# The exceptions whose only argument is their text.
PLAIN = (RuntimeError, ValueError, TypeError, IndexError, NotImplementedError, ArithmeticError)


def message(error: BaseException) -> str:
    """All that an exception says, its notes included."""
    return "\n".join([str(error), *getattr(error, "__notes__", ())])


def annotate(error: Exception, fact: str) -> None:
    """Add a line to an exception: above the mend if `refuse` has made the exception, else as a note below its text."""
    if len(error.args) == 1 and isinstance(error.args[0], str) and isinstance(error, PLAIN):
        text = error.args[0]
        if _MEND.search(text) or tells(text, "op"):
            error.args = (_above_mend(text, fact),)
            return
    error.add_note(fact)


def locate(error: Exception, scope: Scope | None) -> None:
    """Add the path of the module to an exception that passes its call, unless a module inside has added its own."""
    if not tells(message(error), "module"):
        annotate(error, f"  {label('module')}: {scope}")


def broadcast_text(a: tuple[int, ...], b: tuple[int, ...]) -> str:
    """PyTorch's sentence about two shapes that do not broadcast, or "" if they do.

    >>> broadcast_text((3,), (4,))
    'The size of tensor a (3) must match the size of tensor b (4) at non-singleton dimension 0'
    """
    width = max(len(a), len(b))
    for i in range(1, width + 1):
        m = a[-i] if i <= len(a) else 1
        n = b[-i] if i <= len(b) else 1
        if m != n and m != 1 and n != 1:
            return (
                f"The size of tensor a ({m}) must match the size of tensor b ({n}) "
                f"at non-singleton dimension {width - i}"
            )
    return ""


def axis_of(axis: Any, ndim: int) -> int:
    """`axis`, which may count from the end, as one of 0 … ndim-1; a 0-d array has the axes -1 and 0.

    Raises PyTorch's TypeError if `axis` is not an integer, and its IndexError if there is no such axis.
    """
    if isinstance(axis, bool) or not hasattr(axis, "__index__"):
        raise refuse(TypeError, f"dim must be an int, not {type(axis).__name__}")
    axis = axis.__index__()
    width = ndim or 1
    if not -width <= axis < width:
        if not -(2**63) <= axis < 2**63:
            raise refuse(ValueError, "Overflow when unpacking long long")
        text = f"Dimension out of range (expected to be in range of [{-width}, {width - 1}], but got {axis})"
        raise refuse(IndexError, text)
    return axis % width
