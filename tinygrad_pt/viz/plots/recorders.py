"""What is noted while a model learns: the norms of its gradients, and where its parameters stand."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar
from weakref import ref

import numpy as np

from tinygrad_pt.errors import refuse
from tinygrad_pt.functions.creation import fresh
from tinygrad_pt.graph import Array
from tinygrad_pt.listening import Listener, Walk, attend, forget
from tinygrad_pt.modes import no_grad
from tinygrad_pt.nn.module import Module
from tinygrad_pt.nn.utils.stateless import replaced
from tinygrad_pt.optim.optimizer import Optimizer
from tinygrad_pt.random import fork_rng
from tinygrad_pt.tensor import Tensor

State = dict[str, Array]
R = TypeVar("R", bound="Recorder")


class Recorder(Listener):
    """Hears a model learn inside its `with` block. It holds numbers and copies, neither the model nor a graph."""

    def __init__(self, model: Module) -> None:
        if not isinstance(model, Module):
            raise refuse(TypeError, f"expected a module whose parameters learn, but got {type(model).__name__}")
        self._model = ref(model)

    def __enter__(self: R) -> R:
        attend(self)
        return self

    def __exit__(self, *error: object) -> None:
        forget(self)


class GradientNorms(Recorder):
    """Notes the norm of every layer's gradient after each `backward()` that reaches the model.

        ‖∇‖ of a layer = √(Σ g²), over all of its own parameters' `.grad`

    What `.grad` holds from earlier passes is counted, as an optimizer's step counts it; a layer without a gradient has
    nan. `history` is what was noted: for each layer, by its path in the model, one number per backward pass.
    `gradient_norms` draws it.

    Args:
        model: the module that learns.

    >>> model = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Tanh(), torch.nn.Linear(3, 1))
    >>> with GradientNorms(model) as norms:
    ...     model(torch.ones(4, 2)).sum().backward()
    >>> [(layer, len(numbers)) for layer, numbers in norms.history.items()]
    [('0', 1), ('2', 1)]
    """

    def __init__(self, model: Module) -> None:
        super().__init__(model)
        self._rows: list[dict[str, float]] = []

    @property
    def history(self) -> dict[str, list[float]]:
        layers = dict.fromkeys(layer for row in self._rows for layer in row)
        return {layer: [row.get(layer, math.nan) for row in self._rows] for layer in layers}

    def walked(self, walk: Walk) -> None:
        model = self._model()
        if model is None or not walk.adds:
            return
        named = [(path, p) for path, p in model.named_parameters() if p.requires_grad]
        if any(p.node in walk.found for _, p in named):
            squares: dict[str, float] = {}
            for path, p in named:
                layer = path.rpartition(".")[0] or path
                if p.grad is not None:
                    g = p.grad.array.astype("float64")
                    squares[layer] = squares.get(layer, 0.0) + float(np.vdot(g, g))
                else:
                    squares.setdefault(layer, math.nan)
            self._rows.append({layer: math.sqrt(square) for layer, square in squares.items()})


class Trail(Recorder):
    """Copies a model's parameters and buffers while it learns: at the start, and after each step of an optimizer.

    `states` are the copies, by path, and `steps` says after how many steps each was made. At most `most` are held: when
    there are more, every other one is dropped, and from then on only every second step is copied. Who updates
    parameters without an optimizer calls `note()` after each update. `loss_surface` and `decision_region` draw it.

    Args:
        model: the module that learns.
        most: how many states to hold, at least 2.

    >>> model = torch.nn.Linear(1, 1)
    >>> optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    >>> with Trail(model) as trail:
    ...     for _ in range(3):
    ...         model(torch.ones(1, 1)).sum().backward()
    ...         optimizer.step()
    >>> trail.steps, sorted(trail.states[-1])
    ([0, 1, 2, 3], ['bias', 'weight'])
    """

    def __init__(self, model: Module, most: int = 60) -> None:
        super().__init__(model)
        if most < 2:
            raise refuse(ValueError, f"most={most}: a trail has a start and an end, so it holds at least 2 states")
        self.states: list[State] = []
        self.steps: list[int] = []
        self._most, self._every, self._taken = most, 1, -1

    def __enter__(self) -> Trail:
        self.note()
        return super().__enter__()

    def __exit__(self, *error: object) -> None:
        super().__exit__(*error)
        if self.steps and self.steps[-1] != self._taken:  # the last step, which was not copied
            self._copy()

    def stepped(self, optimizer: Optimizer) -> None:
        model = self._model()
        if model is not None:
            own = {id(p) for p in model.parameters()}
            if any(id(p) in own for group in optimizer.param_groups for p in group["params"]):
                self.note()

    def note(self) -> None:
        """Count a step and copy the parameters as they are now."""
        self._taken += 1
        if self._taken % self._every == 0:
            self._copy()
            if len(self.states) > self._most:
                del self.states[1::2], self.steps[1::2]
                self._every *= 2

    def _copy(self) -> None:
        model = self._model()
        if model is not None:
            self.states.append(state_of(model))
            self.steps.append(self._taken)


def state_of(model: Module) -> State:
    """Copies of parameters and buffers, by path."""
    return {path: t.array.copy() for path, t in (*model.named_parameters(), *model.named_buffers())}


@contextmanager
def undisturbed(model: Any, state: State | None = None) -> Iterator[None]:
    """Inside, the model evaluates (with the parameters of `state`, if given); afterwards it is as it was.

    It holds copies of its buffers meanwhile, no graph grows, and what it draws from the random stream is given back.
    """
    with no_grad(), fork_rng():
        if not isinstance(model, Module):
            yield
            return
        held = {path: b.array.copy() for path, b in model.named_buffers()} | (state or {})
        modes = [(m, m.training) for m in model.modules()]
        try:
            for m, _ in modes:
                m.training = False
            with replaced(model, {path: fresh(array) for path, array in held.items()}):
                yield
        finally:
            for m, was in modes:
                m.training = was


def array_of(values: Any) -> Array:
    """A tensor's values, or those of anything that NumPy takes."""
    return values.array if isinstance(values, Tensor) else np.asarray(values)
