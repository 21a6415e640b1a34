"""The contest of gradient checkers: who finds which of the seeded wrong gradients, and who cries at right ones.

Run `python -m tests.benchmarks.checkers`. Every seed of `wrong_gradients` is given to every checker that is installed,
wrong and right, at the same inputs, with each checker's defaults: once ("first look"), and at further fresh inputs
until it is found ("found"). An exception counts as a complaint, whatever it says; but not ours, which is to report.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from typing import Any

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

import numpy as np  # noqa: E402 - after the number of threads is set

from tests.benchmarks.wrong_gradients import SEEDS, Given, Seed  # noqa: E402

Array = Any


@dataclass
class Answer:
    """What a checker said: whether it complained, and ours also which op and what kind of mistake it blames."""

    complaint: bool
    text: str = ""
    unsure: bool = False
    guilty: str | None = None
    hint: str | None = None


class Checker:
    """A way to check `f` and `vjp`; `needs` is the distribution that must be installed."""

    name = ""
    needs = ""
    silent: tuple[str, ...] = ()  # kinds of seeds that cannot be expressed to it, or do no harm there
    raises = True  # whether an exception is its way to complain

    def check(self, seed: Seed, given: Given, wrong: bool, number: int) -> Answer:
        """Check the wrong or the right version at these inputs, which are sample `number`."""
        raise NotImplementedError

    def prepare(self) -> None:
        """Import what is needed, which shall not be timed."""


# ------------------------------------------------------------------------------------------ ours
def _answer(report: Any) -> Answer:
    guilty = None if report.guilty is None else report.guilty.op
    hint = next((f.hint_kind for f in report.failures if f.hint_kind), None)
    return Answer(not report.ok, str(report), report.verdict == "inconclusive", guilty, hint)


class Ours(Checker):
    """`gradcheck(f, *arrays, vjp=vjp)`: the same callables as everybody else is given."""

    name = "tinygrad_pt"
    silent = ("second order",)
    raises = False

    def check(self, seed: Seed, given: Given, wrong: bool, number: int) -> Answer:
        from tinygrad_pt.testing import gradcheck

        return _answer(gradcheck(seed.f(given), *given.arrays, vjp=seed.vjp(given, wrong), seed=number))


class Program(Checker):
    """`gradcheck(program, *tensors)`, the op itself being broken: here a guilty op can be named."""

    name = "tinygrad_pt, program"
    raises = False

    def check(self, seed: Seed, given: Given, wrong: bool, number: int) -> Answer:
        from contextlib import nullcontext

        from tinygrad_pt.testing import gradcheck

        program, inputs = seed.program(given)
        with seed.broken() if wrong else nullcontext():
            return _answer(gradcheck(program, *inputs, order=seed.order, seed=number))


# ------------------------------------------------------------------------------------------ PyTorch
class TorchSlow(Checker):
    """`torch.autograd.gradcheck`, for seeds of the second order `gradgradcheck` too."""

    name = "PyTorch slow"
    needs = "torch"
    silent = ("shape",)  # PyTorch sums a superfluous leading axis away
    fast = False

    def prepare(self) -> None:
        import torch

        torch.set_num_threads(1)

    def check(self, seed: Seed, given: Given, wrong: bool, number: int) -> Answer:
        import torch

        f = torch_function(seed, given, wrong)
        xs = tuple(torch.tensor(x, requires_grad=True) for x in given.arrays)
        torch.autograd.gradcheck(f, xs, fast_mode=self.fast)
        if seed.order == 2:
            torch.autograd.gradgradcheck(f, xs, fast_mode=self.fast)
        return Answer(False)


class TorchFast(TorchSlow):
    """The same with `fast_mode=True`."""

    name = "PyTorch fast"
    fast = True


def torch_function(seed: Seed, given: Given, wrong: bool) -> Any:
    """The seed as a `torch.autograd.Function` around its callables."""
    import torch

    f, vjp, vjp2 = seed.f(given), seed.vjp(given, wrong), seed.vjp2(given, wrong)

    def arrays(tensors: Any) -> list[Array]:
        return [t.detach().numpy() for t in tensors]

    class Gradient(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, g: Any, *xs: Any) -> Any:
            ctx.save_for_backward(g, *xs)
            return tuple(torch.from_numpy(r) for r in vjp(*arrays((g, *xs))))

        @staticmethod
        def backward(ctx: Any, *gg: Any) -> Any:
            return tuple(torch.from_numpy(r) for r in vjp2(arrays(gg), *arrays(ctx.saved_tensors)))

    class Function(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, *xs: Any) -> Any:
            ctx.save_for_backward(*xs)
            return torch.from_numpy(f(*arrays(xs)))

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            if seed.order == 2:
                return Gradient.apply(g, *ctx.saved_tensors)
            return tuple(torch.from_numpy(r) for r in vjp(*arrays((g, *ctx.saved_tensors))))

    return Function.apply


# ------------------------------------------------------------------------------------------ JAX
class Jax(Checker):
    """`jax.test_util.check_grads` in reverse mode and double precision, by `custom_vjp` and `pure_callback`."""

    name = "JAX"
    needs = "jax"
    silent = ("aliasing",)  # a callback's results are copied

    def prepare(self) -> None:
        import logging

        import jax

        jax.config.update("jax_enable_x64", True)
        logging.getLogger("jax").setLevel(logging.CRITICAL + 1)

    def check(self, seed: Seed, given: Given, wrong: bool, number: int) -> Answer:
        from jax.test_util import check_grads

        check_grads(jax_function(seed, given, wrong), given.arrays, order=seed.order, modes=["rev"])
        return Answer(False)


ROLES: dict[str, Callable[..., Any]] = {}  # what the callbacks below stand for at the moment


def _callback(role: str) -> Callable[..., Any]:
    """One function object per role, for JAX compiles anew for every other one."""
    return lambda *args: ROLES[role](*args)


_F, _VJP, _VJP2 = _callback("f"), _callback("vjp"), _callback("vjp2")


def jax_function(seed: Seed, given: Given, wrong: bool) -> Any:
    """The seed as a `jax.custom_vjp` around its callables."""
    import jax

    f, vjp, vjp2 = seed.f(given), seed.vjp(given, wrong), seed.vjp2(given, wrong)
    ROLES["f"] = lambda *xs: f(*map(np.asarray, xs))
    ROLES["vjp"] = lambda g, *xs: vjp(*map(np.asarray, (g, *xs)))
    ROLES["vjp2"] = lambda gg, g, *xs: vjp2([np.asarray(v) for v in gg], *map(np.asarray, (g, *xs)))

    def like(x: Any) -> Any:
        return jax.ShapeDtypeStruct(np.shape(x), np.float64)

    result = like(f(*given.arrays))

    @jax.custom_vjp
    def gradient(g: Any, *xs: Any) -> Any:
        return jax.pure_callback(_VJP, tuple(map(like, xs)), g, *xs)

    gradient.defvjp(
        lambda g, *xs: (gradient(g, *xs), (g, *xs)),
        lambda saved, gg: jax.pure_callback(_VJP2, tuple(map(like, saved)), gg, *saved),
    )

    @jax.custom_vjp
    def function(*xs: Any) -> Any:
        return jax.pure_callback(_F, result, *xs)

    function.defvjp(lambda *xs: (function(*xs), xs), lambda xs, g: gradient(g, *xs))
    return function


# ------------------------------------------------------------------------------------------ HIPS autograd
class Autograd(Checker):
    """`autograd.test_util.check_grads` in reverse mode, by `primitive` and `defvjp`."""

    name = "autograd"
    needs = "autograd"

    def prepare(self) -> None:
        import autograd.numpy  # noqa: F401

    def check(self, seed: Seed, given: Given, wrong: bool, number: int) -> Answer:
        from autograd.test_util import check_grads

        np.random.seed(number)  # its directions come from NumPy's global generator
        f = autograd_function(seed, given, wrong)
        xs = [x if x.ndim else x.item() for x in given.arrays]
        check_grads(f, tuple(range(len(xs))), modes=["rev"], order=seed.order)(*xs)
        return Answer(False)


def autograd_function(seed: Seed, given: Given, wrong: bool) -> Any:
    """The seed as an `autograd.extend.primitive` around its callables."""
    from autograd.extend import defvjp, primitive

    f, vjp, vjp2 = seed.f(given), seed.vjp(given, wrong), seed.vjp2(given, wrong)

    def plain(y: Any) -> Any:
        return y if np.ndim(y) else float(y)

    def gradient(i: int) -> Any:
        part = primitive(lambda g, *xs: plain(vjp(np.asarray(g), *map(np.asarray, xs))[i]))

        def backward(j: int) -> Any:
            def of(ans: Any, g: Any, *xs: Any) -> Any:
                def pull(gg: Any) -> Any:
                    several = [np.asarray(gg) if k == i else np.zeros(np.shape(x)) for k, x in enumerate(xs)]
                    return plain(vjp2(several, np.asarray(g), *map(np.asarray, xs))[j])

                return pull

            return of

        defvjp(part, *(backward(j) for j in range(len(given.slots) + 1)))
        return part

    parts = [gradient(i) for i in range(len(given.slots))]
    function = primitive(lambda *xs: plain(f(*map(np.asarray, xs))))
    defvjp(function, *(lambda ans, *xs, p=p: lambda g: p(g, *xs) for p in parts))
    return function


# ------------------------------------------------------------------------------------------ MyGrad
class MyGrad(Checker):
    """What MyGrad's own test suite does to each of its functions, in our words: its wheel does not contain it.

    One random incoming gradient between -10 and 10; Im f(x + ih)/h with h = 1e-20 per element of a NumPy reference, to
    agree to 1e-8, relative or absolute; where that is not analytic, or takes no complex numbers, central differences
    with h = 1e-8, to agree to 1e-5; nan equal to nan; no gradient is memory of the incoming one or of another; nothing
    that was given is changed.
    """

    name = "MyGrad (its method)"
    silent = ("second order",)

    def check(self, seed: Seed, given: Given, wrong: bool, number: int) -> Answer:
        f, vjp, xs = seed.f(given), seed.vjp(given, wrong), given.arrays
        shape = f(*xs).shape
        g = np.random.default_rng(number).uniform(-10, 10, shape)
        before = [x.copy() for x in (g, *xs)]
        found = vjp(g, *xs)
        for i, r in enumerate(found):
            slope, tolerance = self.numeric(seed, given, before[1:], i, before[0])
            np.testing.assert_allclose(r, slope, rtol=tolerance, atol=tolerance)
            assert not np.shares_memory(r, g), "a gradient is a view of the incoming one"
            assert not any(np.shares_memory(r, other) for other in found[:i]), "two gradients share memory"
        for now, then in zip((g, *xs), before, strict=True):
            np.testing.assert_array_equal(now, then)
        return Answer(False)

    def numeric(self, seed: Seed, given: Given, xs: list[Array], i: int, g: Array) -> tuple[Array, float]:
        """∂(Σ g·f)/∂xs[i], element by element, and the tolerance it is good for."""

        def reference(*arrays: Array) -> Array:
            y = seed.row.reference(*given.filled(arrays), **given.attrs)
            return np.concatenate([np.ravel(part) for part in y]) if isinstance(y, (list, tuple)) else np.asarray(y)

        if seed.op not in NOT_ANALYTIC:
            try:
                return self.varied(reference, xs, i, g, 1e-20j, lambda up, down: np.imag(up) / 1e-20), 1e-8
            except TypeError:
                pass  # no complex version
        return self.varied(seed.f(given), xs, i, g, 1e-8, lambda up, down: (up - down) / 2e-8), 1e-5

    def varied(self, f: Any, xs: list[Array], i: int, g: Array, h: complex, slope: Any) -> Array:
        """The slopes along every element of xs[i], from f at x + h and, unless h is imaginary, at x - h."""
        args = [x.astype(complex) if h.imag else x for x in xs]
        found = np.zeros(xs[i].shape)
        for index in np.ndindex(xs[i].shape):
            up, down = args[i].copy(), args[i].copy()
            up[index] += h
            down[index] -= h
            ys = f(*args[:i], up, *args[i + 1 :]), None if h.imag else f(*args[:i], down, *args[i + 1 :])
            found[index] = np.sum(slope(*ys) * g)
        return found


NOT_ANALYTIC = {
    "abs", "relu", "maximum", "minimum", "clamp", "amax", "amin", "zero", "sign", "floor", "ceil", "trunc", "round",
    "remainder", "fmod", "huber_loss", "smooth_l1_loss", "norm", "cast", "scatter_add", "undiagonal", "index_put",
    "overwrite", "product_of_others", "pow", "var", "std",
}  # fmt: skip

CHECKERS: dict[str, Checker] = {
    "ours": Ours(), "program": Program(), "torch": TorchSlow(), "torch-fast": TorchFast(), "jax": Jax(),
    "autograd": Autograd(), "mygrad": MyGrad(),
}  # fmt: skip


# ------------------------------------------------------------------------------------------ the contest
@dataclass
class Result:
    """How one checker did on one seed."""

    checker: str
    seed: str
    kind: str
    first: bool  # found at the first look
    found: bool  # found at one of all looks
    alarms: int  # complaints about the right version
    checks: int  # of so many
    unsure: int  # of which so many without a verdict
    silent: bool  # the seed cannot be expressed to this checker
    guilty: str | None
    named: bool
    hint: str | None
    hinted: bool
    seconds: list[float]
    text: str


def look(checker: Checker, seed: Seed, number: int, wrong: bool) -> tuple[Answer, float]:
    """One check; what it raises is a complaint."""
    given = seed.given(number)
    start = time.process_time()
    try:
        answer = checker.check(seed, given, wrong, number)
    except Exception as e:
        answer = Answer(checker.raises or not wrong, f"{type(e).__name__}: {e}")
    return answer, time.process_time() - start


def contest(checker: Checker, seed: Seed, samples: int) -> Result:
    """One checker on one seed: the wrong version until it is found, the right one at all samples."""
    silent = seed.kind in checker.silent
    first, found, seconds, answer = False, False, [], Answer(False)
    for number in range(0 if silent else samples):
        answer, spent = look(checker, seed, number, True)
        seconds.append(spent)
        if answer.complaint:
            first, found = number == 0, True
            break
    alarms, unsure, text = 0, 0, answer.text
    for number in range(0 if silent else samples):
        right, spent = look(checker, seed, number, False)
        seconds.append(spent)
        alarms += right.complaint
        unsure += right.unsure
        if right.complaint:
            text += "\n--- the right one ---\n" + right.text
    named = found and answer.guilty == seed.op
    hinted = found and answer.hint in seed.hints
    return Result(
        checker.name, seed.name, seed.kind, first, found, alarms, 0 if silent else samples, unsure, silent,
        answer.guilty, named, answer.hint, hinted, seconds, text,
    )  # fmt: skip


HEAD = (
    "checker",
    "first look",
    "found",
    "told apart",
    "false alarms",
    "of checks",
    "not expressible",
    "median",
    "total",
)


def line(checker: Checker, results: list[Result]) -> tuple[str, ...]:
    """A row of the table."""
    n, checks = len(results), sum(r.checks for r in results)
    alarmed, alarms = sum(r.alarms > 0 for r in results), sum(r.alarms for r in results)
    seconds = [s for r in results for s in r.seconds]
    return (
        checker.name,
        f"{sum(r.first for r in results)}/{n}",
        f"{sum(r.found for r in results)} ({100 * sum(r.found for r in results) / n:.1f} %)",
        f"{sum(r.found and not r.alarms for r in results)}",
        f"{alarmed}/{sum(not r.silent for r in results)}",
        f"{alarms}/{checks} ({100 * alarms / max(1, checks):.2f} %)",
        f"{sum(r.silent for r in results)}",
        f"{1e3 * statistics.median(seconds or [0]):.1f} ms",
        f"{sum(seconds):.0f} s",
    )


def show(rows: list[tuple[str, ...]]) -> None:
    """Print a table."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for name, *cells in rows:
        print("  ".join([name.ljust(widths[0]), *(c.rjust(w) for c, w in zip(cells, widths[1:], strict=True))]))


