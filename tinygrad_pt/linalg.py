"""Linear algebra under PyTorch's names: `torch.linalg`."""

from typing import TYPE_CHECKING

from tinygrad_pt import names
from tinygrad_pt.errors import LinAlgError as LinAlgError
from tinygrad_pt.functions.factorizations import *  # noqa: F403

if not TYPE_CHECKING:  # a name that is not here says so
    __getattr__ = names.namespace("linalg")
