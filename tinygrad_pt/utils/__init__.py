"""Utilities of training: `utils.data` loads batches of samples."""

from typing import TYPE_CHECKING

from tinygrad_pt import names
from tinygrad_pt.utils import data

__all__ = ["data"]

if not TYPE_CHECKING:  # a name that is not here says so
    __getattr__ = names.namespace("utils")
