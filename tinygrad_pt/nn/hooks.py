"""Hooks of a module: functions called before and after its forward, and before and after its backward."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

from tinygrad_pt.autograd.function import Function
from tinygrad_pt.autograd.hooks import Removable
from tinygrad_pt.errors import refuse
from tinygrad_pt.modes import current
from tinygrad_pt.tensor import Tensor

if TYPE_CHECKING:
    from tinygrad_pt.nn.module import Module

M = TypeVar("M", bound="Module")
Args = tuple[Any, ...]
Grads = tuple[Tensor | None, ...]
ForwardPreHook = Callable[[M, Args], Any] | Callable[[M, Args, dict[str, Any]], Any]
ForwardHook = Callable[[M, Args, Any], Any] | Callable[[M, Args, dict[str, Any], Any], Any]
BackwardPreHook = Callable[[M, Grads], Grads | Tensor | None]
BackwardHook = Callable[[M, Grads, Grads], Grads | Tensor | None]

NO_INPUT = (
    "Full backward hook is firing when gradients are computed with respect to module outputs since no inputs require "
    "gradients. See https://docs.pytorch.org/docs/main/generated/torch.nn.Module.html#torch.nn.Module."
    "register_full_backward_hook for more details."
)
ALL_NONE = (
    "Backward hook for Modules where no input requires gradient should always return None or None for all gradients."
)


class Hooks:
    """The hooks of one module, by kind, in the order in which they run."""

    def __init__(self) -> None:
        self.kinds: dict[str, dict[int, Any]] = {}

    def add(self, kind: str, hook: Any, prepend: bool) -> Removable:
        """Add a hook, at the front or at the back."""
        hooks = self.kinds.setdefault(kind, {})
        removable = Removable(hooks)
        others = dict(hooks) if prepend else {}
        for key in others:
            del hooks[key]
        hooks[removable.id] = hook
        hooks.update(others)
        return removable

    def of(self, kind: str) -> tuple[Any, ...]:
        """The hooks of one kind, as a tuple, since a hook may remove itself."""
        return tuple(self.kinds.get(kind, {}).values())


def call_hooked(module: Module, hooks: Hooks, args: Args, kwargs: dict[str, Any]) -> Any:
    """`module.forward` with all its hooks."""
    done = set()
    try:
        for hook, with_kwargs in hooks.of("before"):
            answer = hook(module, args, kwargs) if with_kwargs else hook(module, args)
            if answer is None:
                continue
            if not with_kwargs:
                args = answer if isinstance(answer, tuple) else (answer,)
            elif isinstance(answer, tuple) and len(answer) == 2:
                args, kwargs = answer
            else:
                text = f"forward pre-hook must return None or a tuple of (new_args, new_kwargs), but got {answer}."
                raise refuse(RuntimeError, text)
        gate = None
        if hooks.of("backward") or hooks.of("backward_before"):
            gate = Gate(module, hooks)
            args = gate.enter(args)
        result = module.forward(*args, **kwargs)
        for entry in hooks.of("after"):
            hook, with_kwargs, _ = entry
            done.add(id(entry))
            answer = hook(module, args, kwargs, result) if with_kwargs else hook(module, args, result)
            result = result if answer is None else answer
        return result if gate is None else gate.leave(result)
    except Exception:
        for entry in hooks.of("after"):
            hook, with_kwargs, always = entry
            if always and id(entry) not in done:
                hook(module, args, kwargs, None) if with_kwargs else hook(module, args, None)
        raise


class BackwardHookFunction(Function):
    """The identity on several tensors at once, whose backward calls the backward hooks of a module."""

    @staticmethod
    def forward(ctx: Any, action: Callable[[Grads], Grads], *tensors: Tensor) -> tuple[Tensor, ...]:
        """The tensors themselves."""
        ctx.action = action
        return tensors

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> Grads:
        """The gradients as the hooks change them."""
        return (None, *ctx.action(grads))


def replaced(values: Iterable[Any], places: list[int], new: Iterable[Any]) -> tuple[Any, ...]:
    """The values, with the new ones at these places."""
    found = dict(enumerate(values)) | dict(zip(places, new, strict=True))
    return tuple(found.values())


class Gate:
    """Two gates around one call: the outer gate stores grad_output, the inner gate passes both gradients to hooks."""

    def __init__(self, module: Module, hooks: Hooks) -> None:
        self.module, self.hooks = module, hooks
        self.grad_output: Any = None
        self.inputs: list[int] = []
        self.arity = 0

    def enter(self, args: Args) -> Args:
        """The positional arguments; those that require a gradient pass through the inner gate."""
        self.arity = len(args)
        if current().grad:
            self.inputs = [i for i, a in enumerate(args) if isinstance(a, Tensor) and a.node is not None]
        if not self.inputs:
            return args
        gated = BackwardHookFunction.apply(self.at_inputs, *(args[i] for i in self.inputs))
        return replaced(args, self.inputs, gated)

    def leave(self, result: Any) -> Any:
        """The result, a tensor or a tuple of tensors, passed through the outer gate."""
        values = result if isinstance(result, tuple) else (result,)
        if not all(isinstance(v, Tensor) for v in values):
            wanted = "For backward hooks to be called, module output should be a Tensor or a tuple of Tensors"
            warnings.warn(f"{wanted} but received {type(result)}", stacklevel=4)
            return result
        recorded = [i for i, v in enumerate(values) if v.node is not None]
        if not recorded:
            return result

        def at_outputs(grads: Grads) -> Grads:
            full = replaced([None] * len(values), recorded, grads)
            wrong = "pre hook returned an invalid number of grad_output"
            self.grad_output = self._changed(full, "backward_before", wrong)
            if not self.inputs:
                if self.hooks.of("backward"):
                    warnings.warn(NO_INPUT, stacklevel=2)
                for hook in self.hooks.of("backward"):
                    if hook(self.module, (None,) * self.arity, self.grad_output) is not None:
                        raise refuse(RuntimeError, ALL_NONE)
            return tuple(self.grad_output[i] for i in recorded)

        gated = BackwardHookFunction.apply(at_outputs, *(values[i] for i in recorded))
        passed = replaced(values, recorded, gated)
        return passed if isinstance(result, tuple) else passed[0]

    def at_inputs(self, grads: Grads) -> Grads:
        """Show grad_input and grad_output to the hooks; a value that a hook returns becomes grad_input."""
        full = replaced([None] * self.arity, self.inputs, grads)
        found = self._changed(full, "backward", "hook returned an invalid number of grad_input", self.grad_output)
        return tuple(found[i] for i in self.inputs)

    def _changed(self, found: tuple[Any, ...], kind: str, wrong: str, *more: Any) -> tuple[Any, ...]:
        """The gradients after all hooks of one kind, each of which may replace them."""
        for hook in self.hooks.of(kind):
            answer = hook(self.module, found, *more)
            if answer is not None:
                answer = answer if isinstance(answer, tuple) else (answer,)
                if len(answer) != len(found):
                    raise refuse(RuntimeError, f"Backward {wrong}, got {len(answer)}, but expected {len(found)}")
                found = answer
        return found
