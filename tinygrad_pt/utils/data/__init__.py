"""Data sets, samplers, and the loader that makes batches of them."""

from tinygrad_pt.utils.data.collate import *  # noqa: F403
from tinygrad_pt.utils.data.dataloader import *  # noqa: F403
from tinygrad_pt.utils.data.dataset import *  # noqa: F403
from tinygrad_pt.utils.data.sampler import *  # noqa: F403
