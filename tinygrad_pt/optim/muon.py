"""Steps along the gradient's average, made orthogonal: Muon."""

# fmt: off
from __future__ import annotations

from math import sqrt

import numpy as np

from tinygrad_pt.calling import wrap
from tinygrad_pt.errors import refuse
from tinygrad_pt.inplace import touched
from tinygrad_pt.optim.adam import average
from tinygrad_pt.optim.optimizer import Due, Optimizer, Options, ParamsT, constants, scalar
from tinygrad_pt.tensor import Tensor

__all__ = ["Muon"]


def to_bfloat16(a: np.ndarray) -> np.ndarray:
    """Numbers rounded to the 8 significant bits of bfloat16, ties to even, as float32."""
    bits = np.ascontiguousarray(a, np.float32).view(np.uint32)
    rounded = ((bits + (0x7FFF + (bits >> 16 & 1))) & 0xFFFF0000).astype(np.uint32).view(np.float32)
    return np.where(np.isnan(a), np.float32(np.nan), rounded)


def orthogonal(g: np.ndarray, coefficients: tuple[float, float, float], steps: int, eps: float) -> np.ndarray:
    """Nearly U·Vᵀ of the singular value decomposition U·S·Vᵀ of a matrix, by Newton and Schulz's iteration.

    x ← a·x + (b·A + c·A²)·x with A = x·xᵀ, from g / ‖g‖, rounded to bfloat16 after each product as PyTorch does.
    """
    if steps >= 100:
        raise refuse(ValueError, "Number of steps must be less than 100 for computational efficiency")
    if len(coefficients) != 3:
        raise refuse(ValueError, "Coefficients must be a tuple of exactly 3 values")
    a, b, c = map(np.float32, coefficients)
    x = to_bfloat16(g.T if g.shape[0] > g.shape[1] else g)
    x = to_bfloat16(x / np.maximum(to_bfloat16(np.asarray(np.linalg.norm(x))), np.float32(eps)))
    for _ in range(steps):
        gram = to_bfloat16(x @ x.T)
        x = to_bfloat16(a * x + to_bfloat16(b * gram + c * (gram @ gram)) @ x)
    return x.T if g.shape[0] > g.shape[1] else x


class Muon(Optimizer):
    """Muon, for matrices: m ← μ·m + (1 - μ)·g,  x ← (1 - lr·λ)·x - lr·r·O(μ·m + (1 - μ)·g), with O(·) the nearest

    matrix whose singular values are near 1 (found by `ns_steps` steps of Newton and Schulz with `ns_coefficients`,
    from g / max(‖g‖, `eps`)), `momentum` μ, `weight_decay` λ; without `nesterov` x moves along O(m). r is
    √max(1, rows / columns), or 0.2·√max(rows, columns) if `adjust_lr_fn` is "match_rms_adamw". Raises ValueError for
    options out of range and for parameters that are no matrices. Source: K. Jordan et al., Muon: an optimizer for
    hidden layers in neural networks, 2024; J. Liu et al., Muon is scalable for LLM training, 2025.

    >>> x = torch.tensor([[3.0, 0.0], [0.0, -4.0]], requires_grad=True)
    >>> optimizer = torch.optim.Muon([x], lr=1.0, weight_decay=0.0)
    >>> (x * x).sum().backward(); optimizer.step(); x.detach().round(decimals=1)
    tensor([[ 2.3000,  0.0000],
            [ 0.0000, -2.9000]])
    """

    keeps = {"momentum_buffer": ""}

    def __init__(
        self, params: ParamsT, lr: float = 1e-3, weight_decay: float = 0.1, momentum: float = 0.95,
        nesterov: bool = True, ns_coefficients: tuple[float, float, float] = (3.4445, -4.775, 2.0315),
        eps: float = 1e-7, ns_steps: int = 5, adjust_lr_fn: str | None = None,
    ) -> None:
        super().__init__(params, {
            "lr": lr, "weight_decay": weight_decay, "momentum": momentum, "nesterov": nesterov,
            "ns_coefficients": ns_coefficients, "eps": eps, "ns_steps": ns_steps, "adjust_lr_fn": adjust_lr_fn,
        })
        for group in self.param_groups:
            for p in group["params"]:
                if p.array.ndim != 2:
                    text = "Muon only supports 2D parameters whereas we found a parameter with size: "
                    raise refuse(ValueError, f"{text}{p.shape}")

    def _check(self, options: Options) -> None:
        """Raise ValueError for options out of range."""
        lr, adjust = options["lr"], options["adjust_lr_fn"]
        if isinstance(lr, Tensor) and lr.array.size != 1:
            raise refuse(ValueError, "Tensor lr must be 1-element")
        if not lr >= 0.0:
            raise refuse(ValueError, f"Learning rate should be >= 0 but is: {lr}")
        if not options["momentum"] >= 0.0:
            raise refuse(ValueError, f"momentum should be >= 0 but is: {options['momentum']}")
        if not options["weight_decay"] >= 0.0:
            raise refuse(ValueError, f"weight decay should be >= 0 but is: {options['weight_decay']}")
        if adjust not in (None, "original", "match_rms_adamw"):
            raise refuse(ValueError, f"Adjust learning rate function {adjust} is not supported")

    def _walk(self, group: Options, todo: Due) -> None:
        decay, momentum = float(group["weight_decay"]), float(group["momentum"])
        lr = scalar(group["lr"])
        steady = group["ns_coefficients"], group["ns_steps"], float(group["eps"])
        for p, x, g in todo:
            state = self.state[p]
            if "momentum_buffer" not in state:
                state["momentum_buffer"] = wrap(np.zeros_like(x))
            buffer, kind = state["momentum_buffer"].array, constants(x.dtype).dtype
            g = g.astype(kind)
            m = buffer.astype(kind)
            average(m, g, 1 - momentum, momentum if momentum <= 0.5 else None)
            buffer[...] = m
            if group["nesterov"]:
                average(g, m, momentum, 1 - momentum if momentum >= 0.5 else None)
                m = g
            rows, columns = x.shape
            wide = 0.2 * sqrt(max(rows, columns)) if group["adjust_lr_fn"] == "match_rms_adamw" else None
            rate = lr * (sqrt(max(1, rows / columns)) if wide is None else wide) if x.size else 0.0
            value = x.astype(kind, copy=False) * kind.type(1 - lr * decay)
            x[...] = value - orthogonal(m, *steady).astype(kind, copy=False) * kind.type(rate)
            touched(p)
            touched(p)  # twice, as PyTorch
