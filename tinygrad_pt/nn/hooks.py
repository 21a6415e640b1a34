"""Hooks of a module: functions called before and after its forward, and before and after its backward."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from tinygrad_pt.attached import Removable
from tinygrad_pt.autograd.function import Function
from tinygrad_pt.calling import wrap
from tinygrad_pt.errors import refuse
from tinygrad_pt.graph import Node, made_by
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


SILENCED = (
    "module forward hook with ``always_call=True`` raised an exception that was silenced as another error was raised "
    "in forward: "
)
PARTIAL = "Using {} is deprecated and will be removed in future versions. This hook will be missing {}"
MIXED = (
    "Cannot use both regular backward hooks and full backward hooks on a single Module. Please use only one of them."
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
    done, result = set(), None
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
        gate = Gate(module, hooks) if hooks.of("backward") or hooks.of("backward_before") else None
        if gate is not None:
            args = gate.enter(args)
        result = _forward(module, args, kwargs)
        for entry in hooks.of("after"):
            hook, with_kwargs, _ = entry
            done.add(id(entry))
            answer = hook(module, args, kwargs, result) if with_kwargs else hook(module, args, result)
            result = result if answer is None else answer
        if gate is not None:
            result = gate.leave(result)
        if hooks.of("backward_partial"):
            attach_partial(module, hooks.of("backward_partial"), args, result)
        return result
    except Exception:
        for entry in hooks.of("after"):
            hook, with_kwargs, always = entry
            if not always or id(entry) in done:
                continue
            try:
                answer = hook(module, args, kwargs, result) if with_kwargs else hook(module, args, result)
                result = result if answer is None else answer
            except Exception as error:
                warnings.warn(SILENCED + str(error), stacklevel=3)
        raise


def _forward(module: Module, args: Args, kwargs: dict[str, Any]) -> Any:
    """`module.forward`; arguments that a hook has taken away are an error with a name."""
    try:
        return module.forward(*args, **kwargs)
    except TypeError as error:
        if error.__traceback__ is not None and error.__traceback__.tb_next is None:  # forward has not begun
            mend = "forward must get its arguments: a pre-hook that changes one returns all of them"
            raise refuse(TypeError, str(error), None, mend=mend) from None
        raise


class BackwardHookFunction(Function):
    """The identity on several tensors at once, whose backward calls the backward hooks of a module."""

    @staticmethod
    def forward(ctx: Any, action: Callable[[Grads], Grads], *tensors: Tensor) -> tuple[Tensor, ...]:
        """The tensors themselves."""
        ctx.action = action
        ctx.set_materialize_grads(False)
        ctx.mark_non_differentiable(*[t for t in tensors if t.node is None])
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
        self.module = module
        self.hooks = {kind: hooks.of(kind) for kind in ("backward", "backward_before")}
        self.grad_output: Any = None  # from the outer gate until the hooks have been called
        self.inputs: list[int] = []
        self.tensors: Args = ()
        self.arity = 0

    def enter(self, args: Args) -> Args:
        """The positional arguments; tensors pass through the inner gate if one of them requires a gradient."""
        self.arity = len(args)
        args, self.inputs = self._through(self.at_inputs, args)
        self.tensors = tuple((args[i].array.shape, args[i].array.dtype) for i in self.inputs)
        return args

    def leave(self, result: Any) -> Any:
        """The result of the call; if it is a tensor or a tuple, its tensors pass through the outer gate."""
        if not isinstance(result, (Tensor, tuple)):
            wanted = "For backward hooks to be called, module output should be a Tensor or a tuple of Tensors"
            warnings.warn(f"{wanted} but received {type(result)}", stacklevel=4)
            return result
        values = result if isinstance(result, tuple) else (result,)
        places: list[int] = []

        def at_outputs(grads: Grads) -> Grads:
            full = replaced([None] * len(values), places, grads)
            wrong = "pre hook returned an invalid number of grad_output"
            self.grad_output = found = self._changed(full, "backward_before", wrong)
            if not self.inputs:
                if self.hooks["backward"]:
                    warnings.warn(NO_INPUT, stacklevel=2)
                for hook in self.hooks["backward"]:
                    answer = hook(self.module, (None,) * self.arity, self.grad_output)
                    if answer is not None and not (isinstance(answer, tuple) and all(a is None for a in answer)):
                        raise refuse(RuntimeError, ALL_NONE)
                self.grad_output = None
            return tuple(found[i] for i in places)

        passed, places = self._through(at_outputs, values)
        if not places:
            return result
        if not isinstance(result, tuple):
            return passed[0]
        return passed if type(result) is tuple else type(result)(*passed)  # a named tuple stays one

    def _through(self, action: Callable[[Grads], Grads], values: Args) -> tuple[Args, list[int]]:
        """The values, of which all tensors have passed a gate, and the places of these; none if none requires grad."""
        places = [i for i, v in enumerate(values) if isinstance(v, Tensor)]
        if not current().grad or not any(values[i].node is not None for i in places):
            return values, []
        return replaced(values, places, BackwardHookFunction.apply(action, *(values[i] for i in places))), places

    def at_inputs(self, grads: Grads) -> Grads:
        """Show grad_input and grad_output to the hooks; a value that a hook returns becomes grad_input.

        Gradients that did not come through the outer gate, as in a second derivative, are not shown.
        """
        if self.grad_output is None:
            return grads
        filled = (wrap(np.zeros(*kind)) if g is None else g for g, kind in zip(grads, self.tensors, strict=True))
        full = replaced([None] * self.arity, self.inputs, filled)
        found = self._changed(full, "backward", "hook returned an invalid number of grad_input", self.grad_output)
        self.grad_output = None
        return tuple(found[i] for i in self.inputs)

    def _changed(self, found: tuple[Any, ...], kind: str, wrong: str, *more: Any) -> tuple[Any, ...]:
        """The gradients after all hooks of one kind, each of which may replace them."""
        for hook in self.hooks[kind]:
            answer = hook(self.module, found, *more)
            if answer is not None:
                answer = (answer,) if isinstance(answer, Tensor) else answer
                if not isinstance(answer, (tuple, list)):
                    raise refuse(TypeError, f"object of type '{type(answer).__name__}' has no len()", None)
                if len(answer) != len(found):
                    raise refuse(RuntimeError, f"Backward {wrong}, got {len(answer)}, but expected {len(found)}")
                found = tuple(answer)
        return found


# ------------------------------------------------------------------------------------------ the older kind
def attach_partial(module: Module, hooks: tuple[Any, ...], args: Args, result: Any) -> None:
    """Let the hooks of `register_backward_hook` hear of the last vertex of the call, which is all they hear of."""
    t = result
    while not isinstance(t, Tensor):
        t = next(v for v in t.values() if isinstance(v, Tensor)) if isinstance(t, dict) else t[0]
    if t.grad_fn is None:
        return
    for hook in hooks:
        t.grad_fn.register_hook(partial(hook, module))
    if missing := _missing(args, result, t.grad_fn):
        warnings.warn(PARTIAL.format(*missing), FutureWarning, stacklevel=4)


def _missing(args: Args, result: Any, last: Node) -> tuple[str, str] | tuple[()]:
    """When and what such a hook does not hear, in PyTorch's words; nothing if it hears all."""
    results = result if isinstance(result, tuple) else (result,)
    advice = " Please use register_full_backward_hook to get the documented behavior."
    single = "a single Tensor or a tuple of Tensors"
    if not all(isinstance(r, Tensor) for r in results):
        return f"non-full backward hooks on a Module that does not return {single}", f"some of the grad_output.{advice}"
    if not all(isinstance(a, Tensor) for a in args):
        what = f"non-full backward hooks on a Module that does not take as input {single}"
        return what, f"some of the grad_input.{advice}"
    when = "a non-full backward hook when"
    made = {made_by(r.grad_fn) for r in results if r.grad_fn is not None}
    if made != {made_by(last)}:
        return f"{when} outputs are generated by different autograd Nodes", f"some grad_output.{advice}"
    sources = {made_by(a.grad_fn) for a in args if a.grad_fn is not None}
    if sources != {p if p is None else made_by(p) for p, _ in made_by(last).next_functions}:
        return f"{when} the forward contains multiple autograd Nodes", f"some grad_input.{advice}"
    return ()
