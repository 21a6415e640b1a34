"""Tools for modules: clipping of gradients, parameters as one vector. Each file lists its names in `__all__`."""

from typing import TYPE_CHECKING

from tinygrad_pt import names
from tinygrad_pt.nn.utils import rnn as rnn
from tinygrad_pt.nn.utils.clip_grad import *  # noqa: F403
from tinygrad_pt.nn.utils.convert_parameters import *  # noqa: F403

if not TYPE_CHECKING:  # a name that is not here says so
    __getattr__ = names.namespace("nn.utils")
