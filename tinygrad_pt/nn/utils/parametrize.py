"""Parametrizations: a parameter of a module that is a function of other parameters, computed when it is read."""

# fmt: off
from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from tinygrad_pt import names
from tinygrad_pt.errors import refuse
from tinygrad_pt.modes import no_grad
from tinygrad_pt.nn.container import ModuleDict, ModuleList
from tinygrad_pt.nn.module import Module
from tinygrad_pt.nn.parameter import Parameter
from tinygrad_pt.tensor import Tensor

__all__ = [
    "ParametrizationList", "cached", "is_parametrized", "register_parametrization", "remove_parametrizations",
    "transfer_parametrizations_and_params", "type_before_parametrizations",
]

M = TypeVar("M", bound=Module)
SERIALIZED = (
    "Serialization of parametrized modules is only supported through state_dict(). See:\n"
    "https://pytorch.org/tutorials/beginner/saving_loading_models.html"
    "#saving-loading-a-general-checkpoint-for-inference-and-or-resuming-training"
)


class Cache:
    """The parametrized tensors that have been read inside `cached()`."""

    depth = 0
    found: dict[tuple[int, str], Tensor] = {}


@contextmanager
def cached() -> Iterator[None]:
    """Inside, each parametrized tensor is computed once, when it is first read.

    >>> with torch.nn.utils.parametrize.cached():
    ...     pass
    """
    Cache.depth += 1
    try:
        yield
    finally:
        Cache.depth -= 1
        if not Cache.depth:
            Cache.found = {}


def _register(module: Module, name: str, x: Tensor) -> None:
    """Make a tensor a parameter of the module if it is one, else a buffer."""
    if isinstance(x, Parameter):
        module.register_parameter(name, x)
    else:
        module.register_buffer(name, x)


def _put(place: Tensor, new: Tensor) -> None:
    """Give a parameter or a buffer new elements; it stays the same object."""
    if new is not place:
        place.data = new.detach()


def _inverse(module: Module, value: Any) -> Any:
    """`right_inverse` of a parametrization; one that has none, or says so, leaves the value as it is."""
    try:
        return module.right_inverse(value) if hasattr(module, "right_inverse") else value
    except NotImplementedError:
        return value


def _lists(module: Any) -> Any:
    """The parametrizations of a module, by the names of its tensors."""
    return module.parametrizations


def _check_kept(before: tuple[Any, Any], after: Any, words: tuple[str, str, str], unsafe: str) -> None:
    """Raise PyTorch's error unless a tensor has the dtype and shape of another; `words` are texts about both."""
    begin, old, new = words
    if not isinstance(after, Tensor):
        return
    for what, was, is_ in (("dtype", before[0], after.dtype), ("shape", before[1], after.shape)):
        if was != is_:
            text = f"{begin}{unsafe}\n{old}: {was}\n{new}: {is_}".replace("{what}", what)
            raise refuse(ValueError, text, "register_parametrization")


