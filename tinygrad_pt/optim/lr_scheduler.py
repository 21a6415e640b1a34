"""Learning rates that follow a schedule: the `step()` of a scheduler writes the rate of every group of an optimizer."""

# fmt: off
from __future__ import annotations

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from types import FunctionType
from typing import TYPE_CHECKING, Any, Literal, SupportsFloat, TypeAlias

from tinygrad_pt import names
from tinygrad_pt.errors import refuse
from tinygrad_pt.optim.optimizer import Optimizer, Options, warn
from tinygrad_pt.tensor import Tensor

__all__ = [
    "LRScheduler", "LambdaLR", "MultiplicativeLR", "StepLR", "MultiStepLR", "ConstantLR", "LinearLR", "ExponentialLR",
    "PolynomialLR", "CosineAnnealingLR", "CosineAnnealingWarmRestarts", "SequentialLR", "ChainedScheduler",
    "ReduceLROnPlateau", "CyclicLR", "OneCycleLR",
]

Rate: TypeAlias = float | Tensor
PAGE = "See more details at https://pytorch.org/docs/stable/optim.html#how-to-adjust-learning-rate"
OVERRIDDEN = (
    "Seems like `optimizer.step()` has been overridden after learning rate scheduler initialization. Please, make "
    f"sure to call `optimizer.step()` before `lr_scheduler.step()`. {PAGE}"
)
TOO_EARLY = (
    "Detected call of `lr_scheduler.step()` before `optimizer.step()`. In PyTorch 1.1.0 and later, you should call "
    "them in the opposite order: `optimizer.step()` before `lr_scheduler.step()`.  Failure to do this will result in "
    f"PyTorch skipping the first value of the learning rate schedule. {PAGE}"
)
EPOCH = (
    "The epoch parameter in `scheduler.step()` was not necessary and is being deprecated where possible. Please use "
    "`scheduler.step()` to step the scheduler. During the deprecation, if epoch is different from None, the closed "
    "form is used instead of the new chainable form, where available. Please open an issue if you are unable to "
    "replicate your use case: https://github.com/pytorch/pytorch/issues/new/choose."
)
RESUMED = (
    "param 'initial_lr' is not specified in param_groups[{}] when resuming scheduler with last_epoch >= 0.\n"
    "This typically happens when:\n"
    "1. You're trying to resume training from a checkpoint but haven't properly loaded the optimizer state\n"
    "2. You're using last_epoch >= 0 for a fresh training run (not recommended)"
)


# ----------------------------------------------------------------------------------- options of groups
def copied(value: Any) -> Any:
    """A rate that a later step does not change."""
    return value.clone() if isinstance(value, Tensor) else value


def read(optimizer: Optimizer, name: str) -> list[Any]:
    """An option of every group, copied."""
    return [copied(group[name]) for group in optimizer.param_groups]


def write(group: Options, name: str, value: Rate) -> None:
    """Set an option; a tensor is filled in place, since others may hold it."""
    if isinstance(group[name], Tensor):
        group[name].fill_(float(value))
    else:
        group[name] = value


def per_group(name: str, optimizer: Optimizer, value: Any) -> list[Any]:
    """A value for each group, from one for all or a list."""
    groups = len(optimizer.param_groups)
    if not isinstance(value, (list, tuple)):
        value = [value] * groups
    elif len(value) != groups:
        text = f"{name} must have the same length as optimizer.param_groups. "
        raise refuse(ValueError, f"{text}{name} has {len(value)} values, param_groups has {groups}.")
    return [copied(v) for v in value]


def check_optimizer(optimizer: Any) -> None:
    """Raise TypeError unless it is an Optimizer."""
    if not isinstance(optimizer, Optimizer):
        raise refuse(TypeError, f"{type(optimizer).__name__} is not an Optimizer")


