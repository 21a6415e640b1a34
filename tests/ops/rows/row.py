"""What a row about an op says, and the words rows are written in."""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any

import numpy as np

from tinygrad_pt import calling, graph, ops
from tinygrad_pt.testing import Domain, Edge, OpSpec, Refusal

inf, nan = np.inf, np.nan


def functions() -> dict[str, Any]:
    """By the name of its op, every function that applies one, in all modules of `tinygrad_pt.ops`."""
    found = {}
    for module in pkgutil.iter_modules(ops.__path__):
        for thing in vars(importlib.import_module(f"tinygrad_pt.ops.{module.name}")).values():
            if isinstance(getattr(thing, "op", None), graph.Op):
                found[thing.op.name] = thing
    return found


DEFINED = functions()


# ------------------------------------------------------------------------------------------ where to sample
def signed(low: float, high: float) -> Domain:
    """Values whose size is between two bounds: away from 0."""
    return Domain(-high, high, avoid=(0.0,), margin=low)


real, positive, nonzero, fraction = Domain(-2, 2), Domain(0.3, 3), signed(0.4, 2), Domain(-0.9, 0.9)
unwhole = Domain(-3.9, 3.9, avoid=tuple(k / 2 for k in range(-8, 9)), margin=0.05)  # of halves too, for round
distinct = Domain(gap=0.2)
truth, whole, classes = Domain(kind="bool"), Domain(0, 7, kind="int"), Domain(0, 2, kind="int")


# ------------------------------------------------------------------------------------------ rows
@dataclass(frozen=True)
class Row(OpSpec):
    """A row about an op: the function is the op as the user meets it (one with several results gives a tuple)."""

    @property
    def op(self) -> graph.Op:
        return graph.OPS[self.name]


SEVERAL = {"split", "unbind", "rnn_layer", "lstm_layer", "gru_layer"}
STRUCTURE = {"leaf", "pick"}  # vertices of the graph that compute nothing; the engine's tests are about them
ROWS: dict[str, Row] = {}

ONE = [((3,),), ((),), ((0, 3),), ((1,),), ((2, 3),), ((2, 1, 2),), ((2, 1, 1, 2),)]
TWO = [
    ((3,), (3,)), ((), ()), ((2, 3), (3,)), ((2, 1), (1, 3)), ((), (2, 2)), ((2, 2), ()), ((1,), (3,)), ((2, 1, 2), (3, 1)),
    ((0, 3), (3,)), ((1, 1), (0, 2)), ((2, 1, 1, 2), (2, 1, 1)), ((3,), None), (None, (2,)), ((), None), (None, ()),
]  # fmt: skip
MISFIT = Refusal(((3,), (4,)), {}, RuntimeError, "The size of tensor a (3) must match the size of tensor b (4)")


def cases(shapes: Any, *attrs: dict[str, Any]) -> list[Any]:
    """Every shape with every choice of attributes."""
    return list(product((tuple(s) for s in shapes), attrs or ({},)))


def row(name: str, reference: Any, domains: Any, found: list[Any], *edges: Edge, **more: Any) -> None:
    domains = domains if isinstance(domains, tuple) else (domains,)
    assert name not in ROWS, name
    f = partial(bundled, graph.OPS[name]) if name in SEVERAL else DEFINED[name]
    ROWS[name] = Row(name, f, reference, domains, found, edges, **more)


def bundled(op: graph.Op, *args: Any, **attrs: Any) -> Any:
    return calling.bundle(op, args, attrs)


def unary(name: str, reference: Any, domain: Any, *edges: Edge, **more: Any) -> None:
    row(name, reference, domain, cases(ONE), *edges, elementwise=True, **more)


def binary(name: str, reference: Any, domains: Any, *edges: Edge, **more: Any) -> None:
    row(name, reference, domains, cases(TWO), *edges, refusals=(MISFIT,), elementwise=True, **more)


def at(x: Any, value: Any, grad: Any = None, **attrs: Any) -> Edge:
    """An edge of an op of one argument."""
    return Edge((np.array(x, float),), value, () if grad is None else (grad,), attrs)


def both(a: Any, b: Any, value: Any, *grads: Any) -> Edge:
    """An edge of an op of two arguments."""
    return Edge((np.array(a, float), np.array(b, float)), value, grads)
