"""Averages of a model over its training: `AveragedModel`, and the rates and statistics that go with it."""

# fmt: off
from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable
from itertools import chain
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from tinygrad_pt import names
from tinygrad_pt.errors import refuse
from tinygrad_pt.functions import tensor
from tinygrad_pt.modes import no_grad
from tinygrad_pt.nn.module import Module
from tinygrad_pt.nn.normalization import BatchNorm
from tinygrad_pt.optim.lr_scheduler import LRScheduler, per_group
from tinygrad_pt.optim.optimizer import Optimizer
from tinygrad_pt.tensor import Tensor

__all__ = [
    "AveragedModel", "SWALR", "get_ema_avg_fn", "get_ema_multi_avg_fn", "get_swa_avg_fn", "get_swa_multi_avg_fn",
    "update_bn",
]

Count: TypeAlias = Tensor | int
Average: TypeAlias = Callable[[Tensor, Tensor, Count], Tensor]
Averages: TypeAlias = Callable[[Any, Any, Count], None]


# ----------------------------------------------------------------------------------- ways of averaging
def check_decay(decay: float) -> None:
    """Raise ValueError unless a decay is between 0 and 1."""
    if decay < 0.0 or decay > 1.0:
        text = f"Invalid decay value {decay} provided. Please provide a value in [0,1] range."
        raise refuse(ValueError, text)


def get_ema_avg_fn(decay: float = 0.999) -> Average:
    """The function (a, x, n) → decay·a + (1 - decay)·x: an average that forgets. Raises ValueError outside [0, 1].

    >>> torch.optim.swa_utils.get_ema_avg_fn(0.75)(torch.tensor(4.0), torch.tensor(8.0), 1)
    tensor(5.)
    """
    check_decay(decay)

    @no_grad()
    def ema_update(ema_param: Tensor, current_param: Tensor, num_averaged: Count) -> Tensor:
        return decay * ema_param + (1 - decay) * current_param

    return ema_update


def get_ema_multi_avg_fn(decay: float = 0.999) -> Averages:
    """The average of `get_ema_avg_fn` over lists of tensors, in place.

    >>> a = [torch.tensor([4.0])]
    >>> torch.optim.swa_utils.get_ema_multi_avg_fn(0.75)(a, [torch.tensor([8.0])], 1); a
    [tensor([5.])]
    """
    check_decay(decay)

    @no_grad()
    def ema_update(ema_param_list: Any, current_param_list: Any, _: Count) -> None:
        for a, x in zip(ema_param_list, current_param_list, strict=True):
            if a.is_floating_point():
                a.lerp_(x, 1 - decay)
            else:
                a.copy_(a * decay + x * (1 - decay))

    return ema_update


def get_swa_avg_fn() -> Average:
    """The function (a, x, n) → a + (x - a) / (n + 1): the mean of all.

    >>> torch.optim.swa_utils.get_swa_avg_fn()(torch.tensor(4.0), torch.tensor(8.0), 3)
    tensor(5.)
    """

    @no_grad()
    def swa_update(averaged_param: Tensor, current_param: Tensor, num_averaged: Count) -> Tensor:
        return averaged_param + (current_param - averaged_param) / (num_averaged + 1)

    return swa_update


def get_swa_multi_avg_fn() -> Averages:
    """The average of `get_swa_avg_fn` over lists of tensors, in place.

    >>> a = [torch.tensor([4.0])]
    >>> torch.optim.swa_utils.get_swa_multi_avg_fn()(a, [torch.tensor([8.0])], 3); a
    [tensor([5.])]
    """

    @no_grad()
    def swa_update(averaged_param_list: Any, current_param_list: Any, num_averaged: Count) -> None:
        weight = 1 / (float(num_averaged) + 1)
        for a, x in zip(averaged_param_list, current_param_list, strict=True):
            if a.is_floating_point():
                a.lerp_(x, weight)
            else:
                a.copy_(a + (x - a) * weight)

    return swa_update