# ----------------------------------------------------------------------------------- the base class
class LRScheduler:
    """Base class: `get_lr()` gives the rate of every group at step number `last_epoch`, and `step()` writes them.

    The constructor makes step 0, from the rates found in the groups (kept there as `initial_lr`) or, with a
    `last_epoch` ≥ 0, the step after it. A subclass defines `get_lr`, which may go on from the present rates, so that
    several schedulers of one optimizer multiply their effects. Raises TypeError for what is no optimizer, KeyError
    if a `last_epoch` is given and a group has no `initial_lr`.

    >>> class Halving(torch.optim.lr_scheduler.LRScheduler):
    ...     def get_lr(self):
    ...         return [lr * 0.5**self.last_epoch for lr in self.base_lrs]
    >>> optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.8)
    >>> scheduler = Halving(optimizer)
    >>> for _ in range(2):
    ...     optimizer.step(); scheduler.step()
    >>> scheduler.get_last_lr()
    [0.2]
    """

    optimizer: Optimizer
    last_epoch: int
    base_lrs: list[Any]
    _last_lr: list[Any]
    _step_count: int
    _is_initial = False
    _get_lr_called_within_step = False

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        check_optimizer(optimizer)
        self.optimizer = optimizer
        for i, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", copied(group["lr"]))
            elif "initial_lr" not in group:
                raise refuse(KeyError, RESUMED.format(i))
        self.base_lrs = read(optimizer, "initial_lr")
        self.last_epoch = last_epoch
        optimizer.follow()
        self._initial_step()

    def _initial_step(self) -> None:
        self._step_count = 0
        self._is_initial = True
        try:
            self.step()
        finally:
            self._is_initial = False

    def state_dict(self) -> Options:
        """Everything but the optimizer."""
        return {name: value for name, value in self.__dict__.items() if name != "optimizer"}

    def load_state_dict(self, state_dict: Options) -> None:
        """Continue from a `state_dict()`; the rates themselves are in that of the optimizer."""
        self.__dict__.update(state_dict)

    def get_last_lr(self) -> list[Any]:
        """The rates that the last step wrote, one for each group."""
        return self._last_lr

    def get_lr(self) -> list[Any]:
        """The rates of step number `last_epoch`, one for each group; `get_last_lr` is for reading them."""
        raise refuse(NotImplementedError, f"{type(self).__name__} should define get_lr()")

    def step(self, epoch: int | None = None) -> None:
        """Go to the next step, or to step `epoch`, and write its rates; call it after `optimizer.step()`.

        Warns at the second step if the optimizer has not made one in between, and of any `epoch`.
        """
        if self._step_count == 1:
            if self.optimizer.overridden():
                warn(OVERRIDDEN)
            elif not self.optimizer._opt_called:
                warn(TOO_EARLY)
        self._step_count += 1
        if epoch is not None:
            warn(EPOCH)
        self._update_lr(epoch)

    def _update_lr(self, epoch: int | None = None) -> None:
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        closed = None if epoch is None else getattr(self, "_get_closed_form_lr", None)
        with self._stepping():
            rates = self.get_lr() if closed is None else closed()
        self._write(rates)

    def _write(self, rates: list[Any]) -> None:
        for group, rate in zip(self.optimizer.param_groups, rates, strict=True):
            write(group, "lr", rate)
        self._last_lr = read(self.optimizer, "lr")

    @contextmanager
    def _stepping(self) -> Iterator[None]:
        """Where `get_lr` may be called."""
        self._get_lr_called_within_step = True
        try:
            yield
        finally:
            self._get_lr_called_within_step = False

    def _warn_outside_step(self) -> None:
        if not self._get_lr_called_within_step:
            warn("To get the last learning rate computed by the scheduler, please use `get_last_lr()`.")


class _LRScheduler(LRScheduler):
    """The name of `LRScheduler` in older programs."""


# ----------------------------------------------------------------------------------- one factor for all groups
class Scaled(LRScheduler):
    """The rates are multiplied by one factor, the same for all groups."""

    def _factor(self) -> float | None:
        """From the step before to this one; None leaves the rates as they are."""
        raise refuse(NotImplementedError, f"{type(self).__name__} defines no _factor")

    def _whole_factor(self) -> float:
        """From the first rates to this step."""
        raise refuse(NotImplementedError, f"{type(self).__name__} defines no _whole_factor")

    def get_lr(self) -> list[Any]:
        """The present rates times the factor of this step."""
        self._warn_outside_step()
        factor = self._factor()
        if factor is None:
            return read(self.optimizer, "lr")
        return [group["lr"] * factor for group in self.optimizer.param_groups]

    def _get_closed_form_lr(self) -> list[Any]:
        factor = self._whole_factor()
        return [lr * factor for lr in self.base_lrs]


