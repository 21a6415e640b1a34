"""Module: a function with parameters, which may contain other modules."""

from __future__ import annotations

import weakref
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from functools import partial
from typing import Any, ParamSpec, Protocol, Self, TypeVar

from tinygrad_pt import dtypes
from tinygrad_pt.attached import Removable
from tinygrad_pt.autograd.depth import elsewhere
from tinygrad_pt.errors import locate, refuse, typename
from tinygrad_pt.functions import device as Device
from tinygrad_pt.functions import empty_like
from tinygrad_pt.functions.arguments import conversion
from tinygrad_pt.functions.creation import here
from tinygrad_pt.modes import Mode, Scope, current, mode, no_grad
from tinygrad_pt.names import absent_from, mark_absent, recorded
from tinygrad_pt.nn import state, tree
from tinygrad_pt.nn.hooks import (
    MIXED,
    BackwardHook,
    BackwardPreHook,
    ForwardHook,
    ForwardPreHook,
    Hooks,
    M,
    call_hooked,
)  # fmt: skip
from tinygrad_pt.nn.parameter import Buffer, Parameter
from tinygrad_pt.nn.shelf import NEVER, SHELVES, Shelf
from tinygrad_pt.nn.state import Incompatible
from tinygrad_pt.nn.tree import ANCHORS, ASK, ENTER, LEAVE
from tinygrad_pt.tensor import Tensor

__all__ = ["Module"]

TYPE_CHECKING = False  # type checkers read it as true anyway; jedi reads the `__call__` that runs
enter = mode.set
LEVELS = 100  # of calls inside calls in one thread
P = ParamSpec("P")
R_co = TypeVar("R_co", covariant=True)


class Forward(Protocol[P, R_co]):
    """An object whose `forward` has the parameters P and returns R: a call of the module has that type."""

    def forward(self, *args: P.args, **kwargs: P.kwargs) -> R_co: ...


