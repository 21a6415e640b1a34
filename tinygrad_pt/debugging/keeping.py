"""`keep` lets a graph hold what was computed, so that pictures drawn at any time show it."""

from __future__ import annotations

from typing import Any
from weakref import ref

from tinygrad_pt.graph import Array, Node, Op, Tensor
from tinygrad_pt.listening import Listener, listen


class Keeper(Listener):
    """Notes, at every vertex made, copies of its value and of the leaves and constants that it was computed from."""

    def __init__(self) -> None:
        self.copies: dict[int, tuple[ref[Any], int, Array]] = {}  # of tensors used several times

    def applied(self, op: Op, args: tuple[Any, ...], attrs: dict[str, Any], result: Tensor) -> None:
        node = result.node
        if node is not None:
            sources = tuple(self.copy(a) if isinstance(a, Tensor) else None for a in args)
            node.set_note("kept", (result.array.copy("K"), sources))

    def copy(self, t: Tensor) -> Array | None:
        """The value of a leaf or constant as it is now; None for what an op of the graph has made."""
        if isinstance(t.node, Node) and t.node.parents:
            return None
        key, version = id(t), t.version[0]
        found = self.copies.get(key)
        if found is None or found[0]() is not t or found[1] != version:
            found = self.copies[key] = ref(t, lambda _: self.copies.pop(key, None)), version, t.array.copy("K")
        return found[2]


class keep(listen):
    """Context manager: graphs made inside keep their values, for pictures.

    The engine frees what no rule needs, and all of it in `backward()`; what is gone a picture computes again, from what
    is still there. What cannot be computed again, such as a large batch that nobody holds, it shows as `?`. A graph
    made inside `keep()` shows everything as it was when it was computed, whatever has changed since. It needs about
    twice the memory.

    >>> import tinygrad_pt as torch
    >>> from tinygrad_pt import viz
    >>> w = torch.ones(2, requires_grad=True)
    >>> with viz.keep():
    ...     loss = (w * torch.arange(2.0)).sum()
    >>> loss.backward()
    >>> with torch.no_grad():
    ...     _ = w.zero_()
    >>> [v.value.tolist() for v in viz.snapshot(loss).vertices]
    [[1.0, 1.0], [0.0, 1.0], [0.0, 1.0], 1.0]
    """

    def __init__(self) -> None:
        super().__init__(Keeper())

    def __exit__(self, *error: object) -> None:
        super().__exit__(*error)
        if isinstance(self.listener, Keeper):
            self.listener.copies.clear()