class ParametrizationList(ModuleList):
    """The parametrizations of one tensor, called one after the other, with the original from which they compute it."""

    def __init__(self, modules: Sequence[Module], original: Tensor, unsafe: bool = False) -> None:
        if not modules:
            raise refuse(ValueError, "ParametrizationList requires one or more modules.", "ParametrizationList")
        super().__init__(modules)
        self.unsafe = unsafe
        before = original.dtype, original.shape
        with no_grad():
            new: Any = original
            for module in reversed(list(self)):
                new = _inverse(module, new)
        one_or_more = "'right_inverse' must return a Tensor or a Sequence of tensors (list, tuple...). Got"
        if not isinstance(new, (Tensor, Sequence)):
            raise refuse(ValueError, f"{one_or_more} {type(new).__name__}", "ParametrizationList", original)
        self.is_tensor = isinstance(new, Tensor)
        self.ntensors = 1 if isinstance(new, Tensor) else len(new)
        if isinstance(new, Tensor):
            if new.dtype != original.dtype:
                text = "When `right_inverse` outputs one tensor, it may not change the dtype.\n"
                text += f"original.dtype: {original.dtype}\nright_inverse(original).dtype: {new.dtype}"
                raise refuse(ValueError, text, "ParametrizationList", original)
            _put(original, new)
            _register(self, "original", original)
        else:
            for i, part in enumerate(new):
                if not isinstance(part, Tensor):
                    text = f"{one_or_more} element {i} of the sequence with type {type(part).__name__}."
                    raise refuse(ValueError, text, "ParametrizationList", original)
                wants = original.requires_grad
                part = Parameter(part, wants) if isinstance(original, Parameter) else part.requires_grad_(wants)
                _register(self, f"original{i}", part)
        if not unsafe:
            y = self()
            if not isinstance(y, Tensor):
                text = f"A parametrization must return a tensor. Got {type(y).__name__}."
                raise refuse(ValueError, text, "register_parametrization", original)
            words = "Registering a parametrization may not change the {what} of the tensor, "
            told = (words, "unparametrized {what}", "parametrized {what}")
            _check_kept(before, y, told, "unless `unsafe` flag is enabled.")

    def right_inverse(self, value: Tensor) -> None:
        """Set the originals so that the parametrized tensor becomes this one."""
        with no_grad():
            new: Any = value
            for module in reversed(list(self)):
                if not hasattr(module, "right_inverse"):
                    text = f"parametrization {type(module).__name__} does not implement right_inverse."
                    raise refuse(RuntimeError, text, "right_inverse", value)
                new = module.right_inverse(new)
            if self.is_tensor:
                if not isinstance(new, Tensor):
                    text = f"`right_inverse` should return a tensor. Got {type(new).__name__}"
                    raise refuse(ValueError, text, "right_inverse", value)
                self._replace("original", new, "The tensor")
                return
            several = "'right_inverse' must return a sequence of tensors"
            if not isinstance(new, Sequence):
                raise refuse(ValueError, f"{several}. Got {type(new).__name__}.", "right_inverse", value)
            if len(new) != self.ntensors:
                text = f"{several} of length {self.ntensors}. Got a sequence of length {len(new)}."
                raise refuse(ValueError, text, "right_inverse", value)
            for i, part in enumerate(new):
                if not isinstance(part, Tensor):
                    text = f"{several} or reference-type opaques. Got element {i} of type {type(part).__name__}."
                    raise refuse(ValueError, text, "right_inverse", value)
                self._replace(f"original{i}", part, f"Tensor {i}")

    def _replace(self, name: str, new: Tensor, words: str) -> None:
        """Give one of the originals new elements."""
        old: Tensor = getattr(self, name)
        if new.dtype != old.dtype:
            text = f"{words} returned by `right_inverse` has dtype {new.dtype} while `{name}` has dtype {old.dtype}"
            raise refuse(ValueError, text, "right_inverse", new)
        _put(old, new)

    def forward(self) -> Tensor:
        """The parametrized tensor."""
        first, *others = self
        names = ["original"] if self.is_tensor else [f"original{i}" for i in range(self.ntensors)]
        y: Tensor = first(*[getattr(self, name) for name in names])
        for module in others:
            y = module(y)
        return y


def _copied(self: Any, memo: dict[int, Any]) -> Any:
    """A deep copy of a parametrized module, which is of the same class."""
    if id(self) not in memo:
        memo[id(self)] = new = object.__new__(type(self))
        new.__setstate__(deepcopy(Module.__getstate__(self), memo))
    return memo[id(self)]


def _unpicklable(self: Any) -> NoReturn:
    raise refuse(RuntimeError, SERIALIZED, mend="save state_dict(), and load it into a module made in the same way")


def _property(name: str) -> Any:
    """The attribute of a parametrized module that stands for the tensor: read, it computes; set, it is inverted."""
    def read(module: Any) -> Tensor:
        computed: ParametrizationList = module.parametrizations[name]
        if not Cache.depth:
            return computed()
        key = id(module), name
        if key not in Cache.found:
            Cache.found[key] = computed()
        return Cache.found[key]

    def write(module: Any, value: Tensor) -> None:
        module.parametrizations[name].right_inverse(value)

    return property(read, write)


def register_parametrization(module: M, tensor_name: str, parametrization: Module, *, unsafe: bool = False) -> M:
    """Make a parameter or a buffer of a module a function, the `parametrization`, of a parameter.

    Reading `module.weight` then computes `parametrization(module.parametrizations.weight.original)`. A parametrization
    with a method `right_inverse` can be assigned to; of the first one it also gives the original. One may be added
    upon another. With `unsafe`, dtype and shape may change. Raises ValueError for a name that is not there.

    >>> class Symmetric(torch.nn.Module):
    ...     def forward(self, x):
    ...         return x.triu() + x.triu(1).T
    >>> m = torch.nn.utils.parametrize.register_parametrization(torch.nn.Linear(3, 3), "weight", Symmetric())
    >>> bool((m.weight == m.weight.T).all()), [name for name, _ in m.named_parameters()]
    (True, ['bias', 'parametrizations.weight.original'])
    """
    parametrization.train(module.training)
    if is_parametrized(module, tensor_name):
        if not unsafe:
            _check_added(module, tensor_name, parametrization)
        found = _lists(module)[tensor_name]
        found.append(parametrization)
        found.unsafe |= unsafe
    elif tensor_name in module._buffers or tensor_name in module._parameters:
        new = ParametrizationList([parametrization], getattr(module, tensor_name), unsafe)
        delattr(module, tensor_name)
        if not is_parametrized(module):
            kind = type(module)
            own: dict[str, Any] = {"__getstate__": _unpicklable, "__module__": kind.__module__}
            if not hasattr(kind, "__deepcopy__"):
                own["__deepcopy__"] = _copied
            module.__class__ = type(f"Parametrized{kind.__name__}", (kind,), own)
            setattr(module, "parametrizations", ModuleDict())  # noqa: B010 - of a class that knows nothing of it
        setattr(type(module), tensor_name, _property(tensor_name))
        _lists(module)[tensor_name] = new
    else:
        text = f"Module '{module}' does not have a parameter, a buffer, or a parametrized element with name "
        raise refuse(ValueError, f"{text}'{tensor_name}'", "register_parametrization", tensor_name)
    return module


