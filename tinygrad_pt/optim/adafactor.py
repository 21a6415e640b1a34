"""Steps scaled by the squares of the gradient, of which only the means of rows and columns are kept: Adafactor."""

# fmt: off
from __future__ import annotations

from math import sqrt

import numpy as np

from tinygrad_pt.calling import F32, wrap
from tinygrad_pt.errors import refuse
from tinygrad_pt.inplace import touched
from tinygrad_pt.optim.adam import average
from tinygrad_pt.optim.optimizer import Due, Optimizer, Options, ParamsT, constants
from tinygrad_pt.tensor import Tensor

__all__ = ["Adafactor"]


class Adafactor(Optimizer):
    """Adafactor: for a matrix x with gradient g, w = t^`beta2_decay` and step count t,

    r ← r + w·(mean over columns of g² - r),  c ← c + w·(mean over rows of g² - c),  v = r·c / max(mean r, ε₁),

    u = g / √max(v, ε₁²),  x ← x - max(ε₂, rms x) · min(lr, 1/√t) · u / max(1, rms u / d).

    Of more dimensions the last two count; a vector keeps v ← v + w·(g² - v) itself. `eps` is (ε₁, ε₂), ε₁ = None the
    dtype's. `weight_decay` λ shrinks x by 1 - lr·λ first. The parameters may have any shape and floating dtype. Raises
    ValueError for options out of range. Source: N. Shazeer, M. Stern, Adafactor: adaptive learning rates with
    sublinear memory cost, ICML 2018.

    >>> x = torch.tensor([[1.0, -200.0]], requires_grad=True)
    >>> optimizer = torch.optim.Adafactor([x], lr=0.1)
    >>> (x * x).sum().backward(); optimizer.step(); x
    tensor([[ -13.1423, -185.8577]], requires_grad=True)
    """

    counts_steps = True

    def __init__(
        self, params: ParamsT, lr: float | Tensor = 1e-2, beta2_decay: float = -0.8,
        eps: tuple[float | None, float] = (None, 1e-3), d: float = 1.0, weight_decay: float = 0.0, *,
        foreach: bool | None = None, maximize: bool = False,
    ) -> None:
        super().__init__(params, {
            "lr": lr, "beta2_decay": beta2_decay, "eps": eps, "d": d, "weight_decay": weight_decay,
            "foreach": foreach, "maximize": maximize,
        })

    def _check(self, options: Options) -> None:
        """Raise ValueError for options out of range."""
        lr, (eps1, eps2), d = options["lr"], options["eps"], options["d"]
        if isinstance(lr, Tensor) and lr.array.size != 1:
            raise refuse(ValueError, "Tensor lr must be 1-element")
        if not lr >= 0.0:
            raise refuse(ValueError, f"Learning rate should be >= 0 but is: {lr}")
        if not options["beta2_decay"] <= 0.0:
            raise refuse(ValueError, f"beta2_decay should be <= 0 but is: {options['beta2_decay']}")
        if eps1 is not None and not eps1 >= 0.0:
            raise refuse(ValueError, f"epsilon1 should be >= 0 but is: {eps1}")
        if not eps2 >= 0.0:
            raise refuse(ValueError, f"epsilon2 should be >= 0 but is: {eps2}")
        if not d >= 1.0:
            raise refuse(ValueError, f"Clipping threshold d should be >= 1 but is: {d}")
        if not options["weight_decay"] >= 0.0:
            raise refuse(ValueError, f"weight_decay should be >= 0 but is: {options['weight_decay']}")

    def kept_shapes(self, p: Tensor) -> dict[str, tuple[int, ...]]:
        """The means of the rows and of the columns, or the squares of a vector."""
        shape = p.array.shape
        if len(shape) < 2:
            return {"variance": shape}
        return {"row_var": (*shape[:-1], 1), "col_var": (*shape[:-2], 1, shape[-1])}

    def _walk(self, group: Options, todo: Due) -> None:
        lr, decay, d = (float(group[name]) for name in ("lr", "weight_decay", "d"))
        for p, x, g in todo:
            state = self.state[p]
            if "step" not in state:
                state["step"] = wrap(np.zeros((), F32))
                for name, shape in self.kept_shapes(p).items():
                    state[name] = wrap(np.zeros(shape, x.dtype))
            clock = state["step"].array
            clock.fill(clock.item() + 1)
            t = clock.item()
            kind = constants(x.dtype).dtype
            value = x.astype(kind, copy=False)
            if decay:
                value = value * kind.type(1 - lr * decay)
            if x.size:
                eps1, eps2 = group["eps"]
                eps1 = float(np.finfo(x.dtype).eps) if eps1 is None else float(eps1)
                rms = float(np.linalg.norm(x.ravel().astype(kind, copy=False))) / sqrt(x.size)
                rate = max(float(eps2), rms) * min(lr, 1 / sqrt(t))
                g = g.astype(kind, copy=False)
                u = np.maximum(self._square(state, g, t ** float(group["beta2_decay"]), eps1), eps1 * eps1)
                u = g / np.sqrt(u)
                rate /= max(1.0, float(np.linalg.norm(u.ravel())) / (sqrt(u.size) * d))
                value = value + u * kind.type(rate if group["maximize"] else -rate)
            x[...] = value
            for _ in range(2 if decay else 1):
                touched(p)

    @staticmethod
    def _square(state: Options, g: np.ndarray, weight: float, eps1: float) -> np.ndarray:
        """The average square of the gradient, after its state has moved towards g² by a weight."""

        def moved(name: str, square: np.ndarray) -> np.ndarray:
            kept = state[name].array
            value = kept.astype(g.dtype)
            average(value, square, weight, 1 - weight if weight >= 0.5 else None)
            kept[...] = value
            return value

        square = g * g
        if g.ndim < 2:
            return moved("variance", square)
        row = moved("row_var", square.mean(-1, keepdims=True))
        column = moved("col_var", square.mean(-2, keepdims=True))
        return row * column / np.maximum(row.mean(-2, keepdims=True), eps1)
