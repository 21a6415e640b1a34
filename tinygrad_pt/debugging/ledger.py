"""`tensor.grad_contributions()` lists the summands of a `.grad`: from which backward call, along which path."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count, groupby
from typing import Any

import numpy as np

from tinygrad_pt.debugging.nans import array_of
from tinygrad_pt.debugging.trace import line_of, remember
from tinygrad_pt.errors import describe, refuse
from tinygrad_pt.graph import PICK, Leaf, Node, Op, Tensor, made_by
from tinygrad_pt.lines import Line, caller
from tinygrad_pt.listening import Listener, Walk, listen
from tinygrad_pt.modes import decorated
from tinygrad_pt.ops import sum_to

LONGEST_PATH = 8
_numbers = count(1)


@dataclass(frozen=True, eq=False)
class Contribution:
    """One summand of a `.grad`.

    Attributes:
        kind: "path" (an op carried it back), "seed" (backward started here), "hook" (what a hook changed), or
            "outside" (in `.grad` without a recorded backward pass: clipping, assignment, a pass outside the mode).
        value: the array that was added, of the tensor's shape.
        number: which backward pass it was, of all recorded ones, and `call`: the line that asked for it.
        op: the op that used the tensor; `slot`: as which argument.
        module: the path of the module being called then, or "".
        line: the line that applied the op, if it was recorded inside the mode.
        path: the ops from there to where backward started, as far as there is one way.
    """

    kind: str
    value: Any
    number: int = 0
    call: Line | None = None
    op: str = ""
    slot: int = 0
    module: str = ""
    line: Line | None = None
    path: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.kind != "path":
            return f"{KINDS[self.kind]}: {_short(self.value)}"
        where = f", {self.module}" if self.module else ""
        line = f"  ({self.line})" if self.line else ""
        return f"{' → '.join(self.path)}, argument {self.slot}{where}: {_short(self.value)}{line}"


KINDS = {
    "seed": "the gradient backward started with", "hook": "changed by a hook",
    "outside": "not by a recorded backward pass",
}  # fmt: skip


def _short(x: Any) -> str:
    if x.size <= 6:
        return np.array2string(x, precision=4, separator=", ").replace("\n", "")
    return f"{describe(x)} of norm {np.linalg.norm(x.ravel()):.4g}"


class Contributions(list[Contribution]):
    """What `.grad` is the sum of, oldest first; `str` tells it per backward call.

    `total` is the sum; `cleared` how many earlier summands went when `.grad` was set to None or zero.
    """

    def __init__(self, found: Sequence[Contribution], shape: Any, dtype: Any, cleared: int, recorded: bool) -> None:
        super().__init__(found)
        self.shape, self.dtype, self.cleared, self.recorded = shape, dtype, cleared, recorded

    @property
    def total(self) -> Any:
        """The sum of all values, an array."""
        return _total(self, self.shape, self.dtype)

    def __str__(self) -> str:
        if not self.recorded:
            text = "nothing was recorded: run the backward passes inside `with torch.autograd.record_contributions():`"
            return text + (f"\n  {self[0]}" if self else "")
        gone = f"; {self.cleared} earlier ones were cleared" if self.cleared else ""
        groups = [(call, list(found)) for (_, call), found in groupby(self, lambda one: (one.number, one.call))]
        calls = len({one.number for one in self if one.number})
        lines = [f".grad is the sum of {len(self)} contributions of {calls} calls of backward{gone}"]
        for call, found in groups:
            lines.append(f"  {call or 'elsewhere'}")
            lines += [f"    {one}" for one in found]
        return "\n".join(lines)


def _total(found: Sequence[Contribution], shape: Any, dtype: Any) -> Any:
    total = np.zeros(shape, dtype)
    with np.errstate(all="ignore"):
        for one in found:
            total = total + one.value
    return total


@dataclass
class _Account:
    """What is kept with a vertex."""

    found: list[Contribution] = field(default_factory=list)
    cleared: int = 0

    def settle(self, grad: Any, shape: Any, dtype: Any) -> None:
        """Bring the account up to what `.grad` is: cleared, or changed by others."""
        if grad is None:
            return self._clear()
        with np.errstate(all="ignore"):
            missing = grad.array - _total(self.found, shape, dtype)
            size = sum(np.abs(one.value) for one in self.found) + np.abs(grad.array)
            small = np.abs(missing) <= 4 * (len(self.found) + 1) * np.finfo(dtype).eps * size
        if np.all(small | ~np.isfinite(missing)):
            return
        if not grad.array.any():
            return self._clear()
        self.found.append(Contribution("outside", np.array(missing)))

    def _clear(self) -> None:
        self.cleared += len(self.found)
        self.found = []


def _tensor(node: Node) -> Any:
    """The tensor whose `.grad` a vertex feeds, if it lives."""
    if isinstance(node, Leaf):
        return node.handle()
    return next((t for link in node.note("retained", ()) if (t := link()) is not None), None)


class Entries:
    """What one backward pass adds, vertex by vertex."""

    def __init__(self, walk: Walk) -> None:
        self.walk = walk
        self.found: dict[Node, list[Contribution]] = {}
        self.pass_ = (next(_numbers), caller())
        self.users: dict[Node, list[Node]] = {}
        if not walk.adds:
            return
        for node in walk.nodes:
            for p in node.parents:
                if isinstance(p, Node):
                    self.users.setdefault(p, []).append(node)
        for node in {*walk.roots, *self.users}:
            t = _tensor(node)
            if t is not None:
                self._account(node).settle(t._grad, node.shape, node.dtype)
                self.found[node] = []
        for root, seed in zip(walk.roots, walk.seeds, strict=True):
            if root in self.found:
                self.found[root].append(Contribution("seed", np.array(array_of(seed)), *self.pass_))

    def _account(self, node: Node) -> _Account:
        if node.note("account") is None:
            node.set_note("account", _Account())
        return node.note("account")

    def edge(self, node: Node, slot: int, r: Any) -> None:
        p = node.parents[slot]
        if p not in self.found:
            return
        x = array_of(r)
        value = np.array(x if x.shape == p.shape else sum_to(x, shape=p.shape))
        scope, line = str(node.scope or ""), line_of(node)
        self.found[p].append(
            Contribution("path", value, *self.pass_, node.op.name, slot, scope, line, self._path(node))
        )

    def _path(self, node: Node) -> tuple[str, ...]:
        """The ops from a vertex on towards the root, until there is more than one way."""
        path, ends = [node.op.name], {made_by(root) for root in self.walk.roots}
        while node not in ends:
            users = dict.fromkeys(self._users(node))
            if len(users) != 1 or len(path) == LONGEST_PATH:
                return (*path, f"({len(users)} uses)" if len(users) != 1 else "…")
            (node,) = users
            path.append(node.op.name)
        return tuple(path)

    def _users(self, node: Node) -> list[Node]:
        """The ops that a vertex, or one of its several results, was an argument of."""
        found = []
        for user in self.users.get(node, ()):
            found += self.users.get(user, []) if user.op is PICK else [user]
        return found

    def close(self) -> None:
        """Enter what the pass has found, and what hooks changed, into the accounts."""
        found = self.walk.found
        for node, entries in self.found.items():
            if not entries:
                continue
            if node.note("hooks") and node in found:
                with np.errstate(all="ignore"):
                    value = array_of(found[node]) - _total(entries, node.shape, node.dtype)
                if np.any(value):
                    entries.append(Contribution("hook", np.array(value), *self.pass_))
            self._account(node).found += entries


class Bookkeeper(Listener):
    """Keeps the accounts of all backward passes that it hears."""

    def applied(self, op: Op, args: tuple[Any, ...], attrs: dict[str, Any], result: Tensor) -> None:
        remember(op, args, result)

    def walking(self, walk: Walk) -> None:
        walk.notes[self] = Entries(walk)

    def edge(self, walk: Walk, node: Node, slot: int, g: Any, r: Any) -> None:
        walk.notes[self].edge(node, slot, r)

    def finding(self, walk: Walk) -> None:
        walk.notes[self].close()


BOOKKEEPER = Bookkeeper()  # one for all: a pass is entered once, however often it was asked for


class record_contributions(listen):
    """Context manager, or decorator: backward passes inside keep account of what they add to every `.grad`.

    See `Tensor.grad_contributions`. Ops applied inside remember their lines, too. The account keeps a copy of
    every summand, until `.grad` is cleared and filled again; it is meant for a few steps, not for a training.
    """

    def __init__(self) -> None:
        super().__init__(BOOKKEEPER)

    def __call__(self, function: Any) -> Any:
        return decorated(record_contributions, function)


def grad_contributions(t: Tensor) -> Contributions:
    """What `.grad` is the sum of: per backward call and per use of this tensor, the gradient that arrived.

    Recorded inside `with torch.autograd.record_contributions():`; the values add up to `.grad` (to rounding: the
    engine may have added in another order). Two uses of a tensor are two entries, a second call of backward
    without `zero_grad` between appends its own. What changed `.grad` besides is an entry of its own.

    Raises:
        RuntimeError: the tensor does not require grad.

    >>> import tinygrad_pt as torch
    >>> w = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> with torch.autograd.record_contributions():
    ...     (w * w).sum().backward()
    ...     (w * 10).sum().backward()
    >>> [(one.op, one.slot, one.value.tolist()) for one in w.grad_contributions()]
    [('mul', 0, [1.0, 2.0]), ('mul', 1, [1.0, 2.0]), ('mul', 0, [10.0, 10.0])]
    """
    if t.node is None:
        text = "this tensor does not require grad, so nothing contributes to its .grad"
        raise refuse(RuntimeError, text, mend="print(tensor.why_no_grad()) tells why")
    account = t.node.note("account")
    recorded = account is not None
    account = account or _Account()
    account.settle(t._grad, t.array.shape, t.array.dtype)
    return Contributions(account.found, t.array.shape, t.array.dtype, account.cleared, recorded)
