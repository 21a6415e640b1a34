"""What all optimizers share: groups of parameters with options, a state per parameter, saving and loading."""

from __future__ import annotations

import copy
import functools
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterable
from itertools import chain
from typing import Any

import numpy as np

from tinygrad_pt.calling import F32, F64, wrap
from tinygrad_pt.errors import class_name, describe, refuse
from tinygrad_pt.graph import Handle
from tinygrad_pt.inplace import touched
from tinygrad_pt.lines import user_frame
from tinygrad_pt.modes import enable_grad
from tinygrad_pt.tensor import Removable

Options = dict[str, Any]
Due = list[tuple[Any, Any, Any]]  # (parameter, its array, its gradient's array)

BLOCK = 16384  # elements per piece of a large parameter: what a rule touches stays in the processor's cache
DUPLICATES = (
    "optimizer contains a parameter group with duplicate parameters; in future, this will cause an error; "
    "see github.com/pytorch/pytorch/issues/40967 for more information"
)


# ----------------------------------------------------------------------------------- numbers and blocks
@functools.lru_cache(maxsize=512)
def constant(value: float, dtype: Any) -> Any:
    """`value` as a 0-d array: NumPy multiplies by it twice as fast as by a Python number."""
    return np.array(value or 0.0, dtype)  # one zero: for the cache, -0.0 and 0.0 are the same


def precision(dtype: Any) -> Any:
    """The dtype in which a parameter of `dtype` is updated: float64 in its own, the rest in float32."""
    return F64 if dtype == F64 else F32


def sweep(rule: Callable[..., None], constants: Any, x: Any, g: Any, *state: Any) -> None:
    """Run `rule(constants, x, g, *state)`, elementwise and in place but for `g`, over arrays of one shape.

    Large, half-precision and strangely laid out arrays pass through the cache in blocks of `BLOCK`, so that
    the temporaries of a rule are never larger than a block.
    """
    dtype = x.dtype
    if x.size <= BLOCK and (dtype is F32 or dtype is F64):
        if x.ndim:
            rule(constants, x, g, *state)
        else:  # NumPy makes scalars of 0-d results, and a scalar cannot be written to
            rule(constants, x.reshape(1), g.reshape(1), *(s.reshape(1) for s in state))
        return
    operands = (x, g, *state)
    with np.nditer(  # type: ignore[call-overload]
        operands, ["external_loop", "buffered", "zerosize_ok"],
        [["readwrite"], ["readonly"], *[["readwrite"]] * len(state)],
        [precision(dtype)] * len(operands), casting="same_kind", buffersize=BLOCK,
    ) as blocks:  # fmt: skip
        if x.size:
            for block in blocks:
                rule(constants, *block)


def due(params: list[Any]) -> Due:
    """The parameters that have a gradient, checked so that nothing can fail once the first is written."""
    found = []
    for p in params:
        grad = p._grad
        if grad is not None:
            x, g = p.array, grad.array
            if x.shape != g.shape or not x.flags.writeable:
                raise _refusal(x, g)
            found.append((p, x, g))
    return found


def _refusal(x: Any, g: Any) -> Exception:
    if x.shape != g.shape:
        return refuse(
            RuntimeError,
            f"The size of the parameter {list(x.shape)} must match the size of its gradient {list(g.shape)}",
            "step",
            x,
            g,
            mend="call zero_grad() after changing a parameter's data",
        )
    return refuse(
        RuntimeError,
        "unsupported operation: the memory of a parameter is read-only, or its elements share one place.",
        "step",
        x,
        mend="make the parameter of a clone()",
    )


def zeros_like(p: Any) -> Any:
    """A tensor of zeros with the shape, dtype and memory layout of a parameter."""
    return wrap(np.zeros_like(p.array))


def must(valid: bool, text: str) -> None:
    """Raise PyTorch's ValueError about an option unless it is valid."""
    if not valid:
        raise ValueError(text)


def check_rate(lr: Any) -> None:
    """A learning rate given as a tensor must be a single number."""
    must(not isinstance(lr, Handle) or lr.array.size == 1, "Tensor lr must be 1-element")


def _typename(value: Any) -> str:
    return str(value.type()) if isinstance(value, Handle) else class_name(type(value))


