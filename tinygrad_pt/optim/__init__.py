"""Optimizers: each file lists its own in `__all__`; a new one stands in the file of the most similar one."""

from typing import TYPE_CHECKING

from tinygrad_pt import names
from tinygrad_pt.optim import lr_scheduler as lr_scheduler
from tinygrad_pt.optim import swa_utils as swa_utils
from tinygrad_pt.optim.adafactor import *  # noqa: F403
from tinygrad_pt.optim.adagrad import *  # noqa: F403
from tinygrad_pt.optim.adam import *  # noqa: F403
from tinygrad_pt.optim.lbfgs import *  # noqa: F403
from tinygrad_pt.optim.muon import *  # noqa: F403
from tinygrad_pt.optim.optimizer import Optimizer as Optimizer
from tinygrad_pt.optim.rmsprop import *  # noqa: F403
from tinygrad_pt.optim.rprop import *  # noqa: F403
from tinygrad_pt.optim.sgd import *  # noqa: F403

if not TYPE_CHECKING:  # a name that is not here says so
    __getattr__ = names.namespace("optim")
