"""Hypothesis strategies for tensors and what belongs to them: layouts, indices, modules, whole random programs.

Every property of a strategy is a value or a strategy of values. What a function must not meet (a kink, a tie,
a pole) is left out by construction, so nothing is drawn in vain and failing examples shrink well.
"""

from __future__ import annotations

try:
    import hypothesis as _hypothesis
except ImportError:  # pragma: no cover - a line for whoever has no Hypothesis
    raise ImportError("tinygrad_pt.testing.strategies needs Hypothesis: pip install hypothesis") from None

from tinygrad_pt.testing.strategies.choices import axes_for, indices_for
from tinygrad_pt.testing.strategies.models import inputs_for, modules, optimizers
from tinygrad_pt.testing.strategies.numbers import dtypes, safe_floats, special_floats
from tinygrad_pt.testing.strategies.programs import Program, programs
from tinygrad_pt.testing.strategies.tensors import (
    LAYOUTS,
    arguments_for,
    arrays,
    broadcastable_shapes,
    broadcastable_tensors,
    distinct,
    matmul_operands,
    shapes,
    tensors,
    tied,
)

__all__ = [
    "LAYOUTS", "Program", "arguments_for", "arrays", "axes_for", "broadcastable_shapes", "broadcastable_tensors",
    "distinct", "dtypes", "indices_for", "inputs_for", "matmul_operands", "modules", "optimizers", "programs",
    "safe_floats", "shapes", "special_floats", "tensors", "tied",
]  # fmt: skip
