"""The contest's seeds are what they claim to be: the wrong ones wrong, the right ones right; and ours finds them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.benchmarks import checkers
from tests.benchmarks.wrong_gradients import HINTS, OPS, SEEDS, Given, Seed

BY_OP = pytest.mark.parametrize("op", OPS)
BY_KIND = {kind: [s for s in SEEDS if s.kind == kind] for kind in HINTS}


def differ(found: Any, expected: Any, tolerance: float = 1e-6) -> bool:
    """Whether some entry is off beyond doubt: by a millionth, or nan where a number should be."""
    pairs = list(zip(found, expected, strict=True))
    return any(
        a.shape != b.shape
        or not np.array_equal(np.isnan(a), np.isnan(b))
        or np.any(np.abs(a - b) > tolerance * np.maximum(np.abs(a), np.abs(b)))
        for a, b in pairs
    )


def at(seed: Seed, number: int) -> tuple[Given, list[Any], Any, list[Any]]:
    """Inputs, their arrays, and positive incoming gradients of the first and the second order."""
    given = seed.given(number)
    xs = given.arrays
    draw = np.random.default_rng(number)
    return given, xs, draw.uniform(0.5, 1.5, seed.f(given)(*xs).shape), [draw.uniform(0.5, 1.5, x.shape) for x in xs]


def harmful(seed: Seed, number: int) -> bool:
    """Whether the wrong version does at these inputs what its kind says."""
    given, xs, g, gg = at(seed, number)
    wrong, right = seed.vjp(given, True), seed.vjp(given)
    if seed.order == 2:
        assert not differ(wrong(g, *xs), right(g, *xs))  # wrong only when differentiated again
        return differ(seed.vjp2(given, True)(gg, g, *xs), seed.vjp2(given)(gg, g, *xs))
    if seed.kind == "mutation":
        memory = [g.copy(), *(x.copy() for x in xs)]
        wrong(*memory)
        return differ(memory, [g, *xs])
    if seed.kind == "aliasing":
        first = wrong(g, *xs)
        copies = [r.copy() for r in first]
        assert not differ(copies, right(g, *xs))
        wrong(2 * g, *xs)
        return differ(first, copies)
    if seed.kind == "layout":
        assert not differ(wrong(g, *xs), right(g, *xs))
        f_order = [np.asfortranarray(x) for x in (g, *xs)]
        return differ(wrong(*f_order), right(g, *xs))
    if seed.kind in ("noise", "state"):
        return differ(wrong(g, *xs), wrong(g, *xs))
    return differ(
        wrong(g, *xs), right(g, *xs), 1e-6 if seed.how != "and the eighth" and "precision" not in seed.kind else 5e-9
    )


def test_every_differentiable_op_is_broken_in_several_ways() -> None:
    assert len(SEEDS) >= 200
    assert len({s.name for s in SEEDS}) == len(SEEDS)
    for op in OPS:
        assert len({s.kind for s in SEEDS if s.op == op} | {s.how for s in SEEDS if s.op == op}) >= 3, op
    assert all(len(seeds) >= 5 for seeds in BY_KIND.values())


@BY_OP
def test_wrong_ones_are_wrong(op: str) -> None:
    for seed in (s for s in SEEDS if s.op == op):
        assert all(harmful(seed, number) for number in range(4)), seed.name


@BY_OP
def test_right_ones_are_right(op: str) -> None:
    pytest.importorskip("torch")
    from tests.benchmarks import oracle

    for seed in (s for s in SEEDS if s.op == op):
        given, xs, g, gg = at(seed, 0)
        copies = [a.copy() if isinstance(a, np.ndarray) else a for a in given.args]
        expected = oracle.vjp(seed.op, copies, given.attrs, given.slots, g)
        for found, truth in zip(seed.vjp(given)(g, *xs), expected, strict=True):
            np.testing.assert_allclose(found, truth, rtol=1e-9, atol=1e-300, err_msg=seed.name)
        if seed.order == 2:
            twice = oracle.vjp2(seed.op, copies, given.attrs, given.slots, g, gg)
            for found, truth in zip(seed.vjp2(given)(gg, g, *xs), twice, strict=True):
                np.testing.assert_allclose(found, truth, rtol=1e-9, atol=1e-12, err_msg=seed.name)


CORNERED = [s for s in SEEDS if s.kind in ("ties", "at zero")]


@pytest.mark.parametrize("seed", CORNERED, ids=lambda s: s.name)
def test_at_corners_wrong_means_outside_of_the_one_sided_slopes(seed: Seed) -> None:
    """PyTorch's choice at a corner is one of many: a seed must be wrong whichever is made."""
    given, xs, g, _ = at(seed, 0)
    f, h, draw = seed.f(given), 1e-6, np.random.default_rng(0)
    outside = False
    for _ in range(60):
        ds = [draw.choice([-1.0, 0.0, 1.0], x.shape) for x in xs]
        left, here, right = (np.sum(g * f(*(x + t * d for x, d in zip(xs, ds, strict=True)))) for t in (-h, 0, h))
        low, high = sorted([(here - left) / h, (right - here) / h])
        if not np.isfinite(low) or not np.isfinite(high):
            continue  # out of the domain
        slack = 1e-5 * (1 + abs(low) + abs(high))
        slopes = [
            sum(np.sum(r * d) for r, d in zip(seed.vjp(given, wrong)(g, *xs), ds, strict=True))
            for wrong in (False, True)
        ]
        assert low - slack <= slopes[0] <= high + slack
        outside |= not low - slack <= slopes[1] <= high + slack
    assert outside


