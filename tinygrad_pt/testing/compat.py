"""`torch.autograd.gradcheck` and `gradgradcheck`, with PyTorch's signatures: they call `testing.gradcheck`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tinygrad_pt.errors import refuse
from tinygrad_pt.graph import Tensor
from tinygrad_pt.testing.gradcheck import gradcheck as check
from tinygrad_pt.testing.gradcheck import gradgradcheck as check_twice
from tinygrad_pt.testing.laws import forward_is_reverse
from tinygrad_pt.testing.report import Report
from tinygrad_pt.testing.subject import TensorSubject


class GradcheckError(RuntimeError):
    """A gradient disagrees with the numerical one; `report` says where."""

    report: Report


def gradcheck(
    func: Callable[..., Any], inputs: Any, *, eps: float = 1e-6, atol: float = 1e-5, rtol: float = 1e-3,
    raise_exception: bool = True, nondet_tol: float = 0.0, check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False, check_batched_grad: bool = False, check_batched_forward_grad: bool = False,
    check_forward_ad: bool = False, check_backward_ad: bool = True, fast_mode: bool = False, masked: bool | None = None,
) -> bool:  # fmt: skip
    """Whether the gradients of `func` with respect to the inputs that require grad are right.

    This is `torch.autograd.gradcheck`, with PyTorch's signature: a tuple of inputs, True or an exception. It calls
    `tinygrad_pt.testing.gradcheck(f, *inputs)`, which returns a report and needs no tolerance; prefer that one. Here
    `atol` and `rtol`, which are PyTorch's and generous, are allowed beside the error bound. Steps are chosen and errors
    bounded per element, so `eps` and `fast_mode` have no effect. With `nondet_tol` the laws (the same bits twice, no
    write into g, …) are not tested; `check_forward_ad` holds the jvp against the vjp. The other options name checks
    this engine has no use for.

    Raises:
        GradcheckError: with the `report`, unless `raise_exception` is False.

    >>> import tinygrad_pt as torch
    >>> gradcheck(torch.sin, (torch.tensor([1.0], requires_grad=True),))
    True
    """
    inputs = _tuple(inputs)
    wanted = _wanted(inputs)
    report = check(func, *inputs, argnums=wanted, rtol=rtol, atol=atol, laws=nondet_tol == 0)
    if check_forward_ad and report.ok:
        report.failures += forward_is_reverse(TensorSubject(func, inputs, wanted), 0)
    return _verdict(report, raise_exception)


def gradgradcheck(
    func: Callable[..., Any], inputs: Any, grad_outputs: Any = None, *, eps: float = 1e-6, atol: float = 1e-5,
    rtol: float = 1e-3, gen_non_contig_grad_outputs: bool = False, raise_exception: bool = True,
    nondet_tol: float = 0.0, check_undefined_grad: bool = True, check_grad_dtypes: bool = False,
    check_batched_grad: bool = False, check_fwd_over_rev: bool = False, check_rev_over_rev: bool = True,
    fast_mode: bool = False, masked: bool = False,
) -> bool:  # fmt: skip
    """Whether second derivatives are right: `gradcheck` of the gradient of Σ g·f, where `grad_outputs` are the g.

    This is `torch.autograd.gradgradcheck`; it calls `tinygrad_pt.testing.gradgradcheck`, which returns a report.
    """
    inputs = _tuple(inputs)
    gs = None if grad_outputs is None else _tuple(grad_outputs)
    options: dict[str, Any] = dict(argnums=_wanted(inputs), rtol=rtol, atol=atol, laws=nondet_tol == 0)
    report = check_twice(func, *inputs, grad_outputs=gs, **options)
    return _verdict(report, raise_exception)


LAWS = {  # PyTorch's words for the laws it tests too
    law: "Backward is not reentrant, i.e., running backward with same input and grad_output multiple times gives "
    "different values, although analytical gradient matches numerical gradient."
    for law in ("re-entrancy", "determinism")
}


def _tuple(inputs: Any) -> tuple[Any, ...]:
    return (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)


def _wanted(inputs: Sequence[Any]) -> list[int]:
    wanted = [i for i, x in enumerate(inputs) if isinstance(x, Tensor) and x.node is not None]
    if not wanted:
        text = "gradcheck expects at least one input tensor to require gradient, but none of the them have "
        raise refuse(ValueError, text + "requires_grad=True.")
    return wanted


def _verdict(report: Report, raise_exception: bool) -> bool:
    if report.ok or not raise_exception:
        return report.ok
    worst = report.failures[0]
    text = LAWS.get(worst.law, f"Jacobian mismatch for output {worst.output} with respect to input {worst.input},")
    error = GradcheckError(f"{text}\n{report}")
    error.report = report
    raise error
