"""One row per op: what it computes, where it may be sampled, what it does at its edges, and what it refuses.

Each family has its file in `rows`. A new one stands at the end: planted bugs are seeded by the position of their row.
"""

from tests.ops.rows.row import DEFINED, ROWS, SEVERAL, STRUCTURE, Row  # isort: skip
import tests.ops.rows.basic  # isort: skip
import tests.ops.rows.recurrent  # isort: skip
import tests.ops.rows.tensors  # isort: skip
import tests.ops.rows.attention  # isort: skip
import tests.ops.rows.convolution  # isort: skip
import tests.ops.rows.normalization  # isort: skip
import tests.ops.rows.resampling  # isort: skip
import tests.ops.rows.factorizations  # isort: skip
import tests.ops.rows.special  # isort: skip

__all__ = ["DEFINED", "ROWS", "SEVERAL", "STRUCTURE", "Row"]
