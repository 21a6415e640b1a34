"""`torch.autograd.gradcheck` and `gradgradcheck` by PyTorch's signature, on this package's own checker."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tinygrad_pt.graph import Handle
from tinygrad_pt.testing.gradcheck import Report
from tinygrad_pt.testing.gradcheck import gradcheck as check
from tinygrad_pt.testing.gradcheck import gradgradcheck as check_twice


class GradcheckError(RuntimeError):
    """A gradient disagrees with the numerical one; `report` says where."""

    report: Report


def gradcheck(
    func: Callable[..., Any],
    inputs: Any,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_batched_forward_grad: bool = False,
    check_forward_ad: bool = False,
    check_backward_ad: bool = True,
    fast_mode: bool = False,
    masked: bool | None = None,
) -> bool:
    """Whether the gradients of `func` with respect to the inputs that require grad are right.

    PyTorch's signature. Steps are chosen per element and errors bounded per element, so `eps` and `fast_mode` have
    no effect; `atol` and `rtol` are allowed beside the bound. The other options name checks this engine has no
    use for.

    >>> import tinygrad_pt as torch
    >>> gradcheck(torch.sin, (torch.tensor([1.0], requires_grad=True),))
    True
    """
    inputs = _tuple(inputs)
    return _verdict(check(func, *inputs, argnums=_wanted(inputs), rtol=rtol, atol=atol), raise_exception)


def gradgradcheck(
    func: Callable[..., Any],
    inputs: Any,
    grad_outputs: Any = None,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    gen_non_contig_grad_outputs: bool = False,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_fwd_over_rev: bool = False,
    check_rev_over_rev: bool = True,
    fast_mode: bool = False,
    masked: bool = False,
) -> bool:
    """Whether second derivatives are right: `gradcheck` of the gradient. Options as there."""
    inputs = _tuple(inputs)
    return _verdict(check_twice(func, *inputs, argnums=_wanted(inputs), rtol=rtol, atol=atol), raise_exception)


def _tuple(inputs: Any) -> tuple[Any, ...]:
    return (inputs,) if isinstance(inputs, Handle) else tuple(inputs)


def _wanted(inputs: Sequence[Any]) -> list[int]:
    wanted = [i for i, x in enumerate(inputs) if isinstance(x, Handle) and x.node is not None]
    if not wanted:
        raise ValueError(
            "gradcheck expects at least one input tensor to require gradient, but none of the them have "
            "requires_grad=True."
        )
    return wanted


def _verdict(report: Report, raise_exception: bool) -> bool:
    if report.ok or not raise_exception:
        return report.ok
    worst = report.failures[0]
    error = GradcheckError(
        f"Jacobian mismatch for output {worst.output} with respect to input {worst.input},\n{report}"
    )
    error.report = report
    raise error
