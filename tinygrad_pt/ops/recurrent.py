"""Recurrent layers: one op is one layer in one direction, over all time steps.

The first result y of each op holds what the layer has computed at every step, its gates among it, in memory where each
step is a matrix with one column per example: products with such matrices are BLAS's fastest here, and a gate is one
block. The other results are what users want: the output of all steps, and the state after the last.

The gradients of all arguments follow from one walk through the steps, back in time, which gives A: the gradients by
what enters the gates, one column per step and example (`Shared`). Gradients that are graphs take the same walk in ops.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinygrad_pt.calling import primitive
from tinygrad_pt.graph import OPS, Array, Op
from tinygrad_pt.ops.elementwise import gt, tanh, where
from tinygrad_pt.ops.linalg import mm, sum_rows
from tinygrad_pt.ops.shape import cat, edges_of, narrow, permute, reshape, select, stack, t
from tinygrad_pt.symbol import Symbol

Some = Any  # an array, a tensor or a symbol; None stands for a gradient that is 0


# ------------------------------------------------------------------------------------------ one walk for all rules
class Memo:
    """What a computation has found for a gradient g at a value y."""

    __slots__ = ("__weakref__", "found", "g", "y")

    def __init__(self) -> None:
        self.g: Any = None
        self.y: Any = None
        self.found: Any = None


class Shared:
    """The rules of an op whose gradients have a computation in common: each visit of a vertex does it once.

    `common(g, y, *args, **attrs)` is the computation, and rule i gets what it has found in place of g.
    """

    def __init__(self, common: Callable[..., Any], rule: Callable[[int], Callable[..., Any]]) -> None:
        self.common, self.rule = common, rule
        self.latest: Callable[[], Memo | None] = lambda: None

    def __call__(self, slot: int) -> Callable[..., Any]:
        memo = self.latest()
        if not slot or memo is None:
            memo = Memo()
            self.latest = weakref.ref(memo)  # the rules hold it, for as long as a vertex is visited
        kept, common, rule = memo, self.common, self.rule(slot)

        def shared(g: Any, y: Any, *args: Any, **attrs: Any) -> Any:
            if kept.g is not g or kept.y is not y:
                kept.g, kept.y, kept.found = g, y, common(g, y, *args, **attrs)
            return rule(kept.found, y, *args, **attrs)

        shared.__wrapped__ = rule  # type: ignore[attr-defined]  # its signature
        return shared


def _plus(a: Some, b: Some) -> Some:
    return b if a is None else a if b is None else a + b


def _steps(a: Array, reverse: bool, axis: int = 0) -> Array:
    """The array in the order in which the layer goes through the steps."""
    if not reverse:
        return a
    return a[::-1] if not axis else a[:, ::-1]


def _parts(rest: tuple[Some, ...]) -> tuple[Some, Some]:
    """The input bias and the projection among the last arguments of an op, or None."""
    return (rest[0] if len(rest) > 1 else None), (rest[-1] if len(rest) % 2 else None)


def _columns(h: Array) -> Array:
    """A state (B, H) with one column per example, in memory of its own."""
    return np.array(h.T, order="C")


def _inputs(x: Array, h0: Array, ones: bool, reverse: bool) -> Array:
    """[x; h; 1] for every step: a matrix with one column per example. Each step writes its h into the next one."""
    steps, batch, size = x.shape
    width = size + h0.shape[1]
    z = np.empty((steps + 1, width + ones, batch), x.dtype)
    z[:-1, :size] = _steps(x, reverse).transpose(0, 2, 1)
    z[0, size:width] = h0.T
    if ones:
        z[:, -1] = 1
    return z


def _outputs(h: Array, reverse: bool) -> list[Array]:
    """The output (T, B, H) and the last state (B, H) of the states (T, H, B) in the order of the steps."""
    return [np.array(_steps(h, reverse).transpose(0, 2, 1), order="C"), np.array(h[-1].T, order="C")]


def _chunk(rows: int, batch: int) -> int:
    """How many steps fit into the cache together."""
    return max(1, 163840 // (rows * batch or 1))


def _before(y: Some, h0: Some, reverse: bool) -> Some:
    """The state before each step, (T·B, H): h0, and the last rows of y for all steps but the last."""
    (steps, rows, batch), size = y.shape, h0.shape[1]
    others = narrow(y, axis=0, start=int(reverse), length=steps - 1)
    h = permute(narrow(others, axis=1, start=rows - size, length=size), axes=(0, 2, 1))
    first = reshape(h0, shape=(1, batch, size))
    parts, edges = ((h, first), (steps - 1, 1)) if reverse else ((first, h), (1, steps - 1))
    return reshape(cat(*parts, axis=0, edges=edges_of(edges)), shape=(steps * batch, size))


def _by_input(a: Some, x: Some, w: Some) -> Some:
    """∂/∂x of what enters the gates: (T, B, I)."""
    return reshape(mm(t(a), w), shape=x.shape)


class Walked(list[Any]):
    """What a walk on arrays has found, and what several rules make of it: the gradients of the weights, of a bias."""

    weights: Array | None = None
    bias: Array | None = None


def _by_weights(a: Some, y: Some, x: Some, h0: Some, reverse: bool) -> Some:
    """The gradients of the two weights side by side: the product of A with x and the states before, [x, h]."""
    steps, batch, size = x.shape
    low = h0.shape[1]
    if not isinstance(a, Walked):
        parts = reshape(x, shape=(steps * batch, size)), _before(y, h0, reverse)
        return mm(a[0], cat(*parts, axis=1, edges=(0, size, size + low)))
    if a.weights is None:
        z = np.empty((steps, batch, size + low), x.dtype)
        z[..., :size] = x
        h, along = _steps(z[..., size:], reverse), _steps(y, reverse)
        h[0] = h0
        h[1:] = along[:-1, -low:].transpose(0, 2, 1)
        a.weights = a[0].dot(z.reshape(steps * batch, size + low))
    return a.weights


def _by_input_weight(a: Some, y: Some, x: Some, h0: Some, reverse: bool) -> Some:
    return narrow(_by_weights(a, y, x, h0, reverse), axis=1, start=0, length=x.shape[2])


def _by_state_weight(a: Some, y: Some, x: Some, h0: Some, reverse: bool) -> Some:
    return narrow(_by_weights(a, y, x, h0, reverse), axis=1, start=x.shape[2], length=h0.shape[1])


def _by_weight(a: Some, x: Some) -> Some:
    return mm(a, reshape(x, shape=(x.shape[0] * x.shape[1], x.shape[2])))


def _by_bias(a: Some) -> Some:
    if not isinstance(a, Walked):
        return sum_rows(t(a[0]))
    if a.bias is None:
        a.bias = sum_rows(t(a[0]))
    return a.bias.copy()  # each of the two biases has a gradient of its own


def _joined(parts: list[Some], steps: int, batch: int) -> Some:
    """The matrices of all steps, side by side."""
    a = permute(stack(*parts, axis=0), axes=(1, 0, 2))
    return reshape(a, shape=(a.shape[0], steps * batch))


def _backwards(g: list[Some], steps: int, reverse: bool) -> list[tuple[int, int, Some, Some]]:
    """The steps, the last first: its number, that of the step before, and what arrives at its gates and its output."""
    found = []
    for k in range(steps) if reverse else range(steps - 1, -1, -1):
        at = None if g[0] is None else select(g[0], axis=0, index=k)
        out = None if g[1] is None else t(select(g[1], axis=0, index=k))
        found.append((k, k + 1 if reverse else k - 1, at, out))
    return found


def _block(s: Some, i: int, size: int) -> Some:
    return None if s is None else narrow(s, axis=0, start=i * size, length=size)


def _walk_of(name: str, fast: Callable[..., Any], seeds: int) -> Op:
    """The walk on arrays as an op: what symbols show of it. `part` says which of its results is meant."""
    op = Op(f"{name}_backward", lambda *args, part, **attrs: fast(args[:seeds], *args[seeds:], **attrs)[part])
    return OPS.pop(op.name)  # nobody applies it


def _symbolic(*args: Some) -> bool:
    return any(isinstance(a, Symbol) for a in args)


def _symbols(name: str, count: int, g: Some, *args: Some, **attrs: Any) -> list[Symbol]:
    """What a walk back finds, as symbols."""
    return [Symbol(op=WALKS[name], args=(*g, *args), attrs=attrs | {"part": i}) for i in range(count)]


# ------------------------------------------------------------------------------------------ Elman's network
def _rnn_walk(
    g: Some, y: Some, x: Some, h0: Some, w_ih: Some, w_hh: Some, *bias: Some, relu: bool, reverse: bool
) -> Any:
    """A (H, T·B), and ∂/∂h0."""
    if _symbolic(*g, y, w_hh):
        return _symbols("rnn", 2, g, y, w_hh, relu=relu, reverse=reverse)
    if isinstance(y, np.ndarray):
        return _rnn_fast(g, y, w_hh, relu=relu, reverse=reverse)
    steps, _, batch = y.shape
    dh: Some = None if g[2] is None else t(g[2])
    found: list[Some] = [None] * steps
    for k, _, at, out in _backwards(g, steps, reverse):
        h = select(y, axis=0, index=k)
        dh = _plus(_plus(dh, out), at)
        found[k] = where(gt(h, 0), dh, 0.0) if relu else dh * (1 - h * h)
        dh = mm(t(w_hh), found[k])
    return _joined(found, steps, batch), t(dh)


def _rnn_fast(g: Sequence[Any], y: Array, w_hh: Array, *, relu: bool, reverse: bool) -> Walked:
    steps, size, batch = y.shape
    a = np.empty((size, steps, batch), y.dtype)
    slope = (y > 0) if relu else 1 - y * y
    dh = np.zeros((size, batch), y.dtype) if g[2] is None else _columns(g[2])
    into = None if g[1] is None else g[1].transpose(0, 2, 1)
    w = np.ascontiguousarray(w_hh.T)
    for k in range(steps) if reverse else range(steps - 1, -1, -1):
        if into is not None:
            dh += into[k]
        if g[0] is not None:
            dh += g[0][k]
        dh *= slope[k]
        a[:, k] = dh
        dh = w.dot(dh)
    return Walked([a.reshape(size, steps * batch), dh.T])


def _rnn_rule(slot: int) -> Any:
    return (
        lambda g, y, x, h0, w_ih, w_hh, *bias, relu, reverse: _by_input(g[0], x, w_ih),
        lambda g, y, x, h0, w_ih, w_hh, *bias, relu, reverse: g[1],
        lambda g, y, x, h0, w_ih, w_hh, *bias, relu, reverse: _by_input_weight(g, y, x, h0, reverse),
        lambda g, y, x, h0, w_ih, w_hh, *bias, relu, reverse: _by_state_weight(g, y, x, h0, reverse),
        lambda g, y, x, h0, w_ih, w_hh, *bias, relu, reverse: _by_bias(g),
    )[min(slot, 4)]


# An op of its own for a measured gain: written out, each step is four vertices.
@primitive(r"\mathrm{rnn}(a,\, b)", each=Shared(_rnn_walk, _rnn_rule))
def rnn_layer(
    x: Array, h0: Array, w_ih: Array, w_hh: Array, *bias: Array, relu: bool = False, reverse: bool = False
) -> list[Array]:
    """y = h of all steps, (T, H, B): hₜ = tanh(W_ih xₜ + b_ih + W_hh hₜ₋₁ + b_hh), or relu (Elman, 1990).

    The other results are the output (T, B, H) and the last h.
    """
    size = h0.shape[1]
    w = np.concatenate((w_ih, w_hh, *([(bias[0] + bias[1])[:, None]] if bias else [])), 1)
    z = _inputs(x, h0, bool(bias), reverse)
    width = x.shape[2]
    y = np.empty((x.shape[0], size, x.shape[1]), x.dtype)
    for before, h, after in zip(z, _steps(y, reverse), z[1:, width : width + size], strict=False):
        np.dot(w, before, h)
        if relu:
            np.maximum(h, 0, out=h)
        else:
            np.tanh(h, h)
        after[...] = h
    return [y, *_outputs(z[1:, width : width + size], reverse)]


# ------------------------------------------------------------------------------------------ LSTM
def _lstm_walk(
    g: Some, y: Some, x: Some, h0: Some, c0: Some, w_ih: Some, w_hh: Some, *rest: Some, reverse: bool
) -> Any:
    """A (4H, T·B), ∂/∂h0, ∂/∂c0, and ∂/∂h of all steps (P, T·B) if h is projected."""
    w_hr = _parts(rest)[1]
    if _symbolic(*g, y, c0, w_hh, w_hr):
        return _symbols("lstm", 4, g, y, c0, w_hh, w_hr, reverse=reverse)
    if isinstance(y, np.ndarray):
        return _lstm_fast(g, y, c0, w_hh, w_hr, reverse=reverse)
    steps, _, batch = y.shape
    size, low = c0.shape[1], h0.shape[1]
    dh, dc = (None if r is None else t(r) for r in g[2:])
    found: list[Some] = [None] * steps
    projected: list[Some] = [None] * steps
    for k, before, at, out in _backwards(g, steps, reverse):
        s = select(y, axis=0, index=k)
        i, f, n, o, c = (_block(s, j, size) for j in range(5))
        old = _block(select(y, axis=0, index=before), 4, size) if 0 <= before < steps else t(c0)
        at_h = None if at is None else narrow(at, axis=0, start=5 * size, length=low)
        dh = projected[k] = _plus(_plus(dh, out), at_h)
        dm, m = dh, tanh(c)
        if w_hr is not None and dh is not None:
            dm = mm(t(w_hr), dh)
        dc = _plus(dc, _block(at, 4, size))
        if dm is not None:
            dc = _plus(dc, dm * o * (1 - m * m))
        do = _plus(None if dm is None else dm * m, _block(at, 3, size))
        parts = (
            _plus(dc * n, _block(at, 0, size)) * (i * (1 - i)), _plus(dc * old, _block(at, 1, size)) * (f * (1 - f)),
            _plus(dc * i, _block(at, 2, size)) * (1 - n * n), c * 0.0 if do is None else do * (o * (1 - o)),
        )  # fmt: skip
        found[k] = cat(*parts, axis=0, edges=edges_of((size,) * 4))
        dh, dc = mm(t(w_hh), found[k]), dc * f
    if w_hr is None:
        return _joined(found, steps, batch), t(dh), t(dc), None
    projected = [mm(w_hr, c * 0.0) if p is None else p for p in projected]
    return _joined(found, steps, batch), t(dh), t(dc), _joined(projected, steps, batch)


def _lstm_fast(g: Sequence[Any], y: Array, c0: Array, w_hh: Array, w_hr: Array | None, *, reverse: bool) -> Walked:
    """`_lstm_walk` on arrays: the factors of several steps at once, while they are in the cache."""
    steps, rows, batch = y.shape
    size = c0.shape[1]
    h4, low, dtype = 4 * size, rows - 5 * size, y.dtype
    a = np.empty((h4, steps, batch), dtype)
    along, y = _steps(a, reverse, 1), _steps(y, reverse)
    traced: Any
    into: Any
    traced, into = (None if r is None else _steps(r, reverse) for r in g[:2])
    dh = np.zeros((low, batch), dtype) if g[2] is None else _columns(g[2])
    dc = np.zeros((size, batch), dtype) if g[3] is None else _columns(g[3])
    w = w_hh.T
    dm, q = dh, np.empty((size, batch), dtype)
    projected: Any = None
    if w_hr is not None:
        dm, projected = np.empty((size, batch), dtype), np.empty((low, steps, batch), dtype)
        w_r = w_hr.T
    chunk = min(steps, _chunk(h4, batch))
    ahead, slopes = np.empty((chunk, h4, batch), dtype), np.empty((chunk, size, batch), dtype)
    dot, multiply, add, subtract, one = np.dot, np.multiply, np.add, np.subtract, np.ones((), dtype)
    for end in range(steps, 0, -chunk):
        start = max(0, end - chunk)
        gates, c, d, r = y[start:end, :h4], y[start:end, h4 : h4 + size], ahead[: end - start], slopes[: end - start]
        i, f, n, o = (gates[:, k * size : (k + 1) * size] for k in range(4))
        di, df, dn, do = (d[:, k * size : (k + 1) * size] for k in range(4))
        m = np.tanh(c)
        multiply(gates, gates, d)  # the derivatives of the gates: s - s² of σ, 1 - n² of tanh
        subtract(gates[:, : 2 * size], d[:, : 2 * size], d[:, : 2 * size])
        subtract(o, do, do)
        subtract(one, dn, dn)
        bare: Any = d.copy() if traced is not None else None
        multiply(di, n, di)
        multiply(df[1:], c[:-1], df[1:])
        multiply(df[0], y[start - 1, h4 : h4 + size] if start else c0.T, df[0])
        multiply(dn, i, dn)
        multiply(do, m, do)
        multiply(m, m, r)
        subtract(one, r, r)
        multiply(o, r, r)
        arrives = None if into is None else np.ascontiguousarray(into[start:end].transpose(0, 2, 1))
        three = d[:, : 3 * size].reshape(end - start, 3, size, batch)
        for k in range(end - start - 1, -1, -1):
            if arrives is not None:
                add(dh, arrives[k], dh)
            if traced is not None:
                dh += traced[start + k, 5 * size :]
                dc += traced[start + k, h4 : 5 * size]
            if projected is not None:
                _steps(projected, reverse, 1)[:, start + k] = dh
                dot(w_r, dh, dm)
            multiply(dm, r[k], q)
            add(dc, q, dc)
            multiply(three[k], dc, three[k])
            multiply(do[k], dm, do[k])
            if bare is not None:
                bare[k] *= traced[start + k, :h4]
                d[k] += bare[k]
            dot(w, d[k], dh)
            multiply(dc, f[k], dc)
        along[:, start:end] = d.transpose(1, 0, 2)
    if projected is not None:
        projected = projected.reshape(low, steps * batch)
    return Walked([a.reshape(h4, steps * batch), dh.T, dc.T, projected])


def _by_projection(found: Some, y: Some, c0: Some) -> Some:
    """∂/∂W_hr: the projection of o tanh c."""
    steps, size, batch = y.shape[0], c0.shape[1], y.shape[2]
    o, c = (narrow(y, axis=1, start=k * size, length=size) for k in (3, 4))
    return mm(found, reshape(permute(o * tanh(c), axes=(0, 2, 1)), shape=(steps * batch, size)))


def _lstm_rule(slot: int) -> Any:
    return (
        lambda g, y, x, h0, c0, w_ih, w_hh, *rest, reverse: _by_input(g[0], x, w_ih),
        lambda g, y, x, h0, c0, w_ih, w_hh, *rest, reverse: g[1],
        lambda g, y, x, h0, c0, w_ih, w_hh, *rest, reverse: g[2],
        lambda g, y, x, h0, c0, w_ih, w_hh, *rest, reverse: _by_input_weight(g, y, x, h0, reverse),
        lambda g, y, x, h0, c0, w_ih, w_hh, *rest, reverse: _by_state_weight(g, y, x, h0, reverse),
        lambda g, y, x, h0, c0, w_ih, w_hh, *rest, reverse: (
            _by_projection(g[3], y, c0) if len(rest) % 2 and slot == 4 + len(rest) else _by_bias(g)
        ),
    )[min(slot, 5)]


# An op of its own for a measured gain: written out, each step is some twenty vertices.
@primitive(r"\mathrm{lstm}(a,\, b,\, c)", each=Shared(_lstm_walk, _lstm_rule))
def lstm_layer(
    x: Array, h0: Array, c0: Array, w_ih: Array, w_hh: Array, *rest: Array, reverse: bool = False
) -> list[Array]:
    """y = the gates i, f, g, o, the cell c and h of all steps, (T, 4H + H + P, B) (Hochreiter, Schmidhuber, 1997):

        cₜ = fₜ cₜ₋₁ + iₜ gₜ,  hₜ = oₜ tanh cₜ,  i, f, o = σ(W_ih xₜ + b_ih + W_hh hₜ₋₁ + b_hh), g = tanh of the same.

    `rest` is b_ih and b_hh, or nothing; then W_hr if h is projected to P numbers: hₜ = W_hr (oₜ tanh cₜ). The other
    results are the output (T, B, P), the last h and the last c.
    """
    (steps, batch, width), size, low, dtype = x.shape, c0.shape[1], h0.shape[1], x.dtype
    bias, w_hr = len(rest) > 1, _parts(rest)[1]
    half = dtype.type(0.5)
    w = np.concatenate((w_ih.T, w_hh.T, *([(rest[0] + rest[1])[None]] if bias else [])))
    w[:, : 2 * size] *= half  # σ(a) = (1 + tanh(a/2))/2: one call for all gates
    w[:, 3 * size :] *= half
    w = w.T
    z = _inputs(x, h0, bias, reverse)
    hs = z[1:, width : width + low]
    y = np.empty((steps, 5 * size + low, batch), dtype)
    ys = _steps(y, reverse)
    old, q = c0.T, np.empty((size, batch), dtype)
    dot, tanh, multiply, add = np.dot, np.tanh, np.multiply, np.add
    gates, blocks = ys[:, : 4 * size], (ys[:, k * size : (k + 1) * size] for k in range(5))
    for before, h, s, two, i, f, n, o, c in zip(z, hs, gates, gates[:, : 2 * size], *blocks, strict=False):
        dot(w, before, s)
        tanh(s, s)
        multiply(two, half, two)
        add(two, half, two)
        multiply(o, half, o)
        add(o, half, o)
        multiply(i, n, q)
        multiply(f, old, c)
        add(c, q, c)
        tanh(c, q)
        if w_hr is None:
            multiply(o, q, h)
        else:
            h[...] = w_hr.dot(o * q)
        old = c
    ys[:, 5 * size :] = hs
    return [y, *_outputs(hs, reverse), np.array(old.T, order="C")]


# ------------------------------------------------------------------------------------------ GRU
def _gru_walk(g: Some, y: Some, x: Some, h0: Some, w_ih: Some, w_hh: Some, *bias: Some, reverse: bool) -> Any:
    """A (4H, T·B) by what enters u, r, z, n, and ∂/∂h0."""
    if _symbolic(*g, y, h0, w_hh):
        return _symbols("gru", 2, g, y, h0, w_hh, reverse=reverse)
    if isinstance(y, np.ndarray):
        return _gru_fast(g, y, h0, w_hh, reverse=reverse)
    (steps, _, batch), size = y.shape, h0.shape[1]
    dh: Some = None if g[2] is None else t(g[2])
    found: list[Some] = [None] * steps
    w = t(_turned(w_hh, size))
    for k, before, at, out in _backwards(g, steps, reverse):
        s = select(y, axis=0, index=k)
        r, z, n, u = (_block(s, j, size) for j in range(4))
        old = _block(select(y, axis=0, index=before), 4, size) if 0 <= before < steps else t(h0)
        dh = _plus(_plus(dh, out), _block(at, 4, size))
        dh = r * 0.0 if dh is None else dh
        dn = _plus(dh * (1 - z), _block(at, 2, size)) * (1 - n * n)
        dz = _plus(dh * (old - n), _block(at, 1, size)) * (z * (1 - z))
        dr = _plus(dn * u, _block(at, 0, size)) * (r * (1 - r))
        du = _plus(dn * r, _block(at, 3, size))
        found[k] = cat(du, dr, dz, dn, axis=0, edges=edges_of((size,) * 4))
        dh = dh * z + mm(w, narrow(found[k], axis=0, start=0, length=3 * size))
    return _joined(found, steps, batch), t(dh)


def _turned(w: Some, size: int) -> Some:
    """The blocks r, z, n of a weight in the order n, r, z."""
    last, first = narrow(w, axis=0, start=2 * size, length=size), narrow(w, axis=0, start=0, length=2 * size)
    return cat(last, first, axis=0, edges=(0, size, 3 * size))


def _turned_back(w: Some, size: int) -> Some:
    """The blocks n, r, z of a gradient in the order r, z, n."""
    last, first = narrow(w, axis=0, start=size, length=2 * size), narrow(w, axis=0, start=0, length=size)
    return cat(last, first, axis=0, edges=(0, 2 * size, 3 * size))


def _gru_fast(g: Sequence[Any], y: Array, h0: Array, w_hh: Array, *, reverse: bool) -> tuple[Array, Array]:
    """`_gru_walk` on arrays: the factors of several steps at once, while they are in the cache."""
    (steps, _, batch), size, dtype = y.shape, h0.shape[1], y.dtype
    a = np.empty((4 * size, steps, batch), dtype)
    along, y = _steps(a, reverse, 1), _steps(y, reverse)
    traced: Any
    into: Any
    traced, into = (None if r is None else _steps(r, reverse) for r in g[:2])
    dh = np.zeros((size, batch), dtype) if g[2] is None else _columns(g[2])
    w = np.concatenate((w_hh[2 * size :], w_hh[: 2 * size])).T
    q = np.empty((size, batch), dtype)
    chunk = min(steps, _chunk(4 * size, batch))
    ahead = np.empty((chunk, 4 * size, batch), dtype)
    dot, multiply, add, subtract, one = np.dot, np.multiply, np.add, np.subtract, np.ones((), dtype)
    for end in range(steps, 0, -chunk):
        start = max(0, end - chunk)
        r, z, n, u, h = (y[start:end, k * size : (k + 1) * size] for k in range(5))
        d = ahead[: end - start]
        du, dr, dz, dn = (d[:, k * size : (k + 1) * size] for k in range(4))
        two, slopes = y[start:end, : 2 * size], d[:, size : 3 * size]
        multiply(two, two, slopes)
        subtract(two, slopes, slopes)  # s - s² of r and z
        multiply(n, n, dn)
        subtract(one, dn, dn)
        bare: Any = d.copy() if traced is not None else None
        subtract(h[:-1], n[1:], du[1:])  # du is free until its step
        subtract(y[start - 1, 4 * size :] if start else h0.T, n[0], du[0])
        multiply(dz, du, dz)
        multiply(dr, u, dr)
        subtract(one, z, du)
        multiply(dn, du, dn)
        arrives = None if into is None else np.ascontiguousarray(into[start:end].transpose(0, 2, 1))
        for k in range(end - start - 1, -1, -1):
            if arrives is not None:
                add(dh, arrives[k], dh)
            if traced is not None:
                at = traced[start + k]
                dh += at[4 * size :]
            multiply(dn[k], dh, dn[k])
            multiply(dz[k], dh, dz[k])
            if bare is not None:
                slope_r, slope_z, slope_n = (bare[k, j * size : (j + 1) * size] for j in (1, 2, 3))
                dn[k] += at[2 * size : 3 * size] * slope_n
                dz[k] += at[size : 2 * size] * slope_z
            multiply(dr[k], dn[k], dr[k])
            multiply(dn[k], r[k], du[k])
            if bare is not None:
                dr[k] += at[:size] * slope_r
                du[k] += at[3 * size : 4 * size]
            dot(w, d[k, : 3 * size], q)
            multiply(dh, z[k], dh)
            add(dh, q, dh)
        along[:, start:end] = d.transpose(1, 0, 2)
    return a.reshape(4 * size, steps * batch), dh.T


def _gru_part(a: Some, start: int, h0: Some) -> Some:
    """Three blocks of A."""
    return narrow(a, axis=0, start=start * h0.shape[1], length=3 * h0.shape[1])


def _gru_rule(slot: int) -> Any:
    return (
        lambda g, y, x, h0, w_ih, w_hh, *bias, reverse: _by_input(_gru_part(g[0], 1, h0), x, w_ih),
        lambda g, y, x, h0, w_ih, w_hh, *bias, reverse: g[1],
        lambda g, y, x, h0, w_ih, w_hh, *bias, reverse: _by_weight(_gru_part(g[0], 1, h0), x),
        lambda g, y, x, h0, w_ih, w_hh, *bias, reverse: _turned_back(
            mm(_gru_part(g[0], 0, h0), _before(y, h0, reverse)), h0.shape[1]
        ),
        lambda g, y, x, h0, w_ih, w_hh, *bias, reverse: sum_rows(t(_gru_part(g[0], 1, h0))),
        lambda g, y, x, h0, w_ih, w_hh, *bias, reverse: _turned_back(sum_rows(t(_gru_part(g[0], 0, h0))), h0.shape[1]),
    )[slot]


# An op of its own for a measured gain: written out, each step is some twenty vertices.
@primitive(r"\mathrm{gru}(a,\, b)", each=Shared(_gru_walk, _gru_rule))
def gru_layer(x: Array, h0: Array, w_ih: Array, w_hh: Array, *bias: Array, reverse: bool = False) -> list[Array]:
    """y = r, z, n, u and h of all steps, (T, 5H, B) (Cho et al., 2014, with the reset after the product):

        hₜ = (1 - zₜ) nₜ + zₜ hₜ₋₁,  nₜ = tanh(W_in xₜ + b_in + rₜ uₜ),  uₜ = W_hn hₜ₋₁ + b_hn,  r, z = σ(…).

    `bias` is b_ih and b_hh, or nothing. The other results are the output (T, B, H) and the last h.
    """
    (steps, batch, _), size, dtype = x.shape, h0.shape[1], x.dtype
    half = dtype.type(0.5)
    w_x, w_h = w_ih.copy(), w_hh.copy()
    w_x[: 2 * size] *= half
    w_h[: 2 * size] *= half
    y = np.empty((steps, 5 * size, batch), dtype)
    ys = _steps(y, reverse)
    np.matmul(w_x, _steps(x, reverse).transpose(0, 2, 1), ys[:, : 3 * size])
    if bias:
        b_x, b_h = bias[0].copy(), bias[1]
        b_x[: 2 * size] += b_h[: 2 * size]
        b_x[: 2 * size] *= half
        ys[:, : 3 * size] += b_x[:, None]
        b_h = np.ascontiguousarray(np.broadcast_to(b_h[2 * size :, None], (size, batch)))
    p, q = np.empty((3 * size, batch), dtype), np.empty((size, batch), dtype)
    p_two, p_u, w, old = p[: 2 * size], p[2 * size :], np.ascontiguousarray(w_h.T).T, _columns(h0)
    dot, tanh, multiply, add, subtract = np.dot, np.tanh, np.multiply, np.add, np.subtract
    blocks = (ys[:, k * size : (k + 1) * size] for k in range(5))
    for two, r, z, n, u, h in zip(ys[:, : 2 * size], *blocks, strict=True):
        dot(w, old, p)
        add(two, p_two, two)
        tanh(two, two)
        multiply(two, half, two)
        add(two, half, two)
        if bias:
            add(p_u, b_h, u)
        else:
            u[...] = p_u
        multiply(r, u, q)
        add(n, q, n)
        tanh(n, n)
        subtract(old, n, q)
        multiply(z, q, q)
        add(n, q, h)
        old = h
    return [y, *_outputs(ys[:, 4 * size :], reverse)]


WALKS = {
    "rnn": _walk_of("rnn", _rnn_fast, 3), "lstm": _walk_of("lstm", _lstm_fast, 4), "gru": _walk_of("gru", _gru_fast, 3)
}  # fmt: skip