def by_kind(results: dict[str, list[Result]]) -> None:
    """Print how many seeds of every kind each checker found."""
    kinds = dict.fromkeys(r.kind for found in results.values() for r in found)
    names = [CHECKERS[name].name for name in results]
    rows = [("kind", "seeds", *names)]
    for kind in kinds:
        columns = [[r for r in found if r.kind == kind] for found in results.values()]
        rows.append((kind, str(len(columns[0])), *(str(sum(r.found for r in c)) for c in columns)))
    show(rows)


def details(results: list[Result], name: str) -> None:
    """Print what was missed, and where right gradients were refused; of ours, the wrong names and hints too."""
    for r in results:
        if not r.found and not r.silent:
            print(f"  missed       {r.seed}")
        if r.alarms:
            print(f"  false alarm  {r.seed} ({r.alarms} of {r.checks})")
        if r.unsure:
            print(f"  inconclusive {r.seed} ({r.unsure} of {r.checks})")
        if name == "program" and r.found and not r.named:
            print(f"  wrong op     {r.seed}: {r.guilty}")
        if name in ("program", "ours") and r.found and not r.hinted:
            print(f"  wrong hint   {r.seed}: {r.hint}")


def main(argv: list[str] | None = None) -> int:
    """Run the contest; exit 1 if a bound that our checker is held to is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkers", nargs="+", choices=list(CHECKERS), default=list(CHECKERS))
    parser.add_argument("--cases", default="", help="only seeds whose name contains this")
    parser.add_argument("--kind", default="", help="only seeds of this kind")
    parser.add_argument("--every", type=int, default=1, help="only every n-th seed")
    parser.add_argument("--samples", type=int, default=2, help="how many fresh inputs each seed may be looked at")
    parser.add_argument("--json", default="", help="write all results to this file")
    parser.add_argument("--text", action="store_true", help="print what the checkers say")
    parser.add_argument("-v", "--verbose", action="store_true", help="list misses and false alarms")
    options = parser.parse_args(argv)
    warnings.simplefilter("ignore")
    seeds = [s for s in SEEDS if options.cases in s.name and options.kind in s.kind][:: options.every]
    if not seeds:
        parser.error("no seed has such a name")
    ops = len({s.op for s in seeds})
    print(f"{len(seeds)} wrong gradients of {ops} ops beside the right ones, {options.samples} samples of inputs each")
    results: dict[str, list[Result]] = {}
    rows: list[tuple[str, ...]] = [HEAD]
    for name in options.checkers:
        checker = CHECKERS[name]
        if checker.needs and find_spec(checker.needs) is None:
            print(f"{checker.name}: {checker.needs} is not installed (pip install 'tinygrad_pt[bench]')")
            continue
        checker.prepare()
        results[name] = [contest(checker, s, options.samples) for s in seeds]
        version = f" {importlib.metadata.version(checker.needs)}" if checker.needs else ""
        row = line(checker, results[name])
        rows.append((row[0] + version, *row[1:]))
        if options.text:
            for r in results[name]:
                print(f"=== {r.checker}: {r.seed}\n{r.text}")
    show(rows)
    print("told apart: found, and no false alarm on the right version. not expressible: counted as not found.")
    if len(seeds) > 20:
        print()
        by_kind(results)
    if options.verbose:
        for name, found in results.items():
            print(f"\n{CHECKERS[name].name}:")
            details(found, name)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump([asdict(r) for found in results.values() for r in found], file, indent=1)
    return verdict(results)


def verdict(results: dict[str, list[Result]]) -> int:
    """What our own checker is held to."""
    failed = 0
    for name in [n for n in ("ours", "program") if n in results]:
        able = [r for r in results[name] if not r.silent]
        found = [r for r in able if r.found]
        checks = sum(r.checks for r in able)
        bounds = [
            ("found", len(found) / len(able), 0.99, True),
            ("false alarms", sum(r.alarms for r in able) / checks, 0.005, False),
        ]
        bounds.append(("right hint", sum(r.hinted for r in found) / max(1, len(found)), 0.85, True))
        if name == "program":
            bounds.append(("guilty op named", sum(r.named for r in found) / max(1, len(found)), 0.98, True))
        for what, share, bound, above in bounds:
            good = share >= bound if above else share < bound
            failed += not good
            demand = f"{'≥' if above else '<'} {100 * bound:g} %"
            print(f"{CHECKERS[name].name}: {what} {100 * share:.2f} % ({demand}{'' if good else ', MISSED'})")
        unsure = sum(r.unsure for r in able)
        print(f"{CHECKERS[name].name}: {unsure} of {checks} checks of right gradients inconclusive")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
