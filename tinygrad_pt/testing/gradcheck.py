"""`gradcheck` compares gradients with numerical ones and tests the laws they obey; its report says where they fail."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import replace
from typing import Any

import numpy as np

from tinygrad_pt.errors import refuse
from tinygrad_pt.graph import Tensor
from tinygrad_pt.testing.blame import blame
from tinygrad_pt.testing.compare import LISTED, Comparison, compare
from tinygrad_pt.testing.hints import Hint, hints
from tinygrad_pt.testing.laws import FATAL, Trial, broken_laws, forward_is_reverse
from tinygrad_pt.testing.report import Failure, GradientMismatch, Report
from tinygrad_pt.testing.subject import Derivative, Flat, Flaw, NumpySubject, Subject, TensorSubject


def gradcheck(
    f: Callable[..., Any], *inputs: Any, vjp: Callable[..., Any] | None = None, order: int = 1, seed: int = 0,
    argnums: Sequence[int] | None = None, rtol: float = 0.0, atol: float = 0.0, laws: bool = True,
    max_elements: int = 4096,
) -> Report:  # fmt: skip
    """Hold the gradients of `f` against numerical ones, entry by entry of every Jacobian, and against their laws.

    This is the package's own signature, inputs one by one and a report; `torch.autograd.gradcheck(f, inputs)`, with
    PyTorch's, calls it. It computes in float64, whatever the inputs' dtype, unless `f` insists on less. An entry is
    right if it lies within the error bound of the numerical slope (two 5-point stencils with relative steps, see
    `numerical_jacobian`). At a corner, as of |x| at 0, any value between the slope from the left and the slope from the
    right is right, and at ties the gradient must be right in directions that move them together. Where the function
    jumps, is not finite, or is too rough for a bound that means anything, the entry is inconclusive.

    The laws: a vjp is linear in g, and exactly 0 for g = 0; it changes neither g nor inputs; its results share no
    memory with them or each other; layouts of memory do not matter; run twice it gives the same bits; the graph is
    freed without the garbage collector. On failure the report names the op whose own rule is wrong.

    Args:
        f: a function of tensors that returns a tensor or a tuple of them; with `vjp`, of NumPy arrays.
        inputs: its arguments; floating point ones are checked, anything else is passed on unchanged.
        vjp: `vjp(g, *arrays) -> tuple of arrays`, the gradients of Σ g·f, when both are plain NumPy functions.
        order: 1, or 2 to check the second derivatives too, if the first are right.
        seed: of the random directions and weights; the same seed gives the same report.
        argnums: the positions of the arguments to check; default: all floating point ones.
        rtol, atol: tolerance beside the bound, relative to the analytic entry and absolute.
        laws: whether the laws are tested too.
        max_elements: inputs with more elements than this are moved along random directions first.

    >>> import tinygrad_pt as torch
    >>> report = gradcheck(lambda x: (x * x).sum(), torch.tensor([1.0, -2.0]))
    >>> report.ok, report.verdict, report.checked
    (True, 'pass', 2)
    >>> import numpy as np
    >>> print(gradcheck(np.sin, np.array([0.5, 2.0]), vjp=lambda g, x: (-g * np.cos(x),)).failures[0].hint)
    sign: analytic = -numeric
    """
    subject: Subject
    if order not in (1, 2):
        raise refuse(ValueError, f"order must be 1 or 2, not {order!r}")
    if vjp is not None:
        if order > 1:
            text = "a vjp of NumPy arrays cannot be differentiated: order 2 needs a function of tensors"
            raise refuse(ValueError, text)
        subject = NumpySubject(f, vjp, inputs, argnums)
    elif not any(isinstance(x, Tensor) for x in inputs):
        text = "gradcheck needs a floating point tensor among the inputs, or vjp= for functions of arrays"
        raise refuse(ValueError, text)
    else:
        subject = TensorSubject(f, inputs, argnums)
    options: dict[str, Any] = dict(seed=seed, rtol=rtol, atol=atol, laws=laws, max_elements=max_elements)
    report = examine(subject, **options)
    if order > 1 and report.ok and isinstance(subject, TensorSubject):
        second = examine(Derivative(subject, seed), order=2, **options)
        second.checked += report.checked
        second.inconclusive = report.inconclusive + second.inconclusive
        second.unsure += report.unsure
        return second
    return report


def gradgradcheck(
    f: Callable[..., Any], *inputs: Any, grad_outputs: Sequence[Any] | None = None, seed: int = 0,
    argnums: Sequence[int] | None = None, rtol: float = 0.0, atol: float = 0.0, laws: bool = True,
    max_elements: int = 4096,
) -> Report:  # fmt: skip
    """`gradcheck` of the gradient itself: of (inputs, v) ↦ ∂(Σ v·f)/∂inputs; v is drawn from `seed` unless given.

    >>> import tinygrad_pt as torch
    >>> gradgradcheck(torch.sin, torch.tensor([0.5])).verdict
    'pass'
    """
    subject = Derivative(TensorSubject(f, inputs, argnums), seed, grad_outputs)
    return examine(subject, order=2, seed=seed, rtol=rtol, atol=atol, laws=laws, max_elements=max_elements)


def assert_gradients(f: Callable[..., Any], *inputs: Any, order: int = 1, **options: Any) -> Report:
    """`gradcheck`, with `order=2` of the second derivatives too; an AssertionError with `.report` where one fails.

    >>> import tinygrad_pt as torch
    >>> assert_gradients(torch.tanh, torch.tensor([0.5, -1.0]), order=2).ok
    True
    """
    report = gradcheck(f, *inputs, order=order, **options)
    if not report.ok:
        raise GradientMismatch(report)
    return report


# ---------------------------------------------------------------------------------------------- the steps
def examine(
    subject: Subject, *, order: int = 1, seed: int, rtol: float, atol: float, laws: bool, max_elements: int
) -> Report:
    """Check a subject's laws, then its entries; then describe the failures, and find the op that is to blame."""
    report, trial = Report(order=order), None
    law = "gradient" if order == 1 else "second order"
    options: dict[str, Any] = dict(seed=seed, rtol=rtol, atol=atol, max_elements=max_elements)
    try:
        if laws and order == 1:
            trial = Trial(subject, seed)
            report.failures += broken_laws(trial)
        if not any(f.law in FATAL for f in report.failures):
            found = compare(Flat(subject), **options, rows=None if trial is None or report.failures else trial.rows)
            wrong = found.verdicts.wrong.any()
            record(report, found, law, hints(found) if wrong and not report.failures else {})
            if laws and order == 2 and report.ok and isinstance(subject, Derivative):
                report.failures += forward_is_reverse(subject.of, seed)
    except Flaw as flaw:
        slot = subject.slots[0] if flaw.slot is None else flaw.slot
        report.failures.append(Failure(law, slot, subject.names[slot], hint=str(flaw), hint_kind=flaw.kind))
    if report.failures:
        accuse(report, subject, options)
    return report


