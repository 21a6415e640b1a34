"""Functions a user hangs on a module: before and after its forward, before and after its backward."""

from __future__ import annotations

import warnings
from typing import Any

from tinygrad_pt.autograd.function import Function
from tinygrad_pt.errors import refuse
from tinygrad_pt.graph import Handle
from tinygrad_pt.modes import current
from tinygrad_pt.tensor import Removable

NO_INPUT = (
    "Full backward hook is firing when gradients are computed with respect to module outputs since no "
    "inputs require "
    "gradients. See https://docs.pytorch.org/docs/main/generated/torch.nn.Module.html#torch.nn.Module."
    "register_full_backward_hook for more details."
)


class Hooks:
    """The hooks of one module, by kind, in the order in which they run."""

    def __init__(self) -> None:
        self.kinds: dict[str, dict[int, Any]] = {}

    def add(self, kind: str, hook: Any, prepend: bool) -> Removable:
        """Hang up a hook, at the front or at the back."""
        hooks = self.kinds.setdefault(kind, {})
        removable = Removable(hooks)
        others = dict(hooks) if prepend else {}
        for key in others:
            del hooks[key]
        hooks[removable.id] = hook
        hooks.update(others)
        return removable

    def of(self, kind: str) -> tuple[Any, ...]:
        """The hooks of one kind; a tuple, since a hook may remove itself."""
        return tuple(self.kinds.get(kind, {}).values())


def call_hooked(module: Any, hooks: Hooks, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
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
                raise RuntimeError(
                    f"forward pre-hook must return None or a tuple of (new_args, new_kwargs), but got {answer}."
                )
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
    """The identity on several tensors at once: the place where a module's backward hooks stand."""

    @staticmethod
    def forward(ctx: Any, action: Any, *tensors: Any) -> Any:
        """The tensors themselves."""
        ctx.action = action
        return tensors

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        """What the hooks make of the gradients."""
        return (None, *ctx.action(grads))


class Gate:
    """One call's two gates: the outer learns grad_output, the inner hands both gradients to the hooks."""

    def __init__(self, module: Any, hooks: Hooks) -> None:
        self.module, self.hooks = module, hooks
        self.grad_output: Any = None
        self.inputs: list[int] = []
        self.arity = 0

    def enter(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """The positional arguments, those that want a gradient led through the inner gate."""
        self.arity = len(args)
        if current().grad:
            self.inputs = [i for i, a in enumerate(args) if isinstance(a, Handle) and a.node is not None]
        if not self.inputs:
            return args
        passed = list(args)
        results = BackwardHookFunction.apply(self.at_inputs, *(args[i] for i in self.inputs))
        for i, t in zip(self.inputs, results, strict=True):
            passed[i] = t
        return tuple(passed)

    def leave(self, result: Any) -> Any:
        """The result (a tensor or a tuple of tensors) led through the outer gate."""
        values = result if isinstance(result, tuple) else (result,)
        if not all(isinstance(v, Handle) for v in values):
            warnings.warn(
                "For backward hooks to be called, module output should be a Tensor or a tuple of Tensors "
                "but received "
                f"{type(result)}",
                UserWarning,
                stacklevel=4,
            )
            return result
        wanted = [i for i, v in enumerate(values) if v.node is not None]
        if not wanted:
            return result
        passed = list(values)

        def at_outputs(grads: tuple[Any, ...]) -> tuple[Any, ...]:
            full: list[Any] = [None] * len(values)
            for i, g in zip(wanted, grads, strict=True):
                full[i] = g
            for hook in self.hooks.of("backward_before"):
                answer = hook(self.module, tuple(full))
                if answer is not None:
                    full = list(answer if isinstance(answer, tuple) else (answer,))
            self.grad_output = tuple(full)
            if not self.inputs:
                if self.hooks.of("backward"):
                    warnings.warn(NO_INPUT, UserWarning, stacklevel=2)
                for hook in self.hooks.of("backward"):
                    if hook(self.module, (None,) * self.arity, self.grad_output) is not None:
                        raise refuse(
                            RuntimeError,
                            "Backward hook for Modules where no input requires gradient should always "
                            "return None or None for "
                            "all gradients.",
                        )
            return tuple(full[i] for i in wanted)

        gated = BackwardHookFunction.apply(at_outputs, *(values[i] for i in wanted))
        for i, t in zip(wanted, gated, strict=True):
            passed[i] = t
        return tuple(passed) if isinstance(result, tuple) else passed[0]

    def at_inputs(self, grads: tuple[Any, ...]) -> tuple[Any, ...]:
        """Show grad_input and grad_output to the hooks; what a hook returns becomes grad_input."""
        full: list[Any] = [None] * self.arity
        for i, g in zip(self.inputs, grads, strict=True):
            full[i] = g
        for hook in self.hooks.of("backward"):
            answer = hook(self.module, tuple(full), self.grad_output)
            if answer is not None:
                answer = answer if isinstance(answer, tuple) else (answer,)
                if len(answer) != len(full):
                    raise RuntimeError(
                        f"Backward hook returned an invalid number of grad_input, got {len(answer)}, but "
                        f"expected {len(full)}"
                    )
                full = list(answer)
        return tuple(full[i] for i in self.inputs)
