"""One row per public module of `nn`: what it computes, in which settings and shapes, its edges, and what it refuses.

Each family has its file in `rows`.
"""

from tests.nn.rows.row import ABSTRACT, BASES, PUBLIC, ROWS, Case, Row, build, tensor  # isort: skip
import tests.nn.rows.basic  # isort: skip
import tests.nn.rows.recurrent  # isort: skip
import tests.nn.rows.attention  # isort: skip
import tests.nn.rows.convolution  # isort: skip
import tests.nn.rows.losses  # isort: skip
import tests.nn.rows.normalization  # isort: skip
import tests.nn.rows.embedding  # isort: skip
import tests.nn.rows.vision  # isort: skip

__all__ = ["ABSTRACT", "BASES", "PUBLIC", "ROWS", "Case", "Row", "build", "tensor"]
