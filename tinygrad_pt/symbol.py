"""Symbols: given symbols instead of arrays, a rule returns its derivative as mathematics, an expression of symbols."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_pt.graph import OPS, Op

F64 = np.dtype(np.float64)


class Symbol:
    """A name, or an expression: an op applied to symbols and numbers.

    >>> from tinygrad_pt import ops
    >>> a = Symbol("a")
    >>> (a * ops.exp(a)).op, [s.name for s in (a * ops.exp(a)).leaves()]
    (<op mul>, ['a'])
    """

    __slots__ = ("_dtype", "_shape", "args", "attrs", "name", "op")
    __array_ufunc__ = None  # so that `array * symbol` calls the symbol's operator, not NumPy's

    def __init__(
        self,
        name: str = "",
        shape: tuple[int, ...] | None = None,
        dtype: Any = F64,
        op: Op | None = None,
        args: tuple[Any, ...] = (),
        attrs: dict[str, Any] | None = None,
    ) -> None:
        self.name, self.op, self.args, self.attrs = name, op, args, attrs or {}
        self._shape, self._dtype = shape, dtype

    def _like(self) -> None:
        """Find the shape and dtype of an expression: compute it on zeros."""
        if self._shape is None and self.op is not None:
            dummies = [np.zeros(a.shape, a.dtype) if isinstance(a, Symbol) else a for a in self.args]
            with np.errstate(all="ignore"):
                y = np.asarray(self.op.forward(*dummies, **self.attrs))
            self._shape, self._dtype = y.shape, y.dtype

    @property
    def shape(self) -> tuple[int, ...]:
        self._like()
        return self._shape or ()

    @property
    def dtype(self) -> Any:
        self._like()
        return self._dtype

    @property
    def ndim(self) -> int:
        return len(self.shape)

    def leaves(self) -> list[Symbol]:
        """The names in the expression, in the order of their first use."""
        found: dict[int, Symbol] = {}
        stack: list[Any] = [self]
        while stack:
            s = stack.pop()
            if isinstance(s, Symbol):
                if s.op is None:
                    found.setdefault(id(s), s)
                stack.extend(reversed(s.args))
            elif isinstance(s, (tuple, list)):
                stack.extend(reversed(s))
        return list(found.values())

    def __neg__(self) -> Symbol:
        return Symbol(op=OPS["neg"], args=(self,))


def _operator(op: str, swapped: bool = False) -> Callable[[Symbol, Any], Symbol]:
    return lambda a, b: Symbol(op=OPS[op], args=(b, a) if swapped else (a, b))


for _name, _word in {"add": "add", "sub": "sub", "mul": "mul", "truediv": "div", "pow": "pow"}.items():
    setattr(Symbol, f"__{_name}__", _operator(_word))
    setattr(Symbol, f"__r{_name}__", _operator(_word, swapped=True))
for _name, _word in {"matmul": "mm", "gt": "gt", "ge": "ge", "lt": "lt", "le": "le"}.items():
    setattr(Symbol, f"__{_name}__", _operator(_word))


def symbol_of(name: str, value: Any) -> Symbol:
    """A symbol in place of a value, with its shape and dtype."""
    return Symbol(name, np.shape(value), np.asarray(value).dtype)
