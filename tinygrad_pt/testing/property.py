"""`gradient_property` makes of a function one test of all the laws that its value and its gradients keep."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinygrad_pt import autograd
from tinygrad_pt.calling import wrap
from tinygrad_pt.errors import refuse
from tinygrad_pt.graph import Tensor
from tinygrad_pt.testing.gradcheck import assert_gradients
from tinygrad_pt.testing.report import Report
from tinygrad_pt.testing.spec import Example, OpSpec, domain_of
from tinygrad_pt.testing.subject import array_of, floating, results_of

SINGLE = 1e-3  # how far a float32 result may be from the float64 one, relative to the largest


def tensors_of(args: Sequence[Any], leaves: bool = True) -> list[Any]:
    """The arguments as tensors, in memory of their own; floating point ones as leaves."""
    return [wrap(x.copy()).requires_grad_(leaves and floating(x)) if isinstance(x, np.ndarray) else x for x in args]


def seeds_for(ys: Sequence[Any], seed: int = 0) -> list[Any]:
    """One array per result, to multiply it with before the gradient is taken; different in every element."""
    draw = np.random.default_rng(seed)
    arrays = (np.asarray(array_of(y)) for y in ys)
    return [np.asarray(draw.uniform(0.5, 1.5, y.shape)).astype(y.dtype) for y in arrays]


def copied(x: Any) -> Any:
    return x.copy() if isinstance(x, np.ndarray) else x


def values_of(spec: OpSpec, args: Sequence[Any], attrs: dict[str, Any]) -> list[Any]:
    """The results as arrays, of a function of tensors or, with a vjp, of arrays."""
    xs = tensors_of(args, leaves=False) if spec.vjp is None else map(copied, args)
    return [array_of(y) if spec.vjp is None else np.asarray(y) for y in results_of(spec(*xs, **attrs))]


def gradients(
    f: Callable[..., Any], args: Sequence[Any], attrs: dict[str, Any], seeds: Sequence[Any] | None = None
) -> tuple[list[Any], list[Any]]:
    """The values, and the gradients of Σ seed·value with respect to every floating point array (None: it has none)."""
    if isinstance(f, OpSpec) and f.vjp is not None:
        ys = values_of(f, args, attrs)
        seeds = seeds_for(ys) if seeds is None else seeds
        several = isinstance(f(*map(copied, args), **attrs), (tuple, list))
        found = f.vjp(tuple(seeds) if several else seeds[0], *map(copied, args), **attrs)
        found = list(found) if isinstance(found, (tuple, list)) else [found]
        if len(found) == len(args):
            found = [g for g, x in zip(found, args, strict=True) if floating(x)]
        return ys, [None if g is None else np.asarray(g) for g in found]
    xs = tensors_of(args)
    ys = results_of(f(*xs, **attrs))
    leaves = [x for x in xs if isinstance(x, Tensor) and x.requires_grad]
    seeds = seeds_for(ys) if seeds is None else seeds
    used = [(y, wrap(s)) for y, s in zip(ys, seeds, strict=True) if y.requires_grad]
    found = autograd.grad([y for y, _ in used], leaves, [s for _, s in used], allow_unused=True)
    return [y.array for y in ys], [None if g is None else g.array for g in found]


# ------------------------------------------------------------------------------------------ laws
def value_is_the_reference(spec: OpSpec, args: Sequence[Any], attrs: dict[str, Any]) -> None:
    """The results have the shapes and the values of the NumPy reference."""
    if spec.reference is None:
        return
    with np.errstate(all="ignore"):
        expected = results_of(spec.reference(*args, **attrs))
    results = values_of(spec, args, attrs)
    assert len(results) == len(expected), f"{len(results)} results, and {len(expected)} of the reference"
    for y, e in zip(results, expected, strict=True):
        assert isinstance(y, np.ndarray), "the result is no array"
        assert y.shape == np.shape(e), f"shape {y.shape}, and {np.shape(e)} of the reference"
        np.testing.assert_allclose(y, e, rtol=spec.tolerance, atol=spec.tolerance)


def gradients_are_right(
    spec: OpSpec, args: Sequence[Any], attrs: dict[str, Any], order: int, strict: bool
) -> Report | None:
    """All that `gradcheck` checks, or that no gradient flows."""
    if not any(map(floating, args)):
        return None
    if not spec.gradient:
        assert all(not y.requires_grad for y in results_of(spec(*tensors_of(args), **attrs))), "a gradient flows"
        return None
    f = functools.partial(spec.f, **attrs) if attrs else spec.f
    if spec.vjp is None:
        report = assert_gradients(f, *tensors_of(args, leaves=False), order=order)
    else:
        vjp = functools.partial(spec.vjp, **attrs) if attrs else spec.vjp
        report = assert_gradients(f, *map(copied, args), vjp=vjp)
    assert report.verdict == "pass" or not strict, str(report)
    return report


def dtypes_are_kept(spec: OpSpec, args: Sequence[Any], attrs: dict[str, Any]) -> None:
    """float32 gives float32, and gradients of it; values and gradients are those of float64, rounded."""
    if not any(map(floating, args)) or "dtype" in attrs or spec.vjp is not None:
        return
    single = [x.astype(np.float32) if floating(x) else x for x in args]
    double = [x.astype(np.float64) if floating(x) else x for x in single]
    for y in results_of(spec(*tensors_of(single, leaves=False), **attrs)):
        assert y.array.dtype.kind != "f" or y.array.dtype == np.float32, f"{y.array.dtype} of float32"
    if not spec.gradient:
        return
    seeds = seeds_for(results_of(spec(*tensors_of(single), **attrs)))
    values, grads = gradients(spec, single, attrs, seeds)
    wide = gradients(spec, double, attrs, [s.astype(np.float64) if s.dtype.kind == "f" else s for s in seeds])
    assert all(g is None or g.dtype == np.float32 for g in grads), "gradients of another dtype than the argument's"
    for a, b in zip(values + grads, wide[0] + wide[1], strict=True):
        assert (a is None) == (b is None)
        if a is not None and b.size:
            size = np.max(np.abs(b[np.isfinite(b)]), initial=1.0)
            np.testing.assert_allclose(a, b, rtol=SINGLE, atol=SINGLE * size)


def broadcasting_is_tiling(spec: OpSpec, args: Sequence[Any], attrs: dict[str, Any]) -> None:
    """Arguments that broadcast give what their copies of full shape give; their gradients are the sums of those."""
    arrays = [x for x in args if isinstance(x, np.ndarray)]
    if not spec.elementwise or len({x.shape for x in arrays}) < 2:
        return
    shape = np.broadcast_shapes(*(x.shape for x in arrays))
    tiled = [np.broadcast_to(x, shape).copy() if isinstance(x, np.ndarray) else x for x in args]
    if not spec.gradient or not any(map(floating, args)):
        one, two = (values_of(spec, xs, attrs) for xs in (args, tiled))
        for y, e in zip(one, two, strict=True):
            np.testing.assert_array_equal(y, e)
        return
    values, grads = gradients(spec, args, attrs)
    tiled_values, tiled_grads = gradients(spec, tiled, attrs)
    for y, e in zip(values, tiled_values, strict=True):
        np.testing.assert_allclose(y, e, rtol=1e-12, atol=1e-12)
    for x, g, full in zip(filter(floating, args), grads, tiled_grads, strict=True):
        assert (g is None) == (full is None)
        if g is not None:
            lead = len(shape) - x.ndim
            axes = tuple(i for i in range(len(shape)) if i < lead or x.shape[i - lead] != shape[i])
            assert g.shape == x.shape, f"a gradient of shape {g.shape} for an argument of shape {x.shape}"
            size = np.max(np.abs(full), initial=1.0)
            np.testing.assert_allclose(g, full.sum(axes).reshape(x.shape), rtol=1e-11, atol=1e-11 * size)


def assert_laws(
    spec: OpSpec, args: Sequence[Any], attrs: dict[str, Any] | None = None, order: int = 2, strict: bool = False
) -> Report | None:
    """Hold a function to all laws at these arguments (arrays and Python numbers).

    The value is the NumPy reference's; the gradients pass `gradcheck` and, with `order=2`, `gradgradcheck`, with all
    they check (linearity, nothing mutated or aliased, any layout, the graph freed); float32 stays float32 and
    agrees with float64; broadcasting is tiling. Of a plain NumPy function with its vjp the first derivatives are
    checked, and it may compute in whatever dtype it likes.

    Args:
        strict: whether "inconclusive" counts as a failure.

    Returns:
        The report of the check of the gradients, if there are some.

    Raises:
        AssertionError: the law that does not hold, and how.
    """
    __tracebackhide__ = True
    attrs = attrs or {}
    laws: dict[str, Callable[[], Report | None]] = {
        "the value is the reference's": lambda: value_is_the_reference(spec, args, attrs),
        "the gradients are right": lambda: gradients_are_right(spec, args, attrs, order, strict),
        "dtypes are kept": lambda: dtypes_are_kept(spec, args, attrs),
        "broadcasting is tiling": lambda: broadcasting_is_tiling(spec, args, attrs),
    }
    report = None
    for law, hold in laws.items():
        try:
            report = hold() or report
        except AssertionError as error:
            call = repr(Example(spec, args, attrs))
            raise AssertionError(f"{spec.name}: it does not hold that {law}\n  at {call}\n{error}") from None
    return report


# ------------------------------------------------------------------------------------------ the decorator
def gradient_property(
    *, shapes: Any = "any", n: int | None = None, domain: Any = "small", kinks: Sequence[float] = (),
    margin: float | None = None, orders: Sequence[int] | None = None, reference: Callable[..., Any] | None = None,
    vjp: Callable[..., Any] | None = None, tolerance: float = 1e-9, max_examples: int = 50,
) -> Callable[[Callable[..., Any]], Any]:  # fmt: skip
    """Decorator: make a function of tensors into a test of all the laws that its value and its gradients keep.

    With `vjp` it is a plain function of NumPy arrays, beside a derivative that was written by hand.

    Args:
        shapes: `"any"` (each argument its own), `"broadcast"` (shapes that broadcast together; the function is held
            to elementwise laws), `"same"`, `"matmul"`, a list of tuples of shapes, or a strategy of such tuples. 0-d
            and empty arguments are among the first three, always.
        n: how many tensors it takes (default: its parameters without a default).
        domain: where they may be sampled, see `strategies.safe_floats`; a tuple gives one per argument.
            `"distinct"` gives values without ties.
        kinks: points to keep away from, by `margin`.
        orders: `(1,)` or `(1, 2)`: whether second derivatives are checked too (default: they are, without `vjp`).
        reference: the same function of NumPy arrays, with which values must agree up to `tolerance`.
        vjp: `vjp(g, *arrays) -> tuple of arrays`, the gradients of Σ g·f by each floating point array.
        max_examples: how many examples (pytest's `--gradcheck-examples` overrides it).

    Returns:
        A test: give it a name that pytest collects. `.spec` is the `OpSpec` it tests. See `assert_laws` for the laws.

    >>> import numpy as np, tinygrad_pt as torch
    >>> @gradient_property(shapes="broadcast", domain="nonzero", reference=np.hypot, max_examples=5)
    ... def test_hypot(a, b):
    ...     return torch.sqrt(a * a + b * b)
    >>> test_hypot()
    >>> @gradient_property(domain="small", vjp=lambda g, x: (g * np.cos(x),), max_examples=5)
    ... def test_sine(x):
    ...     return np.sin(x)
    >>> test_sine()
    """
    try:
        import hypothesis
    except ImportError:
        raise ImportError("gradient_property needs Hypothesis: pip install hypothesis") from None
    from tinygrad_pt.testing.strategies.tensors import arrays, broadcastable_shapes, matmul_shapes
    from tinygrad_pt.testing.strategies.tensors import shapes as any_shapes

    if vjp is not None and max(orders or [1]) > 1:
        text = "a vjp of NumPy arrays cannot be differentiated: orders must be (1,)"
        raise refuse(ValueError, text)
    order = max(orders or ((1, 2) if vjp is None else (1,)))

    def decorate(f: Callable[..., Any]) -> Any:
        count = _arity(f) if n is None else n
        domains = domain if isinstance(domain, tuple) else (domain,)
        spec = OpSpec(
            f.__name__.removeprefix("test_"), f, reference, tuple(domain_of(d, kinks, margin) for d in domains), [],
            elementwise=isinstance(shapes, str) and shapes == "broadcast", tolerance=tolerance, vjp=vjp,
        )  # fmt: skip
        forms = {
            "any": lambda: hypothesis.strategies.tuples(*[any_shapes()] * count),
            "broadcast": lambda: broadcastable_shapes(count),
            "same": lambda: any_shapes().map(lambda s: (s,) * count),
            "matmul": matmul_shapes,
        }
        if isinstance(shapes, str) and shapes not in forms:
            text = f"shapes must be one of {', '.join(map(repr, forms))}, a list or a strategy, not {shapes!r}"
            raise refuse(ValueError, text)
        st = hypothesis.strategies
        listed = shapes if isinstance(shapes, st.SearchStrategy) else st.sampled_from([*map(tuple, shapes)])
        drawn = forms[shapes]() if isinstance(shapes, str) else listed

        @hypothesis.strategies.composite
        def examples(draw: Any) -> Example:
            return Example(spec, [draw(arrays(s, elements=spec.domain(i), layout="C", slot=i))
                                  for i, s in enumerate(draw(drawn))], {})  # fmt: skip

        def test(example: Example) -> None:
            __tracebackhide__ = True
            assert_laws(spec, example.args, order=order)

        # A name of its own keeps the failures that Hypothesis remembers apart from other properties'.
        test.__name__, test.__qualname__, test.__doc__ = f.__name__, f.__qualname__, f.__doc__
        test.__module__ = f.__module__
        wrapped = hypothesis.given(examples())(test)
        for form in [(), (0,), (2, 0)] if isinstance(shapes, str) and shapes in ("any", "same", "broadcast") else []:
            wrapped = hypothesis.example(_plain(spec, form, count))(wrapped)
        asked = getattr(sys.modules.get("pytest_tinygrad_pt"), "examples", None)  # by --gradcheck-examples
        wrapped = hypothesis.settings(max_examples=asked or max_examples, deadline=None)(wrapped)
        wrapped.spec = spec  # type: ignore[attr-defined]
        return wrapped

    return decorate


def _arity(f: Callable[..., Any]) -> int:
    needed = [p for p in inspect.signature(f).parameters.values() if p.default is p.empty]
    if any(p.kind not in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in needed):
        raise refuse(TypeError, f"{f.__name__} takes any number of arguments: say how many with n=")
    return len(needed)


def _plain(spec: OpSpec, form: tuple[int, ...], count: int) -> Example:
    """Arguments of one shape, of the shortest numbers, no two of them equal as far as there are enough."""
    size, args = int(np.prod(form)), []
    for slot in range(count):
        domain = spec.domain(slot)
        plain = [domain.at(1 + slot + count * i) for i in range(size)]
        args.append(domain.apart(range(size), form, slot) if domain.gap else np.array(plain, float).reshape(form))
    return Example(spec, args, {})
