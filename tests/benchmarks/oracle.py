"""PyTorch's function for every differentiable op of the table: what says, independently, which gradient is right."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np


class _OnDemand:
    """A module that is imported when it is first used: this file is read where PyTorch is not installed too."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __getattr__(self, attribute: str) -> Any:
        return getattr(import_module(self.name), attribute)


torch: Any = _OnDemand("torch")
F: Any = _OnDemand("torch.nn.functional")


def _axis(axis: Any) -> Any:
    return axis if axis is None or isinstance(axis, int) else list(axis)


def _reduce(name: str) -> Any:
    def reduce(a: Any, axis: Any = None, keepdims: bool = False, **more: Any) -> Any:
        return getattr(torch, name)(
            a, dim=list(range(a.ndim)) if axis is None else _axis(axis), keepdim=keepdims, **more
        )

    return reduce


def _norm(a: Any, axis: Any, keepdims: bool) -> Any:
    return torch.linalg.vector_norm(a, 2, None if axis is None else _axis(axis), keepdims)


def _prod_but_one(a: Any) -> Any:
    rows = [torch.cat([a[..., :i], a[..., i + 1 :]], -1).prod(-1) for i in range(a.shape[-1])]
    return torch.stack(rows, -1)


def _index(index: Any) -> Any:
    return tuple(torch.as_tensor(i) if isinstance(i, np.ndarray) else i for i in index)


def _scatter(a: Any, shape: Any, index: Any) -> Any:
    places = torch.arange(int(np.prod(shape))).reshape(shape)[_index(index)]
    return torch.zeros(int(np.prod(shape)), dtype=a.dtype).index_add(0, places.ravel(), a.ravel()).reshape(shape)


def _reduced(a: Any, b: Any, index: Any, reduce: str) -> Any:
    places = torch.arange(a.numel()).reshape(a.shape)[_index(index)].ravel()
    return a.ravel().scatter_reduce(0, places, b.ravel(), reduce).reshape(a.shape)


def _decayed(a: Any, b: Any) -> Any:
    found = [a[..., 0]]
    for k in range(1, a.shape[-1]):
        found.append(a[..., k] + b[..., k].exp() * found[-1])
    return torch.stack(found, -1)


def _sum_to(a: Any, shape: Any) -> Any:
    return a.sum_to_size(shape)


def _put(a: Any, b: Any, index: Any) -> Any:
    y = a.clone()
    y[_index(index)] = b
    return y


def _overwrite(a: Any, b: Any, path: Any) -> Any:
    y = a.clone()
    places = np.arange(a.numel()).reshape(a.shape)
    for op, attrs in path:
        places = op.forward(places, **attrs)
    flat = torch.as_tensor(np.ravel(places).copy())
    return y.ravel().index_put((flat,), b.broadcast_to(places.shape).ravel()).reshape(a.shape)


def _pad(a: Any, widths: Any, value: float) -> Any:
    return F.pad(a, [n for pair in reversed(widths) for n in pair], value=value)


def _crop(a: Any, widths: Any) -> Any:
    return F.pad(a, [-n for pair in reversed(widths) for n in pair])


def _undiagonal(a: Any, k: int, axis0: int, axis1: int, shape: Any) -> Any:
    return torch.diagonal_scatter(torch.zeros(shape, dtype=a.dtype), a, k, axis0, axis1)


def _picked(a: Any, b: Any, axis: int) -> Any:
    return a.gather(axis, b.unsqueeze(axis)).squeeze(axis)


def _unpick(a: Any, b: Any, classes: int, axis: int, ignore: int) -> Any:
    shape = list(b.shape)
    shape.insert(axis, classes)
    used = torch.where(b == ignore, 0.0, a)
    return torch.zeros(shape, dtype=a.dtype).scatter(
        axis, torch.where(b == ignore, 0, b).unsqueeze(axis), used.unsqueeze(axis)
    )


def _pick(a: Any, b: Any, axis: int, ignore: int) -> Any:
    return torch.where(b == ignore, 0.0, _picked(a, torch.where(b == ignore, 0, b), axis))


