"""Random programs of views, writes, modes, hooks and copies, which PyTorch and this package run side by side.

A step has a name, the numbers of the tensors that it uses, and the mode in which it runs. After each step the run notes
of every tensor its values, version, strides and place in the graph, and of a step that was refused the error. At the
end it goes back from all tensors that require a gradient.

Run `python -m tests.functions.view_programs 5000 7` to try 5,000 programs from seed 7 on; it prints the differences,
each program shortened as far as it still differs.
"""

from __future__ import annotations

import copy
import random
import re
import sys
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_pt.views import owner_of

Step = tuple[str, int, int, int, str]  # name; numbers of two tensors; a further number; mode


def shape_of(t: Any) -> tuple[int, ...]:
    return tuple(t.shape)


class Ended(Exception):
    """The program ends here: PyTorch has refused a step, but its tensors are not what they were before."""


ENDS = ("Inplace update to inference tensor",)


class Run:
    """A program in one of the two libraries: the live tensors, and what is noted of them."""

    def __init__(self, library: Any) -> None:
        self.lib = library
        f64 = library.float64
        self.w = library.tensor([0.5, -1.0, 2.0, 0.25, 1.5, -0.75], dtype=f64, requires_grad=True)
        self.p = library.tensor([[1.0, 2.0, -1.0], [0.5, 3.0, -2.0]], dtype=f64, requires_grad=True)
        scale = library.tensor([[1.0, 2.0, 3.0], [1.0, -1.0, 0.5]], dtype=f64)
        self.live: list[Any] = [self.p * scale, library.tensor([[3.0, 1.0, 2.0], [0.0, 1.0, 4.0]], dtype=f64), self.p]
        self.heard: list[Any] = []
        self.handles: list[Any] = []
        self.log: list[Any] = []
        self.strange = False

    def tensor(self, data: Any, dtype: Any = None) -> Any:
        return self.lib.tensor(data, dtype=dtype or self.lib.float64)

    def mask(self, t: Any, k: int) -> Any:
        n = int(np.prod(shape_of(t)))
        return self.tensor([(i + k) % 2 == 0 for i in range(n)], self.lib.bool).reshape(shape_of(t))

    def ends(self, t: Any) -> bool:
        """Whether gradients end at a view that was made where nothing is recorded."""
        return t._is_view() and t.requires_grad and self.fact(lambda: t.is_leaf) is True

    def listen(self, t: Any, k: int) -> None:
        if t._is_view():  # PyTorch drops the hooks of a view that is written, against what it documents
            return
        number = len(self.handles)

        def hook(g: Any) -> Any:
            self.heard.append((number, g.detach().tolist()))
            return g * 2 if k % 3 == 0 else None

        self.handles.append(t.register_hook(hook))

    # ---------------------------------------------------------------------------------- what is noted
    def fact(self, read: Callable[[], Any]) -> Any:
        try:
            return read()
        except (RuntimeError, ValueError, IndexError, TypeError) as error:
            return refusal(error)

    def strides(self, t: Any) -> tuple[int, ...]:
        """The strides; along an axis of length 1 only those of views of the first tensors, which have no such axis."""
        whole = t._base is not None and any(t._base is first for first in self.live[:3])
        return tuple(
            s if whole or (n > 1 and 0 not in t.shape) else 0 for n, s in zip(t.shape, t.stride(), strict=True)
        )

    def facts(self) -> list[Any]:
        found = []
        self.strange = self.strange or any(t.is_inference() for t in self.live)  # PyTorch counts by the way of copying
        for t in self.live:
            base = t._base
            place = next((i for i, other in enumerate(self.live) if other is base), -1 if base is None else -2)
            found.append(
                {
                    "values": t.detach().tolist(),
                    "version": self.fact(lambda t=t: t._version) if not self.strange else None,
                    "requires_grad": t.requires_grad,
                    "is_leaf": self.fact(lambda t=t: t.is_leaf),
                    "view": t._is_view(),
                    "base": place,
                    "stride": self.strides(t),
                    "contiguous": t.is_contiguous(),
                    "inference": t.is_inference(),
                }
            )
        return found

    def step(self, step: Step) -> None:
        name, i, j, k, mode = step
        t, u = self.live[i % len(self.live)], self.live[j % len(self.live)]
        if name in MIXED and t is not u and memory(t) == memory(u):  # PyTorch reads what it has just written
            return
        lib = self.lib
        modes = {"": lib.enable_grad, "no_grad": lib.no_grad, "inference": lib.inference_mode}
        try:
            with modes[mode]():
                made = STEPS[name](self, t, u, k)
        except (RuntimeError, IndexError, ValueError, TypeError) as error:
            found = refusal(error)
            if found[1].startswith(ENDS):
                raise Ended from None
            self.log.append((name, found, self.facts()))
            return
        made = [] if made is None else list(made) if isinstance(made, (tuple, list)) else [made]
        self.live += [m for m in made if len(self.live) < 12]
        self.log.append((name, "done", self.facts()))

    def finish(self) -> None:
        """Go back from all that requires a gradient; a tensor that cannot be used is noted."""
        total: Any = 0.0
        for i, t in enumerate(self.live):
            try:
                if t.requires_grad and not t.is_inference():
                    total = total + (t * (i + 1.5)).sum()
            except RuntimeError as error:
                self.log.append(("use", refusal(error), i))
        try:
            if not isinstance(total, float):
                total.backward()
            self.log.append(("backward", "done"))
        except RuntimeError as error:
            self.log.append(("backward", refusal(error)))
            return
        for t in (self.w, self.p, *self.live):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                g = t._grad if hasattr(t, "array") else t.grad
            self.log.append(("grad", None if g is None else g.tolist()))
        self.log.append(("heard", sorted(self.heard, key=repr)))


