"""Pruning: a weight times a mask of zeros and ones, computed by a hook before each call."""

# fmt: off
from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import numpy as np

from tinygrad_pt import functions as F
from tinygrad_pt import names
from tinygrad_pt.calling import wrap
from tinygrad_pt.errors import refuse
from tinygrad_pt.nn.module import Module
from tinygrad_pt.nn.utils.convert_parameters import parameters_to_vector
from tinygrad_pt.nn.utils.recomputed import Recomputed, found
from tinygrad_pt.tensor import Tensor

__all__ = [
    "BasePruningMethod", "CustomFromMask", "Identity", "L1Unstructured", "LnStructured", "PruningContainer",
    "RandomStructured", "RandomUnstructured", "custom_from_mask", "global_unstructured", "identity", "is_pruned",
    "l1_unstructured", "ln_structured", "random_structured", "random_unstructured", "remove",
]

M = TypeVar("M", bound=Module)
Amount = int | float


class BasePruningMethod(Recomputed):
    """A way of choosing what to prune; a subclass defines `compute_mask(t, default_mask)`."""

    PRUNING_TYPE: ClassVar[str] = "unstructured"
    _tensor_name: str | None = None

    @property
    def name(self) -> str:  # type: ignore[override]
        """The attribute that is pruned."""
        return self._tensor_name or ""

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """The mask of a tensor that already has the mask `default_mask`: zeros where it is pruned."""
        text = f"{type(self).__name__} does not define compute_mask"
        raise refuse(NotImplementedError, text, "compute_mask", t, mend="define compute_mask(self, t, default_mask)")

    def apply_mask(self, module: Module) -> Tensor:
        """The pruned tensor of a module."""
        if self._tensor_name is None:
            raise refuse(AssertionError, f"Module {module} has to be pruned", "apply_mask")
        original: Tensor = getattr(module, f"{self.name}_orig")
        mask: Tensor = getattr(module, f"{self.name}_mask")
        return mask.to(original.dtype) * original

    computed = apply_mask

    @classmethod
    def apply(
        cls, module: Module, name: str, *args: Any, importance_scores: Tensor | None = None, **kwargs: Any
    ) -> BasePruningMethod:
        """Prune a tensor of a module, and go on doing so before each call; pruned twice, it has both masks."""
        old = found(module, BasePruningMethod, name)
        method: BasePruningMethod = cls(*args, **kwargs)
        method._tensor_name = name
        if old is not None:
            old.unregister(module)
            container = old if isinstance(old, PruningContainer) else PruningContainer(old)
            container.add_pruning_method(method)
            method = container
        original: Tensor = getattr(module, name)
        scores = original if importance_scores is None else importance_scores
        if scores.shape != original.shape:
            text = f"importance_scores should have the same shape as parameter {name} of {module}, "
            raise refuse(AssertionError, f"{text}got {scores.shape} vs {original.shape}", "prune", scores)
        if isinstance(method, PruningContainer):
            mask = method.compute_mask(scores.detach(), getattr(module, f"{name}_mask").detach().clone())
        else:
            mask = method.compute_mask(scores.detach(), F.ones_like(original.detach()))
            module.register_parameter(f"{name}_orig", original)  # type: ignore[arg-type]
            del module._parameters[name]
        module.register_buffer(f"{name}_mask", mask)
        setattr(module, name, method.apply_mask(module))
        module.register_forward_pre_hook(method)
        return method

    def prune(
        self, t: Tensor, default_mask: Tensor | None = None, importance_scores: Tensor | None = None
    ) -> Tensor:
        """A tensor times its mask."""
        scores = t if importance_scores is None else importance_scores
        if scores.shape != t.shape:
            text = "importance_scores should have the same shape as tensor t, "
            raise refuse(AssertionError, f"{text}got {scores.shape} vs {t.shape}", "prune", t)
        return t * self.compute_mask(scores, F.ones_like(t) if default_mask is None else default_mask)

    def remove(self, module: Module) -> None:
        """Make the pruned tensor a parameter, and prune it no more."""
        if self._tensor_name is None:
            text = f"Module {module} has to be pruned before pruning can be removed"
            raise refuse(AssertionError, text, "remove")
        pruned, original = self.apply_mask(module), module._parameters[f"{self.name}_orig"]
        delattr(module, self.name)
        assert original is not None
        original.data = pruned.data
        del module._parameters[f"{self.name}_orig"], module._buffers[f"{self.name}_mask"]
        setattr(module, self.name, original)


