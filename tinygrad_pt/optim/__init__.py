"""Optimizers: each file lists its own in `__all__`; a new one stands in the file of the most similar one."""

from tinygrad_pt.optim.adagrad import *  # noqa: F403
from tinygrad_pt.optim.adam import *  # noqa: F403
from tinygrad_pt.optim.optimizer import Optimizer as Optimizer
from tinygrad_pt.optim.rmsprop import *  # noqa: F403
from tinygrad_pt.optim.sgd import *  # noqa: F403
