"""The state of a module: `gather` makes the dictionary of `state_dict`, `load` copies one back into the module."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from tinygrad_pt.errors import refuse
from tinygrad_pt.modes import no_grad
from tinygrad_pt.nn.parameter import Parameter
from tinygrad_pt.tensor import Tensor

if TYPE_CHECKING:
    from tinygrad_pt.nn.module import Module


class Incompatible(NamedTuple):
    """The missing and the unexpected keys of a `load_state_dict`."""

    missing_keys: list[str]  # in the module alone
    unexpected_keys: list[str]  # in the dictionary alone

    def __repr__(self) -> str:
        if not self[0] and not self[1]:
            return "<All keys matched successfully>"
        return f"_IncompatibleKeys(missing_keys={self[0]}, unexpected_keys={self[1]})"


def entries(module: Module) -> Iterator[tuple[str, Tensor]]:
    """(name, tensor) for each parameter and persistent buffer of this module, without those below."""
    yield from ((name, p) for name, p in module._parameters.items() if p is not None)
    hidden = module._non_persistent_buffers_set
    yield from ((name, b) for name, b in module._buffers.items() if b is not None and name not in hidden)


def gather(module: Module, destination: dict[str, Any], prefix: str, keep_vars: bool) -> None:
    """Put the state of a module, and of all below it, into a dictionary."""
    metadata = {"version": module._version}
    if hasattr(destination, "_metadata"):
        destination._metadata[prefix[:-1]] = metadata
    for hook in module._hooks("state_before"):
        hook(module, prefix, keep_vars)
    for name, value in entries(module):
        destination[prefix + name] = value if keep_vars else value.detach()
    if module._has_extra():
        destination[f"{prefix}_extra_state"] = module.get_extra_state()
    for name, child in module._modules.items():
        if child is not None:
            child.state_dict(destination=destination, prefix=f"{prefix}{name}.", keep_vars=keep_vars)
    for hook in module._hooks("state_after"):
        hook(module, destination, prefix, metadata)


def load(root: Module, state_dict: Mapping[str, Any], strict: bool, assign: bool) -> Incompatible:
    """Check a whole dictionary, and then copy it into a module and all below it."""
    metadata = getattr(state_dict, "_metadata", {})
    given = OrderedDict(state_dict)
    missing: list[str] = []
    unexpected: list[str] = []
    errors: list[str] = []
    plan: list[Callable[[], object]] = []
    known: set[str] = set()
    modules = list(root.named_modules(remove_duplicate=False))
    for path, module in modules:
        prefix = f"{path}." if path else ""
        for hook in module._hooks("load_before"):
            hook(module, given, prefix, metadata.get(path, {}), strict, missing, unexpected, errors)
        for name, value in entries(module):
            known.add(key := prefix + name)
            if key not in given:
                missing.append(key)
            elif wrong := _misfit(key, value, given[key]):
                errors.append(wrong)
            else:
                plan.append(_copy(module, name, value, given[key], assign))
        if module._has_extra():
            known.add(key := f"{prefix}_extra_state")
            if key in given:
                plan.append(lambda module=module, key=key: module.set_extra_state(given[key]))  # type: ignore[misc]
            else:
                missing.append(key)
    unexpected += [key for key in given if key not in known]
    found = Incompatible(missing, unexpected)
    for _, module in reversed(modules):
        for hook in module._hooks("load_after"):
            hook(module, found)
    if strict:
        for word, keys in (("Unexpected", unexpected), ("Missing", missing)):
            if keys:
                listed = ", ".join(f'"{key}"' for key in keys)
                errors.insert(0, f"{word} key(s) in state_dict: {listed}. ")
    if errors:
        text = f"Error(s) in loading state_dict for {root._get_name()}:\n\t" + "\n\t".join(errors)
        mend = "build the module as it was built when it was saved; strict=False allows missing and unexpected keys"
        raise refuse(RuntimeError, text, mend=mend)
    with no_grad():
        for step in plan:
            step()
    return found


def _misfit(key: str, value: Tensor, source: Any) -> str:
    """PyTorch's sentence about an entry of the wrong type or shape, or ""."""
    if not isinstance(source, Tensor):
        return (
            f'While copying the parameter named "{key}", expected torch.Tensor or Tensor-like object from checkpoint '
            f"but received {type(source)}"
        )
    if source.shape != value.shape and not (value.ndim == 0 and source.shape == (1,)):
        return (
            f"size mismatch for {key}: copying a param with shape {source.shape} from checkpoint, the shape in "
            f"current model is {value.shape}."
        )
    return ""


def _copy(module: Module, name: str, value: Tensor, source: Tensor, assign: bool) -> Callable[[], object]:
    """The step that copies one tensor into its place, or puts it there itself."""
    if not assign:
        return lambda: value.copy_(source.reshape(value.shape))
    if not isinstance(value, Parameter):
        return lambda: module._buffers.__setitem__(name, source)
    new = source if isinstance(source, Parameter) else Parameter(source, value.requires_grad)
    return lambda: module._parameters.__setitem__(name, new)