class StepLR(Scaled):
    """lr is multiplied by `gamma` γ every `step_size` steps: lr_t = lr₀ · γ^⌊t / step_size⌋.

    >>> optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    >>> scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.5)
    >>> for _ in range(4):
    ...     optimizer.step(); scheduler.step(); print(scheduler.get_last_lr()[0], end=" ")
    1.0 0.5 0.5 0.25
    """

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1) -> None:
        self.step_size, self.gamma = step_size, gamma
        super().__init__(optimizer, last_epoch)

    def _factor(self) -> float | None:
        return self.gamma if self.last_epoch and self.last_epoch % self.step_size == 0 else None

    def _whole_factor(self) -> float:
        return self.gamma ** (self.last_epoch // self.step_size)


class MultiStepLR(Scaled):
    """lr is multiplied by `gamma` γ at each of the `milestones`, as often as a milestone is listed.

    >>> optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    >>> scheduler = torch.optim.lr_scheduler.MultiStepLR(optimizer, [1, 3], gamma=0.5)
    >>> for _ in range(4):
    ...     optimizer.step(); scheduler.step(); print(scheduler.get_last_lr()[0], end=" ")
    0.5 0.5 0.25 0.25
    """

    def __init__(
        self, optimizer: Optimizer, milestones: Iterable[int], gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        self.milestones, self.gamma = Counter(milestones), gamma
        super().__init__(optimizer, last_epoch)

    def _factor(self) -> float | None:
        times = self.milestones.get(self.last_epoch)
        return None if times is None else self.gamma**times

    def _whole_factor(self) -> float:
        return self.gamma ** bisect_right(sorted(self.milestones.elements()), self.last_epoch)


class ConstantLR(Scaled):
    """lr_t = lr₀ · `factor` during the first `total_iters` steps, and lr₀ from then on.

    Raises ValueError unless the factor is between 0 and 1.

    >>> optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    >>> scheduler = torch.optim.lr_scheduler.ConstantLR(optimizer, factor=0.5, total_iters=2)
    >>> for _ in range(3):
    ...     print(scheduler.get_last_lr()[0], end=" "); optimizer.step(); scheduler.step()
    0.5 0.5 1.0
    """

    def __init__(
        self, optimizer: Optimizer, factor: float = 1.0 / 3, total_iters: int = 5, last_epoch: int = -1
    ) -> None:
        if factor > 1.0 or factor < 0:
            raise refuse(ValueError, "Constant multiplicative factor expected to be between 0 and 1.")
        self.factor, self.total_iters = factor, total_iters
        super().__init__(optimizer, last_epoch)

    def _factor(self) -> float | None:
        if self.last_epoch == 0:
            return self.factor
        return 1.0 / self.factor if self.last_epoch == self.total_iters else None

    def _whole_factor(self) -> float:
        return self.factor + (self.last_epoch >= self.total_iters) * (1 - self.factor)


class LinearLR(Scaled):
    """lr_t = lr₀ · (a + (b - a) · min(t, n) / n): from `start_factor` a to `end_factor` b in n = `total_iters` steps.

    Raises ValueError unless 0 < a ≤ 1 and 0 ≤ b ≤ 1.

    >>> optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    >>> scheduler = torch.optim.lr_scheduler.LinearLR(optimizer, start_factor=0.5, total_iters=2)
    >>> for _ in range(3):
    ...     print(scheduler.get_last_lr()[0], end=" "); optimizer.step(); scheduler.step()
    0.5 0.75 1.0
    """

    def __init__(
        self, optimizer: Optimizer, start_factor: float = 1.0 / 3, end_factor: float = 1.0, total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        if start_factor > 1.0 or start_factor <= 0:
            text = "Starting multiplicative factor expected to be greater than 0 and less or equal to 1."
            raise refuse(ValueError, text)
        if end_factor > 1.0 or end_factor < 0:
            raise refuse(ValueError, "Ending multiplicative factor expected to be between 0 and 1.")
        self.start_factor, self.end_factor, self.total_iters = start_factor, end_factor, total_iters
        super().__init__(optimizer, last_epoch)

    def _factor(self) -> float | None:
        if self.last_epoch == 0:
            return self.start_factor
        if self._is_initial or self.last_epoch > self.total_iters:
            return None
        rise = self.end_factor - self.start_factor
        return 1.0 + rise / (self.total_iters * self.start_factor + (self.last_epoch - 1) * rise)

    def _whole_factor(self) -> float:
        rise = self.end_factor - self.start_factor
        return self.start_factor + rise * min(self.total_iters, self.last_epoch) / self.total_iters


class ExponentialLR(Scaled):
    """lr_t = lr₀ · γᵗ, with `gamma` γ.

    >>> optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    >>> scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.5)
    >>> for _ in range(3):
    ...     optimizer.step(); scheduler.step(); print(scheduler.get_last_lr()[0], end=" ")
    0.5 0.25 0.125
    """

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def _factor(self) -> float | None:
        return None if self._is_initial else self.gamma

    def _whole_factor(self) -> float:
        return self.gamma**self.last_epoch


class PolynomialLR(Scaled):
    """lr_t = lr₀ · (1 - min(t, n) / n)^`power`, with n = `total_iters`.

    >>> optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    >>> scheduler = torch.optim.lr_scheduler.PolynomialLR(optimizer, total_iters=4)
    >>> for _ in range(3):
    ...     print(scheduler.get_last_lr()[0], end=" "); optimizer.step(); scheduler.step()
    1.0 0.75 0.5
    """

    def __init__(self, optimizer: Optimizer, total_iters: int = 5, power: float = 1.0, last_epoch: int = -1) -> None:
        self.total_iters, self.power = total_iters, power
        super().__init__(optimizer, last_epoch)

    def _factor(self) -> float | None:
        t, n = self.last_epoch, self.total_iters
        return None if self._is_initial or t > n else ((1.0 - t / n) / (1.0 - (t - 1) / n)) ** self.power

    def _whole_factor(self) -> float:
        return (1.0 - min(self.total_iters, self.last_epoch) / self.total_iters) ** self.power


# ----------------------------------------------------------------------------------- a function of the user's
def state_of(function: Any) -> Options | None:
    """What a callable keeps; a plain function keeps nothing."""
    return None if isinstance(function, FunctionType) else function.__dict__.copy()


class Lambdas(LRScheduler):
    """A function of the step number for each group; functions are not saved, but the attributes of objects are."""

    lr_lambdas: list[Callable[[int], float]]

    def __init__(
        self, optimizer: Optimizer, lr_lambda: Callable[[int], float] | list[Callable[[int], float]],
        last_epoch: int = -1,
    ) -> None:
        check_optimizer(optimizer)
        groups = len(optimizer.param_groups)
        if not isinstance(lr_lambda, (list, tuple)):
            self.lr_lambdas = [lr_lambda] * groups
        elif len(lr_lambda) != groups:
            raise refuse(ValueError, f"Expected {groups} lr_lambdas, but got {len(lr_lambda)}")
        else:
            self.lr_lambdas = list(lr_lambda)
        self._check_lambdas()
        super().__init__(optimizer, last_epoch)

    def _check_lambdas(self) -> None:
        """Raise for what cannot be called, where that is noticed before the first call."""

    def state_dict(self) -> Options:
        """Everything but the optimizer; for each function its attributes, or None."""
        return super().state_dict() | {"lr_lambdas": [state_of(f) for f in self.lr_lambdas]}

    def load_state_dict(self, state_dict: Options) -> None:
        """Continue from a `state_dict()`, with the functions of this scheduler."""
        functions = self.lr_lambdas
        super().load_state_dict(state_dict | {"lr_lambdas": functions})
        for function, saved in zip(functions, state_dict["lr_lambdas"], strict=True):
            if saved is not None:
                function.__dict__.update(saved)


class LambdaLR(Lambdas):
    """lr_t = lr₀ · f(t), with `lr_lambda` f, or one such function for each group.

    Raises ValueError for a list whose length is not the number of groups.

    >>> optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    >>> scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda t: 1 / (1 + t))
    >>> for _ in range(3):
    ...     print(scheduler.get_last_lr()[0], end=" "); optimizer.step(); scheduler.step()
    1.0 0.5 0.3333333333333333
    """

    def get_lr(self) -> list[Any]:
        """The first rates times the value of the function."""
        self._warn_outside_step()
        return [lr * f(self.last_epoch) for f, lr in zip(self.lr_lambdas, self.base_lrs, strict=True)]


class MultiplicativeLR(Lambdas):
    """lr_t = lr_{t-1} · f(t), with `lr_lambda` f, or one such function for each group.

    Raises ValueError for a list whose length is not the number of groups, TypeError for what cannot be called.

    >>> optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    >>> scheduler = torch.optim.lr_scheduler.MultiplicativeLR(optimizer, lambda t: 0.5)
    >>> for _ in range(3):
    ...     print(scheduler.get_last_lr()[0], end=" "); optimizer.step(); scheduler.step()
    1.0 0.5 0.25
    """

    def _check_lambdas(self) -> None:
        for function in self.lr_lambdas:
            if not callable(function):
                raise refuse(TypeError, f"lr_lambda should be a function, but got {type(function).__name__}")

    def get_lr(self) -> list[Any]:
        """The present rates times the value of the function."""
        self._warn_outside_step()
        if self._is_initial:
            return read(self.optimizer, "lr")
        groups = self.optimizer.param_groups
        return [group["lr"] * f(self.last_epoch) for f, group in zip(self.lr_lambdas, groups, strict=True)]


# ----------------------------------------------------------------------------------- cosines
class CosineAnnealingLR(LRScheduler):
    """lr_t = η + (lr₀ - η) · (1 + cos(π·t / T)) / 2, with `eta_min` η and `T_max` T; after T it rises again.

    Each step goes on from the present rate. Source: I. Loshchilov, F. Hutter, SGDR: stochastic gradient descent with
    warm restarts, ICLR 2017, without the restarts.

    >>> optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    >>> scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=2)
    >>> for _ in range(3):
    ...     print(f"{scheduler.get_last_lr()[0]:.3f}", end=" "); optimizer.step(); scheduler.step()
    1.000 0.500 0.000
    """

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1) -> None:
        self.T_max, self.eta_min = T_max, eta_min
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Any]:
        """The present rates, moved by one step along the cosine."""
        self._warn_outside_step()
        t, period, low = self.last_epoch, self.T_max, self.eta_min
        if self._is_initial:
            return read(self.optimizer, "lr")
        if self._step_count == 1 and t > 0:
            return self._get_closed_form_lr()
        present = [group["lr"] for group in self.optimizer.param_groups]
        if (t - 1 - period) % (2 * period) == 0:  # the rate was η: a quotient would divide by 0
            rise = 1 - math.cos(math.pi / period)
            return [lr + (base - low) * rise / 2 for base, lr in zip(self.base_lrs, present, strict=True)]
        fall = (1 + math.cos(math.pi * t / period)) / (1 + math.cos(math.pi * (t - 1) / period))
        return [fall * (lr - low) + low for lr in present]

    def _get_closed_form_lr(self) -> list[Any]:
        low, height = self.eta_min, 1 + math.cos(math.pi * self.last_epoch / self.T_max)
        return [low + (lr - low) * height / 2 for lr in self.base_lrs]


class CosineAnnealingWarmRestarts(LRScheduler):
    """lr = η + (lr₀ - η) · (1 + cos(π·t / T)) / 2, with `eta_min` η; t begins again at 0 after T steps.

    The first period T is `T_0`, and each is `T_mult` times the one before. `step` takes fractions of epochs, too.
    Raises ValueError unless both are whole, T_0 > 0, T_mult ≥ 1, and for a negative epoch. Source: I. Loshchilov,
    F. Hutter, SGDR: stochastic gradient descent with warm restarts, ICLR 2017.

    >>> optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    >>> scheduler = torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer, T_0=2)
    >>> for _ in range(4):
    ...     print(f"{scheduler.get_last_lr()[0]:.3f}", end=" "); optimizer.step(); scheduler.step()
    1.000 0.500 1.000 0.500
    """

    T_cur: float

    def __init__(
        self, optimizer: Optimizer, T_0: int, T_mult: int = 1, eta_min: float = 0.0, last_epoch: int = -1
    ) -> None:
        if T_0 <= 0 or not isinstance(T_0, int):
            raise refuse(ValueError, f"Expected positive integer T_0, but got {T_0}")
        if T_mult < 1 or not isinstance(T_mult, int):
            raise refuse(ValueError, f"Expected integer T_mult >= 1, but got {T_mult}")
        if not isinstance(eta_min, (float, int)):
            raise refuse(ValueError, f"Expected float or int eta_min, but got {eta_min} of type {type(eta_min)}")
        self.T_0, self.T_i, self.T_mult, self.eta_min, self.T_cur = T_0, T_0, T_mult, eta_min, last_epoch
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Any]:
        """The rates at `T_cur` of a period of `T_i`."""
        self._warn_outside_step()
        low, height = self.eta_min, 1 + math.cos(math.pi * self.T_cur / self.T_i)
        return [low + (lr - low) * height / 2 for lr in self.base_lrs]

    def step(self, epoch: float | None = None) -> None:
        """Go to the next step, or to `epoch`, which may be a fraction, and write its rates."""
        if epoch is None and self.last_epoch >= 0:
            epoch = self.last_epoch + 1
            self.T_cur += 1
            if self.T_cur >= self.T_i:
                self.T_cur %= self.T_i
                self.T_i *= self.T_mult
        else:
            epoch = epoch or 0
            self._go_to(epoch)
        self.last_epoch = math.floor(epoch)
        with self._stepping():
            rates = self.get_lr()
        self._write(rates)

    def _go_to(self, epoch: float) -> None:
        """Find the period in which `epoch` lies."""
        first, grow = self.T_0, self.T_mult
        if epoch < 0:
            raise refuse(ValueError, f"Expected non-negative epoch, but got {epoch}")
        if epoch < first:
            self.T_i, self.T_cur = first, epoch
        elif grow == 1:
            self.T_cur = epoch % first
        else:
            n = int(math.log(epoch / first * (grow - 1) + 1, grow))
            self.T_cur = epoch - first * (grow**n - 1) / (grow - 1)
            self.T_i = first * grow**n