# ----------------------------------------------------------------------------------- the base class
class Optimizer:
    """Base class: `params` are tensors, (name, tensor) pairs, or dicts that give a group its own options.

    A subclass passes its options with their defaults and defines `update`. `param_groups` is the list of
    groups, each a dict of `params` and options that may be changed between steps; `state` maps a parameter to
    what the method remembers of it. Raises TypeError or ValueError where `params` cannot be optimized.

    >>> import tinygrad_pt as torch
    >>> from tinygrad_pt.optim import SGD
    >>> w = torch.tensor([3.0], requires_grad=True)
    >>> optimizer = SGD([{"params": [w], "lr": 0.5}], lr=0.1)
    >>> (w * w).sum().backward(); optimizer.step(); w
    tensor([0.], requires_grad=True)
    >>> optimizer.zero_grad(); w.grad is None
    True
    """

    shaped: tuple[str, ...] = ()  # entries of a state that have their parameter's shape
    needed: tuple[str, ...] = ()  # entries without which a state that was begun cannot go on

    def __init__(self, params: Any, defaults: Options) -> None:
        if isinstance(params, Handle):
            raise TypeError(
                "params argument given to the optimizer should be an iterable of Tensors or dicts, but got "
                + _typename(params)
            )
        self.defaults = defaults
        self.state: defaultdict[Any, Any] = defaultdict(dict)
        self.param_groups: list[Options] = []
        self._before: dict[int, Any] = {}
        self._after: dict[int, Any] = {}
        groups = list(params)
        must(bool(groups), "optimizer got an empty parameter list")
        for group in groups if isinstance(groups[0], dict) else [{"params": groups}]:
            self.add_param_group(group)

    def add_param_group(self, param_group: Options) -> None:
        """Optimize more parameters; options that the dict leaves out are those of the constructor."""
        if not isinstance(param_group, dict):
            raise TypeError(f"param_group must be a dict, but got {type(param_group)}")
        group = dict(param_group)
        params, names = _split(group["params"])
        group["params"] = params
        if names:
            group["param_names"] = names
        for p in params:
            if not isinstance(p, Handle):
                raise TypeError(f"optimizer can only optimize Tensors, but one of the params is {_typename(p)}")
            leaf = p.is_leaf or p.retains_grad
            must(leaf, "can't optimize a non-leaf Tensor")
        for name, default in self.defaults.items():
            group.setdefault(name, default)
        _refuse_flags(group)
        if len(params) != len(set(params)):
            _warn(DUPLICATES)
        named = "param_names" in group
        known: set[Any] = set()
        for other in self.param_groups:
            known.update(other["params"])
            must(
                named == ("param_names" in other),
                "all optimizer param groups should be with/without names. "
                f"cannot add param group {'with' if named else 'without'} names to the optimizer",
            )
        must(known.isdisjoint(params), "some parameters appear in more than one parameter group")
        param_group.update(group)
        self.param_groups.append(param_group)

    # ------------------------------------------------------------------------------- stepping
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update every parameter that has a gradient; return the loss that `closure`, called first, gives."""
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        self.update()
        return loss

    def update(self) -> None:
        """The method itself: what a subclass defines."""
        raise NotImplementedError

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients, or (`set_to_none=False`) fill them with zeros in place."""
        if set_to_none:
            for group in self.param_groups:
                for p in group["params"]:
                    p._grad = None
            return
        for p in chain.from_iterable(group["params"] for group in self.param_groups):
            grad = p._grad
            if grad is not None:
                if grad.array.flags.writeable:
                    grad.node = None
                    grad.array.fill(0)
                    touched(grad)
                else:
                    p._grad = zeros_like(p)

    def register_step_pre_hook(self, hook: Callable[..., Any]) -> Removable:
        """Call `hook(optimizer, args, kwargs)` before each step; it may return new `(args, kwargs)`."""
        return self._register(self._before, hook)

    def register_step_post_hook(self, hook: Callable[..., Any]) -> Removable:
        """Call `hook(optimizer, args, kwargs)` after each step."""
        return self._register(self._after, hook)

    def _register(self, hooks: dict[int, Any], hook: Callable[..., Any]) -> Removable:
        if "_bare_step" not in self.__dict__:  # a step without hooks pays nothing for them
            self._bare_step = self.step
            self.step = self._hooked_step  # type: ignore[method-assign]
        removable = Removable(hooks)
        hooks[removable.id] = hook
        return removable

    def _hooked_step(self, *args: Any, **kwargs: Any) -> Any:
        for hook in list(self._before.values()):
            changed = hook(self, args, kwargs)
            if changed is not None:
                if not (isinstance(changed, tuple) and len(changed) == 2):
                    raise RuntimeError(
                        f"{self._bare_step} must return None or a tuple of (new_args, new_kwargs), but got {changed}."
                    )
                args, kwargs = changed
        result = self._bare_step(*args, **kwargs)
        for hook in list(self._after.values()):
            hook(self, args, kwargs)
        return result

    # ------------------------------------------------------------------------------- saving and loading
    def state_dict(self) -> Options:
        """`{"state": {i: …}, "param_groups": [{…, "params": [i, …]}, …]}`, parameters numbered in order.

        The tensors are those of the optimizer, not copies: the next step changes them.
        """
        number: dict[int, int] = {}
        start, groups = 0, []
        for group in self.param_groups:
            for i, p in enumerate(group["params"], start):
                number.setdefault(id(p), i)
            start += len(group["params"])
            packed = {k: v for k, v in group.items() if k != "params"}
            groups.append(packed | {"params": [number[id(p)] for p in group["params"]]})
        state = {number[id(k)] if isinstance(k, Handle) else k: v for k, v in self.state.items()}
        return {"state": state, "param_groups": groups}

    def load_state_dict(self, state_dict: Options) -> None:
        """Go on from a `state_dict()`: copies its options and its tensors, in the parameters' dtypes.

        Raises ValueError, and changes nothing, if groups, options, entries or shapes do not fit this
        optimizer.
        """
        saved = copy.deepcopy(state_dict["param_groups"])
        must(
            len(saved) == len(self.param_groups),
            "loaded state dict has a different number of parameter groups",
        )
        for group, new in zip(self.param_groups, saved, strict=True):
            must(
                len(new["params"]) == len(group["params"]),
                "loaded state dict contains a parameter group that doesn't match the size of optimizer's group",
            )
        owner = {
            i: p
            for group, new in zip(self.param_groups, saved, strict=True)
            for i, p in zip(new["params"], group["params"], strict=True)
        }
        state: defaultdict[Any, Any] = defaultdict(dict)
        for i, entries in state_dict["state"].items():
            state[owner.get(i, i)] = self._restored(i, owner[i], entries) if i in owner else copy.deepcopy(entries)
        for group, new in zip(self.param_groups, saved, strict=True):
            for name, default in self.defaults.items():
                if name not in new:
                    flag = default is None or isinstance(default, bool)  # older versions save fewer flags
                    must(flag, f"loaded state dict contains a parameter group without the option {name!r}")
                    new[name] = default
            _refuse_flags(new)
            new["params"] = group["params"]
            if "param_names" in group:
                new.setdefault("param_names", group["param_names"])
        self.state, self.param_groups = state, saved

    def _restored(self, i: Any, p: Any, entries: Options) -> Options:
        """The saved state of one parameter, copied, in its dtype."""
        for name in self.needed:
            must(
                not entries or name in entries,
                f"loaded state dict lacks {name!r} in the state of parameter {i}",
            )
        restored = {name: _copied(value, None if name == "step" else p) for name, value in entries.items()}
        for name in self.shaped:
            value = restored.get(name)
            if value is not None and (not isinstance(value, Handle) or value.array.shape != p.array.shape):
                raise ValueError(
                    f"loaded state dict contains {name!r} as {describe(value)} for parameter {i} of shape "
                    f"{list(p.array.shape)}"
                )
        if isinstance(restored.get("step"), (int, float)):
            restored["step"] = wrap(np.array(restored["step"], F32))
        return restored

    def __repr__(self) -> str:
        lines = [type(self).__name__ + " ("]
        for i, group in enumerate(self.param_groups):
            lines.append(f"Parameter Group {i}")
            lines += [f"    {key}: {group[key]}" for key in sorted(group) if key != "params"]
        return "\n".join([*lines, ")"])


