"""Modules that hold others: in sequence, in lists, by name; and parameters in lists and by name."""

from __future__ import annotations

import operator
from collections.abc import ItemsView, Iterable, Iterator, KeysView, Mapping, ValuesView
from typing import Any, Generic, NoReturn, Self, TypeVar, overload

from tinygrad_pt.errors import locate, refuse, typename
from tinygrad_pt.modes import current, enter
from tinygrad_pt.nn.module import Module
from tinygrad_pt.nn.parameter import Parameter
from tinygrad_pt.tensor import Tensor

__all__ = ["ModuleDict", "ModuleList", "ParameterDict", "ParameterList", "Sequential"]


def _index(value: Any) -> int:
    """An index as Python's integer."""
    try:
        return operator.index(value)
    except TypeError as error:
        raise refuse(TypeError, str(error)) from None


def _position(index: Any, size: int) -> int:
    """An index as 0 … size-1."""
    i = _index(index)
    if not -size <= i < size:
        raise refuse(IndexError, f"index {i} is out of range")
    return i % size


def _iterable(values: Any, text: str) -> list[Any]:
    """The values of an iterable as a list; a tensor is refused."""
    if not isinstance(values, Iterable) or isinstance(values, Tensor):
        raise refuse(TypeError, text.format(typename=type(values).__name__))
    return list(values)


class Numbered(Module):
    """Children under the names "0", "1", …: the base of `Sequential` and `ModuleList`."""

    def _refill(self, modules: Iterable[Module]) -> None:
        """Number the children anew."""
        modules = list(modules)
        self._modules.clear()
        for i, module in enumerate(modules):
            self.add_module(str(i), module)

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Module]:
        return iter(self._modules.values())

    @overload
    def __getitem__(self, index: int) -> Module: ...

    @overload
    def __getitem__(self, index: slice) -> Self: ...

    def __getitem__(self, index: int | slice) -> Module | Self:
        if isinstance(index, slice):
            return self._of(list(self._modules.items())[index])
        found: Module = list(self._modules.values())[_position(index, len(self))]
        return found

    def _of(self, items: list[tuple[str, Module]]) -> Self:
        """Another container of this class with some of the children."""
        return type(self)([module for _, module in items])

    def __setitem__(self, index: int, module: Module) -> None:
        setattr(self, list(self._modules)[_position(index, len(self))], module)

    def __delitem__(self, index: int | slice) -> None:
        names = list(self._modules)
        for name in names[index] if isinstance(index, slice) else [names[_position(index, len(self))]]:
            del self._modules[name]
        self._refill(self._modules.values())

    def append(self, module: Module) -> Self:
        """Add a module at the end."""
        self.add_module(str(len(self)), module)
        return self

    def extend(self, modules: Iterable[Module]) -> Self:
        """Add modules at the end."""
        kind = type(self).__name__
        for module in _iterable(modules, f"{kind}.extend should be called with an iterable, but got {{typename}}"):
            self.append(module)
        return self

    def insert(self, index: int, module: Module) -> Self | None:
        """Add a module before the one at `index`."""
        modules = list(self._modules.values())
        place = _index(index)
        modules[place:place] = [module]
        self._refill(modules)
        return self

    def pop(self, key: int) -> Module:
        """Remove a module and return it."""
        found = self[key]
        del self[key]
        return found


plain = Module.__call__


class Sequential(Numbered):
    """y = fₙ(… f₂(f₁(x)))): modules called one after the other, as arguments or as a dictionary.

    >>> torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Tanh())
    Sequential(
      (0): Linear(in_features=2, out_features=3, bias=True)
      (1): Tanh()
    )
    """

    def __init__(self, *args: Module | Mapping[str, Module]) -> None:
        super().__init__()
        only: Any = args[0] if len(args) == 1 else None
        named: Iterable[tuple[Any, Any]] = only.items() if isinstance(only, Mapping) else enumerate(args)
        for name, module in named:
            self.add_module(str(name), module)

    def forward(self, input: Any) -> Tensor:
        """The input through all modules."""
        outer = current()
        module = None
        try:  # `input = module(input)` for every module, written out: this saves 2.5 % of a small network's step
            for module in self._modules.values():
                seen, inner = module._entered
                if seen is outer and module._call_hooks is None and module.__class__.__call__ is plain:
                    enter(inner)
                    input = module.forward(input)
                else:
                    enter(outer)
                    input = module(input)
        except Exception as error:
            if module is None:
                text = "'NoneType' object is not callable"
                raise refuse(TypeError, text, mend="nn.Identity() does nothing") from None
            locate(error, current().scope)
            raise
        finally:
            enter(outer)
        return input

    def _of(self, items: list[tuple[str, Module]]) -> Self:
        return type(self)(dict(items))

    def insert(self, index: int, module: Module) -> Self:
        """Add a module before the one at `index`."""
        if not isinstance(module, Module):
            raise refuse(AssertionError, f"module should be of type: {Module}")
        if not -len(self) <= _index(index) <= len(self):
            raise refuse(IndexError, f"Index out of range: {index}")
        super().insert(index, module)
        return self

    def __add__(self, other: Sequential) -> Sequential:
        return Sequential(*self).__iadd__(other)

    def __iadd__(self, other: Sequential) -> Self:
        if not isinstance(other, Sequential):
            text = f"add operator supports only objects of Sequential class, but {type(other)} is given."
            raise refuse(ValueError, text)
        return self.extend(list(other))

    def __mul__(self, times: int) -> Sequential:
        return Sequential(*self).__imul__(times)

    __rmul__ = __mul__

    def __imul__(self, times: int) -> Self:
        if not isinstance(times, int):
            raise refuse(TypeError, f"unsupported operand type(s) for *: {type(self)} and {type(times)}")
        if times <= 0:
            raise refuse(ValueError, f"Non-positive multiplication factor {times} for {type(self)}")
        return self.extend(list(self) * (times - 1))