@pytest.mark.parametrize("kind", HINTS)
def test_the_program_meets_the_same_values_and_is_broken_only_inside(kind: str) -> None:
    for seed in BY_KIND[kind]:
        given, xs, _, _ = at(seed, 0)
        op = seed.row.op
        rules, keep = op.rules, dict(op.keep)
        program, inputs = seed.program(given)
        with seed.broken():
            assert op.rules is not rules
            program(*inputs)
        assert op.rules is rules and op.keep == keep
        first = program(*inputs)
        first = (first[0] if isinstance(first, tuple) else first).array
        if kind not in ("mutation", "aliasing"):
            value = seed.f(given)(*xs).ravel()[: first.size] / 4
            np.testing.assert_array_equal(np.ravel(first), value)


@pytest.mark.long
@pytest.mark.parametrize("kind", HINTS)
@pytest.mark.parametrize("form", ["ours", "program"])
def test_ours_finds_a_sample_of_every_kind(kind: str, form: str) -> None:
    checker = checkers.CHECKERS[form]
    seeds = [] if kind in checker.silent else BY_KIND[kind][:: max(1, len(BY_KIND[kind]) // 4)]
    for seed in seeds[-1:] if kind == "one element" else seeds:  # of 1000 elements: one of these takes its time
        result = checkers.contest(checker, seed, 1)
        assert result.found, f"not found: {seed.name}"
        assert not result.alarms, f"false alarm: {seed.name}\n{result.text}"
        if form == "program":
            assert result.named, f"{seed.name}: blames {result.guilty}\n{result.text}"


@pytest.mark.parametrize("name", ["torch", "torch-fast", "jax", "autograd", "mygrad"])
def test_the_others_are_asked_properly(name: str) -> None:
    """Each of them finds a doubled gradient of every ordinary op, and has nothing against the right one."""
    checker = checkers.CHECKERS[name]
    if checker.needs:
        pytest.importorskip(checker.needs)
    checker.prepare()
    for op in ("exp", "mm", "split", "where", "softmax", "atan2"):
        seed = next(s for s in SEEDS if s.op == op and s.kind == "sign")
        result = checkers.contest(checker, seed, 1)
        assert result.found and not result.alarms, result.text
    if "second order" not in checker.silent:
        seed = next(s for s in SEEDS if s.op == "mm" and s.order == 2)
        result = checkers.contest(checker, seed, 1)
        assert result.found and not result.alarms, result.text


def test_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    code = checkers.main(["--checkers", "mygrad", "--cases", "exp: factor", "--samples", "2", "-v"])
    assert code == 0
    assert "5/5" in capsys.readouterr().out


def test_what_is_not_installed_is_said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(checkers, "find_spec", lambda name: None)
    checkers.main(["--checkers", "jax", "mygrad", "--cases", "exp: factor", "--samples", "1"])
    printed = capsys.readouterr().out
    assert "JAX: jax is not installed" in printed and "MyGrad" in printed


def test_an_exception_of_ours_is_no_find() -> None:
    class Broken(checkers.Ours):
        def check(self, seed: Seed, given: Given, wrong: bool, number: int) -> checkers.Answer:
            raise RuntimeError("a bug of the checker's own")

    result = checkers.contest(Broken(), SEEDS[0], 2)
    assert not result.found and result.alarms == 2


@pytest.mark.long
@pytest.mark.parametrize("form", ["ours", "program"])
def test_every_magnitude_is_found(form: str) -> None:
    """Steps longer than 1, which large numbers need, are no reason to give up: that of atan at 1e5 is 24."""
    for seed in BY_KIND["large magnitude"] + BY_KIND["tiny magnitude"]:
        result = checkers.contest(checkers.CHECKERS[form], seed, 1)
        assert result.found and not result.alarms, f"{seed.name}\n{result.text}"