class PruningContainer(BasePruningMethod):
    """Several prunings of one tensor, each of what those before have left."""

    def __init__(self, *args: BasePruningMethod) -> None:
        self._pruning_methods: tuple[BasePruningMethod, ...] = ()
        if len(args) == 1:
            self._tensor_name = args[0]._tensor_name
        for method in args:
            self.add_pruning_method(method)

    def add_pruning_method(self, method: BasePruningMethod | None) -> None:
        """Add one at the end."""
        if method is None:
            return
        if not isinstance(method, BasePruningMethod):
            text = f"{type(method)} is not a BasePruningMethod subclass"
            raise refuse(TypeError, text, "add_pruning_method", method)
        if self._tensor_name != method._tensor_name:
            text = f"Can only add pruning methods acting on the parameter named '{self._tensor_name}' to "
            text += f"PruningContainer {self}. Found '{method._tensor_name}'"
            raise refuse(ValueError, text, "add_pruning_method", method)
        self._pruning_methods += (method,)

    def __len__(self) -> int:
        return len(self._pruning_methods)

    def __iter__(self) -> Iterator[BasePruningMethod]:
        return iter(self._pruning_methods)

    def __getitem__(self, idx: int) -> BasePruningMethod:
        return self._pruning_methods[idx]

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """The mask, with that of the last pruning in what is left."""
        method, mask = self._pruning_methods[-1], default_mask.to(t.dtype).clone()
        place: Any = slice(None)
        if method.PRUNING_TYPE == "unstructured":
            place = default_mask.array == 1
        elif method.PRUNING_TYPE == "structured":
            dim = _dim_of(t, getattr(method, "dim", None))
            kept = np.sum(default_mask.array, axis=tuple(d for d in range(t.ndim) if d != dim)) != 0
            place = (slice(None),) * dim + (kept,)
        elif method.PRUNING_TYPE != "global":
            raise refuse(ValueError, f"Unrecognized PRUNING_TYPE {method.PRUNING_TYPE}", "compute_mask", t)
        part = method.compute_mask(wrap(t.array[place]), wrap(default_mask.array[place]))
        mask.array[place] = part.array
        return mask


def _dim_of(t: Tensor, dim: int | None) -> int:
    """The axis of a structured pruning."""
    if dim is None:
        text = 'Pruning methods of PRUNING_TYPE "structured" need to have the attribute `dim` defined.'
        raise refuse(AttributeError, text, "compute_mask", t)
    if dim < -t.ndim:
        raise refuse(IndexError, f"Index is out of bounds for tensor with dimensions {t.ndim}", "compute_mask", t)
    return dim % t.ndim


# ------------------------------------------------------------------------------------ how much
def _check_amount(amount: Amount) -> None:
    """Raise PyTorch's errors unless this is a number of elements, or a share of them."""
    if not isinstance(amount, (int, float, np.number)):
        raise refuse(TypeError, f"Invalid type for amount: {amount}. Must be int or float.", "prune", amount)
    if amount < 0 or (not isinstance(amount, (int, np.integer)) and not amount <= 1):
        text = f"amount={amount} should either be a float in the range [0, 1] or a non-negative integer"
        raise refuse(ValueError, text, "prune", amount)


def _count(amount: Amount, size: int) -> int:
    """How many of `size` are pruned."""
    n = int(amount) if isinstance(amount, (int, np.integer)) else round(amount * size)
    if n > size:
        text = f"amount={n} should be smaller than the number of parameters to prune={size}"
        raise refuse(ValueError, text, "prune", amount)
    return n


def _check_axis(t: Tensor, dim: int) -> None:
    """Raise PyTorch's errors unless a tensor has several axes, this one among them."""
    if t.ndim <= 1:
        text = "Structured pruning can only be applied to multidimensional tensors. Found tensor of shape "
        raise refuse(ValueError, f"{text}{t.shape} with {t.ndim} dims", "prune", t)
    if dim >= t.ndim:
        raise refuse(IndexError, f"Invalid index {dim} for tensor of size {t.shape}", "prune", t)


def _without(mask: Tensor, places: Tensor) -> Tensor:
    """A mask with zeros at these places too, numbered through all axes."""
    new = np.array(mask.array)
    new.reshape(-1)[places.array] = 0
    return wrap(new)