class ModuleList(Numbered):
    """A list of modules; `parameters()` finds their parameters.

    >>> torch.nn.ModuleList([torch.nn.Tanh(), torch.nn.Tanh()])
    ModuleList(
      (0-1): 2 x Tanh()
    )
    """

    _groups = True  # equal neighbours are shown once

    def __init__(self, modules: Iterable[Module] | None = None) -> None:
        super().__init__()
        if modules is not None:
            self.extend(modules)

    def insert(self, index: int, module: Module) -> None:
        """Add a module before the one at `index`."""
        super().insert(index, module)

    def __iadd__(self, modules: Iterable[Module]) -> Self:
        return self.extend(modules)

    def __add__(self, other: Iterable[Module]) -> ModuleList:
        return ModuleList([*self, *_iterable(other, "'{typename}' object is not iterable")])


V = TypeVar("V")


class Named(Module, Generic[V]):
    """Values under names: the base of `ModuleDict` and `ParameterDict`."""

    def _names(self) -> Mapping[str, Any]:
        """A dictionary with the names as its keys."""
        return self._modules

    def __getitem__(self, key: str) -> V:
        if key not in self:
            raise refuse(KeyError, str(key))
        found: V = getattr(self, key)
        return found

    def __len__(self) -> int:
        return len(self._names())

    def __iter__(self) -> Iterator[str]:
        return iter(self._names())

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and key in self._names()

    def __delitem__(self, key: str) -> None:
        self[key]
        delattr(self, key)

    def pop(self, key: str) -> V:
        """Remove a value and return it."""
        found = self[key]
        del self[key]
        return found

    def keys(self) -> KeysView[str]:
        """The names."""
        return self._names().keys()

    def clear(self) -> None:
        """Remove all."""
        for key in list(self):
            del self[key]


Pairs = Mapping[str, V] | Iterable[tuple[str, V]] | Named[V]


class ModuleDict(Named[Module]):
    """Modules by name; `parameters()` finds their parameters.

    Raises TypeError if a value is no module, KeyError for a name that cannot be one.

    >>> torch.nn.ModuleDict({"act": torch.nn.Tanh()})
    ModuleDict(
      (act): Tanh()
    )
    """

    def __init__(self, modules: Pairs[Module] | None = None) -> None:
        super().__init__()
        if modules is not None:
            self.update(modules)

    def __setitem__(self, key: str, module: Module) -> None:
        self.add_module(key, module)

    def values(self) -> ValuesView[Module]:
        """The modules."""
        return self._modules.values()

    def items(self) -> ItemsView[str, Module]:
        """(name, module) pairs."""
        return self._modules.items()

    def update(self, modules: Pairs[Module]) -> None:
        """Add modules from a dictionary or from (name, module) pairs."""
        for key, module in _pairs(modules, "ModuleDict"):
            self[key] = module


def _pairs(items: Any, kind: str) -> list[tuple[Any, Any]]:
    """The pairs of a dictionary or an iterable of pairs, checked."""
    if not isinstance(items, Iterable):
        kind = kind.replace("Parameter", "Parameters")  # PyTorch's word
        wanted = "called with an iterable of key/value pairs"
        raise refuse(TypeError, f"{kind}.update should be {wanted}, but got {type(items).__name__}")
    if hasattr(items, "items"):
        return list(items.items())
    pairs = []
    for i, pair in enumerate(items):
        if not isinstance(pair, Iterable):
            raise refuse(TypeError, f"{kind} update sequence element #{i} should be Iterable; is{type(pair).__name__}")
        pairs.append((*pair,))
        if len(pairs[-1]) != 2:
            raise refuse(ValueError, f"{kind} update sequence element #{i} has length {len(pairs[-1])}; 2 is required")
    return pairs


def _described(value: object, kind: str = "") -> str:
    """A value as the representation of its container shows it."""
    if not isinstance(value, Tensor):
        return f"Object of type: {type(value).__name__}"
    word = "Parameter" if isinstance(value, Parameter) else "Tensor"
    return f"{word} containing: [{kind or value.dtype} of size {'x'.join(map(str, value.shape))}]"


