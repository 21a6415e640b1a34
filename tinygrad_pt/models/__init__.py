"""Whole networks, each a composition of modules."""

from tinygrad_pt.models.mlp import MLP

__all__ = ["MLP"]
