"""PyTorch's vocabulary: functions of tensors, written in ops. Methods of `Tensor` are these same functions."""

from tinygrad_pt.functions import arguments, creation
from tinygrad_pt.functions.arguments import (
    Size, axis_from, is_complex, is_floating_point, is_nonzero, is_tensor, numel,
)  # fmt: skip
from tinygrad_pt.functions.creation import *  # noqa: F403
from tinygrad_pt.functions.creation import CPU
from tinygrad_pt.functions.indexing import (
    gather, getitem, index_add, index_select, masked_select, nonzero, one_hot, scatter, scatter_add, searchsorted, setitem,
    take, take_along_dim,
)  # fmt: skip
from tinygrad_pt.functions.linalg import (
    addmm, addmv, baddbmm, bmm, dot, einsum, inner, matmul, mm, mv, outer, tensordot, vdot,
)  # fmt: skip
from tinygrad_pt.functions.pointwise import *  # noqa: F403
from tinygrad_pt.functions.reduction import (
    all, amax, amin, aminmax, any, argmax, argmin, argsort, bincount, count_nonzero, cummax, cummin, cumprod, cumsum,
    kthvalue, log_softmax, logsumexp, max, mean, median, min, mode, nansum, norm, prod, softmax, sort, std, sum, topk,
    unique, var,
)  # fmt: skip
from tinygrad_pt.functions.shaping import (
    broadcast_shapes, broadcast_tensors, broadcast_to, cat, chunk, concat, concatenate, diag, diagonal, expand, expand_as,
    flatten, flip, fliplr, flipud, hstack, meshgrid, moveaxis, movedim, mT, narrow, pad, permute, ravel, repeat, repeat_interleave, reshape,
    reshape_as, reversed_axes, roll, select, split, squeeze, stack, swapaxes, swapdims, t, tensor_split, tile, trace, transpose, tril, triu,
    unbind, unflatten, unfold, unsqueeze, view, view_as, vstack,
)  # fmt: skip
