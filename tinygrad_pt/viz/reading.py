"""`Reading` is what a derivation needs of a graph: its snapshot, which values the user named, and the loss's gradients.

The gradients here are those of the loss itself, seeded with 1, whether a backward pass has run or not.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_pt.debugging.replay import Boxes, with_history
from tinygrad_pt.errors import refuse
from tinygrad_pt.graph import PICK, Leaf, Tensor, made_by
from tinygrad_pt.viz.naming import Names
from tinygrad_pt.viz.snapshot import Reader

MOST = 20_000  # vertices: beyond, nobody reads a derivation


class Reading:
    """One graph, read once.

    Attributes:
        seen: the snapshot. root: the vertex of the loss. graph: its boxes.
        id, box: the number of a box, and the box of a number. name, value: of each box.
        named: the numbers of what the user has given a name. arguments: of each vertex, the numbers of its arguments.
        flow: ∂loss/∂vertex, by vertex. precision: how exactly the loss's dtype knows a number.
    """

    def __init__(self, loss: Tensor, names: Names, lang: str) -> None:
        takes, text = "derive() takes a tensor", "this tensor has no history to derive: it does not require grad"
        self.root = with_history(loss, takes, text)
        self.graph = Boxes(self.root)
        if len(self.graph.scope) > MOST:
            text = f"the graph has {len(self.graph.scope)} values, more than can be written out ({MOST})"
            raise refuse(ValueError, text, mend="derive a smaller batch or a part of the network")
        reader = Reader(self.graph, {self.root: loss}, names, lang)
        self.seen = reader.snapshot("")
        self.id, self.name, self.value = reader.id, reader.name, reader.value
        self.box = {id_: box for box, id_ in self.id.items()}
        handles = {box: reader.handle.get(box) for box in self.graph.scope}
        self.named = {
            self.id[box] for box, t in handles.items()
            if t is not None and (id(t) in reader.known or getattr(t, "name", None))
        }  # fmt: skip
        self.arguments = {
            self.id[node]: tuple(None if b is None else self.id[b] for b in slots)
            for node, slots in self.graph.slots.items()
        }
        seed = np.ones(self.root.shape, self.root.dtype)
        self.flow: dict[Any, Any] = reader.replay.gradients({self.root: seed})
        flowing = {e.source for e in self.seen.edges if e.flows}
        for id_, box in self.box.items():  # a leaf that reaches the loss only where nothing flows has gradient 0
            if isinstance(box, Leaf) and id_ not in flowing:
                self.flow.setdefault(box, np.zeros(box.shape, box.dtype))
        self.precision = 1e-12 if self.root.dtype == np.float64 else 6e-8  # half a step of float32

    def slope(self, node: Any, direction: NDArray[Any]) -> float:
        """The derivative of the loss along a direction of one vertex, by a central difference in float64."""
        x = np.asarray(self.value[node], np.float64)
        step = 1e-5 * max(1.0, float(np.abs(x).max(initial=0)))
        ahead, behind = (self.loss_at(node, x + s * step * direction) for s in (1, -1))
        return float((ahead - behind) / (2 * step))

    def loss_at(self, changed: Any, x: NDArray[Any]) -> float:
        """The loss, computed again in float64 with another value of one vertex."""
        value = {box: _wide(v) for box, v in self.value.items()}
        value[changed] = x
        moved = {changed}
        with np.errstate(all="ignore"):
            for node in self.graph.nodes:
                slots, made = self.graph.slots[node], made_by(node)
                if node is changed or not any(b in moved for b in slots if b is not None):
                    continue
                args = [getattr(b, "raw", value.get(b)) for b in slots]
                if "ctx" in made.attrs or any(a is None and b is not None for a, b in zip(args, slots, strict=True)):
                    raise refuse(RuntimeError, f"{self.name[node]} cannot be computed again")
                wide = {k: np.dtype(np.float64) if k == "dtype" else v for k, v in made.attrs.items()}
                y = made.op.forward(*args, **wide)
                value[node] = np.asarray(y[node.attrs["part"]] if node.op is PICK else y)
                moved.add(node)
        return float(value[self.root].item())


def _wide(v: Any) -> Any:
    return v.astype(np.float64) if isinstance(v, (np.ndarray, np.generic)) and v.dtype.kind == "f" else v