# ----------------------------------------------------------------------------------- schedulers of schedulers
class Composed(LRScheduler):
    """Several schedulers of one optimizer."""

    _schedulers: Sequence[LRScheduler]

    def _check_parts(self, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None, verb: str) -> Optimizer:
        """The optimizer that they share; raise ValueError or TypeError if they do not."""
        mine = type(self).__name__
        if len(schedulers) < 1:
            raise refuse(ValueError, f"{mine} expects at least one scheduler{verb}, but got no scheduler.")
        optimizer = optimizer or schedulers[0].optimizer
        for i, scheduler in enumerate(schedulers):
            if not hasattr(scheduler, "optimizer"):
                raise refuse(TypeError, f"{mine} at index {i} should have `optimizer` as its attribute.")
            if isinstance(scheduler, ReduceLROnPlateau):
                raise refuse(
                    ValueError,
                    f"{mine} does not support `ReduceLROnPlateau` scheduler as it requires additional kwargs to be "
                    f"specified when calling `step`, but got one at index {i} in the given schedulers sequence.",
                )
            if optimizer != scheduler.optimizer:
                raise refuse(
                    ValueError,
                    f"{mine} expects all schedulers to belong to the same optimizer, but got scheduler "
                    f"{type(scheduler).__name__} at index {i} has {scheduler.optimizer}, which is different from "
                    f"{type(optimizer).__name__}.",
                )
        return optimizer

    def state_dict(self) -> Options:
        """Everything but the optimizer, with the state of each scheduler."""
        return super().state_dict() | {"_schedulers": [scheduler.state_dict() for scheduler in self._schedulers]}

    def load_state_dict(self, state_dict: Options) -> None:
        """Continue from a `state_dict()`, each scheduler from its own."""
        super().load_state_dict({name: value for name, value in state_dict.items() if name != "_schedulers"})
        for scheduler, saved in zip(self._schedulers, state_dict["_schedulers"], strict=True):
            scheduler.load_state_dict(saved)


