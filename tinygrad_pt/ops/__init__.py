"""Every primitive: its value on arrays and, in the same statement, the rules of its derivative."""

from tinygrad_pt.ops.elementwise import *  # noqa: F403
from tinygrad_pt.ops.index import getitem, index_put, overwrite, scatter_add
from tinygrad_pt.ops.linalg import bmm, dot, einsum, linear, mm, mv, outer
from tinygrad_pt.ops.reduce import (
    amax,
    amin,
    argmax,
    argmin,
    argsort,
    cumprod,
    cumsum,
    log_softmax,
    logsumexp,
    mean,
    norm,
    others,
    prod,
    softmax,
    std,
    sum,
    var,
)  # fmt: skip
from tinygrad_pt.ops.shape import (
    cat,
    crop,
    diagonal,
    expand,
    flip,
    narrow,
    pad,
    permute,
    reshape,
    select,
    split,
    squeeze,
    stack,
    sum_to,
    t,
    transpose,
    tril,
    triu,
    unbind,
    undiagonal,
    unsqueeze,
)  # fmt: skip
