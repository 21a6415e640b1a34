"""Tools for modules: gradients clipped, parameters as one vector, weights that are computed anew."""

from typing import TYPE_CHECKING

from tinygrad_pt import names
from tinygrad_pt.nn.utils import parametrizations as parametrizations
from tinygrad_pt.nn.utils import parametrize as parametrize
from tinygrad_pt.nn.utils import rnn as rnn
from tinygrad_pt.nn.utils import stateless as stateless
from tinygrad_pt.nn.utils.clip_grad import *  # noqa: F403
from tinygrad_pt.nn.utils.convert_parameters import *  # noqa: F403
from tinygrad_pt.nn.utils.fusion import *  # noqa: F403
from tinygrad_pt.nn.utils.init import *  # noqa: F403
from tinygrad_pt.nn.utils.spectral_norm import *  # noqa: F403
from tinygrad_pt.nn.utils.spectral_norm import spectral_norm as spectral_norm  # by name, too: it is that of the file
from tinygrad_pt.nn.utils.weight_norm import *  # noqa: F403
from tinygrad_pt.nn.utils.weight_norm import weight_norm as weight_norm

if not TYPE_CHECKING:  # a name that is not here says so
    __getattr__ = names.namespace("nn.utils")