class SequentialLR(Composed):
    """One scheduler after the other: the next takes over, at its own step 0, at each of the `milestones`.

    Raises ValueError for schedulers of different optimizers, for a number of milestones that is not one less than
    that of schedulers, and for a `ReduceLROnPlateau`.

    >>> optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    >>> from tinygrad_pt.optim.lr_scheduler import ConstantLR, ExponentialLR, SequentialLR
    >>> parts = [ConstantLR(optimizer, 0.1), ExponentialLR(optimizer, 0.5)]
    >>> scheduler = SequentialLR(optimizer, parts, milestones=[2])
    >>> for _ in range(4):
    ...     print(scheduler.get_last_lr()[0], end=" "); optimizer.step(); scheduler.step()
    0.1 0.1 1.0 0.5
    """

    def __init__(
        self, optimizer: Optimizer, schedulers: list[LRScheduler], milestones: list[int], last_epoch: int = -1
    ) -> None:
        self._check_parts(schedulers, optimizer, "")
        if len(milestones) != len(schedulers) - 1:
            raise refuse(
                ValueError,
                "Sequential Schedulers expects number of schedulers provided to be one more than the number of "
                f"milestone points, but got number of schedulers {len(schedulers)} and the number of milestones to be "
                f"equal to {len(milestones)}",
            )
        self._schedulers, self._milestones = schedulers, milestones
        self.last_epoch = last_epoch + 1
        self.optimizer = optimizer
        for group in optimizer.param_groups:
            write(group, "lr", group["initial_lr"])
        self.recursive_undo()  # each has made its step 0; only that of the first counts
        first = schedulers[bisect_right(milestones, 0)]
        first._initial_step()
        self._last_lr = first.get_last_lr()

    def recursive_undo(self, sched: Any = None) -> None:
        """Take back one step of each scheduler, and of those inside it; the rates stay."""
        sched = self if sched is None else sched
        if hasattr(sched, "_schedulers"):
            for part in sched._schedulers:
                self.recursive_undo(part)
        elif hasattr(sched, "last_epoch"):
            sched.last_epoch -= 1

    def step(self) -> None:  # type: ignore[override]
        """Let the scheduler whose turn it is step."""
        self.last_epoch += 1
        turn = bisect_right(self._milestones, self.last_epoch)
        scheduler = self._schedulers[turn]
        if turn and self._milestones[turn - 1] == self.last_epoch:
            scheduler._update_lr(0)
        else:
            scheduler.step()
        self._last_lr = scheduler.get_last_lr()


