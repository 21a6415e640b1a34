"""Neural networks: modules, layers, losses and initial values, under PyTorch's names."""

from tinygrad_pt.nn import functional, init, utils
from tinygrad_pt.nn.activation import (
    CELU,
    ELU,
    GELU,
    GLU,
    SELU,
    Hardshrink,
    Hardsigmoid,
    Hardswish,
    Hardtanh,
    LeakyReLU,
    LogSigmoid,
    LogSoftmax,
    Mish,
    PReLU,
    ReLU,
    ReLU6,
    Sigmoid,
    SiLU,
    Softmax,
    Softmax2d,
    Softmin,
    Softplus,
    Softshrink,
    Softsign,
    Tanh,
    Tanhshrink,
    Threshold,
)
from tinygrad_pt.nn.container import ModuleDict, ModuleList, ParameterDict, ParameterList, Sequential
from tinygrad_pt.nn.dropout import Dropout, Dropout1d, Dropout2d, Dropout3d
from tinygrad_pt.nn.linear import Bilinear, Flatten, Identity, Linear, Unflatten
from tinygrad_pt.nn.loss import (
    BCELoss,
    BCEWithLogitsLoss,
    CosineEmbeddingLoss,
    CosineSimilarity,
    CrossEntropyLoss,
    GaussianNLLLoss,
    HingeEmbeddingLoss,
    HuberLoss,
    KLDivLoss,
    L1Loss,
    MarginRankingLoss,
    MSELoss,
    NLLLoss,
    PairwiseDistance,
    PoissonNLLLoss,
    SmoothL1Loss,
    SoftMarginLoss,
    TripletMarginLoss,
)
from tinygrad_pt.nn.module import Module
from tinygrad_pt.nn.parameter import Buffer, Parameter