def _nll(a: Any, b: Any, c: Any, axis: int, ignore: int, reduction: str) -> Any:
    losses = -_pick(a, b, axis, ignore) * c
    return losses if reduction == "none" else losses.sum()


def _softened(a: Any, b: Any, reduction: str, beta: float) -> Any:
    return F.smooth_l1_loss(a, b, reduction=reduction, beta=beta)


def _fold(a: Any, axis: int, step: int, shape: Any) -> Any:
    y = torch.zeros(shape, dtype=a.dtype)
    for k in range(a.shape[-1]):
        y = y.index_add(axis, torch.arange(k, k + step * a.shape[axis], step), a[..., k])
    return y


def _below(*factors: Any) -> Any:
    return torch.cat(factors, -2)


def _svd(a: Any) -> Any:
    u, s, v = torch.linalg.svd(a, full_matrices=False)
    return _below(u, s.unsqueeze(-2), v.mT)


def _qr(a: Any) -> Any:
    q, r = torch.linalg.qr(a)
    return _below(q, r.mT)


def _eigh(a: Any, uplo: str) -> Any:
    values, v = torch.linalg.eigh(a, uplo)
    return _below(values.unsqueeze(-2), v)


def _cofactors(a: Any) -> Any:
    if not a.requires_grad:
        a = a.detach().requires_grad_()
    return torch.autograd.grad(torch.linalg.det(a).sum(), a, create_graph=True)[0]


def _orthogonal(a: Any) -> Any:
    u, _, v = torch.linalg.svd(a, full_matrices=False)
    return u @ v


def _normal(a: Any, w: Any = 1, b: Any = 0, *, axis: Any, eps: float, like: Any = None) -> Any:
    w, b = (x.reshape(like) if like and not isinstance(x, int) else x for x in (w, b))
    scale = (a.var(axis, correction=0, keepdim=True) + eps).rsqrt()
    return (a - a.mean(axis, True)) * scale * w + b


def _add_rows(a: Any, b: Any, rows: int) -> Any:
    shape = a.shape[b.ndim :]
    return torch.zeros((rows, *shape), dtype=a.dtype).index_add(0, b.ravel(), a.reshape(b.numel(), *shape))


def _add_along(a: Any, axis: int, index: Any, size: int) -> Any:
    shape = (*a.shape[:axis], size, *a.shape[axis + 1 :])
    return torch.zeros(shape, dtype=a.dtype).index_add(axis, torch.tensor(index), a)


def _matrix(index: Any, weight: Any, size: int) -> Any:
    y = np.zeros((len(index), size))
    np.add.at(y, (np.arange(len(index))[:, None], index), weight)
    return torch.tensor(y)


def _resample(a: Any, axis: int, index: Any, weight: Any) -> Any:
    return torch.tensordot(_matrix(index, weight, a.shape[axis]), a, ([1], [axis])).movedim(0, axis)


def _unresample(a: Any, axis: int, index: Any, weight: Any, size: int) -> Any:
    return torch.tensordot(_matrix(index, weight, size).T, a, ([1], [axis])).movedim(0, axis)


