"""Expressions as data: rules read with symbols, their names replaced by others, and the JSON that they are kept in."""

from __future__ import annotations

import math
from collections.abc import Container, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_pt.errors import refuse
from tinygrad_pt.graph import OPS, Op
from tinygrad_pt.ops.recurrent import WALKS
from tinygrad_pt.ops.sliding import Slide, Window
from tinygrad_pt.symbol import Symbol

SPECIAL = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}  # JSON has no numbers for them
UNAPPLIED = {op.name: op for op in WALKS.values()}  # ops that only symbols show
RECORDS: dict[str, type[Any]] = {"slide": Slide, "window": Window}  # attributes of ops that are named tuples


def substitute(expression: Any, known: Mapping[str, Any]) -> Any:
    """The expression with what is known in place of its names; what it shares stays shared.

    >>> from tinygrad_pt.symbol import Symbol
    >>> x, y = Symbol("x"), Symbol("y")
    >>> [s.name for s in substitute(x * y, {"x": Symbol("z")}).leaves()]
    ['z', 'y']
    """
    done: dict[int, Any] = {}
    stack: list[Any] = [expression]
    while stack:
        s = stack[-1]
        parts = s.args if isinstance(s, Symbol) else s if isinstance(s, (tuple, list)) else ()
        waiting = [p for p in parts if isinstance(p, (Symbol, tuple, list)) and id(p) not in done]
        if waiting:
            stack += waiting
            continue
        new = [done.get(id(p), p) for p in parts]
        if isinstance(s, (tuple, list)):
            done[id(s)] = type(s)(new)
        elif isinstance(s, Symbol) and s.op is None:
            done[id(s)] = known.get(s.name, s)
        elif isinstance(s, Symbol):
            done[id(s)] = Symbol(s.name, s._shape, s._dtype, s.op, tuple(new), s.attrs)
        stack.pop()
    return done.get(id(expression), expression)


def copied(attr: Any) -> Any:
    """An attribute of an op whose arrays are copies: the user may write into his own."""
    if isinstance(attr, np.ndarray):
        return attr.copy()
    return tuple(map(copied, attr)) if type(attr) is tuple else attr


# ------------------------------------------------------------------------------------------ JSON
def to_data(x: Any, known: Container[str] = ()) -> Any:
    """An expression as what JSON holds: dictionaries, lists, strings, numbers, true, false, null.

    | of | becomes |
    |---|---|
    | a name | `{"name": "n3"}`, with `"shape"` and `"dtype"` unless it is one of `known` |
    | an op applied | `{"op": "mul", "args": [...], "attrs": {...}}` |
    | a number | the number; nan and the infinities are `"nan"`, `"inf"`, `"-inf"`; complex: `{"complex": [re, im]}` |
    | an array | `{"array": [...], "dtype": "float32"}`, with `"shape"` if it has no element |
    | a tuple or list | a list |
    | a slice, `...` | `{"slice": [start, stop, step]}`, `{"ellipsis": true}` |
    | a dtype, an op | `{"dtype": "float32"}`, `{"operation": "mul"}` |
    | how windows slide | `{"slide": [...]}` or `{"window": [...]}` |
    | a dictionary | `{"map": {...}}` |
    | text, None | the text (`{"text": "inf"}` where it would read as a number), null |

    Raises:
        TypeError: anything else.

    >>> from tinygrad_pt.symbol import Symbol
    >>> to_data(Symbol("x") * 2)
    {'op': 'mul', 'args': [{'name': 'x'}, 2], 'attrs': {}}
    >>> to_data((slice(None, 3), np.array([1.0, np.inf]), None))
    [{'slice': [None, 3, None]}, {'array': [1.0, 'inf'], 'dtype': 'float64'}, None]
    """
    if isinstance(x, Symbol):
        if x.op is None:
            shaped = x._shape is not None and x.name not in known
            return {"name": x.name} | ({"shape": list(x.shape), "dtype": x.dtype.name} if shaped else {})
        attrs = {key: to_data(value, known) for key, value in x.attrs.items()}
        return {"op": x.op.name, "args": [to_data(a, known) for a in x.args], "attrs": attrs}
    if x is None or isinstance(x, (bool, int)):
        return x
    if isinstance(x, np.generic) or isinstance(x, np.ndarray):
        return _array_data(np.asarray(x))
    if isinstance(x, float):
        return _number(x)
    if isinstance(x, complex):
        return {"complex": [_number(x.real), _number(x.imag)]}
    if isinstance(x, str):
        return {"text": x} if x in SPECIAL else x
    for name, record in RECORDS.items():
        if isinstance(x, record):
            return {name: [to_data(part, known) for part in x]}
    if isinstance(x, (tuple, list)):
        return [to_data(part, known) for part in x]
    if isinstance(x, slice):
        return {"slice": [to_data(part, known) for part in (x.start, x.stop, x.step)]}
    if x is Ellipsis:
        return {"ellipsis": True}
    if isinstance(x, np.dtype):
        return {"dtype": x.name}
    if isinstance(x, Op):
        return {"operation": x.name}
    if isinstance(x, Mapping):
        return {"map": {str(key): to_data(value, known) for key, value in x.items()}}
    raise refuse(TypeError, f"no JSON is defined for {type(x).__name__} in an expression")


