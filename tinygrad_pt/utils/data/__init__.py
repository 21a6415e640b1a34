"""Data sets, samplers, and the loader that makes batches of them."""

from typing import TYPE_CHECKING

from tinygrad_pt import names
from tinygrad_pt.utils.data.collate import *  # noqa: F403
from tinygrad_pt.utils.data.dataloader import *  # noqa: F403
from tinygrad_pt.utils.data.dataset import *  # noqa: F403
from tinygrad_pt.utils.data.sampler import *  # noqa: F403

if not TYPE_CHECKING:  # a name that is not here says so
    __getattr__ = names.namespace("utils.data")
