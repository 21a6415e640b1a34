"""Layers, activations and losses as plain functions, with PyTorch's arguments and defaults."""

from tinygrad_pt.functions import relu, relu_, sigmoid, tanh
from tinygrad_pt.functions.indexing import one_hot
from tinygrad_pt.nn.functional.activation import *  # noqa: F403
from tinygrad_pt.nn.functional.classification import *  # noqa: F403
from tinygrad_pt.nn.functional.dropout import *  # noqa: F403
from tinygrad_pt.nn.functional.dropout import dropout  # by name, too: editors would take it for the file
from tinygrad_pt.nn.functional.linear import *  # noqa: F403
from tinygrad_pt.nn.functional.linear import linear  # by name, too
from tinygrad_pt.nn.functional.padding import *  # noqa: F403
from tinygrad_pt.nn.functional.ranking import *  # noqa: F403
from tinygrad_pt.nn.functional.regression import *  # noqa: F403
