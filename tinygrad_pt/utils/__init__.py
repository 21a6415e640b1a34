"""Utilities of training: `utils.data` loads batches of samples."""

from tinygrad_pt.utils import data

__all__ = ["data"]
