"""Optimizers: each file names in `__all__` those that it exports."""

from tinygrad_pt.optim.adagrad import *  # noqa: F403
from tinygrad_pt.optim.adam import *  # noqa: F403
from tinygrad_pt.optim.optimizer import Optimizer
from tinygrad_pt.optim.rmsprop import *  # noqa: F403
from tinygrad_pt.optim.sgd import *  # noqa: F403