def refusal(error: Exception) -> tuple[str, str]:
    """The type of an error and the beginning of its text, without the names of vertices."""
    text = re.sub(r"Output \d+ of \w+", "Output of X", str(error).splitlines()[0])
    if "modified by an inplace operation" in text and "variables needed" in text:
        text = "a saved value has changed"
    return type(error).__name__, text[:90]


def memory(t: Any) -> Any:
    """The address of the memory that a tensor shares with others."""
    return owner_of(t.array).ctypes.data if hasattr(t, "array") else t.untyped_storage().data_ptr()


MIXED = ("add_ u", "sub_", "copy_ u", "set u", "set all", "mul out")


# ------------------------------------------------------------------------------------------ the steps
def wide(t: Any) -> bool:
    return len(t.shape) > 0 and 0 not in t.shape


def set_(t: Any, index: Any, value: Any) -> None:
    t[index] = value


STEPS: dict[str, Callable[[Run, Any, Any, int], Any]] = {
    # views
    "row": lambda r, t, u, k: t[k % t.shape[0]] if wide(t) else None,
    "last": lambda r, t, u, k: t[..., -1] if wide(t) else None,
    "tail": lambda r, t, u, k: t[1:] if wide(t) else None,
    "second": lambda r, t, u, k: t[::2] if wide(t) else None,
    "new axis": lambda r, t, u, k: t[None, ...] if len(t.shape) < 4 else None,
    "flat": lambda r, t, u, k: t.reshape(-1),
    "view": lambda r, t, u, k: t.view(-1),
    "view 2": lambda r, t, u, k: t.view(2, -1),
    "ravel": lambda r, t, u, k: t.ravel(),
    "flatten": lambda r, t, u, k: t.flatten(),
    "t": lambda r, t, u, k: t.t(),
    "T": lambda r, t, u, k: t.T if len(t.shape) == 2 else None,
    "mT": lambda r, t, u, k: t.mT if len(t.shape) >= 2 else None,
    "transpose": lambda r, t, u, k: t.transpose(0, -1) if len(t.shape) else None,
    "permute": lambda r, t, u, k: t.permute(*range(len(t.shape) - 1, -1, -1)),
    "movedim": lambda r, t, u, k: t.movedim(0, -1) if len(t.shape) else None,
    "unsqueeze": lambda r, t, u, k: t.unsqueeze(k % (len(t.shape) + 1)) if len(t.shape) < 4 else None,
    "squeeze": lambda r, t, u, k: t.squeeze(),
    "squeeze 0": lambda r, t, u, k: t.squeeze(0) if len(t.shape) else None,
    "unflatten": lambda r, t, u, k: t.unflatten(0, (-1, 1)) if 0 < len(t.shape) < 4 else None,
    "expand": lambda r, t, u, k: t.expand(2, *t.shape) if len(t.shape) < 3 else None,
    "expand 1": lambda r, t, u, k: t.expand(1, *t.shape) if len(t.shape) < 4 else None,
    "expand_as": lambda r, t, u, k: t.expand_as(u),
    "broadcast_to": lambda r, t, u, k: t.broadcast_to((2, *t.shape)) if len(t.shape) < 3 else None,
    "narrow": lambda r, t, u, k: t.narrow(0, 0, 1) if wide(t) else None,
    "select": lambda r, t, u, k: t.select(-1, 0) if wide(t) else None,
    "diagonal": lambda r, t, u, k: t.diagonal(k % 3 - 1) if len(t.shape) >= 2 else None,
    "unfold": lambda r, t, u, k: t.unfold(0, 1 + k % 2, 1 + k % 3) if 0 < len(t.shape) < 4 else None,
    "chunk": lambda r, t, u, k: t.chunk(2) if wide(t) else None,
    "split": lambda r, t, u, k: t.split(1) if wide(t) else None,
    "unbind": lambda r, t, u, k: t.unbind(-1) if wide(t) else None,
    "tensor_split": lambda r, t, u, k: t.tensor_split([1], dim=-1) if wide(t) else None,
    "swapaxes": lambda r, t, u, k: t.swapaxes(0, 1) if len(t.shape) >= 2 else None,
    "view_as": lambda r, t, u, k: t.view_as(u),
    "iterate": lambda r, t, u, k: next(iter(t)) if wide(t) else None,
    # copies
    "times": lambda r, t, u, k: t * 1.5,
    "square": lambda r, t, u, k: None if r.ends(t) else t * t,
    "sum": lambda r, t, u, k: None if t.is_inference() else t.sum(),
    "clone": lambda r, t, u, k: t.clone(),
    "contiguous": lambda r, t, u, k: t.contiguous(),
    # views that are made after a detach() do not hear of writes through what it gave
    "detach": lambda r, t, u, k: t.detach() if t._is_view() or any(v._base is t for v in r.live) else None,
    "data": lambda r, t, u, k: t.data,
    "flip": lambda r, t, u, k: t.flip(0) if len(t.shape) else None,
    "picked": lambda r, t, u, k: t[r.tensor([0, 0], r.lib.int64)] if wide(t) else None,
    "masked": lambda r, t, u, k: t[r.mask(t, k)] if wide(t) else None,
    "deepcopy": lambda r, t, u, k: copy.deepcopy(t).clone() if t.is_leaf else None,
    # writes
    "mul_": lambda r, t, u, k: (t.mul_(2.0), None)[1],
    "mul_ by w": lambda r, t, u, k: (t.mul_(r.w[0]), None)[1],
    "add_ w": lambda r, t, u, k: (t.add_(r.w[1]), None)[1],
    "add_ u": lambda r, t, u, k: (t.add_(u), None)[1],
    "sub_": lambda r, t, u, k: (t.sub_(u, alpha=2), None)[1],
    "+=": lambda r, t, u, k: (t.__iadd__(r.w[k % 6]), None)[1],
    "tanh_": lambda r, t, u, k: (t.tanh_(), None)[1],
    "relu_": lambda r, t, u, k: (t.relu_(), None)[1],
    "zero_": lambda r, t, u, k: (t.zero_(), None)[1],
    "fill_": lambda r, t, u, k: (t.fill_(1.5), None)[1],
    "fill_ w": lambda r, t, u, k: (t.fill_(r.w[2]), None)[1],
    "set row": lambda r, t, u, k: set_(t, k % t.shape[0], r.w[2]) if wide(t) else None,
    "set zeros": lambda r, t, u, k: set_(t, 0, r.tensor(0.0)) if wide(t) else None,
    "set slice": lambda r, t, u, k: set_(t, slice(1, None), 3.0) if wide(t) else None,
    "set u": lambda r, t, u, k: set_(t, 0, u) if wide(t) else None,
    "set mask": lambda r, t, u, k: set_(t, r.mask(t, k), r.w[3]) if wide(t) else None,
    "set picked": lambda r, t, u, k: set_(t, r.tensor([0], r.lib.int64), r.w[k % 6]) if wide(t) else None,
    "set all": lambda r, t, u, k: set_(t, ..., u),
    "copy_": lambda r, t, u, k: (t.copy_(r.w[4]), None)[1],
    "copy_ u": lambda r, t, u, k: (t.copy_(u), None)[1],
    "masked_fill_": lambda r, t, u, k: (t.masked_fill_(r.mask(t, k), 2.5), None)[1],
    "index_put_": lambda r, t, u, k: (
        (t.index_put_((r.tensor([0], r.lib.int64),), r.w[k % 6], accumulate=k % 2 == 0), None)[1] if wide(t) else None
    ),
    "index_add_": lambda r, t, u, k: (
        (t.index_add_(0, r.tensor([0], r.lib.int64), t[:1] * 2), None)[1] if wide(t) else None
    ),
    "tril_": lambda r, t, u, k: (t.tril_(), None)[1] if len(t.shape) >= 2 else None,
    "data.mul_": lambda r, t, u, k: None if t.is_inference() else (t.data.mul_(2), None)[1],
    "detach.mul_": lambda r, t, u, k: (t.detach().mul_(2), None)[1],
    "row.mul_": lambda r, t, u, k: (t[0].mul_(2), None)[1] if wide(t) else None,
    "diagonal.add_": lambda r, t, u, k: (t.diagonal().add_(1), None)[1] if len(t.shape) >= 2 else None,
    # the graph
    "retain_grad": lambda r, t, u, k: t.retain_grad() if isinstance(r.fact(lambda: t.is_leaf), bool) else None,
    "hook": lambda r, t, u, k: r.listen(t, k),
    "remove hook": lambda r, t, u, k: r.handles[k % len(r.handles)].remove() if r.handles else None,
    "requires_grad_": lambda r, t, u, k: (
        None
        if k % 2 or any(v._base is t for v in r.live) or not isinstance(r.fact(lambda: t.is_leaf), bool)
        else (t.requires_grad_(), None)[1]
    ),
    "detach_": lambda r, t, u, k: (
        None if k % 3 or any(v._base is t for v in r.live) else (t.detach_(), None)[1]
    ),
    "mul out": lambda r, t, u, k: (r.lib.mul(t, t, out=u), None)[1] if shape_of(t) == shape_of(u) else None,
}  # fmt: skip


