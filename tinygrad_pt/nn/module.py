"""Module: a function with parameters, made of other modules; calling one tells the graph where it is."""

from __future__ import annotations

import weakref
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from tinygrad_pt import dtypes
from tinygrad_pt.errors import class_name, locate, refuse
from tinygrad_pt.functions import device as Device
from tinygrad_pt.modes import Mode, Scope, current, mode, no_grad
from tinygrad_pt.nn.hooks import Hooks, call_hooked
from tinygrad_pt.nn.parameter import Buffer, Parameter
from tinygrad_pt.tensor import Removable, Tensor

enter = mode.set


def typename(value: Any) -> str:
    """PyTorch's word for the type of a value: `torch.FloatTensor`, `int`, `collections.OrderedDict`."""
    if isinstance(value, Tensor):
        return str(value.type())
    return class_name(value if isinstance(value, type) else type(value))


class Shelf(dict):
    """A module's parameters, buffers or children by name; what stands here is an attribute of the module too.

    So reading `self.weight` costs no more than reading any attribute; a `__getattr__` would cost a tenth of
    a small network's step.
    """

    __slots__ = ("owner",)

    def __init__(self, owner: Module, items: Mapping[str, Any] | None = None) -> None:
        super().__init__()
        self.owner = weakref.ref(owner)  # weak: a model nobody holds is to be freed at once, not by the collector
        self.update(items or {})

    @property
    def attributes(self) -> dict[str, Any]:
        """The attributes of the module, for as long as it lives."""
        owner = self.owner()
        return {} if owner is None else owner.__dict__

    def __setitem__(self, name: str, value: Any) -> None:
        super().__setitem__(name, value)
        self.attributes[name] = value
        if isinstance(value, Module):  # under the name its parent gave it, a module shows in errors and pictures
            value.__dict__["_scope_name"], value.__dict__["_entered"] = name, NEVER

    def __delitem__(self, name: str) -> None:
        super().__delitem__(name)
        self.attributes.pop(name, None)

    def pop(self, name: str, *default: Any) -> Any:
        if name in self:
            self.attributes.pop(name, None)
        return super().pop(name, *default)

    def popitem(self) -> tuple[str, Any]:
        name = next(reversed(self))
        return name, self.pop(name)

    def clear(self) -> None:
        for name in list(self):
            del self[name]

    def update(self, *items: Any, **named: Any) -> None:
        for name, value in dict(*items, **named).items():
            self[name] = value

    def setdefault(self, name: str, default: Any = None) -> Any:
        if name not in self:
            self[name] = default
        return self[name]

    def __reduce__(self) -> Any:
        return dict, (dict(self),)  # a copy is a plain dict, until the copied module puts up shelves of its own


SHELVES = ("_parameters", "_buffers", "_modules")
NEVER: tuple[Any, Any] = (None, None)


class Incompatible(tuple):
    """What `load_state_dict` found missing and unexpected."""

    __slots__ = ()

    def __new__(cls, missing_keys: list[str], unexpected_keys: list[str]) -> Incompatible:
        return super().__new__(cls, (missing_keys, unexpected_keys))

    @property
    def missing_keys(self) -> list[str]:
        """Keys the module has and the dictionary lacks."""
        return self[0]

    @property
    def unexpected_keys(self) -> list[str]:
        """Keys the dictionary has and the module lacks."""
        return self[1]

    def __repr__(self) -> str:
        if not self[0] and not self[1]:
            return "<All keys matched successfully>"
        return f"_IncompatibleKeys(missing_keys={self[0]}, unexpected_keys={self[1]})"