def _only(t: Tensor, default_mask: Tensor, dim: int, kept: Any) -> Tensor:
    """A mask with ones at these indices of an axis alone, where it had ones before."""
    new = np.zeros_like(t.array)
    new[(slice(None),) * (dim % t.ndim) + (kept,)] = 1
    return wrap(new * default_mask.array.astype(new.dtype))


# ------------------------------------------------------------------------------------ which
class Identity(BasePruningMethod):
    """Prunes nothing, but makes mask and hook."""

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        return default_mask


class CustomFromMask(BasePruningMethod):
    """Prunes by a mask of the user's."""

    PRUNING_TYPE = "global"

    def __init__(self, mask: Tensor) -> None:
        self.mask = mask

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        if default_mask.shape != self.mask.shape:
            text = f"default_mask shape {default_mask.shape} must match self.mask shape {self.mask.shape}"
            raise refuse(AssertionError, text, "prune", t, self.mask)
        return default_mask * self.mask.to(default_mask.dtype)


class RandomUnstructured(BasePruningMethod):
    """Prunes random elements."""

    def __init__(self, amount: Amount) -> None:
        _check_amount(amount)
        self.amount = amount

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        n = _count(self.amount, t.numel())
        return _without(default_mask, F.topk(F.rand_like(t).reshape(-1), n).indices) if n else default_mask.clone()


class L1Unstructured(BasePruningMethod):
    """Prunes the elements with the smallest absolute values."""

    def __init__(self, amount: Amount) -> None:
        _check_amount(amount)
        self.amount = amount

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        n = _count(self.amount, t.numel())
        smallest = F.topk(F.abs(t).reshape(-1), n, largest=False) if n else None
        return default_mask.clone() if smallest is None else _without(default_mask, smallest.indices)


class RandomStructured(BasePruningMethod):
    """Prunes random channels: indices of one axis."""

    PRUNING_TYPE = "structured"

    def __init__(self, amount: Amount, dim: int = -1) -> None:
        _check_amount(amount)
        self.amount, self.dim = amount, dim

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        _check_axis(t, self.dim)
        size = t.shape[self.dim]
        n = _count(self.amount, size)
        if not n:
            return default_mask
        chances = F.rand(size).array
        return _only(t, default_mask, self.dim, chances > np.sort(chances)[n - 1])


class LnStructured(BasePruningMethod):
    """Prunes the channels, indices of one axis, with the smallest n-norm."""

    PRUNING_TYPE = "structured"

    def __init__(self, amount: Amount, n: Any, dim: int = -1) -> None:
        _check_amount(amount)
        self.amount, self.n, self.dim = amount, n, dim

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        _check_axis(t, self.dim)
        size, dim = t.shape[self.dim], self.dim % t.ndim
        n = _count(self.amount, size)
        if not n:
            return default_mask
        norms = F.norm(t, self.n, [d for d in range(t.ndim) if d != dim])
        return _only(t, default_mask, dim, F.topk(norms, size - n).indices.array)


# ------------------------------------------------------------------------------------ as functions
def identity(module: M, name: str) -> M:
    """Prune nothing, but make mask and hook.

    >>> list(torch.nn.utils.prune.identity(torch.nn.Linear(2, 1), "weight").state_dict())
    ['bias', 'weight_orig', 'weight_mask']
    """
    Identity.apply(module, name)
    return module


def random_unstructured(module: M, name: str, amount: Amount) -> M:
    """Prune random elements: so many, or this share of them.

    >>> m = torch.nn.utils.prune.random_unstructured(torch.nn.Linear(4, 2), "weight", 0.5)
    >>> int((m.weight == 0).sum())
    4
    """
    RandomUnstructured.apply(module, name, amount)
    return module


def l1_unstructured(module: M, name: str, amount: Amount, importance_scores: Tensor | None = None) -> M:
    """Prune the elements with the smallest absolute values, or with the smallest of the given scores.

    >>> m = torch.nn.Linear(3, 1, bias=False)
    >>> m.weight.data = torch.tensor([[3.0, -1.0, 2.0]])
    >>> torch.nn.utils.prune.l1_unstructured(m, "weight", 1).weight.tolist()
    [[3.0, -0.0, 2.0]]
    """
    L1Unstructured.apply(module, name, amount=amount, importance_scores=importance_scores)
    return module


