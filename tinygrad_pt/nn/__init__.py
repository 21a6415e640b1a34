"""Neural networks: modules, layers, losses and initial values, under PyTorch's names.

Each file lists its public names in `__all__`. In examples, `torch` is this package: `import tinygrad_pt as torch`.
"""

from typing import TYPE_CHECKING

from tinygrad_pt import names
from tinygrad_pt.nn import functional as functional  # `as` tells type checkers that a name is public
from tinygrad_pt.nn import init as init
from tinygrad_pt.nn import utils as utils
from tinygrad_pt.nn.activation import *  # noqa: F403
from tinygrad_pt.nn.adaptive import *  # noqa: F403
from tinygrad_pt.nn.attention import *  # noqa: F403
from tinygrad_pt.nn.container import *  # noqa: F403
from tinygrad_pt.nn.conv import *  # noqa: F403
from tinygrad_pt.nn.dropout import *  # noqa: F403
from tinygrad_pt.nn.embedding import *  # noqa: F403
from tinygrad_pt.nn.fold import *  # noqa: F403
from tinygrad_pt.nn.lazy import *  # noqa: F403
from tinygrad_pt.nn.linear import *  # noqa: F403
from tinygrad_pt.nn.loss import *  # noqa: F403
from tinygrad_pt.nn.module import *  # noqa: F403
from tinygrad_pt.nn.normalization import *  # noqa: F403
from tinygrad_pt.nn.padding import *  # noqa: F403
from tinygrad_pt.nn.parameter import *  # noqa: F403
from tinygrad_pt.nn.pooling import *  # noqa: F403
from tinygrad_pt.nn.rnn import *  # noqa: F403
from tinygrad_pt.nn.summary import Summary as Summary
from tinygrad_pt.nn.summary import summary as summary  # by name, too: it is that of the file
from tinygrad_pt.nn.transformer import *  # noqa: F403
from tinygrad_pt.nn.vision import *  # noqa: F403

if not TYPE_CHECKING:  # a name that is not here says so
    __getattr__ = names.namespace("nn", {"DataParallel": "compat.parallel:DataParallel"})
