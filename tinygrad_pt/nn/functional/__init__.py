"""Layers, activations and losses as plain functions, with PyTorch's arguments and defaults."""

from tinygrad_pt.functions import relu, relu_, sigmoid, tanh
from tinygrad_pt.functions.indexing import one_hot
from tinygrad_pt.nn.functional.activations import (
    celu,
    elu,
    gelu,
    glu,
    hardshrink,
    hardsigmoid,
    hardswish,
    hardtanh,
    leaky_relu,
    log_softmax,
    logsigmoid,
    mish,
    prelu,
    relu6,
    selu,
    silu,
    softmax,
    softmin,
    softplus,
    softshrink,
    softsign,
    tanhshrink,
    threshold,
)
from tinygrad_pt.nn.functional.classification import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cross_entropy,
    kl_div,
    nll_loss,
    soft_margin_loss,
)
from tinygrad_pt.nn.functional.dropouts import check_probability, dropout, dropout1d, dropout2d, dropout3d
from tinygrad_pt.nn.functional.linear_maps import bilinear, linear
from tinygrad_pt.nn.functional.padding import pad
from tinygrad_pt.nn.functional.ranking import (
    cosine_embedding_loss,
    cosine_similarity,
    hinge_embedding_loss,
    margin_ranking_loss,
    normalize,
    pairwise_distance,
    triplet_margin_loss,
)
from tinygrad_pt.nn.functional.reduction import legacy_reduction
from tinygrad_pt.nn.functional.regression import (
    gaussian_nll_loss,
    huber_loss,
    l1_loss,
    mse_loss,
    poisson_nll_loss,
    smooth_l1_loss,
)