def _split(params: Any) -> tuple[list[Any], list[str]]:
    """The tensors of a group and, where they are given as (name, tensor) pairs, their names."""
    if isinstance(params, Handle):
        return [params], []
    if isinstance(params, set):
        raise TypeError(
            "optimizer parameters need to be organized in ordered collections, but the ordering of tensors "
            "in sets will change between runs. Please use a list instead."
        )
    given = list(params)
    names = [p[0] for p in given if isinstance(p, tuple)]
    must(
        len(names) in (0, len(given)),
        "all optimizer params should be with/without names. Some param names are missing",
    )
    return [p[1] if isinstance(p, tuple) else p for p in given], names


def _warn(text: str) -> None:
    """A warning at the user's line, however many constructors lie between."""
    frame = user_frame()
    assert frame is not None
    place = frame.f_code.co_filename, frame.f_lineno, frame.f_globals.get("__name__")
    warnings.warn_explicit(text, UserWarning, *place, frame.f_globals.setdefault("__warningregistry__", {}))


def _refuse_flags(group: Options) -> None:
    """Say so where an option asks for what is not here; `foreach` and `fused` change no number."""
    if group.get("fused") and group.get("foreach"):
        raise RuntimeError("`fused` and `foreach` cannot be `True` together.")
    for flag in ("capturable", "differentiable"):
        if group.get(flag):
            raise refuse(
                RuntimeError, f"tinygrad_pt's optimizers do not support {flag}=True", mend=f"leave {flag} at False"
            )


def _copied(value: Any, p: Any) -> Any:
    """A deep copy of a saved value, its tensors in the dtype of the parameter `p` (None: in their own)."""
    if isinstance(value, Handle):
        return wrap(np.array(value.array, value.array.dtype if p is None else p.array.dtype))
    if isinstance(value, dict):
        return {k: _copied(v, None if k == "step" else p) for k, v in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, (str, bytes)):
        return type(value)(_copied(v, p) for v in value)  # type: ignore[call-arg]
    return value
