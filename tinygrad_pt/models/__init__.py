"""Whole networks, each a composition of modules."""

from typing import TYPE_CHECKING

from tinygrad_pt import names
from tinygrad_pt.models.mlp import MLP

__all__ = ["MLP"]

if not TYPE_CHECKING:  # a name that is not here says so
    __getattr__ = names.namespace("models")