def random_structured(module: M, name: str, amount: Amount, dim: int) -> M:
    """Prune random channels, indices of the axis `dim`.

    >>> m = torch.nn.utils.prune.random_structured(torch.nn.Linear(4, 2), "weight", 1, dim=0)
    >>> int((m.weight == 0).sum())
    4
    """
    RandomStructured.apply(module, name, amount, dim)
    return module


def ln_structured(
    module: M, name: str, amount: Amount, n: Any, dim: int, importance_scores: Tensor | None = None
) -> M:
    """Prune the channels, indices of the axis `dim`, with the smallest n-norm.

    >>> m = torch.nn.utils.prune.ln_structured(torch.nn.Linear(4, 2), "weight", 0.5, n=2, dim=0)
    >>> int((m.weight == 0).sum())
    4
    """
    LnStructured.apply(module, name, amount=amount, n=n, dim=dim, importance_scores=importance_scores)
    return module


def custom_from_mask(module: M, name: str, mask: Tensor) -> M:
    """Prune by a mask of zeros and ones.

    >>> m = torch.nn.utils.prune.custom_from_mask(torch.nn.Linear(2, 1), "bias", torch.zeros(1))
    >>> m.bias.item() == 0
    True
    """
    CustomFromMask.apply(module, name, mask)
    return module


def global_unstructured(
    parameters: Iterable[tuple[Module, str]], pruning_method: type[BasePruningMethod],
    importance_scores: dict[tuple[Module, str], Tensor] | None = None, **kwargs: Any,
) -> None:
    """Prune several tensors, given as (module, name), as if they were one.

    >>> a, b = torch.nn.Linear(4, 2), torch.nn.Linear(2, 1)
    >>> prune = torch.nn.utils.prune
    >>> prune.global_unstructured([(a, "weight"), (b, "weight")], prune.L1Unstructured, amount=0.2)
    >>> int((a.weight == 0).sum() + (b.weight == 0).sum())
    2
    """
    if not isinstance(parameters, Iterable):
        text = "global_unstructured(): parameters is not an Iterable"
        raise refuse(TypeError, text, "global_unstructured", parameters)
    scores = {} if importance_scores is None else importance_scores
    if not isinstance(scores, dict):
        text = "global_unstructured(): importance_scores must be of type dict"
        raise refuse(TypeError, text, "global_unstructured", scores)
    pairs = list(parameters)
    tensors = [getattr(module, name) for module, name in pairs]
    important = parameters_to_vector([scores.get(pair, t) for pair, t in zip(pairs, tensors, strict=True)])
    masks = [getattr(m, f"{name}_mask", F.ones_like(t)) for (m, name), t in zip(pairs, tensors, strict=True)]
    method = pruning_method(**kwargs)
    if method.PRUNING_TYPE != "unstructured":
        text = 'Only "unstructured" PRUNING_TYPE supported for the `pruning_method`. Found method '
        raise refuse(TypeError, f"{text}{pruning_method} of type {method.PRUNING_TYPE}", "global_unstructured")
    found_mask = PruningContainer(method).compute_mask(important.detach(), parameters_to_vector(masks).detach())
    start = 0
    for (module, name), t in zip(pairs, tensors, strict=True):
        custom_from_mask(module, name, found_mask[start : start + t.numel()].reshape(t.shape))
        start += t.numel()


def remove(module: M, name: str) -> M:
    """Make a pruned tensor a parameter with these zeros, and prune it no more.

    >>> m = torch.nn.utils.prune.identity(torch.nn.Linear(2, 1), "weight")
    >>> list(torch.nn.utils.prune.remove(m, "weight").state_dict())
    ['bias', 'weight']
    """
    hook = found(module, BasePruningMethod, name)
    if hook is None:
        text = f"Parameter '{name}' of module {module} has to be pruned before pruning can be removed"
        raise refuse(ValueError, text, "remove", name)
    hook.remove(module)
    hook.unregister(module)
    return module


def is_pruned(module: Module) -> bool:
    """Whether a tensor of this module, or of one below it, is pruned.

    >>> torch.nn.utils.prune.is_pruned(torch.nn.Linear(2, 1))
    False
    """
    return any(isinstance(hook, BasePruningMethod) for m in module.modules() for hook, _ in m._hooks("before"))

if not TYPE_CHECKING:  # a name that is not here says so
    __getattr__ = names.namespace("nn.utils.prune")