class Module:
    """A function with parameters: `__init__` makes them and the children, `forward` computes.

    Assigning a `Parameter`, a `Module` or (after `register_buffer`) a tensor as an attribute registers it, so
    that `parameters()`, `state_dict()`, `to()` and `train()` find it. Call the module, not its `forward`: the
    call runs the hooks, and errors and pictures then show the module.

    >>> class Double(torch.nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.w = torch.nn.Parameter(torch.tensor(2.0))
    ...     def forward(self, x):
    ...         return self.w * x
    >>> Double()(3.0)
    tensor(6., grad_fn=<MulBackward0>)
    """

    training: bool
    _parameters: dict[str, Parameter | None]
    _buffers: dict[str, Tensor | None]
    _modules: dict[str, Any]  # Module | None
    _non_persistent_buffers_set: set[str]
    _entered: tuple[Any, Any]
    _call_hooks: Hooks | None
    _version: int = 1
    _since: Mapping[str, int] = {}  # the version with which a name came into the state: older states may lack it
    call_super_init = False
    dump_patches = False
    _shown: tuple[str, ...] = ()  # settings that the representation shows

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if args or kwargs:
            wrong = f"takes 1 positional argument but {len(args) + 1} were given"
            if kwargs:
                wrong = f"got an unexpected keyword argument '{next(iter(kwargs))}'"
            raise refuse(TypeError, f"{type(self).__name__}.__init__() {wrong}")
        own = self.__dict__
        for shelf in SHELVES:
            own[shelf] = Shelf(self)
        own["training"] = True
        own["_non_persistent_buffers_set"] = set()
        own["_entered"] = NEVER  # (the mode outside, the same mode with this module's scope) of the last call
        own["_call_hooks"] = None

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the output; every subclass defines its own."""
        text = f'Module [{type(self).__name__}] is missing the required "forward" function'
        raise refuse(NotImplementedError, text, mend="define forward(self, ...) in the class")

    # -------------------------------------------------------------------------------- calling
    if TYPE_CHECKING:

        def __call__(self: Forward[P, R_co], *args: P.args, **kwargs: P.kwargs) -> R_co: ...

    else:

        def __call__(self, *args, **kwargs):
            outer = current()
            seen, inner = self._entered
            if seen is not outer:
                if outer.listeners:
                    return self._heard_call(outer, args, kwargs)
                inner = self._scoped(outer)
                if not inner.scope.depth % LEVELS:
                    return self._deep_call(outer, inner, args, kwargs)
            enter(inner)
            try:
                if self._call_hooks is None:
                    return self.forward(*args, **kwargs)
                return call_hooked(self, self._call_hooks, args, kwargs)
            except Exception as error:
                locate(error, inner.scope)
                raise
            finally:
                enter(outer)

    def _scoped(self, outer: Mode) -> Mode:
        """The mode inside a call from `outer`, stored for the next call unless it holds listeners or is very deep."""
        kind = type(self).__name__
        scope = Scope(outer.scope, self.__dict__.get("_scope_name", kind), kind, weakref.ref(self))
        inner = outer.but(scope=scope)
        if not outer.listeners and scope.depth % LEVELS:
            self.__dict__["_entered"] = (outer, inner)
        return inner

    def _heard_call(self, outer: Mode, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call the module, and tell the listeners when it has returned."""
        self.__dict__["_entered"] = (outer, self._scoped(outer))
        try:
            output = Module.__call__(self, *args, **kwargs)
        finally:
            self.__dict__["_entered"] = NEVER
        for listener in outer.listeners:
            listener.called(self, args, output)
        return output

    def _deep_call(self, outer: Mode, inner: Mode, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call a module that is deep inside others, in a thread of its own: see `autograd.depth`."""
        self.__dict__["_entered"] = (outer, inner)
        try:
            return elsewhere(partial(Module.__call__, self, *args, **kwargs))
        finally:
            self.__dict__["_entered"] = NEVER

    def _hooked(self, kind: str, hook: Any, prepend: bool = False) -> Removable:
        """Add a hook of one kind."""
        if self._call_hooks is None:
            self.__dict__["_call_hooks"] = Hooks()
        assert self._call_hooks is not None
        return self._call_hooks.add(kind, hook, prepend)

    def _hooks(self, kind: str) -> tuple[Any, ...]:
        """The hooks of one kind."""
        return () if self._call_hooks is None else self._call_hooks.of(kind)

    def register_forward_pre_hook(
        self, hook: ForwardPreHook[M], *, prepend: bool = False, with_kwargs: bool = False
    ) -> Removable:
        """Call `hook(module, args)` before `forward`; a value that it returns replaces the arguments.

        With `with_kwargs` it is called as `hook(module, args, kwargs)`, and returns None or both.
        """
        return self._hooked("before", (hook, with_kwargs), prepend)

    def register_forward_hook(
        self, hook: ForwardHook[M], *, prepend: bool = False, with_kwargs: bool = False, always_call: bool = False
    ) -> Removable:
        """Call `hook(module, args, output)` after `forward`; a value that it returns replaces the output.

        With `with_kwargs` it is called as `hook(module, args, kwargs, output)`; with `always_call` also if
        `forward` raises, then with output None.
        """
        return self._hooked("after", (hook, with_kwargs, always_call), prepend)

    def register_full_backward_pre_hook(self, hook: BackwardPreHook[M], prepend: bool = False) -> Removable:
        """Call `hook(module, grad_output)` before gradients enter the module; it may replace them."""
        return self._hooked("backward_before", hook, prepend)

    def register_full_backward_hook(self, hook: BackwardHook[M], prepend: bool = False) -> Removable:
        """Call `hook(module, grad_input, grad_output)` when both are known; it may replace grad_input."""
        if self._hooks("backward_partial"):
            raise refuse(RuntimeError, MIXED)
        return self._hooked("backward", hook, prepend)

    def register_backward_hook(self, hook: BackwardHook[M]) -> Removable:
        """Call `hook(module, grad_input, grad_output)` with the gradients of the last op of the call alone.

        Deprecated: `register_full_backward_hook` gives those of the whole module.
        """
        if self._hooks("backward"):
            raise refuse(RuntimeError, MIXED)
        return self._hooked("backward_partial", hook)

    # -------------------------------------------------------------------------------- registering
    def _shelf(self, shelf: str, name: str, word: str) -> dict[str, Any]:
        """The shelf for a parameter, a buffer or a child; an error if the name cannot be one of theirs."""
        own = self.__dict__.get(shelf)
        if own is None:
            raise _uninitialised(word)
        if not isinstance(name, str):
            raise refuse(TypeError, f"{word} name should be a string. Got {typename(name)}")
        taken = hasattr(self, name) and name not in own
        dotted = f'{word} name can\'t contain "."' + (f", got: {name}" if word == "module" else "")
        for wrong, text in (
            (taken and word == "module", f"attribute '{name}' already exists"),
            ("." in name, dotted),
            (name == "", f'{word} name can\'t be empty string ""'),
            (taken, f"attribute '{name}' already exists"),
        ):
            if wrong:
                raise refuse(KeyError, text)
        found: dict[str, Any] = own
        return found

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Make `param`, a `Parameter` or None, a parameter of this module."""
        shelf = self._shelf("_parameters", name, "parameter")
        if param is not None:
            if not isinstance(param, Parameter):
                place, wanted = f"object to parameter '{name}'", "torch.nn.Parameter or None required"
                raise _unfit(param, place, wanted, mend="wrap it: nn.Parameter(tensor)")
            if param.grad_fn is not None:
                text = (
                    f"Cannot assign non-leaf Tensor to parameter '{name}'. Model parameters must be created explicitly."
                    f" To express '{name}' as a function of another Tensor, compute the value in the forward() method."
                )
                raise refuse(ValueError, text)
        shelf[name] = param

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Make `tensor` (or None) a buffer: the module converts and saves it, but does not train it."""
        shelf = self._shelf("_buffers", name, "buffer")
        if tensor is not None and not isinstance(tensor, Tensor):
            place, wanted = f"object to buffer '{name}'", "torch Tensor or None required"
            raise _unfit(tensor, place, wanted, mend="wrap it: torch.tensor(value)")
        shelf[name] = tensor
        (self._non_persistent_buffers_set.discard if persistent else self._non_persistent_buffers_set.add)(name)

    def add_module(self, name: str, module: Module | None) -> None:
        """Make `module` (or None) a child under this name."""
        if module is not None and not isinstance(module, Module):
            mend = "give a module, not its class: nn.ReLU()" if isinstance(module, type) else ""
            raise refuse(TypeError, f"{typename(module)} is not a Module subclass", mend=mend)
        self._shelf("_modules", name, "module")[name] = module

    def register_module(self, name: str, module: Module | None) -> None:
        """The same as `add_module`."""
        self.add_module(name, module)

    def _forget(self, name: str, but: str) -> None:
        """Remove every other entry and attribute of this name."""
        for shelf in SHELVES:
            if shelf != but:
                self.__dict__[shelf].pop(name, None)
        if but != "_buffers":
            self._non_persistent_buffers_set.discard(name)
        if name not in self.__dict__[but]:
            self.__dict__.pop(name, None)

    def __setattr__(self, name: str, value: Any) -> None:
        own = self.__dict__
        if isinstance(value, Parameter):
            if "_parameters" not in own:
                raise _uninitialised("parameters")
            self._forget(name, but="_parameters")
            self.register_parameter(name, value)
        elif name in own.get("_parameters", ()):
            if value is not None:
                mend = "wrap it: nn.Parameter(tensor), or copy into it under torch.no_grad()"
                raise _unfit(value, f"as parameter '{name}'", "torch.nn.Parameter or None expected", mend)
            own["_parameters"][name] = None
        elif isinstance(value, Module):
            if "_modules" not in own:
                raise _uninitialised("module")
            self._forget(name, but="_modules")
            own["_modules"][name] = value
        elif name in own.get("_modules", ()):
            if value is not None:
                raise _unfit(value, f"as child module '{name}'", "torch.nn.Module or None expected")
            own["_modules"][name] = None
        elif name in own.get("_buffers", ()):
            if value is not None and not isinstance(value, Tensor):
                wanted = "torch.nn.Buffer, torch.Tensor or None expected"
                raise _unfit(value, f"as buffer '{name}'", wanted, mend="wrap it: torch.tensor(value)")
            own["_buffers"][name] = value
            if isinstance(value, Buffer):
                hidden = self._non_persistent_buffers_set
                (hidden.discard if value.persistent else hidden.add)(name)
        elif isinstance(value, Buffer):
            self.register_buffer(name, value, value.persistent)
        else:
            object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        for shelf in SHELVES:
            if name in self.__dict__.get(shelf, ()):
                del self.__dict__[shelf][name]
                self._non_persistent_buffers_set.discard(name)
                return
        object.__delattr__(self, name)

    # -------------------------------------------------------------------------------- copying
    def __getstate__(self) -> dict[str, Any]:
        state = self.__dict__.copy()
        state["_entered"] = NEVER
        return state

    def __reduce_ex__(self, protocol: Any) -> Any:
        """The object for `pickle` and `copy`, which meet modules far below before those near by: see `tree.anchors`."""
        reduced = super().__reduce_ex__(protocol)
        below = tree.anchors(self)
        if not below or not isinstance(reduced, tuple) or len(reduced) < 3 or not isinstance(reduced[2], dict):
            return reduced
        return (*reduced[:2], {ANCHORS: below} | reduced[2], *reduced[3:])

    def __setstate__(self, state: dict[str, Any]) -> None:
        own = self.__dict__
        own.update(state)
        own.pop(ANCHORS, None)
        for shelf in SHELVES:
            own[shelf] = Shelf(self, own.get(shelf))

    # -------------------------------------------------------------------------------- finding
    def named_modules(
        self, memo: set[Module] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """(path, module) for this module and all below it, each once; this module's own path is `prefix`."""
        seen = set() if memo is None else memo
        if self in seen:
            return
        if remove_duplicate:
            seen.add(self)
        yield prefix, self
        stack = [(f"{prefix}." if prefix else "", iter(self._modules.items()))]  # `tree.visit` in one piece, for speed
        while stack:
            above, rest = stack[-1]
            for name, module in rest:
                if module is None or module in seen:
                    continue
                path = above + name
                if not tree.inherits(module, Module.named_modules):
                    yield from module.named_modules(seen, path, remove_duplicate)
                    continue
                if remove_duplicate:
                    seen.add(module)
                yield path, module
                if module._modules:
                    stack.append((path + ".", iter(module._modules.items())))
                    break
            else:
                stack.pop()

    def _named(self, shelf: str, prefix: str, recurse: bool, remove_duplicate: bool) -> Iterator[tuple[str, Any]]:
        seen: set[int] = set()
        modules = self.named_modules(None, prefix, remove_duplicate) if recurse else [(prefix, self)]
        for path, module in modules:
            for name, value in getattr(module, shelf).items():
                if value is None or id(value) in seen:
                    continue
                if remove_duplicate:
                    seen.add(id(value))
                yield f"{path}.{name}" if path else name, value

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """(path, parameter) for every parameter here and below, shared ones once."""
        return self._named("_parameters", prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """Every parameter here and below, shared ones once.

        >>> sum(p.numel() for p in torch.nn.Linear(3, 2).parameters())
        8
        """
        return (value for _, value in self.named_parameters(recurse=recurse))

    def _named_members(
        self, get_members_fn: Callable[[Module], Iterable[tuple[str, Any]]], prefix: str = "", recurse: bool = True,
        remove_duplicate: bool = True,
    ) -> Iterator[tuple[str, Any]]:  # fmt: skip
        """(path, value) of what a function names in this module and those below: PyTorch's, which subclasses call."""
        seen: set[Any] = set()
        modules = self.named_modules(prefix=prefix, remove_duplicate=remove_duplicate) if recurse else [(prefix, self)]
        for path, module in modules:
            for name, value in get_members_fn(module):
                if value is not None and value not in seen:
                    if remove_duplicate:
                        seen.add(value)
                    yield f"{path}.{name}" if path else name, value

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """(path, buffer) for every buffer here and below."""
        return self._named("_buffers", prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """Every buffer here and below."""
        return (value for _, value in self.named_buffers(recurse=recurse))

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """(name, module) for every direct child, each module once."""
        seen: set[Module] = set()
        for name, child in self._modules.items():
            if child is not None and child not in seen:
                seen.add(child)
                yield name, child

    def children(self) -> Iterator[Module]:
        """Every direct child."""
        return (child for _, child in self.named_children())

    def modules(self) -> Iterator[Module]:
        """This module and all below it, each once."""
        return (module for _, module in self.named_modules())

    def get_submodule(self, target: str) -> Module:
        """The module at a path like `"body.0"`; the path `""` is this module."""
        module: Module = self
        steps = _path(target, "split").split(".")
        for step in steps if target else ():
            found = module._attribute(step)
            if not isinstance(found, Module):
                raise refuse(AttributeError, f"`{step}` is not an nn.Module")
            module = found
        return module

    def set_submodule(self, target: str, module: Module, strict: bool = False) -> None:
        """Put `module` at a path, in place of the module that is there."""
        path, _, name = _path(target, "split").rpartition(".")
        if target == "":
            raise refuse(ValueError, "Cannot set the submodule without a target name!")
        if not isinstance(module, Module):
            raise refuse(ValueError, f"`module` is not an nn.Module, found {type(module)}")
        parent = self.get_submodule(path)
        if strict:
            parent._attribute(name)
        if hasattr(parent, name) and not isinstance(getattr(parent, name), Module):
            raise refuse(AttributeError, f"`{name}` is not an nn.Module")
        setattr(parent, name, module)

    def _attribute(self, name: str) -> Any:
        if not hasattr(self, name):
            raise refuse(AttributeError, f"{self._get_name()} has no attribute `{name}`")
        return getattr(self, name)

    def get_parameter(self, target: str) -> Parameter:
        """The parameter at a path like `"body.0.weight"`."""
        path, _, name = _path(target, "rpartition").rpartition(".")
        value = self.get_submodule(path)._attribute(name)
        if not isinstance(value, Parameter):
            raise refuse(AttributeError, f"`{name}` is not an nn.Parameter")
        return value

    def get_buffer(self, target: str) -> Tensor:
        """The buffer at a path."""
        path, _, name = _path(target, "rpartition").rpartition(".")
        module = self.get_submodule(path)
        value: Tensor = module._attribute(name)
        if name not in module._buffers:
            raise refuse(AttributeError, f"`{name}` is not a buffer")
        return value

    # -------------------------------------------------------------------------------- saving and loading
    def get_extra_state(self) -> Any:
        """State other than tensors for `state_dict`; a subclass that has some overrides this."""
        raise refuse(RuntimeError, "Reached a code path in Module.get_extra_state() that should never be called.")

    def set_extra_state(self, state: Any) -> None:
        """The inverse of `get_extra_state`."""
        raise refuse(RuntimeError, "Reached a code path in Module.set_extra_state() that should never be called.")

    def _has_extra(self) -> bool:
        return type(self).get_extra_state is not Module.get_extra_state

    def state_dict(
        self, *, destination: OrderedDict[str, Tensor] | None = None, prefix: str = "", keep_vars: bool = False
    ) -> OrderedDict[str, Tensor]:
        """An ordered dictionary path → tensor: parameters and persistent buffers, sharing their memory.

        Shared parameters appear under each of their paths. `_metadata` holds each module's version.

        >>> {k: tuple(v.shape) for k, v in torch.nn.Linear(3, 2).state_dict().items()}
        {'weight': (2, 3), 'bias': (2,)}
        """
        if not isinstance(prefix, str):
            raise refuse(TypeError, f"'{type(prefix).__name__}' object is not subscriptable", mend="prefix is a string")
        if destination is None:
            destination = OrderedDict()
            vars(destination)["_metadata"] = OrderedDict()
        elif not isinstance(destination, MutableMapping):
            raise refuse(TypeError, f"'{type(destination).__name__}' object does not support item assignment")
        state.gather(self, destination, prefix, keep_vars, Module.state_dict)
        return destination

    def register_state_dict_pre_hook(self, hook: Callable[[M, str, bool], None]) -> Removable:
        """Call `hook(module, prefix, keep_vars)` before this module's part of `state_dict` is gathered."""
        return self._hooked("state_before", hook)

    def register_state_dict_post_hook(
        self, hook: Callable[[M, OrderedDict[str, Tensor], str, dict[str, Any]], None]
    ) -> Removable:
        """Call `hook(module, state_dict, prefix, metadata)` after this module's part has been gathered."""
        return self._hooked("state_after", hook)

    def register_load_state_dict_pre_hook(self, hook: Callable[..., None]) -> Removable:
        """Call `hook(module, state_dict, prefix, metadata, strict, missing, unexpected, errors)`.

        It runs before loading and may change the (copied) dictionary: rename keys, add new ones.
        """
        return self._hooked("load_before", hook)

    def register_load_state_dict_post_hook(self, hook: Callable[[M, Incompatible], None]) -> Removable:
        """Call `hook(module, incompatible_keys)` after loading; it may change the two lists of keys."""
        return self._hooked("load_after", hook)

    def _register_state_dict_hook(self, hook: Callable[..., Any]) -> Removable:
        """Call `hook(module, state_dict, prefix, metadata)`, as `register_state_dict_post_hook` does."""
        return self._hooked("state_after", hook)

    def _register_load_state_dict_pre_hook(self, hook: Callable[..., Any], with_module: bool = False) -> Removable:
        """Call `hook(state_dict, prefix, …)` before loading, and with the module as its first argument if wanted."""
        return self._hooked("load_before", hook if with_module else Unbound(hook))

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False) -> Incompatible:
        """Copy tensors into the parameters and buffers of their paths; an error changes nothing.

        Args:
            state_dict: the `state_dict()` of a module of this shape.
            strict: missing and unexpected keys are errors.
            assign: take the given tensors themselves instead of copying their values.

        Returns the missing and the unexpected keys. Raises RuntimeError if a shape differs, or, if strict, if a key
        is missing or unexpected.
        """
        if not isinstance(state_dict, Mapping):
            text = f"Expected state_dict to be dict-like, got {type(state_dict)}."
            raise refuse(TypeError, text, mend="give a dictionary, as state_dict() returns it")
        return state.load(self, state_dict, strict, assign, Module._load_from_state_dict)

    def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
        """Put this module's own part into `destination`; a class may do so in its own way."""
        state.save_own(self, destination, prefix, keep_vars)

    def _load_from_state_dict(
        self, state_dict: dict[str, Any], prefix: str, local_metadata: dict[str, Any], strict: bool,
        missing_keys: list[str], unexpected_keys: list[str], error_msgs: list[str],
    ) -> None:  # fmt: skip
        """Load this module's own part; a class may do so in its own way, and call this before or after."""
        found = Incompatible(missing_keys, unexpected_keys)
        loading = state.Loading(local_metadata.get("assign_to_params_buffers", False), found, error_msgs)
        loading.compare_own(self, prefix, state_dict, local_metadata)
        loading.run()

    # -------------------------------------------------------------------------------- changing all at once
    def apply(self, fn: Callable[[Module], object]) -> Self:
        """Call `fn` with every module below, and then with this one."""
        if not callable(fn):
            raise refuse(TypeError, f"'{type(fn).__name__}' object is not callable", mend="give a function of a module")
        for stage, _, module in tree.visit(self, Module.apply, Module.named_children):
            if stage == LEAVE:
                fn(module)
            elif stage == ASK:
                module.apply(fn)
        return self

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        """Replace the values of parameters, gradients and buffers; parameters stay the same objects."""
        for stage, _, module in tree.visit(self, Module._apply, Module.named_children if recurse else lambda m: ()):
            if stage == ASK:
                module._apply(fn)
            elif stage == LEAVE:
                module._converted(fn)
        return self

    def _converted(self, fn: Callable[[Tensor], Tensor]) -> None:
        """Replace the values of this module alone."""
        with no_grad():
            for p in self._parameters.values():
                if p is not None:
                    _become(p, fn(p))
                    if p._grad is not None:
                        _become(p._grad, fn(p._grad))
        for name, b in self._buffers.items():
            if b is not None:
                self._buffers[name] = fn(b)

    def to(self, *args: Any, **kwargs: Any) -> Self:
        """Convert floating point parameters and buffers to a dtype, or to that of a tensor."""
        dtype, device, _ = conversion(args, kwargs)
        if device is not None:
            here(device)
        if dtype is None:
            return self
        if dtype.rank < 2:
            wanted = "only accepts floating point or complex dtypes"
            raise refuse(TypeError, f"nn.Module.to {wanted}, but got desired dtype={dtype}")
        return self._apply(lambda t: t.to(dtype) if t.is_floating_point() else t)

    def type(self, dst_type: dtypes.dtype | str) -> Self:
        """Convert all parameters and buffers to a dtype."""
        return self._apply(lambda t: t.type(dst_type))

    def to_empty(self, *, device: str | Device | None = None, recurse: bool = True) -> Self:
        """Give all parameters and buffers new memory, with any values in it."""
        return self._apply(lambda t: empty_like(t, device=device), recurse)

    def float(self) -> Self:
        """Floating point parameters and buffers to float32."""
        return self.to(dtypes.float32)

    def double(self) -> Self:
        """Floating point parameters and buffers to float64."""
        return self.to(dtypes.float64)

    def half(self) -> Self:
        """Floating point parameters and buffers to float16."""
        return self.to(dtypes.float16)

    def cpu(self) -> Self:
        """Return the module itself, which is on the CPU."""
        return self

    def cuda(self, device: int | str | Device | None = None) -> Self:
        """Raise an error: there is no GPU."""
        return self.to(device="cuda")

    def xpu(self, device: int | str | Device | None = None) -> Self:
        """Raise an error: there is no such machine."""
        return self.to(device="xpu")

    def ipu(self, device: int | str | Device | None = None) -> Self:
        """Raise an error: there is no such machine."""
        return self.to(device="ipu")

    def mtia(self, device: int | str | Device | None = None) -> Self:
        """Raise an error: there is no such machine."""
        return self.to(device="mtia")

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Leave the module as it is: PyTorch compiles its forward, which changes no result."""

    def share_memory(self) -> Self:
        """Return the module itself."""
        return self

    def train(self, mode: bool = True) -> Self:
        """Set training mode for this module and all below it: in this mode, dropout is active."""
        if not isinstance(mode, bool):
            raise refuse(ValueError, "training mode is expected to be boolean", mend="train(), or eval()")
        for stage, _, module in tree.visit(self, Module.train, Module.named_children):
            if stage == ENTER:
                module.training = mode
            elif stage == ASK:
                module.train(mode)
        return self

    def eval(self) -> Self:
        """Set evaluation mode: the same as `train(False)`."""
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Make all parameters of this module and of all below it require gradients, or not."""
        for p in self.parameters():
            p.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Remove the gradients of all parameters, or (`set_to_none=False`) set them to zeros."""
        for p in self.parameters():
            if p._grad is not None:
                if set_to_none:
                    p._grad = None
                else:
                    p._grad = p._grad.detach()
                    p._grad.zero_()

    # -------------------------------------------------------------------------------- printing
    def _get_name(self) -> str:
        return type(self).__name__

    def extra_repr(self) -> str:
        """The text between the parentheses of the representation: the settings that the class lists in `_shown`."""
        return ", ".join(f"{name}={getattr(self, name)}" for name in self._shown)

    def __repr__(self) -> str:
        return tree.shown(self, Module.__repr__)

    def __dir__(self) -> Iterable[str]:
        names = ({*dir(type(self))} - absent_from(type(self))) | self.__dict__.keys()
        return sorted(name for name in names if not name[0].isdigit())


class Unbound:
    """A hook that is called without the module."""

    def __init__(self, hook: Callable[..., Any]) -> None:
        self.hook = hook

    def __call__(self, module: Module, *args: Any) -> Any:
        return self.hook(*args)


def _become(t: Tensor, new: Tensor) -> None:
    """Take over the elements of another tensor, unless it is this one, written in place."""
    if new is not t:
        t.data = new


def _path(target: str, method: str) -> str:
    """The path, if it is a string; PyTorch's error names the string's `method`."""
    if not isinstance(target, str):
        text = f"'{type(target).__name__}' object has no attribute '{method}'"
        raise refuse(AttributeError, text, mend='give a path, as in "body.0.weight"')
    return target


def _uninitialised(word: str) -> Exception:
    """The error of an assignment to a module that has no shelves yet."""
    text = f"cannot assign {word} before Module.__init__() call"
    return refuse(AttributeError, text, mend="call super().__init__() first in your __init__")


def _unfit(value: object, place: str, wanted: str, mend: str = "") -> Exception:
    """The error of an assignment of a value of the wrong type."""
    return refuse(TypeError, f"cannot assign '{typename(value)}' {place} ({wanted})", mend=mend)


mark_absent(Module, "nn.Module", recorded()["nn.Module"])
