"""Optimizers, in order of increasing complexity."""

from tinygrad_pt.optim.adagrad import Adagrad
from tinygrad_pt.optim.adam import Adam, AdamW
from tinygrad_pt.optim.optimizer import Optimizer
from tinygrad_pt.optim.rmsprop import RMSprop
from tinygrad_pt.optim.sgd import SGD

__all__ = ["SGD", "Adagrad", "Adam", "AdamW", "Optimizer", "RMSprop"]