class ChainedScheduler(Composed):
    """Several schedulers that step together, in order, each from the rates that the one before has left.

    Raises ValueError for schedulers of different optimizers and for a `ReduceLROnPlateau`.

    >>> optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    >>> from tinygrad_pt.optim.lr_scheduler import ChainedScheduler, ConstantLR, ExponentialLR
    >>> scheduler = ChainedScheduler([ConstantLR(optimizer, 0.1, 2), ExponentialLR(optimizer, 0.5)])
    >>> for _ in range(3):
    ...     print(scheduler.get_last_lr()[0], end=" "); optimizer.step(); scheduler.step()
    0.1 0.05 0.25
    """

    def __init__(self, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None = None) -> None:
        self.optimizer = self._check_parts(schedulers, optimizer, " to be chained")
        self._schedulers = schedulers
        self._last_lr = read(self.optimizer, "lr")

    def step(self) -> None:  # type: ignore[override]
        """Let all step."""
        for scheduler in self._schedulers:
            scheduler.step()
        self._last_lr = read(self.optimizer, "lr")


# ----------------------------------------------------------------------------------- a measured quantity
class ReduceLROnPlateau(LRScheduler):
    """lr is multiplied by `factor` when a quantity has not become better during more than `patience` steps.

    Better is, for the best value b so far and `threshold` θ, less than b·(1 - θ) (`mode="min"`) or more than b·(1 + θ)
    (`mode="max"`); with `threshold_mode="abs"` less than b - θ or more than b + θ. After a reduction, `cooldown` steps
    are not counted. No rate falls below `min_lr` (one, or one for each group), or by `eps` or less. Raises ValueError
    for a factor of 1 or more, unknown modes, a wrong number of `min_lr`.

    >>> optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    >>> scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.5, patience=1)
    >>> for loss in (3.0, 2.0, 2.0, 2.0, 2.0):
    ...     optimizer.step(); scheduler.step(loss); print(scheduler.get_last_lr()[0], end=" ")
    1.0 1.0 1.0 0.5 0.5
    """

    def __init__(
        self, optimizer: Optimizer, mode: Literal["min", "max"] = "min", factor: float = 0.1, patience: int = 10,
        threshold: float = 1e-4, threshold_mode: Literal["rel", "abs"] = "rel", cooldown: int = 0,
        min_lr: list[float] | float = 0, eps: float = 1e-8,
    ) -> None:
        if factor >= 1.0:
            raise refuse(ValueError, "Factor should be < 1.0.")
        check_optimizer(optimizer)
        self.factor, self.optimizer = factor, optimizer
        self.default_min_lr: float | None = None
        groups = len(optimizer.param_groups)
        if not isinstance(min_lr, (list, tuple)):
            self.default_min_lr, self.min_lrs = min_lr, [min_lr] * groups
        elif len(min_lr) != groups:
            raise refuse(ValueError, f"expected {groups} min_lrs, got {len(min_lr)}")
        else:
            self.min_lrs = list(min_lr)
        self.patience, self.cooldown, self.eps, self.last_epoch = patience, cooldown, eps, 0
        self._last_lr = read(optimizer, "lr")
        self._set_mode(mode, threshold, threshold_mode)
        self._reset()

    def _set_mode(self, mode: str, threshold: float, threshold_mode: str) -> None:
        if mode not in ("min", "max"):
            raise refuse(ValueError, f"mode {mode} is unknown!")
        if threshold_mode not in ("rel", "abs"):
            raise refuse(ValueError, f"threshold mode {threshold_mode} is unknown!")
        self.mode_worse = math.inf if mode == "min" else -math.inf
        self.mode, self.threshold, self.threshold_mode = mode, threshold, threshold_mode

    def _reset(self) -> None:
        self.best: float = self.mode_worse
        self.cooldown_counter = self.num_bad_epochs = 0

    def step(self, metrics: SupportsFloat, epoch: int | None = None) -> None:  # type: ignore[override]
        """Look at the quantity after an epoch, and reduce the rates if it is time."""
        value = float(metrics)
        if epoch is not None:
            warn(EPOCH)
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        if self._is_better(value, self.best):
            self.best, self.num_bad_epochs = value, 0
        else:
            self.num_bad_epochs += 1
        if self.in_cooldown:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            self._reduce_lr()
            self.cooldown_counter, self.num_bad_epochs = self.cooldown, 0
        self._last_lr = read(self.optimizer, "lr")

    def _reduce_lr(self) -> None:
        groups = self.optimizer.param_groups
        if len(groups) != len(self.min_lrs):
            if self.default_min_lr is None:
                raise refuse(
                    RuntimeError,
                    f"The number of param groups in the `optimizer` ({len(groups)}) differs from when "
                    f"`ReduceLROnPlateau` was initialized ({len(self.min_lrs)}), usually due to a new param group "
                    "being added to the optimizer. Please modify the `min_lrs` field to match the length of the "
                    "`optimizer` param groups.",
                )
            self.min_lrs = [self.default_min_lr] * len(groups)
        for group, least in zip(groups, self.min_lrs, strict=True):
            old = float(group["lr"])
            new = max(old * self.factor, least)
            if old - new > self.eps:
                write(group, "lr", new)

    @property
    def in_cooldown(self) -> bool:
        """Whether bad steps are not counted now."""
        return self.cooldown_counter > 0

    def _is_better(self, value: float, best: float) -> bool:
        sign = 1.0 if self.mode == "max" else -1.0
        bound = best * (1.0 + sign * self.threshold) if self.threshold_mode == "rel" else best + sign * self.threshold
        return value > bound if self.mode == "max" else value < bound

    def load_state_dict(self, state_dict: Options) -> None:
        """Continue from a `state_dict()`."""
        super().load_state_dict(state_dict)
        self._set_mode(self.mode, self.threshold, self.threshold_mode)