class Module:
    """A function with parameters: make them and the children in `__init__`, compute in `forward`.

    Assigning a `Parameter`, a `Module` or (after `register_buffer`) a tensor as an attribute registers it, so
    that `parameters()`, `state_dict()`, `to()` and `train()` find it. Call the module, not its `forward`: the
    call runs the hooks, and tells ops inside which module they belong to.

    >>> import tinygrad_pt as torch
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
    _parameters: dict[str, Any]
    _buffers: dict[str, Any]
    _modules: dict[str, Any]
    _non_persistent_buffers_set: set[str]
    _entered: tuple[Any, Any]
    _call_hooks: Hooks | None
    _version: int = 1
    call_super_init = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if kwargs:
            raise TypeError(
                f"{type(self).__name__}.__init__() got an unexpected keyword argument '{next(iter(kwargs))}'"
            )
        if args:
            raise TypeError(
                f"{type(self).__name__}.__init__() takes 1 positional argument but {len(args) + 1} were given"
            )
        own = self.__dict__
        for shelf in SHELVES:
            own[shelf] = Shelf(self)
        own["training"] = True
        own["_non_persistent_buffers_set"] = set()
        own["_entered"] = NEVER  # (the mode outside, the same mode with this module's scope) of the last call
        own["_call_hooks"] = None

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the module computes; every subclass writes its own."""
        raise refuse(
            NotImplementedError,
            f'Module [{type(self).__name__}] is missing the required "forward" function',
            mend="define forward(self, ...) in the class",
        )

    # -------------------------------------------------------------------------------- calling
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        outer = current()
        seen, inner = self._entered
        if seen is not outer:
            if outer.listeners:
                return self._heard_call(outer, args, kwargs)
            inner = self._scoped(outer)
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
        """The mode inside a call from `outer`; remembered, unless that would keep listeners alive."""
        kind = type(self).__name__
        scope = Scope(outer.scope, self.__dict__.get("_scope_name", kind), kind, weakref.ref(self))
        inner = outer.but(scope=scope)
        if not outer.listeners:
            self.__dict__["_entered"] = (outer, inner)
        return inner

    def _heard_call(self, outer: Mode, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """A call that listeners hear of when it has returned."""
        self.__dict__["_entered"] = (outer, self._scoped(outer))
        try:
            output = Module.__call__(self, *args, **kwargs)
        finally:
            self.__dict__["_entered"] = NEVER
        for listener in outer.listeners:
            listener.called(self, args, output)
        return output

    def _hooked(self, kind: str, hook: Any, prepend: bool = False) -> Removable:
        if self._call_hooks is None:
            self.__dict__["_call_hooks"] = Hooks()
        assert self._call_hooks is not None
        return self._call_hooks.add(kind, hook, prepend)

    def register_forward_pre_hook(self, hook: Any, *, prepend: bool = False, with_kwargs: bool = False) -> Removable:
        """Call `hook(module, args)` before `forward`; what it returns replaces the arguments."""
        return self._hooked("before", (hook, with_kwargs), prepend)

    def register_forward_hook(
        self, hook: Any, *, prepend: bool = False, with_kwargs: bool = False, always_call: bool = False
    ) -> Removable:
        """Call `hook(module, args, output)` after `forward`; what it returns replaces the output.

        With `with_kwargs` it is called as `hook(module, args, kwargs, output)`; with `always_call` also where
        `forward` raised, then with output None.
        """
        return self._hooked("after", (hook, with_kwargs, always_call), prepend)

    def register_full_backward_pre_hook(self, hook: Any, prepend: bool = False) -> Removable:
        """Call `hook(module, grad_output)` before gradients enter the module; it may replace them."""
        return self._hooked("backward_before", hook, prepend)

    def register_full_backward_hook(self, hook: Any, prepend: bool = False) -> Removable:
        """Call `hook(module, grad_input, grad_output)` once both are known; it may replace grad_input."""
        return self._hooked("backward", hook, prepend)

    register_backward_hook = register_full_backward_hook

    # -------------------------------------------------------------------------------- registering
    def _register(self, shelf: str, name: Any, value: Any, word: str) -> None:
        """Put a parameter, buffer or child on its shelf, once its name has been checked."""
        own = self.__dict__.get(shelf)
        if own is None:
            raise _uninitialised(word)
        if not isinstance(name, str):
            raise TypeError(f"{word} name should be a string. Got {typename(name)}")
        taken = hasattr(self, name) and name not in own
        dotted = f'{word} name can\'t contain "."' + (f", got: {name}" if word == "module" else "")
        for wrong, text in (
            (taken and word == "module", f"attribute '{name}' already exists"),
            ("." in name, dotted),
            (name == "", f'{word} name can\'t be empty string ""'),
            (taken, f"attribute '{name}' already exists"),
        ):
            if wrong:
                raise KeyError(text)
        own[name] = value

    def register_parameter(self, name: str, param: Any) -> None:
        """Make `param`, a `Parameter` or None, a parameter of this module."""
        if param is not None and "_parameters" in self.__dict__:
            if not isinstance(param, Parameter):
                raise refuse(
                    TypeError,
                    f"cannot assign '{typename(param)}' object to parameter '{name}' (torch.nn.Parameter "
                    "or None required)",
                    mend="wrap it: nn.Parameter(tensor)",
                )
            if param.grad_fn is not None:
                raise ValueError(
                    f"Cannot assign non-leaf Tensor to parameter '{name}'. Model parameters must be "
                    "created explicitly. To "
                    f"express '{name}' as a function of another Tensor, compute the value in the "
                    "forward() method."
                )
        self._register("_parameters", name, param, "parameter")

    def register_buffer(self, name: str, tensor: Any, persistent: bool = True) -> None:
        """Make `tensor` (or None) a buffer: moved and saved with the module, but not learnt."""
        if tensor is not None and not isinstance(tensor, Tensor) and "_buffers" in self.__dict__:
            raise TypeError(
                f"cannot assign '{typename(tensor)}' object to buffer '{name}' (torch Tensor or None required)"
            )
        self._register("_buffers", name, tensor, "buffer")
        (self._non_persistent_buffers_set.discard if persistent else self._non_persistent_buffers_set.add)(name)

    def add_module(self, name: str, module: Any) -> None:
        """Make `module` (or None) a child under this name."""
        if module is not None and not isinstance(module, Module):
            raise TypeError(f"{typename(module)} is not a Module subclass")
        self._register("_modules", name, module, "module")

    def register_module(self, name: str, module: Any) -> None:
        """The same as `add_module`."""
        self.add_module(name, module)

    def _forget(self, name: str, but: str) -> None:
        """Remove what else stands under this name."""
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
                raise refuse(
                    TypeError,
                    f"cannot assign '{typename(value)}' as parameter '{name}' (torch.nn.Parameter or None expected)",
                    mend="wrap it: nn.Parameter(tensor), or copy into it under torch.no_grad()",
                )
            own["_parameters"][name] = None
        elif isinstance(value, Module):
            if "_modules" not in own:
                raise _uninitialised("module")
            self._forget(name, but="_modules")
            own["_modules"][name] = value
        elif name in own.get("_modules", ()):
            if value is not None:
                raise TypeError(
                    f"cannot assign '{typename(value)}' as child module '{name}' (torch.nn.Module or None expected)"
                )
            own["_modules"][name] = None
        elif name in own.get("_buffers", ()):
            if value is not None and not isinstance(value, Tensor):
                raise TypeError(
                    f"cannot assign '{typename(value)}' as buffer '{name}' "
                    "(torch.nn.Buffer, torch.Tensor or None expected)"
                )
            own["_buffers"][name] = value
        elif isinstance(value, Buffer):
            if "_buffers" not in own:
                raise _uninitialised("buffer")
            own.pop(name, None)
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

    def __setstate__(self, state: dict[str, Any]) -> None:
        own = self.__dict__
        own.update(state)
        for shelf in SHELVES:
            own[shelf] = Shelf(self, own.get(shelf))

    # -------------------------------------------------------------------------------- what it holds
    def named_modules(
        self, memo: set[Any] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """(path, module) for this module, whose path is `prefix`, and all below it; each module once."""
        memo = set() if memo is None else memo
        if self in memo:
            return
        if remove_duplicate:
            memo.add(self)
        yield prefix, self
        for name, child in self._modules.items():
            if child is not None:
                yield from child.named_modules(memo, f"{prefix}.{name}" if prefix else name, remove_duplicate)

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
    ) -> Iterator[tuple[str, Any]]:
        """(path, parameter) for every parameter here and below, shared ones once."""
        return self._named("_parameters", prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Any]:
        """Every parameter here and below, shared ones once.

        >>> import tinygrad_pt as torch
        >>> sum(p.numel() for p in torch.nn.Linear(3, 2).parameters())
        8
        """
        for _, value in self.named_parameters(recurse=recurse):
            yield value

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Any]]:
        """(path, buffer) for every buffer here and below."""
        return self._named("_buffers", prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Any]:
        """Every buffer here and below."""
        for _, value in self.named_buffers(recurse=recurse):
            yield value

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """(name, module) for every direct child, each module once."""
        seen: set[Module] = set()
        for name, child in self._modules.items():
            if child is not None and child not in seen:
                seen.add(child)
                yield name, child

    def children(self) -> Iterator[Module]:
        """Every direct child."""
        for _, child in self.named_children():
            yield child

    def modules(self) -> Iterator[Module]:
        """This module and all below it, each once."""
        for _, module in self.named_modules():
            yield module

    def get_submodule(self, target: str) -> Any:
        """The module at a path like `"body.0"`; the path `""` is this module."""
        module: Any = self
        for step in target.split(".") if target else ():
            if not hasattr(module, step):
                raise AttributeError(f"{module._get_name()} has no attribute `{step}`")
            module = getattr(module, step)
            if not isinstance(module, Module):
                raise AttributeError(f"`{step}` is not an nn.Module")
        return module

    def set_submodule(self, target: str, module: Module, strict: bool = False) -> None:
        """Put `module` at a path, in place of what is there."""
        if target == "":
            raise ValueError("Cannot set the submodule without a target name!")
        if not isinstance(module, Module):
            raise ValueError(f"`module` is not an nn.Module, found {type(module)}")
        path, _, name = target.rpartition(".")
        parent = self.get_submodule(path)
        if strict and not hasattr(parent, name):
            raise AttributeError(f"{parent._get_name()} has no attribute `{name}`")
        if hasattr(parent, name) and not isinstance(getattr(parent, name), Module):
            raise AttributeError(f"`{name}` is not an nn.Module")
        setattr(parent, name, module)

    def _at(self, target: str) -> tuple[Any, str, Any]:
        path, _, name = target.rpartition(".")
        module = self.get_submodule(path)
        if not hasattr(module, name):
            raise AttributeError(f"{module._get_name()} has no attribute `{name}`")
        return module, name, getattr(module, name)

    def get_parameter(self, target: str) -> Any:
        """The parameter at a path like `"body.0.weight"`."""
        _, name, value = self._at(target)
        if not isinstance(value, Parameter):
            raise AttributeError(f"`{name}` is not an nn.Parameter")
        return value

    def get_buffer(self, target: str) -> Any:
        """The buffer at a path."""
        module, name, value = self._at(target)
        if name not in module._buffers:
            raise AttributeError(f"`{name}` is not a buffer")
        return value

    # -------------------------------------------------------------------------------- saving and loading
    def get_extra_state(self) -> Any:
        """What `state_dict` is to hold beside tensors; a subclass that has such a thing overrides this."""
        raise RuntimeError("Reached a code path in Module.get_extra_state() that should never be called.")

    def set_extra_state(self, state: Any) -> None:
        """The inverse of `get_extra_state`."""
        raise RuntimeError("Reached a code path in Module.set_extra_state() that should never be called.")

    def _has_extra(self) -> bool:
        return type(self).get_extra_state is not Module.get_extra_state

    def _entries(self) -> Iterator[tuple[str, Any]]:
        """(name, tensor) of what this module itself puts into a state_dict."""
        yield from ((name, p) for name, p in self._parameters.items() if p is not None)
        hidden = self._non_persistent_buffers_set
        yield from ((name, b) for name, b in self._buffers.items() if b is not None and name not in hidden)

    def state_dict(self, *, destination: Any = None, prefix: str = "", keep_vars: bool = False) -> Any:
        """An ordered dictionary path → tensor: parameters and persistent buffers, sharing their memory.

        Shared parameters appear under each of their paths. `_metadata` holds each module's version.

        >>> import tinygrad_pt as torch
        >>> {k: tuple(v.shape) for k, v in torch.nn.Linear(3, 2).state_dict().items()}
        {'weight': (2, 3), 'bias': (2,)}
        """
        if destination is None:
            destination = OrderedDict()
            destination._metadata = OrderedDict()
        metadata = {"version": self._version}
        if hasattr(destination, "_metadata"):
            destination._metadata[prefix[:-1]] = metadata
        for hook in self._call_hooks.of("state_before") if self._call_hooks else ():
            hook(self, prefix, keep_vars)
        for name, value in self._entries():
            destination[prefix + name] = value if keep_vars else value.detach()
        if self._has_extra():
            destination[f"{prefix}_extra_state"] = self.get_extra_state()
        for name, child in self._modules.items():
            if child is not None:
                child.state_dict(destination=destination, prefix=f"{prefix}{name}.", keep_vars=keep_vars)
        for hook in self._call_hooks.of("state_after") if self._call_hooks else ():
            hook(self, destination, prefix, metadata)
        return destination

    def register_state_dict_pre_hook(self, hook: Any) -> Removable:
        """Call `hook(module, prefix, keep_vars)` before this module's part of `state_dict` is gathered."""
        return self._hooked("state_before", hook)

    def register_state_dict_post_hook(self, hook: Any) -> Removable:
        """Call `hook(module, state_dict, prefix, metadata)` after this module's part has been gathered."""
        return self._hooked("state_after", hook)

    def register_load_state_dict_pre_hook(self, hook: Any) -> Removable:
        """Call `hook(module, state_dict, prefix, metadata, strict, missing, unexpected, errors)`.

        It runs before loading and may change the (copied) dictionary: rename keys, add what is new.
        """
        return self._hooked("load_before", hook)

    def register_load_state_dict_post_hook(self, hook: Any) -> Removable:
        """Call `hook(module, incompatible_keys)` after loading; it may change the two lists of keys."""
        return self._hooked("load_after", hook)

    def load_state_dict(self, state_dict: Any, strict: bool = True, assign: bool = False) -> Incompatible:
        """Copy tensors into the parameters and buffers of their paths; an error changes nothing.

        Args:
            state_dict: what `state_dict()` of a module of this shape returned.
            strict: missing and unexpected keys are errors.
            assign: take the given tensors themselves instead of copying their values.

        Returns:
            the missing and the unexpected keys.

        Raises:
            RuntimeError: a shape differs, or, if strict, a key is missing or unexpected.
        """
        if not isinstance(state_dict, Mapping):
            raise TypeError(f"Expected state_dict to be dict-like, got {type(state_dict)}.")
        metadata = getattr(state_dict, "_metadata", {})
        given = OrderedDict(state_dict)
        missing: list[str] = []
        unexpected: list[str] = []
        errors: list[str] = []
        plan: list[Callable[[], None]] = []
        known: set[str] = set()
        modules = list(self.named_modules(remove_duplicate=False))
        for path, module in modules:
            prefix = f"{path}." if path else ""
            for hook in module._call_hooks.of("load_before") if module._call_hooks else ():
                hook(module, given, prefix, metadata.get(path, {}), strict, missing, unexpected, errors)
            for name, value in module._entries():
                known.add(prefix + name)
                if prefix + name not in given:
                    missing.append(prefix + name)
                else:
                    module._plan_entry(name, value, given[prefix + name], prefix + name, assign, plan, errors)
            if module._has_extra():
                known.add(key := f"{prefix}_extra_state")
                if key in given:
                    plan.append(lambda module=module, key=key: module.set_extra_state(given[key]))  # type: ignore[misc]
                else:
                    missing.append(key)
        unexpected += [key for key in given if key not in known]
        found = Incompatible(missing, unexpected)
        for _, module in reversed(modules):
            for hook in module._call_hooks.of("load_after") if module._call_hooks else ():
                hook(module, found)
        if strict:
            for word, keys in (("Missing", missing), ("Unexpected", unexpected)):
                if keys:
                    listed = ", ".join(f'"{k}"' for k in keys)
                    errors.insert(
                        int(word == "Unexpected" and bool(missing)),
                        f"{word} key(s) in state_dict: {listed}. ",
                    )
        if errors:
            raise refuse(
                RuntimeError,
                f"Error(s) in loading state_dict for {self._get_name()}:\n\t" + "\n\t".join(errors),
                mend="build the module as it was built when it was saved; strict=False allows missing and "
                "unexpected keys",
            )
        with no_grad():
            for step in plan:
                step()
        return found

    def _plan_entry(
        self, name: str, value: Any, source: Any, key: str, assign: bool, plan: list[Any], errors: list[str]
    ) -> None:
        """Check one tensor that is to be loaded; plan its copy, or note what is wrong with it."""
        if not isinstance(source, Tensor):
            errors.append(
                f'While copying the parameter named "{key}", expected torch.Tensor or Tensor-like object '
                "from checkpoint but "
                f"received {type(source)}"
            )
        elif source.shape != value.shape and not (value.ndim == 0 and source.shape == (1,)):
            errors.append(
                f"size mismatch for {key}: copying a param with shape {source.shape} from checkpoint, the "
                "shape in current "
                f"model is {value.shape}."
            )
        elif not assign:
            plan.append(lambda: value.copy_(source.reshape(value.shape)))
        elif isinstance(value, Parameter):
            new = source if isinstance(source, Parameter) else Parameter(source, value.requires_grad)
            plan.append(lambda: self._parameters.__setitem__(name, new))
        else:
            plan.append(lambda: self._buffers.__setitem__(name, source))

    # -------------------------------------------------------------------------------- changing all at once
    def apply(self, fn: Callable[[Module], Any]) -> Any:
        """Call `fn` with every module below, and then with this one."""
        for child in self.children():
            child.apply(fn)
        fn(self)
        return self

    def _apply(self, fn: Callable[[Any], Any], recurse: bool = True) -> Any:
        """Replace the values of parameters, gradients and buffers; parameters stay the same objects."""
        for child in self.children() if recurse else ():
            child._apply(fn)
        for p in self._parameters.values():
            if p is not None:
                p.data = fn(p.data)
                if p._grad is not None:
                    p._grad = fn(p._grad.detach())
        for name, b in self._buffers.items():
            if b is not None:
                self._buffers[name] = fn(b)
        return self

    def to(self, *args: Any, **kwargs: Any) -> Any:
        """Convert floating point parameters and buffers to a dtype, or to that of a tensor."""
        dtype = kwargs.get("dtype")
        for a in (*args, kwargs.get("device"), kwargs.get("tensor")):
            if isinstance(a, Tensor):
                dtype = a.dtype
            elif isinstance(a, dtypes.dtype):
                dtype = a
            elif a is not None and not isinstance(a, bool):
                Device(a)
        if dtype is None:
            return self
        if dtype.rank < 2:
            raise TypeError(
                f"nn.Module.to only accepts floating point or complex dtypes, but got desired dtype={dtype}"
            )
        return self._apply(lambda t: t.to(dtype) if t.is_floating_point() else t)

    def type(self, dst_type: Any) -> Any:
        """Convert all parameters and buffers to a dtype."""
        return self._apply(lambda t: t.type(dst_type))

    def float(self) -> Any:
        """Floating point parameters and buffers to float32."""
        return self.to(dtypes.float32)

    def double(self) -> Any:
        """Floating point parameters and buffers to float64."""
        return self.to(dtypes.float64)

    def half(self) -> Any:
        """Floating point parameters and buffers to float16."""
        return self.to(dtypes.float16)

    def cpu(self) -> Any:
        """The module itself: it lives on the CPU."""
        return self

    def cuda(self, device: Any = None) -> Any:
        """There is no GPU: an error that says so."""
        return self.to(device="cuda")

    def share_memory(self) -> Any:
        """The module itself."""
        return self

    def train(self, mode: bool = True) -> Any:
        """Set training mode here and below: dropout drops, batch norm learns its statistics."""
        if not isinstance(mode, bool):
            raise ValueError("training mode is expected to be boolean")
        self.training = mode
        for child in self.children():
            child.train(mode)
        return self

    def eval(self) -> Any:
        """Set evaluation mode: `train(False)`."""
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Any:
        """Learn (or freeze) all parameters here and below."""
        for p in self.parameters():
            p.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters, or set them to zeros."""
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
        """What the representation shows between the parentheses."""
        return ""

    def __repr__(self) -> str:
        extra = self.extra_repr()
        lines = extra.split("\n") if extra else []
        children = [f"({name}): {indented(repr(child))}" for name, child in self._modules.items()]
        if not children and len(lines) <= 1:
            return f"{self._get_name()}({extra})"
        return f"{self._get_name()}(\n  " + "\n  ".join(lines + children) + "\n)"

    def __dir__(self) -> Iterable[str]:
        names = {*dir(type(self)), *self.__dict__}
        return sorted(name for name in names if not name[0].isdigit())


def indented(text: str) -> str:
    """All lines but the first moved two columns to the right."""
    return text.replace("\n", "\n  ")


def _uninitialised(word: str) -> Exception:
    return refuse(
        AttributeError,
        f"cannot assign {word} before Module.__init__() call",
        mend="call super().__init__() first in your __init__",
    )
