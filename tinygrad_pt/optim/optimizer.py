"""The base of all optimizers: groups of parameters with options, a state per parameter, steps, and saving."""

from __future__ import annotations

import copy
import functools
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from types import FunctionType
from typing import Any, TypeAlias, TypeVar, overload

import numpy as np

from tinygrad_pt.attached import Removable
from tinygrad_pt.calling import F32, F64, wrap
from tinygrad_pt.errors import describe, refuse, typename
from tinygrad_pt.graph import born
from tinygrad_pt.inplace import last_change, touched
from tinygrad_pt.lines import user_frame
from tinygrad_pt.modes import current, enable_grad
from tinygrad_pt.tensor import Tensor

Options: TypeAlias = dict[str, Any]
ParamsT: TypeAlias = Iterable[Tensor] | Iterable[tuple[str, Tensor]] | Iterable[Options]
Due: TypeAlias = list[tuple[Tensor, np.ndarray, np.ndarray]]  # (parameter, its array, its gradient's array)
Loss = TypeVar("Loss")
R = TypeVar("R")

BLOCK = 16384  # elements per piece of a large parameter: a piece and its state fit into the processor's cache
WORDS = {"lr": "learning rate", "eps": "epsilon value"}  # PyTorch's words for options
NO_TENSOR = "{} as a Tensor is not supported for capturable=False and foreach=True"
DUPLICATES = (
    "optimizer contains a parameter group with duplicate parameters; in future, this will cause an error; "
    "see github.com/pytorch/pytorch/issues/40967 for more information"
)


# ----------------------------------------------------------------------------------- numbers and blocks
class Constants(dict):
    """Numbers as 0-d arrays of one dtype: NumPy multiplies by them twice as fast as by numbers. None stays None."""

    def __init__(self, dtype: np.dtype) -> None:
        self.dtype = dtype

    def __missing__(self, value: float | None) -> np.ndarray | None:
        if len(self) > 512:  # numbers that change from step to step
            self.clear()
        made = None if value is None else np.array(value or 0.0, self.dtype)  # as keys, -0.0 and 0.0 are the same
        self[value] = made
        return made


SINGLES, DOUBLES = Constants(F32), Constants(F64)


def constants(dtype: np.dtype) -> Constants:
    """Numbers in the dtype in which a parameter of `dtype` is updated: float64 in its own, the rest in float32."""
    return DOUBLES if dtype == F64 else SINGLES


def scalar(value: Any) -> Any:
    """A number as it is, and a tensor of one element as a number of its own precision."""
    return value.array.reshape(-1)[0] if isinstance(value, Tensor) else value


def sweep(rule: Callable[..., None], k: Any, x: np.ndarray, g: np.ndarray, *state: np.ndarray) -> None:
    """Run `rule(k, x, g, *state)`, elementwise and in place except for `g`, over arrays of one shape.

    Large arrays and halves pass through the cache in blocks of `BLOCK`, so that the temporaries of a rule are never
    larger than a block.
    """
    if not x.ndim:  # NumPy makes scalars of 0-d results, and a scalar cannot be written to
        x, g, state = x.reshape(1), g.reshape(1), tuple(s.reshape(1) for s in state)
    if x.size <= BLOCK and (x.dtype is F32 or x.dtype is F64):
        rule(k, x, g, *state)
        return
    operands = (x, g, *state)
    modes = [["readwrite"], ["readonly"], *[["readwrite"]] * len(state)]
    kinds = [constants(x.dtype).dtype] * len(operands)
    flags = ["external_loop", "buffered", "zerosize_ok"]
    with np.nditer(operands, flags, modes, kinds, casting="same_kind", buffersize=BLOCK) as blocks:  # type: ignore[call-overload]
        if x.size:
            for block in blocks:
                rule(k, *block)


def regularised(k: Any, x: np.ndarray, g: np.ndarray, *state: np.ndarray) -> None:
    """Run a rule with the gradient ±g + λ·x: minus to maximize, and λ·x for the weight decay."""
    rule, maximize, decay, k = k
    if maximize:
        g = -g
    if decay is not None:
        g = g + x * decay
    rule(k, x, g, *state)