# ------------------------------------------------------------------------------------------ programs
def random_program(seed: int, names: list[str] | None = None) -> list[Step]:
    rng = random.Random(seed)
    names = names or list(STEPS)
    rare = 0.03 if rng.random() < 0.3 else 0.0

    def mode() -> str:
        x = rng.random()
        return "inference" if x < rare else "no_grad" if x < 0.2 else ""

    return [
        (rng.choice(names), rng.randrange(12), rng.randrange(12), rng.randrange(6), mode())
        for _ in range(rng.randint(1, 9))
    ]


def run(library: Any, program: list[Step]) -> list[Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        r = Run(library)
        try:
            for step in program:
                r.step(step)
            r.finish()
        except Ended:
            r.log.append(("ended",))
    return r.log


REASONS = (  # a step may have several faults, and which is told first is no matter
    "A view was created in", "Output of X is a view", "unsupported operation: ", "expand(torch.", "shape '",
    "The expanded size of", "The size of tensor a", "a leaf Variable", "a view of a leaf Variable",
    "output with shape", "maximum size for tensor", "t() expects", "view size is not", "a saved value has changed",
)  # fmt: skip


def alike(theirs: Any, ours: Any) -> bool:
    """Whether two refusals, or what stands in their places, agree."""
    if isinstance(theirs, tuple) and isinstance(ours, tuple):
        return theirs == ours or (theirs[1].startswith(REASONS) and ours[1].startswith(REASONS))
    return theirs == ours


def difference(theirs: Any, ours: Any, path: str = "") -> str:
    """The first place where two logs differ, or ""."""
    if len(path) == 0:
        for i, (a, b) in enumerate(zip(theirs, ours, strict=False)):
            if len(a) > 1 and isinstance(a[1], (str, tuple)) and a[0] != "grad":
                if a[0] == "backward" and a[1][-1].startswith(
                    ("unsupported operation", "leaf variable has been moved")
                ):
                    return ""  # what PyTorch accepts first and cannot differentiate then
                if a[1] == "done" and a[0] == b[0] and str(b[1][-1]).startswith("unsupported operation: "):
                    return ""  # PyTorch accepts some writes on elements at one place, and its backward refuses them
                if a[0] != b[0] or len(a) != len(b) or not alike(a[1], b[1]):
                    return f"[{i}]: {a[:2]} | {b[:2]}"
                rest = a[2:], b[2:]
            else:
                rest = a[1:], b[1:]
            if found := difference(*rest, f"[{i}]{a[0]}"):
                return found
        return "" if len(theirs) == len(ours) else f"length: {str(theirs[-1])[:200]} | {str(ours[-1])[:200]}"
    if isinstance(theirs, (list, tuple)) and isinstance(ours, (list, tuple)) and type(theirs) is type(ours):
        if len(theirs) != len(ours):
            return f"{path}: {str(theirs)[-300:]} | {str(ours)[-300:]}"
        pairs = enumerate(zip(theirs, ours, strict=True))
        return next((d for i, (a, b) in pairs if (d := difference(a, b, f"{path}[{i}]"))), "")
    if isinstance(theirs, dict):
        return next((d for key in theirs if (d := difference(theirs[key], ours[key], f"{path}.{key}"))), "")
    if isinstance(theirs, float) and isinstance(ours, (float, int)):
        both_nan = theirs != theirs and ours != ours
        close = theirs == ours or abs(theirs - ours) <= 1e-9 * max(1.0, abs(theirs)) or both_nan
        return "" if close else f"{path}: {theirs} | {ours}"
    return "" if theirs == ours else f"{path}: {theirs} | {ours}"


def compare(program: list[Step]) -> str:
    import torch

    import tinygrad_pt

    theirs = run(torch, program)
    try:
        ours = run(tinygrad_pt, program)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is a difference
        return f"CRASH {type(error).__name__}: {error}"
    return difference(theirs, ours)


def shortened(program: list[Step]) -> list[Step]:
    """The program without the steps that the difference does not need."""
    changed = True
    while changed:
        changed = False
        for i in range(len(program)):
            shorter = program[:i] + program[i + 1 :]
            if compare(shorter):
                program, changed = shorter, True
                break
    return program


def main(count: int, seed: int) -> None:
    seen: dict[str, int] = {}
    for s in range(seed, seed + count):
        program = random_program(s)
        if not compare(program):
            continue
        program = shortened(program)
        found = compare(program)
        key = " / ".join(f"{name}{'@' + mode if mode else ''}" for name, *_, mode in program)
        seen[key] = seen.get(key, 0) + 1
        if seen[key] == 1:
            print(f"seed {s}: {program}\n    {found}", flush=True)
    print(f"{count} programs, {sum(seen.values())} differ, {len(seen)} kinds")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0)