def _learnt(value: Any) -> Any:
    """A tensor as a parameter; any other value as it is."""
    return Parameter(value) if isinstance(value, Tensor) and not isinstance(value, Parameter) else value


class ParameterList(Module):
    """A list whose tensors become parameters of the module; other values stay as they are.

    Raises IndexError if there is no such place.

    >>> [p.shape for p in torch.nn.ParameterList([torch.ones(2), torch.ones(3, 1)]).parameters()]
    [torch.Size([2]), torch.Size([3, 1])]
    """

    def __init__(self, values: Iterable[Any] | None = None) -> None:
        super().__init__()
        self._size = 0
        if values is not None:
            self.extend(values)

    def __len__(self) -> int:
        return self._size

    @overload
    def __getitem__(self, index: int) -> Any: ...

    @overload
    def __getitem__(self, index: slice) -> Self: ...

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return type(self)([self[i] for i in range(*index.indices(len(self)))])
        return getattr(self, str(_position(index, len(self))))

    def __setitem__(self, index: int, value: Any) -> None:
        setattr(self, str(_position(index, len(self))), _learnt(value))

    def __iter__(self) -> Iterator[Any]:
        return iter(self[i] for i in range(len(self)))

    def append(self, value: Any) -> Self:
        """Add a value at the end."""
        self._size += 1
        self[len(self) - 1] = value
        return self

    def extend(self, values: Iterable[Any]) -> Self:
        """Add values at the end."""
        for value in _iterable(values, "ParameterList.extend should be called with an iterable, but got {typename}"):
            self.append(value)
        return self

    __iadd__ = extend

    def extra_repr(self) -> str:
        return "\n".join(f"  ({i}): {_described(value)}" for i, value in enumerate(self))

    def forward(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Raise an error: this container has no forward."""
        raise refuse(RuntimeError, "ParameterList should not be called.")


class ParameterDict(Named[Any]):
    """A dictionary whose tensors become parameters of the module; other values stay as they are.

    Raises TypeError if a name is no string, KeyError if there is no such name.

    >>> [name for name, _ in torch.nn.ParameterDict({"w": torch.ones(2)}).named_parameters()]
    ['w']
    """

    def __init__(self, parameters: Pairs[Any] | None = None) -> None:
        super().__init__()
        self._keys: dict[str, None] = {}
        if parameters is not None:
            self.update(parameters)

    def _names(self) -> Mapping[str, Any]:
        return self._keys

    def __setitem__(self, key: str, value: Any) -> None:
        if not isinstance(key, str):
            text = (
                "Index given to ParameterDict cannot be used as a key as it is not a string (type is "
                f"'{type(key).__name__}'). Open an issue on github if you need non-string keys."
            )
            raise refuse(TypeError, text)
        setattr(self, key, _learnt(value))
        self._keys[key] = None

    def __delitem__(self, key: str) -> None:
        super().__delitem__(key)
        del self._keys[key]

    def __reversed__(self) -> Iterator[str]:
        return reversed(list(self._keys))

    def values(self) -> Iterator[Any]:
        """The values."""
        return (self[key] for key in self._keys)

    def items(self) -> Iterator[tuple[str, Any]]:
        """(name, value) pairs."""
        return ((key, self[key]) for key in self._keys)

    def get(self, key: str, default: Any = None) -> Any:
        """The value of a name, or a default."""
        return self[key] if key in self else default

    def setdefault(self, key: str, default: Any = None) -> Any:
        """The value of a name; a new name gets the default."""
        if key not in self:
            self[key] = default
        return self[key]

    def popitem(self) -> tuple[str, Any]:
        """Remove the last pair and return it."""
        if not self._keys:
            raise refuse(KeyError, "popitem(): dictionary is empty")
        key = list(self._keys)[-1]
        return key, self.pop(key)

    def copy(self) -> Self:
        """Another dictionary of the same parameters."""
        return type(self)(dict(self.items()))

    def fromkeys(self, keys: Iterable[str], default: Any = None) -> Self:
        """A dictionary of these names with one value."""
        return type(self)((key, default) for key in _iterable(keys, "'{typename}' object is not iterable"))

    def update(self, parameters: Pairs[Any]) -> None:
        """Add values from a dictionary or from (name, value) pairs."""
        for key, value in _pairs(parameters, "ParameterDict"):
            self[key] = value

    def __or__(self, other: Pairs[Any]) -> Self:
        twin = self.copy()
        twin.update(other)
        return twin

    def __ior__(self, other: Pairs[Any]) -> Self:
        self.update(other)
        return self

    def extra_repr(self) -> str:
        return "\n".join(f"  ({key}): {_described(value, typename(value))}" for key, value in self.items())

    def forward(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Raise an error: this container has no forward."""
        raise refuse(RuntimeError, "ParameterDict should not be called.")
