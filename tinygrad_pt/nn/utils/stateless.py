"""functional_call: a call of a module with other tensors in place of its parameters and buffers."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from tinygrad_pt.errors import refuse
from tinygrad_pt.nn.module import Module
from tinygrad_pt.tensor import Tensor

__all__ = ["functional_call"]


def functional_call(
    module: Module, parameters_and_buffers: dict[str, Tensor], args: Any = None, kwargs: dict[str, Any] | None = None,
    *, tie_weights: bool = True, strict: bool = False,
) -> Any:  # fmt: skip
    """Call a module with these tensors in place of its parameters and buffers of these paths.

    What the call writes into a buffer stands in the dictionary afterwards. A parameter that is shared is replaced under
    all its paths (`tie_weights`). Raises RuntimeError if `strict` and a path is missing or unexpected.

    >>> import warnings; warnings.simplefilter("ignore", FutureWarning)
    >>> m, w = torch.nn.Linear(2, 1, bias=False), torch.ones(1, 2)
    >>> torch.nn.utils.stateless.functional_call(m, {"weight": w}, torch.tensor([[1.0, 2.0]]))
    tensor([[3.]])
    """
    text = (
        "`torch.nn.utils.stateless.functional_call` is deprecated as of PyTorch 2.0 and will be removed in a future "
        "version of PyTorch. Please use `torch.func.functional_call` instead which is a drop-in replacement."
    )
    warnings.warn(text, FutureWarning, stacklevel=2)
    return call_with(module, parameters_and_buffers, args, kwargs, tie_weights=tie_weights, strict=strict)


def call_with(
    module: Module, tensors: dict[str, Tensor], args: Any = None, kwargs: dict[str, Any] | None = None,
    *, tie_weights: bool = True, strict: bool = False,
) -> Any:  # fmt: skip
    """The same as `functional_call`, without its warning."""
    given = () if args is None else args if isinstance(args, tuple) else (args,)
    with replaced(module, tensors, tie_weights, strict):
        return module(*given, **(kwargs or {}))


def _places(module: Module) -> dict[str, tuple[dict[str, Any], str]]:
    """For each path of a parameter or a buffer, the shelf and the name where it stands."""
    return {
        f"{path}.{name}" if path else name: (shelf, name)
        for path, m in module.named_modules(remove_duplicate=False)
        for shelf in (m._parameters, m._buffers)
        for name in shelf
    }


@contextmanager
def replaced(
    module: Module, tensors: dict[str, Tensor], tie_weights: bool = True, strict: bool = False
) -> Iterator[None]:
    """Inside, the tensors stand in the module; afterwards, what stood at their places stands in the dictionary."""
    places = _places(module)
    wrong = [
        f"{word} key(s): {', '.join(map(repr, keys))}."
        for word, keys in (
            ("Unexpected", [key for key in tensors if key not in places]),
            ("Missing", [key for key in places if key not in tensors]),
        )
        if strict and keys
    ]
    if wrong:
        text = f"Error(s) in reparametrizing for {module._get_name()}:\n\t" + "\n\t".join(wrong)
        raise refuse(RuntimeError, text, "functional_call")
    chosen = _tied(places, tensors) if tie_weights else dict(tensors)
    for key in chosen:
        if key not in places:
            path, _, name = key.rpartition(".")
            kind = type(module.get_submodule(path)).__name__
            text = f"'{kind}' object has no attribute '{name}'"
            raise refuse(AttributeError, text, "functional_call", mend="the paths are those of state_dict()")
    old = {key: places[key][0][places[key][1]] for key in chosen}
    try:
        for key, new in chosen.items():
            shelf, name = places[key]
            shelf[name] = new
        yield
    finally:
        for key, was in old.items():
            shelf, name = places[key]
            if key in tensors:
                tensors[key] = shelf[name]
            shelf[name] = was


def _tied(places: Mapping[str, tuple[dict[str, Any], str]], tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors, also under the other paths of what they replace."""
    paths: dict[int, list[str]] = {}
    for key, (shelf, name) in places.items():
        if shelf[name] is not None:
            paths.setdefault(id(shelf[name]), []).append(key)
    found = dict(tensors)
    for tied in paths.values():
        given = {id(tensors[key]): tensors[key] for key in tied if key in tensors}
        if len(given) > 1:
            text = f"functional_call got multiple values for keys {sorted(tied)}, which are tied. Consider using "
            raise refuse(ValueError, f"{text}tie_weights=False", "functional_call")
        if len(tied) > 1:
            found.update(dict.fromkeys(tied, *given.values()) if given else {})
    return found
