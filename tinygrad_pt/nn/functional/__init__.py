"""Layers, activations and losses as plain functions, with PyTorch's arguments and defaults."""

from typing import TYPE_CHECKING

from tinygrad_pt import names
from tinygrad_pt.nn.functional.activation import *  # noqa: F403
from tinygrad_pt.nn.functional.attention import *  # noqa: F403
from tinygrad_pt.nn.functional.classification import *  # noqa: F403
from tinygrad_pt.nn.functional.convolution import *  # noqa: F403
from tinygrad_pt.nn.functional.ctc import *  # noqa: F403
from tinygrad_pt.nn.functional.dropout import *  # noqa: F403
from tinygrad_pt.nn.functional.dropout import dropout as dropout  # by name, too: editors would take it for the file
from tinygrad_pt.nn.functional.embedding import *  # noqa: F403
from tinygrad_pt.nn.functional.embedding import embedding as embedding
from tinygrad_pt.nn.functional.linear import *  # noqa: F403
from tinygrad_pt.nn.functional.linear import linear as linear
from tinygrad_pt.nn.functional.margin import *  # noqa: F403
from tinygrad_pt.nn.functional.normalization import *  # noqa: F403
from tinygrad_pt.nn.functional.padding import *  # noqa: F403
from tinygrad_pt.nn.functional.pooling import *  # noqa: F403
from tinygrad_pt.nn.functional.ranking import *  # noqa: F403
from tinygrad_pt.nn.functional.regression import *  # noqa: F403
from tinygrad_pt.nn.functional.vision import *  # noqa: F403

if not TYPE_CHECKING:  # a name that is not here says so
    __getattr__ = names.namespace(
        "nn.functional", {n: f"compat.overrides:{n}" for n in ("has_torch_function", "handle_torch_function")}
    )
