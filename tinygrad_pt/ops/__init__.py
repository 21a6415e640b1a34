"""The ops: each one's value on arrays and, in the same statement, the rules of its derivative."""

from tinygrad_pt.graph import OPS
from tinygrad_pt.ops import factorizations as factorizations
from tinygrad_pt.ops.angles import *  # noqa: F403
from tinygrad_pt.ops.deviation import *  # noqa: F403
from tinygrad_pt.ops.einstein import *  # noqa: F403
from tinygrad_pt.ops.elementwise import *  # noqa: F403
from tinygrad_pt.ops.index import *  # noqa: F403
from tinygrad_pt.ops.labels import LABELS
from tinygrad_pt.ops.linalg import *  # noqa: F403
from tinygrad_pt.ops.norm import *  # noqa: F403
from tinygrad_pt.ops.normalization import *  # noqa: F403
from tinygrad_pt.ops.product import *  # noqa: F403
from tinygrad_pt.ops.reduce import *  # noqa: F403
from tinygrad_pt.ops.shape import *  # noqa: F403
from tinygrad_pt.ops.soft import *  # noqa: F403
from tinygrad_pt.ops.special import *  # noqa: F403
from tinygrad_pt.ops.triangles import *  # noqa: F403

for _name, _label in LABELS.items():
    OPS[_name].label = _label