FUNCTIONS: dict[str, Any] = {
    "one_minus_square": lambda a: 1 - a * a, "secant": lambda a: (1 + a * a).rsqrt(),
    "agnesi": lambda a: 1 / (1 + a * a), "wide_sigmoid": lambda a: torch.sigmoid(a),
    "cosine": lambda a, b: a / (a * a + b * b).sqrt(), "inversion": lambda a, b: a / (a * a + b * b),
    "sech": lambda a: 1 / torch.cosh(a), "wide_tanh": lambda a: torch.tanh(a),
    "tanhshrink": lambda a: F.tanhshrink(a), "softsign": lambda a: F.softsign(a),
    "gauss": lambda a, c: torch.exp(-c * a * a), "normal": lambda a: torch.special.ndtr(a),
    "gelu": lambda a: torch.nn.functional.gelu(a),
    "gelu_slope": lambda a: torch.special.ndtr(a) + a * torch.exp(-a * a / 2) * 0.3989422804014327,
    "unfold": lambda a, axis, size, step: a.unfold(axis, size, step), "unfold_backward": _fold,
    "singular_sum": lambda a: torch.linalg.svdvals(a).sum(-1), "orthogonal_factor": _orthogonal,
    "zero": lambda a: a * 0, "clamp": lambda a, low, high: torch.clamp(a, low, high), "power": lambda a, n: a**n,
    "log_sigmoid": lambda a: F.logsigmoid(a), "cast": lambda a, dtype: a.double(),
    "copy": lambda a, b: b.broadcast_to(a.shape).clone(),
    "reshape": lambda a, shape: a.reshape(shape), "unsqueeze": lambda a, axis: a.unsqueeze(axis),
    "squeeze": lambda a, axis: a.squeeze(axis), "permute": lambda a, axes: a.permute(axes),
    "transpose": lambda a, axis0, axis1: a.transpose(axis0, axis1), "t": lambda a: a.mT if a.ndim > 1 else a,
    "flip": lambda a, axis: a.flip(axis), "expand": lambda a, shape: a.broadcast_to(shape), "sum_to": _sum_to,
    "cat": lambda *xs, axis, edges: torch.cat(xs, axis), "stack": lambda *xs, axis: torch.stack(xs, axis),
    "narrow": lambda a, axis, start, length: a.narrow(axis, start, length),
    "select": lambda a, axis, index: a.select(axis, index), "pad": _pad, "crop": _crop,
    "split": lambda a, sizes, axis: a.split(sizes, axis), "unbind": lambda a, axis: a.unbind(axis),
    "tril": lambda a, k: a.tril(k), "triu": lambda a, k: a.triu(k),
    "diagonal": lambda a, k, axis0, axis1: a.diagonal(k, axis0, axis1), "undiagonal": _undiagonal,
    "sum": _reduce("sum"), "mean": _reduce("mean"), "var": _reduce("var"), "std": _reduce("std"),
    "norm": _norm, "pnorm": lambda a, axis, keepdims, p: torch.linalg.vector_norm(
        a, p, None if axis is None else _axis(axis), keepdims
    ),
    "sigmoid_error": lambda a, b: torch.sigmoid(a) - b, "xlogx": lambda a: a * torch.log(a),
    "odds_error": lambda a, b: (a - b) / (a * (1 - a)), "amax": _reduce("amax"),
    "amin": _reduce("amin"), "cumsum": lambda a, axis: a.cumsum(axis), "prod": lambda a: a.prod(-1),
    "cumprod": lambda a: a.cumprod(-1), "product_of_others": _prod_but_one, "logsumexp": _reduce("logsumexp"),
    "softmax": lambda a, axis: a.softmax(axis), "log_softmax": lambda a, axis: a.log_softmax(axis),
    "bmm": lambda a, b: a @ b, "linear": lambda *xs: F.linear(*xs), "sum_rows": lambda a: a.sum(0),
    "einsum": lambda *xs, terms, out: torch.einsum(",".join(terms) + "->" + out, *xs),
    "getitem": lambda a, index: a[_index(index)], "scatter_add": _scatter, "index_put": _put, "overwrite": _overwrite,
    "mse_loss": lambda a, b, reduction: F.mse_loss(a, b, reduction=reduction), "smooth_l1_loss": _softened,
    "binary_cross_entropy": lambda a, b, reduction: F.binary_cross_entropy(a, b, reduction=reduction),
    "huber_loss": lambda a, b, delta, reduction: F.huber_loss(a, b, reduction=reduction, delta=delta),
    "binary_cross_entropy_with_logits": lambda a, b, reduction: F.binary_cross_entropy_with_logits(
        a, b, reduction=reduction
    ),
    "scale": lambda a, n: a * 2.0**n, "as_strided": lambda a, geometry, origin: a.as_strided(*geometry),
    "scatter_extreme": lambda a, b, index, largest: _reduced(a, b, index, "amax" if largest else "amin"),
    "scatter_prod": lambda a, b, index: _reduced(a, b, index, "prod"), "decayed": _decayed,
    "logcumsumexp": lambda a: a.logcumsumexp(-1),
    "inverse": lambda a: torch.linalg.inv(a), "solution": lambda a, b: torch.linalg.solve(a, b),
    "det": lambda a: torch.linalg.det(a), "cofactors": _cofactors, "eigh": _eigh, "svd": _svd, "qr": _qr,
    "log_abs_det": lambda a: torch.linalg.slogdet(a)[1], "cholesky": lambda a: torch.linalg.cholesky(a),
    "lu": lambda a: torch.linalg.lu_factor(a, pivot=False)[0], "pinv": lambda a, **how: torch.linalg.pinv(a, **how),
    "polygamma": lambda a, n: torch.polygamma(n, a),
    "zeta": lambda a, s: torch.special.zeta(s, a),
    "igamma": lambda a, s: torch.igamma(torch.tensor(s), a), "igammac": lambda a, s: torch.igammac(torch.tensor(s), a),
    "xlog1py": lambda a, b: torch.special.xlog1py(a, b),
    **{n: lambda a, n=n: getattr(torch.special, n)(a) for n in ("erfcx", "i0e", "i1", "i1e", "log_ndtr", "ndtri")},
    "pick_class": _pick, "unpick_class": _unpick, "nll_loss": _nll,
    "sum_along": lambda a, axis: a.sum(axis, True), "dot_along": lambda a, b, axis: (a * b).sum(axis, True),
    "combine": lambda a, b, c, d, e, f=1: a * c * f + b * d + e,
    "sum_weighted": lambda a, b, axis: (a * b).sum(axis, True), "mean_of": lambda a, axis: a.mean(axis, True),
    "scale_of": lambda a, axis, eps: (a.var(axis, correction=0, keepdim=True) + eps).rsqrt(), "normalize": _normal,
    "pick_along": lambda a, axis, index: a.index_select(axis, torch.tensor(index)), "add_along": _add_along,
    "resample": _resample, "unresample": _unresample,
    "take_rows": lambda a, b: a[b], "add_rows": _add_rows,
}  # fmt: skip
"""By op, where PyTorch's name or words are others than the table's."""