# ----------------------------------------------------------------------------------- the averaged model
class AveragedModel(Module):
    """A copy of a model, `module`, whose parameters are an average of those given to `update_parameters`.

    The average is the mean of all (stochastic weight averaging), or that of `avg_fn(a, x, n)`, or of
    `multi_avg_fn(as, xs, n)`, which works in place on lists: `get_ema_multi_avg_fn` forgets exponentially. Buffers are
    averaged too with `use_buffers`, and else copied. `n_averaged` counts, and is a buffer. Raises AssertionError for
    both functions at once. Source: P. Izmailov, D. Podoprikhin et al., Averaging weights leads to wider optima and
    better generalization, UAI 2018; B. Polyak, A. Juditsky, SIAM J. Control Optim. 1992.

    >>> model = torch.nn.Linear(1, 1, bias=False)
    >>> averaged = torch.optim.swa_utils.AveragedModel(model)
    >>> for value in (1.0, 3.0):
    ...     _ = torch.nn.init.constant_(model.weight, value); averaged.update_parameters(model)
    >>> averaged(torch.ones(1, 1)).item()
    2.0
    """

    n_averaged: Tensor

    def __init__(
        self, model: Module, device: Any = None, avg_fn: Average | None = None, multi_avg_fn: Averages | None = None,
        use_buffers: bool = False,
    ) -> None:
        super().__init__()
        if avg_fn is not None and multi_avg_fn is not None:
            raise refuse(AssertionError, "Only one of avg_fn and multi_avg_fn should be provided")
        self.module = copy.deepcopy(model)
        if device is not None:
            self.module = self.module.to(device)
        self.register_buffer("n_averaged", tensor(0, device=device))
        self.avg_fn, self.multi_avg_fn, self.use_buffers = avg_fn, multi_avg_fn, use_buffers

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the averaged model answers."""
        return self.module(*args, **kwargs)

    @no_grad()
    def update_parameters(self, model: Module) -> None:
        """Take the parameters of a model into the average; the first time, copy them."""

        def averaged(m: Module) -> Iterable[Tensor]:
            return chain(m.parameters(), m.buffers()) if self.use_buffers else m.parameters()

        pairs = [(a.detach(), x.detach()) for a, x in zip(averaged(self.module), averaged(model), strict=False)]
        if self.n_averaged == 0:
            for a, x in pairs:
                a.copy_(x)
        elif self.avg_fn is not None:
            for a, x in pairs:
                a.copy_(self.avg_fn(a, x, self.n_averaged))
        else:
            average = self.multi_avg_fn or get_swa_multi_avg_fn()
            for dtype in dict.fromkeys(a.dtype for a, _ in pairs):
                alike = [pair for pair in pairs if pair[0].dtype is dtype]
                average([a for a, _ in alike], [x for _, x in alike], self.n_averaged)
        if not self.use_buffers:
            for a, x in zip(self.module.buffers(), model.buffers(), strict=True):
                a.detach().copy_(x.detach())
        self.n_averaged += 1


@no_grad()
def update_bn(loader: Iterable[Any], model: Module, device: Any = None) -> None:
    """Compute the running statistics of all BatchNorm layers anew, as means over the batches of `loader`.

    A batch is a tensor, or a tuple or list that begins with it. A model without such layers is left alone.

    >>> model = torch.nn.Sequential(torch.nn.BatchNorm1d(1))
    >>> torch.optim.swa_utils.update_bn([torch.tensor([[1.0], [3.0]])], model)
    >>> model[0].running_mean
    tensor([2.])
    """
    momenta: dict[BatchNorm, float | None] = {m: m.momentum for m in model.modules() if isinstance(m, BatchNorm)}
    if not momenta:
        return
    training = model.training
    model.train()
    for module in momenta:
        module.reset_running_stats()
        module.momentum = None  # the mean of all batches
    for batch in loader:
        x = batch[0] if isinstance(batch, (list, tuple)) else batch
        model(x if device is None else x.to(device))
    for module, momentum in momenta.items():
        module.momentum = momentum
    model.train(training)


# ----------------------------------------------------------------------------------- its learning rate
class SWALR(LRScheduler):
    """lr goes from what it is to `swa_lr` in `anneal_epochs` steps, along a cosine or a line, and stays there.

    `swa_lr` may be a list, one for each group. Raises ValueError for another `anneal_strategy` than "cos" and
    "linear", and for `anneal_epochs` that are no number ≥ 0.

    >>> optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    >>> scheduler = torch.optim.swa_utils.SWALR(optimizer, swa_lr=0.5, anneal_epochs=2, anneal_strategy="linear")
    >>> for _ in range(4):
    ...     print(scheduler.get_last_lr()[0], end=" "); optimizer.step(); scheduler.step()
    1.0 0.75 0.5 0.5
    """

    def __init__(
        self, optimizer: Optimizer, swa_lr: float | list[float], anneal_epochs: int = 10,
        anneal_strategy: Literal["cos", "linear"] = "cos", last_epoch: int = -1,
    ) -> None:
        for rate, group in zip(per_group("swa_lr", optimizer, swa_lr), optimizer.param_groups, strict=True):
            group["swa_lr"] = rate
        if anneal_strategy not in ("cos", "linear"):
            text = f"anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}"
            raise refuse(ValueError, text)
        if not isinstance(anneal_epochs, int) or anneal_epochs < 0:
            text = f"anneal_epochs must be equal or greater than 0, got {anneal_epochs}"
            raise refuse(ValueError, text)
        self._anneal_strategy, self.anneal_epochs = anneal_strategy, anneal_epochs
        super().__init__(optimizer, last_epoch)

    def _part(self, step: int) -> float:
        """The part of the way to `swa_lr` that is done after a step."""
        t = max(0, min(1, step / max(1, self.anneal_epochs)))
        return t if self._anneal_strategy == "linear" else (1 - math.cos(math.pi * t)) / 2

    def get_lr(self) -> list[Any]:
        """The rates where the groups began, found from the present ones, moved to this step's part of the way."""
        self._warn_outside_step()
        step = self._step_count - 1
        if self.anneal_epochs == 0:
            step = max(1, step)
        before, now = self._part(step - 1), self._part(step)
        rates = []
        for group in self.optimizer.param_groups:
            lr, goal = group["lr"], group["swa_lr"]
            first = goal if before == 1 else (lr - before * goal) / (1 - before)
            rates.append(goal * now + first * (1 - now))
        return rates


if not TYPE_CHECKING:  # a name that is not here says so
    __getattr__ = names.namespace("optim.swa_utils")
