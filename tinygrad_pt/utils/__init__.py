"""What training needs around the network: `utils.data` loads batches."""

from tinygrad_pt.utils import data

__all__ = ["data"]
