"""The law of half precision for the public functions: in half each is itself in float32, rounded once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_pt as torch
import tinygrad_pt.nn.functional as F
from tests.ops.test_half import rounded, ulps

T = torch.Tensor
UNARY = """
exp expm1 exp2 sin cos tan atan sinh cosh tanh asinh sigmoid erf square abs neg sign floor ceil trunc round frac deg2rad
rad2deg sgn relu positive sum mean var std norm amax amin max min median nansum clone logical_not isnan count_nonzero
""".split()
POSITIVE = "sqrt rsqrt log log2 log10 log1p reciprocal".split()
BINARY = """
add sub mul div atan2 hypot logaddexp maximum minimum fmod remainder floor_divide rsub float_power eq lt logical_or
dot outer inner vdot true_divide
""".split()
ACTIVATIONS = """
relu relu6 hardtanh leaky_relu elu selu celu softplus silu mish gelu logsigmoid hardsigmoid hardswish softsign
tanhshrink hardshrink softshrink
""".split()
CALLS: dict[str, Callable[[T, T], Any]] = {
    **{name: lambda a, b, name=name: getattr(torch, name)(a) for name in UNARY},
    **{name: lambda a, b, name=name: getattr(torch, name)(b) for name in POSITIVE},
    **{name: lambda a, b, name=name: getattr(torch, name)(a, b) for name in BINARY},
    **{f"F.{name}": lambda a, b, name=name: getattr(F, name)(a) for name in ACTIVATIONS},
    "in place": lambda a, b: F.elu(a.clone(), inplace=True),
    "round to a decimal": lambda a, b: torch.round(a, decimals=1),
    "add times alpha": lambda a, b: torch.add(a, b, alpha=0.3),
    "sub times alpha": lambda a, b: torch.sub(a, b, alpha=0.3),
    "lerp": lambda a, b: torch.lerp(a, b, 0.3),
    "lerp with weights": lambda a, b: torch.lerp(a, b, b),
    "addcmul": lambda a, b: torch.addcmul(a, a, b, value=0.3),
    "addcdiv": lambda a, b: torch.addcdiv(a, a, b, value=0.3),
    "clamp": lambda a, b: torch.clamp(a, -0.3, 1.1),
    "norm of order 3": lambda a, b: a.norm(3),
    "norm of order 1": lambda a, b: a.norm(1),
    "cumsum": lambda a, b: a.cumsum(0),
    "cumprod": lambda a, b: a.cumprod(0),
    "prod": lambda a, b: a.prod(),
    "logsumexp": lambda a, b: a.logsumexp(0),
    "softmax": lambda a, b: F.softmax(a, 0),
    "log_softmax": lambda a, b: F.log_softmax(a, 0),
    "gelu by tanh": lambda a, b: F.gelu(a, approximate="tanh"),
    "glu": lambda a, b: F.glu(a),
    "prelu": lambda a, b: F.prelu(a, b[:1]),
    "threshold": lambda a, b: F.threshold(a, 0.1, 0.3),
    "pow": lambda a, b: torch.pow(b, a),
    "power of a number": lambda a, b: b**1.7,
    "number to a power": lambda a, b: 2.3**a,
    "number minus it": lambda a, b: 0.1 - a,
    "over a number": lambda a, b: a / 0.3,
    "number over it": lambda a, b: 0.3 / b,
    "matmul": lambda a, b: a.reshape(8, 8) @ b.reshape(8, 8),
    "addmm": lambda a, b: torch.addmm(a.reshape(8, 8), b.reshape(8, 8), a.reshape(8, 8), beta=0.3, alpha=0.7),
    "einsum": lambda a, b: torch.einsum("ij,kj->i", a.reshape(8, 8), b.reshape(8, 8)),
    "linear": lambda a, b: F.linear(a.reshape(8, 8), b.reshape(8, 8), b[:8]),
    "bilinear": lambda a, b: F.bilinear(a.reshape(32, 2), b.reshape(32, 2), a[:8].reshape(2, 2, 2), b[:2]),
    "scatter_add": lambda a, b: a.scatter_add(0, torch.zeros(64, dtype=torch.int64), b),
    "index_add": lambda a, b: a.index_add(0, torch.zeros(64, dtype=torch.int64), b, alpha=0.3),
    "cosine_similarity": lambda a, b: F.cosine_similarity(a.reshape(8, 8), b.reshape(8, 8)),
    "normalize": lambda a, b: F.normalize(a.reshape(8, 8), p=3.0),
    "pairwise_distance": lambda a, b: F.pairwise_distance(a.reshape(8, 8), b.reshape(8, 8)),
    "mse_loss": F.mse_loss,
    "huber_loss": lambda a, b: F.huber_loss(a, b, delta=0.3),
    "smooth_l1_loss": lambda a, b: F.smooth_l1_loss(a, b, beta=0.3),
    "bce": lambda a, b: F.binary_cross_entropy(torch.sigmoid(a).detach() * 0.5, b / 3),
    "bce with logits": lambda a, b: F.binary_cross_entropy_with_logits(a, b / 3),
    "bce with weights of classes": lambda a, b: F.binary_cross_entropy_with_logits(
        a, b, pos_weight=b, reduction="none"
    ),
    "poisson_nll_loss": lambda a, b: F.poisson_nll_loss(a, b, reduction="none", full=True),
    "gaussian_nll_loss": lambda a, b: F.gaussian_nll_loss(a, b, b, reduction="none"),
    "kl_div": lambda a, b: F.kl_div(a, b, reduction="none"),
    "kl_div of logarithms": lambda a, b: F.kl_div(a, b, reduction="none", log_target=True),
    "cosine_embedding_loss": lambda a, b: F.cosine_embedding_loss(
        a.reshape(8, 8), b.reshape(8, 8), b[:8].sign().detach(), reduction="none"
    ),
    "triplet_margin_loss": lambda a, b: F.triplet_margin_loss(*a.reshape(4, 4, 4)[:3], reduction="none", swap=True),
    "cross_entropy": lambda a, b: F.cross_entropy(a.reshape(1, 64), torch.tensor([3])),
    "smoothed cross_entropy": lambda a, b: F.cross_entropy(a.reshape(8, 8), torch.arange(8), label_smoothing=0.3),
}


def values(seed: int, dtype: Any) -> tuple[T, T]:
    draw = np.random.default_rng(seed)
    a, b = draw.uniform(-3, 3, 64).astype(np.float16), draw.uniform(0.1, 3, 64).astype(np.float16)
    return torch.tensor(a).to(dtype).requires_grad_(), torch.tensor(b).to(dtype).requires_grad_()


@pytest.mark.parametrize("name", CALLS)
def test_a_function_of_halves_is_that_of_float32_rounded(name: str) -> None:
    for seed in range(4):
        y, wide = CALLS[name](*values(seed, torch.float16)), CALLS[name](*values(seed, torch.float32))
        assert y.dtype in (torch.float16 if wide.dtype is torch.float32 else wide.dtype, torch.float64)
        if y.dtype is torch.float16:
            # where a function divides or compares what another one has rounded, the two differ by a digit
            assert ulps(y.detach().numpy(), rounded(wide.detach().numpy())) <= 1