def due(params: list[Tensor]) -> Due:
    """The parameters that have a gradient; all are checked before the first is written."""
    found = []
    for p in params:
        grad = p._grad
        if grad is not None:
            x, g = p.array, grad.array
            if x.shape != g.shape:
                sizes = f"parameter {list(x.shape)} must match the size of its gradient {list(g.shape)}"
                mend = "call zero_grad() after changing a parameter's data"
                raise refuse(RuntimeError, f"The size of the {sizes}", "step", x, g, mend=mend)
            if not x.flags.writeable:
                text = "unsupported operation: the memory of a parameter is read-only, or its elements share one place."
                raise refuse(RuntimeError, text, "step", x, mend="make the parameter of a clone()")
            found.append((p, x, g))
    return found


# ----------------------------------------------------------------------------------- those who listen
_told: ContextVar[tuple[tuple[Optimizer, str], ...]] = ContextVar("tinygrad_pt.optim.told", default=())


def _tell(optimizer: Optimizer, name: str, method: Callable[..., R], *args: Any, **kwargs: Any) -> R:
    """Call a `step` or `zero_grad`, and tell listeners of it; not again of that of a base class, called inside."""
    listeners = current().listeners
    token = _told.set((*_told.get(), (optimizer, name)))
    try:
        if name == "step":
            closure = next(iter((*args, *kwargs.values())), None) is not None
            for listener in listeners:
                listener.stepping(optimizer, closure)
        result = method(optimizer, *args, **kwargs)
    finally:
        _told.reset(token)
    for listener in listeners:
        (listener.stepped if name == "step" else listener.cleared)(optimizer)
    return result


def _heard(method: Callable[..., R], name: str) -> Callable[..., R]:
    """The `step` or `zero_grad` that a subclass defines; listeners hear of it."""

    @functools.wraps(method)
    def heard(self: Optimizer, *args: Any, **kwargs: Any) -> R:
        if name == "step":
            self._opt_called = True
        if current().listeners and (self, name) not in _told.get():
            return _tell(self, name, method, *args, **kwargs)
        return method(self, *args, **kwargs)

    return heard