def _check_added(module: Module, name: str, parametrization: Module) -> None:
    """Raise PyTorch's errors unless a further parametrization keeps dtype and shape, and so does its inverse."""
    y = getattr(module, name)
    x: Any = parametrization(y)
    if not isinstance(x, Tensor):
        text = f"A parametrization must return a tensor. Got {type(x).__name__}."
        raise refuse(ValueError, text, "register_parametrization", y)
    words = "Registering a parametrization may not change the {what} of the tensor, "
    told = (words, f"module.{name}.{{what}}", f"parametrization(module.{name}).{{what}}")
    _check_kept((y.dtype, y.shape), x, told, "unless the `unsafe` flag is enabled.")
    if not hasattr(parametrization, "right_inverse"):
        return
    z = _inverse(parametrization, x)
    if not isinstance(z, Tensor):
        text = f"parametrization.right_inverse must return a tensor. Got: {type(z).__name__}"
        raise refuse(ValueError, text, "register_parametrization", y)
    words = "The tensor returned by parametrization.right_inverse must have the same {what} "
    told = (words + f"as module.{name}, ", f"module.{name}.{{what}}", "returned {what}")
    _check_kept((y.dtype, y.shape), z, told, "unless the `unsafe` flag is enabled.")


def is_parametrized(module: Module, tensor_name: str | None = None) -> bool:
    """Whether a module has a parametrization, of this tensor if one is named.

    >>> torch.nn.utils.parametrize.is_parametrized(torch.nn.Linear(3, 3))
    False
    """
    found = getattr(module, "parametrizations", None)
    if not isinstance(found, ModuleDict):
        return False
    return len(found) > 0 if tensor_name is None else tensor_name in found


def remove_parametrizations(module: M, tensor_name: str, leave_parametrized: bool = True) -> M:
    """Make a tensor an ordinary parameter again, with its present value, or (False) with that of the original.

    Raises ValueError if it has no parametrization, or if it has several originals and is not to be left as it is.
    """
    if not is_parametrized(module, tensor_name):
        text = f"Module {module} does not have a parametrization on {tensor_name}"
        raise refuse(ValueError, text, "remove_parametrizations", tensor_name)
    found = _lists(module)[tensor_name]
    if found.is_tensor:
        original = found.original
        if leave_parametrized:
            with no_grad():
                _put(original, getattr(module, tensor_name))
    elif leave_parametrized:
        value = getattr(module, tensor_name)
        original = Parameter(value) if value.requires_grad else value
    else:
        text = (
            "Cannot leave unparametrized (`leave_parametrized=False`) a tensor that is parametrized in terms of a "
            "sequence of tensors."
        )
        raise refuse(ValueError, text, "remove_parametrizations", tensor_name)
    delattr(type(module), tensor_name)
    del _lists(module)[tensor_name]
    _register(module, tensor_name, original)
    if not is_parametrized(module):
        delattr(module, "parametrizations")
        module.__class__ = type(module).__bases__[0]
    return module


def type_before_parametrizations(module: Module) -> type:
    """The class of a module without its parametrizations.

    >>> torch.nn.utils.parametrize.type_before_parametrizations(torch.nn.Linear(3, 3)).__name__
    'Linear'
    """
    return type(module).__bases__[0] if is_parametrized(module) else type(module)


def transfer_parametrizations_and_params(from_module: Module, to_module: M, tensor_name: str | None = None) -> M:
    """Give the parametrizations and originals of one module to another one, all or those of one tensor."""
    if is_parametrized(from_module):
        for name in list(_lists(from_module)) if tensor_name is None else [tensor_name]:
            if not hasattr(to_module, name):
                setattr(to_module, name, Parameter(getattr(from_module, name)))
            source = _lists(from_module)[name]
            for parametrization in source:
                register_parametrization(to_module, name, parametrization)
            for original in [key for key in (*source._parameters, *source._buffers) if key.startswith("original")]:
                setattr(_lists(to_module)[name], original, getattr(source, original))
    return to_module

if not TYPE_CHECKING:  # a name that is not here says so
    __getattr__ = names.namespace("nn.utils.parametrize")