# ----------------------------------------------------------------------------------- cycles, of the momentum too
class Cycled(LRScheduler):
    """The rate goes up while the momentum (`momentum`, or the first of `betas`) goes down, and back."""

    cycle_momentum: bool
    use_beta1: bool

    def _begin_momentum(
        self, optimizer: Optimizer, low: Any, high: Any, last_epoch: int
    ) -> tuple[list[float], list[float]]:
        """The lowest and the highest momentum of each group; a group keeps both, and begins with the highest."""
        if "momentum" not in optimizer.defaults and "betas" not in optimizer.defaults:
            raise refuse(ValueError, "optimizer must support momentum or beta1 with `cycle_momentum` option enabled")
        self.use_beta1 = "betas" in optimizer.defaults
        lows, highs = per_group("base_momentum", optimizer, low), per_group("max_momentum", optimizer, high)
        if last_epoch == -1:
            for a, b, group in zip(lows, highs, optimizer.param_groups, strict=True):
                self._write_momentum(group, b)
                group["max_momentum"], group["base_momentum"] = b, a
        return lows, highs

    def _write_momentum(self, group: Options, value: float) -> None:
        if self.use_beta1:
            group["betas"] = (value, *group["betas"][1:])
        else:
            group["momentum"] = value


class CyclicLR(Cycled):
    """lr goes from `base_lr` to `max_lr` in `step_size_up` steps and back in `step_size_down`, again and again.

    The height of a cycle is multiplied by 1 (`mode="triangular"`), by 2^(1 - cycle) (`"triangular2"`), by `gamma`ᵗ
    (`"exp_range"`), or by `scale_fn` of the cycle's number or of the step's (`scale_mode` `"cycle"` or
    `"iterations"`). `cycle_momentum` moves the momentum the opposite way, from `max_momentum` to `base_momentum`.
    Raises ValueError for an unknown mode without a `scale_fn`, for lists whose length is not the number of groups,
    and for an optimizer that has no momentum to cycle. Source: L. Smith, Cyclical learning rates for training neural
    networks, WACV 2017.

    >>> optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0, momentum=0.9)
    >>> scheduler = torch.optim.lr_scheduler.CyclicLR(optimizer, base_lr=0.0, max_lr=1.0, step_size_up=2)
    >>> for _ in range(5):
    ...     print(scheduler.get_last_lr()[0], end=" "); optimizer.step(); scheduler.step()
    0.0 0.5 1.0 0.5 0.0
    """

    def __init__(
        self, optimizer: Optimizer, base_lr: float | list[float], max_lr: float | list[float], step_size_up: int = 2000,
        step_size_down: int | None = None, mode: Literal["triangular", "triangular2", "exp_range"] = "triangular",
        gamma: float = 1.0, scale_fn: Callable[[float], float] | None = None,
        scale_mode: Literal["cycle", "iterations"] = "cycle", cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.8, max_momentum: float | list[float] = 0.9, last_epoch: int = -1,
    ) -> None:
        check_optimizer(optimizer)
        self.optimizer = optimizer
        lows = per_group("base_lr", optimizer, base_lr)
        if last_epoch == -1:
            for lr, group in zip(lows, optimizer.param_groups, strict=True):
                write(group, "lr", lr)
        self.max_lrs = per_group("max_lr", optimizer, max_lr)
        up = float(step_size_up)
        self.total_size = up + (up if step_size_down is None else float(step_size_down))
        self.step_ratio = up / self.total_size
        if mode not in ("triangular", "triangular2", "exp_range") and scale_fn is None:
            raise refuse(ValueError, "mode is invalid and scale_fn is None")
        self.mode, self.gamma, self._scale_fn_custom = mode, gamma, scale_fn
        self.scale_mode: str = scale_mode
        if scale_fn is None:
            self.scale_mode = "iterations" if mode == "exp_range" else "cycle"
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            moments = self._begin_momentum(optimizer, base_momentum, max_momentum, last_epoch)
            self.base_momentums, self.max_momentums = moments
        super().__init__(optimizer, last_epoch)
        self.base_lrs = lows

    def scale_fn(self, x: float) -> float:
        """By what the height is multiplied in cycle, or at step, x."""
        if self._scale_fn_custom is not None:
            return self._scale_fn_custom(x)
        if self.mode == "triangular":
            return 1.0
        return 1 / 2.0 ** (x - 1) if self.mode == "triangular2" else float(self.gamma**x)

    def get_lr(self) -> list[Any]:
        """The rates of step `last_epoch`; the momenta are written here, as PyTorch does."""
        self._warn_outside_step()
        cycle = math.floor(1 + self.last_epoch / self.total_size)
        x = 1.0 + self.last_epoch / self.total_size - cycle
        part = x / self.step_ratio if x <= self.step_ratio else (x - 1) / (self.step_ratio - 1)
        place = cycle if self.scale_mode == "cycle" else self.last_epoch
        if self.cycle_momentum:
            bounds = zip(self.optimizer.param_groups, self.base_momentums, self.max_momentums, strict=True)
            for group, low, high in bounds:
                self._write_momentum(group, high - (high - low) * part * self.scale_fn(place))
        bounds = zip(self.base_lrs, self.max_lrs, strict=True)  # type: ignore[assignment]
        return [low + (high - low) * part * self.scale_fn(place) for low, high in bounds]  # type: ignore[misc]

    def state_dict(self) -> Options:
        """Everything but the optimizer; of a `scale_fn` its attributes, or None for a plain function."""
        custom = self._scale_fn_custom
        return super().state_dict() | {"_scale_fn_custom": None if custom is None else state_of(custom)}

    def load_state_dict(self, state_dict: Options) -> None:
        """Continue from a `state_dict()`, with the `scale_fn` of this scheduler."""
        custom, saved = self._scale_fn_custom, state_dict["_scale_fn_custom"]
        super().load_state_dict(state_dict | {"_scale_fn_custom": custom})
        if saved is not None:
            custom.__dict__.update(saved)