def function(op: str) -> Any:
    """PyTorch's function of tensors that computes what an op computes."""
    return FUNCTIONS.get(op) or getattr(torch, op)


def vjp(op: str, args: list[Any], attrs: dict[str, Any], slots: list[int], g: Any) -> list[Any]:
    """The gradients of Σ g·op(*args) by the arguments in `slots`, according to PyTorch."""
    xs = [torch.tensor(a) if isinstance(a, np.ndarray) else a for a in args]
    for i in slots:
        xs[i].requires_grad_()
    y = function(op)(*xs, **attrs)
    flat = torch.cat([part.ravel() for part in y]) if isinstance(y, (tuple, list)) else y
    if not flat.requires_grad:
        return [np.zeros(xs[i].shape) for i in slots]
    found = torch.autograd.grad(flat, [xs[i] for i in slots], torch.tensor(g), allow_unused=True)
    return [np.zeros(xs[i].shape) if r is None else r.numpy() for i, r in zip(slots, found, strict=True)]


def vjp2(op: str, args: list[Any], attrs: dict[str, Any], slots: list[int], g: Any, gg: Any) -> list[Any]:
    """The gradients of Σ ggᵢ·vjpᵢ by g and by the arguments in `slots`, according to PyTorch."""
    xs = [torch.tensor(a) if isinstance(a, np.ndarray) else a for a in args]
    for i in slots:
        xs[i].requires_grad_()
    seed = torch.tensor(g, requires_grad=True)
    wanted = [xs[i] for i in slots]
    first = torch.autograd.grad(function(op)(*xs, **attrs), wanted, seed, create_graph=True)
    seeds = [torch.tensor(v) for v in gg]
    found = torch.autograd.grad(first, [seed, *wanted], seeds, allow_unused=True)
    return [np.zeros(x.shape) if r is None else r.numpy() for x, r in zip([seed, *wanted], found, strict=True)]
