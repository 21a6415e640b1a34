"""PyTorch's vocabulary: functions of tensors, written in ops. Methods of `Tensor` are these same functions.

A function becomes public in the file that defines it, by its name in `__all__`; if it is a method too, by its name in
the class at the end of that file.
"""

from typing import TYPE_CHECKING

from tinygrad_pt.functions import (
    arguments,
    buffers,
    calculus,
    coordinates,
    creation,
    in_place,
    indexing,
    joining,
    layouts,
    matrices,
    memory,
    numbers,
    pointwise,
    reduction,
    scattering,
    shaping,
    statistics,
    storage,
    transcendental,
    typed,
)
from tinygrad_pt.functions import linalg as _products  # `torch.linalg` is another one
from tinygrad_pt.functions.arguments import *  # noqa: F403
from tinygrad_pt.functions.buffers import *  # noqa: F403
from tinygrad_pt.functions.calculus import *  # noqa: F403
from tinygrad_pt.functions.coordinates import *  # noqa: F403
from tinygrad_pt.functions.creation import *  # noqa: F403
from tinygrad_pt.functions.in_place import *  # noqa: F403
from tinygrad_pt.functions.indexing import *  # noqa: F403
from tinygrad_pt.functions.joining import *  # noqa: F403
from tinygrad_pt.functions.layouts import *  # noqa: F403
from tinygrad_pt.functions.linalg import *  # noqa: F403
from tinygrad_pt.functions.matrices import *  # noqa: F403
from tinygrad_pt.functions.memory import *  # noqa: F403
from tinygrad_pt.functions.numbers import *  # noqa: F403
from tinygrad_pt.functions.pointwise import *  # noqa: F403
from tinygrad_pt.functions.reduction import *  # noqa: F403
from tinygrad_pt.functions.scattering import *  # noqa: F403
from tinygrad_pt.functions.shaping import *  # noqa: F403
from tinygrad_pt.functions.statistics import *  # noqa: F403
from tinygrad_pt.functions.storage import *  # noqa: F403
from tinygrad_pt.functions.transcendental import *  # noqa: F403
from tinygrad_pt.functions.typed import *  # noqa: F403

FILES = (
    _products, arguments, buffers, calculus, coordinates, creation, in_place, indexing, joining, layouts, matrices,
    memory, numbers, pointwise, reduction, scattering, shaping, statistics, storage, transcendental, typed,
)  # fmt: skip
if not TYPE_CHECKING:  # type checkers do not read an `__all__` that is computed, and would take no name for public
    __all__ = [name for file in FILES for name in file.__all__]