class OneCycleLR(Cycled):
    """One cycle: lr rises from `max_lr` / `div_factor` to `max_lr`, and falls to its first value / `final_div_factor`.

    It rises during `pct_start` of the steps, whose number is `total_steps`, or `epochs` · `steps_per_epoch`.
    `three_phase` comes down in as many steps as it went up, and only then falls below the first value. Along a
    cosine, or a line (`anneal_strategy`). `cycle_momentum` moves the momentum the opposite way, between `max_momentum`
    and `base_momentum`. Raises ValueError for options out of range, for an optimizer that has no momentum to cycle,
    and for more steps than the schedule has. Source: L. Smith, N. Topin, Super-convergence: very fast training of
    neural networks using large learning rates, 2018.

    >>> optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1, momentum=0.9)
    >>> scheduler = torch.optim.lr_scheduler.OneCycleLR(
    ...     optimizer, max_lr=1.0, total_steps=5, pct_start=0.6, anneal_strategy="linear", div_factor=2.0)
    >>> for _ in range(4):
    ...     print(f"{scheduler.get_last_lr()[0]:.4f}", end=" "); optimizer.step(); scheduler.step()
    0.5000 0.7500 1.0000 0.5000
    """

    def __init__(
        self, optimizer: Optimizer, max_lr: float | list[float], total_steps: int | None = None,
        epochs: int | None = None, steps_per_epoch: int | None = None, pct_start: float = 0.3,
        anneal_strategy: Literal["cos", "linear"] = "cos", cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.85, max_momentum: float | list[float] = 0.95, div_factor: float = 25.0,
        final_div_factor: float = 1e4, three_phase: bool = False, last_epoch: int = -1,
    ) -> None:
        check_optimizer(optimizer)
        self.optimizer = optimizer
        counts = {"total_steps": total_steps}
        if total_steps is None:
            if epochs is None or steps_per_epoch is None:
                text = "You must define either total_steps OR (epochs AND steps_per_epoch)"
                raise refuse(ValueError, text)
            counts = {"epochs": epochs, "steps_per_epoch": steps_per_epoch}
        for name, n in counts.items():
            if not isinstance(n, int) or n <= 0:
                raise refuse(ValueError, f"Expected positive integer {name}, but got {n}")
        self.total_steps: int = math.prod(n for n in counts.values() if n is not None)
        if pct_start < 0 or pct_start > 1 or not isinstance(pct_start, float):
            raise refuse(ValueError, f"Expected float between 0 and 1 pct_start, but got {pct_start}")
        if anneal_strategy not in ("cos", "linear"):
            text = f"anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}"
            raise refuse(ValueError, text)
        peak, last = float(pct_start * self.total_steps) - 1, self.total_steps - 1
        phases = [(peak, "initial_lr", "max_lr", "max_momentum", "base_momentum")]
        if three_phase:
            down = float(2 * pct_start * self.total_steps) - 2
            phases.append((down, "max_lr", "initial_lr", "base_momentum", "max_momentum"))
            phases.append((last, "initial_lr", "min_lr", "max_momentum", "max_momentum"))
        else:
            phases.append((last, "max_lr", "min_lr", "base_momentum", "max_momentum"))
        names = "end_step", "start_lr", "end_lr", "start_momentum", "end_momentum"
        self._schedule_phases = [dict(zip(names, phase, strict=True)) for phase in phases]
        self._anneal_func_type = anneal_strategy
        highs = per_group("max_lr", optimizer, max_lr)
        if last_epoch == -1:
            for high, group in zip(highs, optimizer.param_groups, strict=True):
                group["initial_lr"], group["max_lr"] = high / div_factor, high
                group["min_lr"] = group["initial_lr"] / final_div_factor
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self._begin_momentum(optimizer, base_momentum, max_momentum, last_epoch)
        super().__init__(optimizer, last_epoch)

    def _anneal_func(self, start: Any, end: Any, part: float) -> Any:
        if self._anneal_func_type == "linear":
            return (end - start) * part + start
        return end + (start - end) / 2.0 * (math.cos(math.pi * part) + 1)

    def get_lr(self) -> list[Any]:
        """The rates of step `last_epoch`; the momenta are written here, as PyTorch does."""
        self._warn_outside_step()
        t, begin = self.last_epoch, 0.0
        if t > self.total_steps:
            text = f"Tried to step {t} times. The specified number of total steps is {self.total_steps}"
            raise refuse(ValueError, text)
        phase: Any
        for phase in self._schedule_phases:
            end = phase["end_step"]
            if t <= end or phase is self._schedule_phases[-1]:
                break
            begin = end
        rates, part = [], (t - begin) / (end - begin)
        for group in self.optimizer.param_groups:
            rates.append(self._anneal_func(group[phase["start_lr"]], group[phase["end_lr"]], part))
            if self.cycle_momentum:
                bounds = group[phase["start_momentum"]], group[phase["end_momentum"]]
                self._write_momentum(group, self._anneal_func(*bounds, part))
        return rates


if not TYPE_CHECKING:  # a name that is not here says so
    __getattr__ = names.namespace("optim.lr_scheduler")