def accuse(report: Report, subject: Subject, options: dict[str, Any]) -> None:
    """Name the op that is to blame, if the subject is made of ops, and say what its own check says."""
    if isinstance(subject, Derivative):
        try:
            first = compare(Flat(subject.of), **options)
            wrong = bool(first.verdicts.wrong.any() or first.ties)
        except Flaw:
            wrong = True
        if wrong:  # the second derivatives are wrong because the first are
            subject = subject.of
        else:
            text = "second order: the first derivatives are right, the second are not"
            report.failures = [replace(f, hint=text, hint_kind="second order") for f in report.failures]
    report.guilty, report.failures = blame(subject, report.failures, options)
    if report.guilty is None and {f.law for f in report.failures} <= {"gradient", "second order"}:
        excuse(report, subject, options)


def excuse(report: Report, subject: Subject, options: dict[str, Any]) -> None:
    """Where corners inside the function cancel, as in relu(x) - relu(-x) at 0, no op is wrong and yet the sum is.

    The chain rule does not hold for subgradients. So if every op is right by itself, and the whole is right at
    points beside this one, the entries are inconclusive.
    """
    if not isinstance(subject, TensorSubject):
        return
    draw = np.random.default_rng([options["seed"], 3])
    beside = copy(subject)
    beside.found = None
    beside.inputs = [
        np.asarray(x + 1e-3 * draw.uniform(0.5, 1, x.shape) * np.where(x == 0, 1, x), x.dtype)
        if i in subject.slots else x for i, x in enumerate(subject.inputs)
    ]  # fmt: skip
    try:
        found = compare(Flat(beside), **options)
    except Flaw:
        return
    if found.verdicts.wrong.any() or found.ties:
        return
    text = (
        "corners inside the function meet here: each op gives a subgradient, but the chain rule does not hold for those"
    )
    report.inconclusive = [replace(f, hint=text, hint_kind="ties") for f in report.failures] + report.inconclusive
    report.unsure += report.wrong
    report.failures, report.wrong = [], 0


def record(report: Report, found: Comparison, law: str, said: dict[int, Hint]) -> None:
    """Enter what was said of each entry into the report, with addresses for the first of them."""
    report.checked += found.checked
    wrong, unsure = (np.argwhere(mask) for mask in (found.verdicts.wrong, found.verdicts.unsure))
    report.failures += [entry(found, int(row), int(column), law, said) for row, column in wrong[:LISTED]]
    report.inconclusive += [entry(found, int(row), int(column), law, {}) for row, column in unsure[:LISTED]]
    report.wrong += len(wrong)
    report.unsure += len(unsure)
    report.wrong += len(found.ties)
    for tie in found.ties:
        slot, index = found.flat.place(tie.column)
        output, place = found.flat.result_place(tie.row) if found.weights is None else (0, ())
        nearest = tie.low if tie.analytic < tie.low else tie.high
        report.failures.append(Failure(
            law, slot, found.flat.subject.names[slot], index, output, place, tie.analytic, nearest, tie.slack, tie.low,
            tie.high, "ties: along a direction that moves tied elements together, <g, d> leaves the range of slopes",
            "ties",
        ))  # fmt: skip


def entry(found: Comparison, row: int, column: int, law: str, said: dict[int, Hint]) -> Failure:
    """One entry with its address; of a combination of results, that of the result which disagrees most."""
    flat, numeric = found.flat, found.numeric
    slot, index = flat.place(int(found.columns[column]))
    if column in found.located:
        result, (a, s, bound, left, right) = found.located[column]
        output, place = flat.result_place(result)
    else:
        output, place = flat.result_place(row) if found.weights is None else (0, ())
        tables = (found.analytic, numeric.slope, found.verdicts.bound, numeric.left, numeric.right)
        a, s, bound, left, right = (float(table[row, column]) for table in tables)
    kind, text = said.get(slot, ("", ""))
    return Failure(law, slot, flat.subject.names[slot], index, output, place, a, s, bound, left, right, text, kind)