def _number(x: float) -> float | str:
    return float(x) if math.isfinite(x) else "nan" if math.isnan(x) else "inf" if x > 0 else "-inf"


def _array_data(x: NDArray[Any]) -> dict[str, Any]:
    if x.dtype.kind not in "biufc":
        raise refuse(TypeError, f"no JSON is defined for arrays of {x.dtype}")
    parts = np.stack([x.real, x.imag], -1) if x.dtype.kind == "c" else x
    values = parts.tolist()
    if parts.dtype.kind == "f" and not np.isfinite(parts).all():
        values = np.array([_number(v) for v in parts.ravel().tolist()], object).reshape(parts.shape).tolist()
    return {"array": values, "dtype": x.dtype.name} | ({} if x.size else {"shape": list(x.shape)})


def from_data(data: Any, known: Mapping[str, Symbol] | None = None) -> Any:
    """What `to_data` wrote, again as an expression; sequences become tuples.

    One name of one shape is one symbol, so that what simplifies expressions sees that `x·x` is a square; names of
    `known` are these symbols.

    Raises:
        ValueError: the data are not of the form that `to_data` writes.

    >>> from tinygrad_pt.symbol import Symbol
    >>> square = from_data({"op": "mul", "args": [{"name": "x"}, {"name": "x"}], "attrs": {}})
    >>> square.args[0] is square.args[1], square.args[0].name
    (True, 'x')
    """
    leaves = dict(known or {})
    try:
        return _read(data, leaves)
    except (KeyError, TypeError, AttributeError) as error:
        raise refuse(ValueError, f"this is not the JSON of an expression: {error!r}") from None


def _read(data: Any, leaves: dict[str, Symbol]) -> Any:
    if isinstance(data, list):
        return tuple(_read(part, leaves) for part in data)
    if isinstance(data, str):
        return SPECIAL.get(data, data)
    if not isinstance(data, dict):
        return data
    if "name" in data:
        name, shape = str(data["name"]), tuple(data["shape"]) if "shape" in data else None
        key = name if shape is None else f"{name} {shape}"
        if key not in leaves:
            leaves[key] = Symbol(name, shape, np.dtype(data.get("dtype", "float64")))
        return leaves[key]
    if "op" in data:
        attrs = {key: _read(value, leaves) for key, value in data.get("attrs", {}).items()}
        return Symbol(op=_op(data["op"]), args=_read(data["args"], leaves), attrs=attrs)
    if "array" in data:
        return _array(data)
    kind, inner = next(iter(data.items()))
    if kind == "text":
        return str(inner)
    if kind == "map":
        return {key: _read(value, leaves) for key, value in inner.items()}
    if kind == "ellipsis":
        return Ellipsis
    if kind == "dtype":
        return np.dtype(inner)
    if kind == "operation":
        return _op(inner)
    parts = _read(inner, leaves)
    return {"slice": slice, "complex": complex, **RECORDS}[kind](*parts)


def _op(name: str) -> Op:
    return UNAPPLIED[name] if name in UNAPPLIED else OPS[name]


def _array(data: Mapping[str, Any]) -> NDArray[Any]:
    dtype = np.dtype(data["dtype"])
    if dtype.kind not in "biufc":
        raise refuse(ValueError, f"arrays of {dtype} are not read")
    if dtype.kind == "c":
        pairs = np.array(data["array"], dtype.type(0).real.dtype)
        found = pairs[..., 0] + 1j * pairs[..., 1] if pairs.size else np.zeros(data["shape"])
        return np.asarray(found.astype(dtype))
    found = np.array(data["array"], dtype)  # NumPy reads "nan" and "inf" as the numbers
    return found.reshape(data["shape"]) if "shape" in data else found
