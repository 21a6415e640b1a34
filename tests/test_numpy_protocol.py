"""NumPy's functions on tensors: NumPy's values, with the gradient kept; what is not covered is refused by name."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_pt as torch
from tinygrad_pt.compat import numpy_protocol
from tinygrad_pt.compat.numpy_protocol import ARRAY_FUNCTIONS, covered

A = np.array([[0.5, -1.25, 2.0], [3.0, 0.25, -0.75]])
B = np.array([[1.5, 0.5, -2.0], [0.75, 2.5, 1.0]])
CALLS = """
np.sin(x); np.exp(x); np.abs(x); np.absolute(x); np.tanh(x); np.square(x); np.negative(x); np.arctan(x); np.sign(x)
np.add(x, y); np.subtract(x, 2); np.multiply(3.0, x); np.divide(x, y); np.power(np.abs(x), 1.5); np.maximum(x, 1.0)
np.minimum(x, y); np.hypot(x, y); np.arctan2(x, y); np.logaddexp(x, y); np.heaviside(x, 0.5); np.floor(x); np.rint(x)
np.isnan(x); np.isfinite(x); np.greater(x, y); np.equal(x, x); np.logical_and(x > 0, y > 0)
np.float_power(np.abs(x), 2)
np.remainder(x, 2.0); np.fmod(x, 2.0); np.floor_divide(x, 2.0); np.copysign(x, y); np.cbrt(np.abs(x)); np.degrees(x)
np.add.reduce(x); np.add.reduce(x, axis=1); np.multiply.reduce(x, axis=0, keepdims=True); np.maximum.reduce(x, axis=1)
np.add.accumulate(x, axis=1); np.multiply.outer(x[0], y[1]); np.exp(x, dtype=np.float64); np.matmul(x, y.T)
np.sum(x); np.sum(x, axis=0); np.sum(x, 1, keepdims=True); np.sum(x, axis=(0, 1)); np.mean(x); np.mean(x, axis=1)
np.prod(x); np.prod(x, axis=(0, 1)); np.max(x); np.amax(x, axis=1); np.min(x, axis=0, keepdims=True); np.ptp(x, axis=1)
np.all(x > 0); np.any(x > 0, axis=0); np.argmax(x); np.argmin(x, axis=1); np.var(x); np.var(x, axis=0, ddof=1)
np.std(x, axis=1); np.median(x); np.median(x, axis=0); np.percentile(x, 30); np.quantile(x, [0.25, 0.5], axis=1)
np.average(x, axis=0, weights=[1.0, 3.0]); np.average(x, weights=np.abs(y)); np.cumsum(x); np.cumsum(x, axis=1)
np.cumprod(x, axis=0); np.count_nonzero(x > 0); np.nansum(x); np.nanmax(x, axis=0); np.nanmin(x); np.nanmean(x)
np.reshape(x, (3, 2)); np.ravel(x); np.transpose(x); np.transpose(x[None], (1, 2, 0)); np.swapaxes(x, 0, 1)
np.moveaxis(x[None], 0, -1); np.expand_dims(x, (0, 2)); np.squeeze(x[None]); np.squeeze(x[None], axis=0)
np.broadcast_to(x, (2, 2, 3)); np.broadcast_arrays(x, y[0]); np.concatenate([x, y]); np.concatenate([x, B], axis=None)
np.stack([x, y], axis=-1); np.vstack([x, y]); np.hstack([x, y]); np.dstack([x, y]); np.column_stack([x[0], y[1]])
np.atleast_2d(x[0]); np.atleast_1d(x[0], y[0]); np.split(x, 3, axis=1); np.array_split(x, 2, axis=1); np.tile(x, (2, 1))
np.split(x, [1, 2], axis=1); np.repeat(x, 2); np.repeat(x, [1, 2], axis=0); np.flip(x); np.flip(x, 1); np.fliplr(x)
np.flipud(x); np.roll(x, 1); np.roll(x, (1, 1), (0, 1)); np.rot90(x); np.where(x > 0, x, 0.0); np.where(x > 0)
np.nonzero(x > 0); np.flatnonzero(x > 0); np.argwhere(x > 0); np.clip(x, -1, 1); np.clip(x, None, y); np.take(x, [0, 4])
np.take(x, [2, 0], axis=1); np.take_along_axis(x, np.argsort(x, axis=1), axis=1); np.pad(x, 1); np.append(x, y, axis=0)
np.pad(x, ((0, 1), (2, 0)), constant_values=3.0); np.copy(x); np.sort(x); np.sort(x, axis=None); np.argsort(x, axis=0)
np.unique(np.round(x)); np.searchsorted(np.sort(x[0]), [0.0, 1.0]); np.diff(x); np.diff(x, axis=0); np.trapezoid(x)
np.isin(np.round(x), [2.0, 3.0]); np.diag(x[0]); np.diag(x); np.diagonal(x, 1); np.trace(x); np.tril(x); np.triu(x, 1)
np.meshgrid(x[0], y[1]); np.meshgrid(x[0], y[1], indexing="ij"); np.zeros_like(x); np.ones_like(x); np.full_like(x, 2.5)
np.dot(x, y.T); np.dot(x[0], y[0]); np.dot(2.0, x); np.vdot(x, y); np.inner(x, y); np.outer(x[0], y[0])
np.tensordot(x, y, axes=([0, 1], [0, 1])); np.tensordot(x, y.T, 1); np.einsum("ij,kj->ik", x, y); np.einsum("ij->", x)
np.round(x); np.round(x, 1); np.fix(x); np.nan_to_num(x); np.isclose(x, y); np.real(x); np.linalg.norm(x)
np.linalg.inv(x @ x.T); np.linalg.det(x @ x.T); np.linalg.slogdet(x @ x.T)[1]; np.linalg.solve(x @ x.T, x)
np.linalg.cholesky(x @ x.T); np.linalg.qr(x); np.linalg.eigvalsh(x @ x.T); np.linalg.svd(x, full_matrices=False)
np.linalg.pinv(x); np.linalg.matrix_power(x @ x.T, 2); np.linalg.multi_dot([x, x.T, x]); np.linalg.cross(x, y)
np.linalg.norm(x, axis=1); np.permute_dims(x); np.concat([x, y]); np.matrix_transpose(x); np.bincount(np.argsort(x[0]))
np.allclose(x, x); np.array_equal(x, y); np.shape(x); np.ndim(x); np.size(x); np.result_type(x, np.float64)
np.iscomplexobj(x); np.may_share_memory(x, x); np.modf(x); np.divmod(x, 2.0); B * x; x * B; B - x; B / x; B < x; B == x
2.0 * x; np.float64(2.0) * x; np.float64(2.0) ** x; x + np.float64(1.0); B @ x.T
"""
LINES = [line.strip() for row in CALLS.strip().splitlines() for line in row.split(";")]


def values(result: Any) -> Any:
    """A result as arrays."""
    if isinstance(result, torch.Tensor):
        return result.detach().numpy()
    return tuple(map(values, result)) if isinstance(result, (tuple, list)) else result


@pytest.mark.parametrize("line", LINES)
def test_values_are_those_of_numpy_and_the_gradient_is_kept(line: str) -> None:
    x, y = (torch.tensor(a, requires_grad=True) for a in (A, B))
    ours = eval(line, {"np": np, "x": x, "y": y, "B": B})
    theirs = eval(line, {"np": np, "x": A, "y": B, "B": B})
    if isinstance(theirs, (tuple, list)) and not isinstance(ours, torch.Size):
        assert len(ours) == len(theirs)
        for a, b in zip(values(ours), theirs, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12)
    elif isinstance(theirs, (np.ndarray, np.generic)):
        assert isinstance(ours, (torch.Tensor, bool, np.generic))
        np.testing.assert_allclose(values(ours), theirs, rtol=1e-12)
        assert np.shape(values(ours)) == theirs.shape
    else:
        assert ours == theirs
    first = ours[0] if isinstance(ours, (tuple, list)) and not isinstance(ours, torch.Size) else ours
    flat = any(word in line for word in ("_like", "unique", "floor_divide", "heaviside", "divmod"))  # as in PyTorch
    if isinstance(first, torch.Tensor) and first.is_floating_point() and not flat:
        assert first.requires_grad, line


def test_gradients_are_right() -> None:
    x = torch.tensor(A, requires_grad=True)
    np.sum(np.sin(x) * np.exp(x) + np.concatenate([x[:1], x[1:]]) ** 2).backward()
    np.testing.assert_allclose(x.grad, np.exp(A) * (np.sin(A) + np.cos(A)) + 2 * A)


@pytest.mark.parametrize(
    "line, name",
    [
        ("np.fft.fft(x)", "np.fft.fft"), ("np.convolve(x[0], x[1])", "np.convolve"),
        ("np.add.at(x, 0, 1)", "np.add.at"),
        ("np.interp(x[0], x[1], x[1])", "np.interp"), ("np.add.reduceat(x, [0, 1])", "np.add.reduceat"),
        ("np.bitwise_count(x)", "np.bitwise_count"), ("np.polyfit(x[0], x[1], 1)", "np.polyfit"),
        ("np.add(x, x, where=B > 0)", "np.add"), ("np.pad(x, 1, mode='wrap')", "np.pad"),
    ],
)  # fmt: skip
def test_what_is_not_covered_is_refused_by_name(line: str, name: str) -> None:
    for x in (torch.tensor(A), torch.tensor(A, requires_grad=True)):
        with pytest.raises(TypeError, match=rf"^{name}.* is not covered for tensors\n  mend: .*\.numpy\(\)") as caught:
            eval(line, {"np": np, "x": x, "B": B})
        assert caught.value.__cause__ is None


def test_writing_into_an_array() -> None:
    a = b = np.ones(2)
    a += torch.ones(2)
    assert a is b and a.tolist() == [2.0, 2.0]
    with pytest.raises(TypeError, match=r"np.add\(out=\.\.\.\) cannot write a tensor that requires grad into an array"):
        a += torch.ones(2, requires_grad=True)
    t = torch.ones(2)
    assert np.multiply(t, 3.0, out=t) is t and t.tolist() == [3.0, 3.0] and t._version == 1


def test_dtypes_are_pytorch_s() -> None:
    x, whole = torch.ones(2), torch.tensor([1, 2])
    assert np.sin(whole).dtype is torch.float32 and (np.float64(2) * x).dtype is torch.float32
    assert (np.ones(2) * x).dtype is torch.float64 and np.mean(x).dtype is torch.float32
    assert np.maximum(whole, 1).dtype is torch.int64 and np.sum(x, dtype=np.float64).dtype is torch.float64


def test_plain_arrays_and_other_classes() -> None:
    x = torch.ones(2)
    assert np.asarray(x) is not x and np.shares_memory(np.asarray(x), x)
    assert np.array([torch.tensor(1.0), torch.tensor(2.0)]).tolist() == [1.0, 2.0]
    assert isinstance(np.multiply(np.ones(2), torch.nn.Parameter(x)), torch.Tensor)
    np.testing.assert_allclose(x, np.ones(2))
    np.testing.assert_array_equal(np.ones(2), x)


def test_libraries_get_arrays() -> None:
    namespace: dict[str, Any] = {"__name__": "matplotlib.somewhere", "np": np}
    exec("def ask(x):\n    return np.atleast_1d(x), np.fft.fft(x), np.add(x, 1)", namespace)
    assert all(type(found) is np.ndarray for found in namespace["ask"](torch.ones(2)))
    with pytest.raises(RuntimeError, match="^Can't call numpy"):
        namespace["ask"](torch.ones(2, requires_grad=True))


def test_plotting_works() -> None:
    plt = pytest.importorskip("matplotlib.pyplot")
    pytest.importorskip("matplotlib").use("Agg")
    t = torch.arange(5.0)
    figure, ax = plt.subplots()
    ax.plot(t, t * t)
    ax.bar(t, t, yerr=t)
    ax.stackplot(t, t, t)
    ax.hist(t)
    ax.imshow(torch.ones(3, 3))
    ax.fill_between(t, t, t + 1)
    ax.set_xlim(t.min(), t.max())
    figure.canvas.draw()
    plt.close(figure)


def test_every_covered_function_is_tried_here_or_alike() -> None:
    """A name in the table is one of NumPy's, and most of them stand in the calls above."""
    told = covered()
    for name in [*told["ufuncs"], *told["functions"], *told["arrays"]]:
        room: Any = np
        for part in name.removeprefix("np.").split("."):
            room = getattr(room, part)
    tried = {line.partition("(")[0] for line in LINES}
    assert len(set(told["functions"]) - tried - {"np.empty_like"}) <= 20 and len(ARRAY_FUNCTIONS) > 90
    assert numpy_protocol.ufunc_of("absent") is None