# ----------------------------------------------------------------------------------- the base class
class Optimizer:
    """Base class: `params` are tensors, (name, tensor) pairs, or dicts that give a group its own options.

    A subclass passes its options with their defaults to this constructor. An elementwise method defines `rule`,
    `numbers` and `keeps`; any other defines `update` or `step`. `param_groups` is the list of groups, each a dict of
    `params` and options that may be changed between steps; `state` maps a parameter to its state, a dict. Raises
    TypeError or ValueError where `params` cannot be optimized.

    >>> w = torch.tensor([3.0], requires_grad=True)
    >>> optimizer = torch.optim.SGD([{"params": [w], "lr": 0.5}], lr=0.1)
    >>> (w * w).sum().backward(); optimizer.step(); w
    tensor([0.], requires_grad=True)
    >>> optimizer.zero_grad(); w.grad is None
    True
    """

    keeps: dict[str, str] = {}  # the arrays of a state, in the order of `rule`; each with the option that asks for it
    counts_steps = False  # whether a state has the entry "step"
    scalars: dict[str, float | str] = {}  # numbers of a state, each with its first value or the option that is that
    writes = 1  # how often PyTorch writes to a parameter in a step
    nonnegative: tuple[str, ...] = ()  # options that must be ≥ 0, in the order in which PyTorch checks them
    takes_nan = False  # whether these may be nan, as in PyTorch's SGD
    _opt_called = False  # whether `step` was called since a scheduler follows
    _followed: Any = None  # the function that was `step` then

    def __init__(self, params: ParamsT, defaults: Options) -> None:
        self._check(defaults)
        if isinstance(params, Tensor):
            raise refuse(
                TypeError,
                "params argument given to the optimizer should be an iterable of Tensors or dicts, but got "
                + typename(params),
            )
        self.defaults = defaults
        self.state: defaultdict[Any, Any] = defaultdict(dict)
        self.param_groups = []
        self._before: dict[int, Callable[..., Any]] = {}
        self._after: dict[int, Callable[..., Any]] = {}
        groups: list[Any] = list(params)
        if not groups:
            raise refuse(ValueError, "optimizer got an empty parameter list")
        for group in groups if isinstance(groups[0], dict) else [{"params": groups}]:
            self.add_param_group(group)
        for listener in current().listeners:
            listener.made(self)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for name in ("step", "zero_grad"):
            method = cls.__dict__.get(name)
            if isinstance(method, FunctionType):
                setattr(cls, name, _heard(method, name))

    @property
    def param_groups(self) -> list[Options]:
        """The groups, each a dict of `params` and options, which may be changed."""
        if "param_groups" not in self.__dict__:
            raise refuse(AttributeError, f"'{type(self).__name__}' object has no attribute 'param_groups'")
        for listener in current().listeners:
            listener.read(self)
        groups: list[Options] = self.__dict__["param_groups"]  # a step reads it there, and tells nobody
        return groups

    @param_groups.setter
    def param_groups(self, groups: list[Options]) -> None:
        self.__dict__["param_groups"] = groups

    def _check(self, options: Options) -> None:
        """Raise ValueError unless the options named in `nonnegative` are ≥ 0, and betas < 1."""
        each = options.get("foreach") and not options.get("capturable", True)
        for name in self.nonnegative:
            value = options[name]
            if name == "lr" and isinstance(value, Tensor):
                if each:
                    raise refuse(ValueError, NO_TENSOR.format("lr"))
                if value.array.size != 1:
                    raise refuse(ValueError, "Tensor lr must be 1-element")
            if name == "betas":
                if not isinstance(value, (tuple, list)) or len(value) != 2:
                    kind = IndexError if isinstance(value, (tuple, list)) else TypeError
                    raise refuse(kind, f"betas must be a pair of numbers, not {value!r}")
                for i, beta in enumerate(value):
                    if isinstance(beta, Tensor):
                        if each:
                            raise refuse(ValueError, NO_TENSOR.format(f"betas[{i}]"))
                        if beta.array.size != 1:
                            raise refuse(ValueError, f"Tensor betas[{i}] must be 1-element")
                    if not 0.0 <= beta < 1.0:
                        raise refuse(ValueError, f"Invalid beta parameter at index {i}: {beta}")
            elif not isinstance(value, (int, float, np.number, Tensor)):
                raise refuse(TypeError, f"{WORDS.get(name, name)} must be a number, not {type(value).__name__}")
            elif value < 0.0 or (value != value and not self.takes_nan):
                raise refuse(ValueError, f"Invalid {WORDS.get(name, f'{name} value')}: {value}")

    def add_param_group(self, param_group: Options) -> None:
        """Optimize more parameters; options that the dict leaves out are those of the constructor."""
        if not isinstance(param_group, dict):
            raise refuse(TypeError, f"param_group must be a dict, but got {type(param_group)}")
        group = dict(param_group)
        params, names = _split(group["params"])
        group["params"] = params
        if names:
            group["param_names"] = names
        for p in params:
            if not isinstance(p, Tensor):
                text = f"optimizer can only optimize Tensors, but one of the params is {typename(p)}"
                raise refuse(TypeError, text)
            if not (p.is_leaf or p.retains_grad):
                raise refuse(ValueError, "can't optimize a non-leaf Tensor")
        for name, default in self.defaults.items():
            group.setdefault(name, default)
        _refuse_flags(group)
        if len(params) != len(set(params)):
            warn(DUPLICATES)
        named = "param_names" in group
        known: set[Tensor] = set()
        for other in self.param_groups:
            known.update(other["params"])
            if named != ("param_names" in other):
                raise refuse(
                    ValueError,
                    "all optimizer param groups should be with/without names. cannot add param group "
                    f"{'with' if named else 'without'} names to the optimizer",
                )
        if not known.isdisjoint(params):
            raise refuse(ValueError, "some parameters appear in more than one parameter group")
        param_group.update(group)
        self.param_groups.append(param_group)

    # ------------------------------------------------------------------------------- one step
    @staticmethod
    def rule(*arguments: Any, **none: Any) -> None:
        """`rule(k, x, g, *kept)`, the formula: it changes x and the kept arrays in place; k are the constants."""
        raise refuse(NotImplementedError, "a subclass of Optimizer should define rule and numbers, or update, or step")

    def numbers(self, group: Options, t: float) -> tuple[float | None, ...]:
        """The constants k of step number t; the rule gets each number as an array, and None as it is.

        Where steps are not counted, t is 1 at the step that makes the state, and 0 later.
        """
        raise refuse(NotImplementedError, f"{type(self).__name__} should define numbers(group, t)")

    def numbers_of(self, state: Options, group: Options, t: float) -> tuple[float | None, ...]:
        """`numbers` of a parameter, where the method has `scalars`: it moves them, too."""
        raise refuse(NotImplementedError, f"{type(self).__name__} should define numbers_of(state, group, t)")

    def first_value(self, name: str, x: np.ndarray, group: Options) -> np.ndarray:
        """The first value of a kept array, in the shape, dtype and memory layout of the parameter."""
        return np.zeros_like(x)

    def kept_shapes(self, p: Tensor) -> dict[str, tuple[int, ...]]:
        """The shapes of the arrays of a state."""
        return dict.fromkeys(self.keeps, p.array.shape)

    def added_decay(self, group: Options) -> float:
        """λ, where λ·x is added to the gradient before the rule: not where the decay is decoupled from it."""
        return 0.0 if group.get("decoupled_weight_decay") else float(group.get("weight_decay", 0))

    def _begin(self, p: Tensor, group: Options) -> list[np.ndarray]:
        """Make what is missing in the state of a parameter; return the kept arrays."""
        state, kept = self.state[p], []
        if self.counts_steps and "step" not in state:
            state["step"] = wrap(np.zeros((), F32))
        for name, first in self.scalars.items():
            if name not in state:
                state[name] = wrap(np.array(float(group[first] if isinstance(first, str) else first), F32))
        for name, option in self.keeps.items():
            if not option or group[option]:
                if state.get(name) is None:
                    state[name] = wrap(self.first_value(name, p.array, group))
                kept.append(state[name].array)
        return kept

    @np.errstate(all="ignore")
    def update(self) -> None:
        """Change every parameter that has a gradient."""
        found = []
        for group in self.__dict__.get("param_groups") or self.param_groups:
            found.append((group, due(group["params"])))
        for group, todo in found:
            self._walk(group, todo)

    def _walk(self, group: Options, todo: Due) -> None:
        """Change these parameters of a group, one after the other."""
        rule, counts, scalars, listeners = self.rule, self.counts_steps, self.scalars, current().listeners
        maximize, decay = group.get("maximize"), group.get("weight_decay") and self.added_decay(group) or None
        writes = self.writes + bool(group.get("decoupled_weight_decay") and group.get("weight_decay"))
        run = rule if decay is None and not maximize else regularised
        keeps = []
        for name, option in self.keeps.items():  # no comprehensions here: in Python 3.11 each is a call
            if not option or group[option]:
                keeps.append(name)
        at = kind = None
        for p, x, g in todo:
            args: list[Any] = [None, x, g]
            t = 0.0
            if counts or keeps:
                state = self.state[p]
                try:
                    for name in keeps:
                        args.append(state[name].array)
                except (KeyError, AttributeError):
                    args[3:], t = self._begin(p, group), 1.0
                if counts:
                    clock = state["step"].array
                    clock.fill(clock.item() + 1)  # an addition in place takes NumPy three times as long
                    t = clock.item()
            if t != at or x.dtype is not kind or scalars:
                at, kind = t, x.dtype
                known = constants(kind)
                numbers = self.numbers_of(state, group, t) if scalars else self.numbers(group, t)
                k = [*map(known.__getitem__, numbers)]
                if run is regularised:
                    k = [rule, maximize, known[decay], k]
            args[0] = k
            if x.size <= BLOCK and x.ndim and (kind is F32 or kind is F64):  # `sweep`, without the call
                run(*args)
            else:
                sweep(run, *args)
            version = p.version  # `touched(p)`, without the call
            version[0] += writes
            version[1] = last_change[0] = born()
            if listeners:
                for listener in listeners:
                    listener.wrote(p)

    @overload
    def step(self, closure: None = None) -> None: ...
    @overload
    def step(self, closure: Callable[[], Loss]) -> Loss: ...
    def step(self, closure: Callable[[], Loss] | None = None) -> Loss | None:
        """Update every parameter that has a gradient; return the loss that `closure`, called first, gives."""
        self._opt_called = True
        if current().listeners and (self, "step") not in _told.get():
            return _tell(self, "step", Optimizer.step, closure)
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        self.update()
        return loss

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Remove the gradients, or (`set_to_none=False`) fill them with zeros in place."""
        if current().listeners and (self, "zero_grad") not in _told.get():
            return _tell(self, "zero_grad", Optimizer.zero_grad, set_to_none)
        for group in self.__dict__.get("param_groups") or self.param_groups:
            for p in group["params"]:
                if set_to_none:
                    p._grad = None
                elif (grad := p._grad) is not None:
                    if grad.array.flags.writeable:
                        grad.node = None
                        grad.array.fill(0)
                        touched(grad)
                    else:
                        p._grad = wrap(np.zeros_like(p.array))

    def follow(self) -> None:
        """Begin to tell a scheduler whether `step` has been called, and whether it has been overridden."""
        if self._followed is None:
            self._opt_called = False
        self._followed = getattr(self.step, "__func__", self.step)

    def overridden(self) -> bool:
        """Whether `step` is another function than the one that schedulers follow; hooks are no other."""
        step = getattr(self.step, "__func__", self.step)
        return step is not self._followed and step is not Optimizer._hooked_step

    # ------------------------------------------------------------------------------- hooks
    def register_step_pre_hook(self, hook: Callable[..., Any]) -> Removable:
        """Call `hook(optimizer, args, kwargs)` before each step; it may return new `(args, kwargs)`."""
        return self._register(self._before, hook)

    def register_step_post_hook(self, hook: Callable[..., Any]) -> Removable:
        """Call `hook(optimizer, args, kwargs)` after each step."""
        return self._register(self._after, hook)

    def _register(self, hooks: dict[int, Any], hook: Callable[..., Any]) -> Removable:
        if "_bare_step" not in self.__dict__:  # a step without hooks costs nothing more
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
                    wanted = "None or a tuple of (new_args, new_kwargs)"
                    raise refuse(RuntimeError, f"{self._bare_step} must return {wanted}, but got {changed}.")
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
        state = {number[id(k)] if isinstance(k, Tensor) else k: v for k, v in self.state.items()}
        return {"state": state, "param_groups": groups}

    def load_state_dict(self, state_dict: Options) -> None:
        """Continue from a `state_dict()`: copy its options, and its tensors in the parameters' dtypes.

        Raises ValueError, and changes nothing, if groups, options, entries or shapes do not fit this
        optimizer.
        """
        saved = copy.deepcopy(state_dict["param_groups"])
        if len(saved) != len(self.param_groups):
            raise refuse(ValueError, "loaded state dict has a different number of parameter groups")
        owner: dict[Any, Tensor] = {}
        for group, new in zip(self.param_groups, saved, strict=True):
            if len(new["params"]) != len(group["params"]):
                text = "loaded state dict contains a parameter group that doesn't match the size of optimizer's group"
                raise refuse(ValueError, text)
            owner.update(zip(new["params"], group["params"], strict=True))
        state: defaultdict[Any, Any] = defaultdict(dict)
        for i, entries in state_dict["state"].items():
            state[owner.get(i, i)] = self._restored(i, owner[i], entries) if i in owner else copy.deepcopy(entries)
        for group, new in zip(self.param_groups, saved, strict=True):
            for name, default in self.defaults.items():
                if name not in new:
                    if default is not None and not isinstance(default, bool):  # older versions save fewer flags
                        text = f"loaded state dict contains a parameter group without the option {name!r}"
                        raise refuse(ValueError, text)
                    new[name] = default
            _refuse_flags(new)
            new["params"] = group["params"]
            if "param_names" in group:
                new.setdefault("param_names", group["param_names"])
        self.state, self.param_groups = state, saved

    def _restored(self, i: Any, p: Tensor, entries: Options) -> Options:
        """The saved state of one parameter, copied, in its dtype."""
        clocks = ("step", *self.scalars)
        shapes = self.kept_shapes(p)
        needed = (*clocks, *(name for name in shapes if not self.keeps.get(name))) if self.counts_steps else ()
        for name in needed:
            if entries and name not in entries:
                raise refuse(ValueError, f"loaded state dict lacks {name!r} in the state of parameter {i}")
        restored = {name: _copied(value, None if name in clocks else p) for name, value in entries.items()}
        for name, shape in shapes.items():
            value = restored.get(name)
            if value is not None and (not isinstance(value, Tensor) or value.array.shape != shape):
                found = f"{name!r} as {describe(value)} for parameter {i} of shape {list(p.array.shape)}"
                raise refuse(ValueError, f"loaded state dict contains {found}")
        for name in clocks:
            if isinstance(restored.get(name), (int, float)):
                restored[name] = wrap(np.array(restored[name], F32))
        return restored

    def __repr__(self) -> str:
        lines = [type(self).__name__ + " ("]
        for i, group in enumerate(self.param_groups):
            lines.append(("\n" if i else "") + f"Parameter Group {i}")
            lines += [f"    {key}: {group[key]}" for key in sorted(group) if key != "params"]
        return "\n".join([*lines, ")"])


def _split(params: Any) -> tuple[list[Any], list[str]]:
    """The tensors of a group and, where they are given as (name, tensor) pairs, their names."""
    if isinstance(params, Tensor):
        return [params], []
    if isinstance(params, set):
        text = "optimizer parameters need to be organized in ordered collections, but the ordering of tensors "
        raise refuse(TypeError, text + "in sets will change between runs. Please use a list instead.")
    given = list(params)
    names = [p[0] for p in given if isinstance(p, tuple)]
    if len(names) not in (0, len(given)):
        text = "all optimizer params should be with/without names. Some param names are missing"
        raise refuse(ValueError, text)
    return [p[1] if isinstance(p, tuple) else p for p in given], names


def warn(text: str) -> None:
    """A warning at the user's line, through any number of constructors."""
    frame = user_frame()
    assert frame is not None
    place = frame.f_code.co_filename, frame.f_lineno, frame.f_globals.get("__name__")
    warnings.warn_explicit(text, UserWarning, *place, frame.f_globals.setdefault("__warningregistry__", {}))


def _refuse_flags(group: Options) -> None:
    """Raise if a flag asks for an implementation that does not exist; `foreach` and `fused` change no result."""
    if group.get("fused") and group.get("foreach"):
        raise refuse(RuntimeError, "`fused` and `foreach` cannot be `True` together.")
    for flag in ("capturable", "differentiable"):
        if group.get(flag):
            text = f"tinygrad_pt's optimizers do not support {flag}=True"
            raise refuse(RuntimeError, text, mend=f"leave {flag} at False")


def _copied(value: Any, p: Tensor | None) -> Any:
    """A deep copy of a saved value, its tensors in the dtype of the parameter `p` (None: in their own)."""
    if isinstance(value, Tensor):
        return wrap(np.array(value.array, value.array.dtype if p is None else p.array.dtype))
    if isinstance(value, dict):
        return {k: _copied(v, None if k == "step" else p) for k, v in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, (str, bytes)):
        return type(value)(_copied(v, p) for v in value)  # type: ignore[call-arg]
    return value
