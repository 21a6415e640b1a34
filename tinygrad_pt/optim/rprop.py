"""Steps whose sizes depend on the signs of the gradient alone: Rprop."""

# fmt: off
from __future__ import annotations

from typing import Any

import numpy as np
from numpy import maximum, minimum

from tinygrad_pt.errors import refuse
from tinygrad_pt.optim.optimizer import Optimizer, Options, ParamsT
from tinygrad_pt.tensor import Tensor

__all__ = ["Rprop"]


class Rprop(Optimizer):
    """Rprop: each element has a step size s, at first `lr`, and x ← x - s·sign(g).

    Before, s is multiplied by η₊ if g has the sign it had in the step before, and by η₋ if it has the other one; then
    g counts as 0 in this step and the next. (η₋, η₊) are `etas`, and s stays between the two `step_sizes`. The
    parameters may have any shape and floating dtype. Raises ValueError unless lr ≥ 0 and 0 < η₋ < 1 < η₊. Source:
    M. Riedmiller, H. Braun, A direct adaptive method for faster backpropagation learning: the RPROP algorithm, 1993.

    >>> x = torch.tensor([1.0, -200.0], requires_grad=True)
    >>> optimizer = torch.optim.Rprop([x], lr=0.1)
    >>> for _ in range(2):
    ...     optimizer.zero_grad(); (x * x).sum().backward(); optimizer.step()
    >>> x
    tensor([   0.7800, -199.7800], requires_grad=True)
    """

    keeps = {"prev": "", "step_size": ""}
    counts_steps = True
    nonnegative = ("lr",)

    def __init__(
        self, params: ParamsT, lr: float | Tensor = 1e-2, etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50), *, capturable: bool = False, foreach: bool | None = None,
        maximize: bool = False, differentiable: bool = False,
    ) -> None:
        super().__init__(params, {
            "lr": lr, "etas": etas, "step_sizes": step_sizes, "foreach": foreach, "maximize": maximize,
            "differentiable": differentiable, "capturable": capturable,
        })

    def _check(self, options: Options) -> None:
        """The common checks, and 0 < η₋ < 1 < η₊."""
        super()._check(options)
        down, up = options["etas"]
        if not 0.0 < down < 1.0 < up:
            raise refuse(ValueError, f"Invalid eta values: {down}, {up}")

    def first_value(self, name: str, x: np.ndarray, group: Options) -> np.ndarray:
        """The steps begin with lr, the gradient before the first with 0."""
        return np.full_like(x, float(group["lr"]) if name == "step_size" else 0)

    @staticmethod
    def rule(k: Any, x: np.ndarray, g: np.ndarray, before: np.ndarray, size: np.ndarray) -> None:
        """One step of x in place: gradient g, the one before, sizes of the steps."""
        down, up, least, most = k
        t = g * before
        turned = t < 0
        before[...] = g
        before[turned] = 0
        size[t > 0] *= up
        size[turned] *= down
        minimum(maximum(size, least, out=size), most, out=size)
        x -= size * (before > 0)
        x += size * (before < 0)

    def numbers(self, group: Options, t: float) -> tuple[float, ...]:
        """η₋, η₊, and the bounds of the sizes."""
        return *map(float, group["etas"]), *map(float, group["step_sizes"])
