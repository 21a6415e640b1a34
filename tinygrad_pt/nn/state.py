"""The state of a module: `gather` makes the dictionary of `state_dict`, `load` copies one back into the module."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from tinygrad_pt.errors import refuse
from tinygrad_pt.modes import no_grad
from tinygrad_pt.nn.parameter import Parameter, Uninitialized
from tinygrad_pt.nn.tree import ASK, ENTER, inherits, occupied, visit
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


HOOK_ANSWERED = (
    "Hooks registered with ``register_load_state_dict_post_hook`` are not expected to return new values, if "
    "incompatible_keys need to be modified, it should be done inplace."
)


def entries(module: Module) -> Iterator[tuple[str, Tensor]]:
    """(name, tensor) for each parameter and persistent buffer of this module, without those below."""
    yield from ((name, p) for name, p in module._parameters.items() if p is not None)
    hidden = module._non_persistent_buffers_set
    yield from ((name, b) for name, b in module._buffers.items() if b is not None and name not in hidden)


def gather(root: Module, destination: Any, prefix: str, keep_vars: bool, method: Callable[..., Any]) -> None:
    """Put the state of a module, and of all below it, into a dictionary."""
    for stage, path, module in visit(root, method, occupied, prefix):
        if stage == ASK:
            module.state_dict(destination=destination, prefix=path, keep_vars=keep_vars)
        elif stage == ENTER:
            if hasattr(destination, "_metadata"):
                destination._metadata[path[:-1]] = {"version": module._version}
            for hook in module._hooks("state_before"):
                hook(module, path, keep_vars)
            module._save_to_state_dict(destination, path, keep_vars)
        else:
            for hook in module._hooks("state_after"):
                metadata = getattr(destination, "_metadata", {}).get(path[:-1], {"version": module._version})
                hook(module, destination, path, metadata)


def save_own(module: Module, destination: Any, prefix: str, keep_vars: bool) -> None:
    """Put the state of this module, without those below, into a dictionary."""
    for name, value in entries(module):
        destination[prefix + name] = value if keep_vars else value.detach()
    if module._has_extra():
        destination[f"{prefix}_extra_state"] = module.get_extra_state()


class Loading:
    """What is found when a dictionary is compared with a module and all below it, and the steps that copy it."""

    def __init__(self, assign: bool, found: Incompatible | None = None, errors: list[str] | None = None) -> None:
        self.assign = assign
        self.found = Incompatible([], []) if found is None else found
        self.errors: list[str] = [] if errors is None else errors
        self.plan: list[Callable[[], object]] = []

    def run(self) -> None:
        """Copy what was found to fit."""
        with no_grad():
            for step in self.plan:
                step()

    def compare(
        self, module: Module, path: str, part: dict[str, Any], metadata: dict[str, Any], method: Callable[..., Any]
    ) -> dict[str, dict[str, Any]]:
        """Compare a module with its part of the dictionary; the parts of its children, by their names.

        A class may have a way of its own to load its part, which then is loaded at once.
        """
        if inherits(module, method):
            self.compare_own(module, path, part, metadata)
        else:
            metadata = metadata | ({"assign_to_params_buffers": True} if self.assign else {})
            module._load_from_state_dict(part, path, metadata, True, *self.found, self.errors)
        below: dict[str, dict[str, Any]] = {}
        for key, value in part.items():
            name, dot, _ = key[len(path) :].partition(".")
            if dot and name in module._modules and key.startswith(path):
                below.setdefault(name, {})[key] = value
        return below

    def compare_own(self, module: Module, path: str, part: dict[str, Any], metadata: dict[str, Any]) -> None:
        """Compare a module, without those below, with its part of the dictionary.

        Hooks may change the part. What they change in it, the part above does not see.
        """
        missing, unexpected = self.found
        for hook in module._hooks("load_before"):
            hook(module, part, path, metadata, True, missing, unexpected, self.errors)
        known = set()
        for name, value in entries(module):
            known.add(name)
            if (key := path + name) not in part:
                if (metadata.get("version") or 0) >= module._since.get(name, 0):
                    missing.append(key)
            elif wrong := _misfit(key, value, part[key]):
                self.errors.append(wrong)
            else:
                self.plan.append(_copy(module, name, value, part[key], self.assign))
        if module._has_extra():
            known.add("_extra_state")
            if (extra := f"{path}_extra_state") in part:
                self.plan.append(lambda: module.set_extra_state(part[extra]))
            else:
                missing.append(extra)
        for key in part:
            name, dot, _ = key[len(path) :].partition(".")
            if key.startswith(path) and name not in (module._modules if dot else known):
                unexpected.append(key)


def load(
    root: Module, state_dict: Mapping[str, Any], strict: bool, assign: bool, method: Callable[..., Any]
) -> Incompatible:
    """Compare a whole dictionary with a module and all below it, and then copy it."""
    loading, metadata = Loading(assign), getattr(state_dict, "_metadata", {})
    parts = {"": OrderedDict(state_dict)}  # of the modules that are open, and of their children, by path
    hooked: list[Module] = []  # those with hooks to call after loading, in this order
    for stage, path, module in visit(root, None, occupied):
        if stage == ENTER:
            part = parts.get(path, OrderedDict())
            for name, below in loading.compare(module, path, part, metadata.get(path[:-1], {}), method).items():
                parts[f"{path}{name}."] = OrderedDict(below)
        else:
            parts.pop(path, None)
            hooked += [module] * bool(module._hooks("load_after"))
    missing, unexpected = loading.found
    fits = not loading.errors and not (strict and (missing or unexpected))
    if fits or (hooked and not loading.errors):  # hooks may forgive missing and unexpected keys
        loading.run()
    for module in hooked:
        for hook in module._hooks("load_after"):
            if hook(module, loading.found) is not None:
                raise refuse(AssertionError, HOOK_ANSWERED)
    errors = loading.errors
    if strict:
        for word, keys in (("Unexpected", unexpected), ("Missing", missing)):
            if keys:
                listed = ", ".join(f'"{key}"' for key in keys)
                errors.insert(0, f"{word} key(s) in state_dict: {listed}. ")
    if errors:
        text = f"Error(s) in loading state_dict for {root._get_name()}:\n\t" + "\n\t".join(errors)
        mend = "build the module as it was built when it was saved; strict=False allows missing and unexpected keys"
        raise refuse(RuntimeError, text, mend=mend)
    return loading.found


def _misfit(key: str, value: Tensor, source: Any) -> str:
    """PyTorch's sentence about an entry of the wrong type or shape, or ""."""
    if not isinstance(source, Tensor):
        return (
            f'While copying the parameter named "{key}", expected torch.Tensor or Tensor-like object from checkpoint '
            f"but received {type(source)}"
        )
    if isinstance(value, Uninitialized) and isinstance(source, Uninitialized):
        return ""
    if source.shape != value.shape and not (value.ndim == 0 and source.shape == (1,)):
        return (
            f"size mismatch for {key}: copying a param with shape {source.shape} from checkpoint, the shape in "
            f"current model is {value.shape}."
        )
    return ""


def _copy(module: Module, name: str, value: Tensor, source: Tensor, assign: bool) -> Callable[[], object]:
    """The step that copies one tensor into its place, or puts it there itself."""
    if isinstance(value, Uninitialized):
        return lambda: None
    if not assign:
        return lambda: value.copy_(source.reshape(value.shape))
    if not isinstance(value, Parameter):
        return lambda: module._buffers.__setitem__(name, source)
    new = source if isinstance(source, Parameter) else Parameter(source, value.requires_grad)
    return lambda: module._parameters.__setitem__(name, new)
