"""Attention: each query gets a mean of the values, weighted by how well their keys fit it (Vaswani et al., 2017)."""

# fmt: off
from __future__ import annotations

import math
import warnings
from functools import lru_cache

import numpy as np

from tinygrad_pt import functions as F
from tinygrad_pt import ops
from tinygrad_pt.calling import wrap
from tinygrad_pt.errors import broadcast_text, refuse
from tinygrad_pt.functions.arguments import Size
from tinygrad_pt.functions.checks import expect_tensor
from tinygrad_pt.half import in_float32
from tinygrad_pt.nn.functional.activation import softmax
from tinygrad_pt.nn.functional.check import as_float, as_whole, spoken
from tinygrad_pt.nn.functional.dropout import dropout
from tinygrad_pt.nn.functional.linear import linear
from tinygrad_pt.ops.attention import attention_weights
from tinygrad_pt.tensor import Tensor

__all__ = ["multi_head_attention_forward", "scaled_dot_product_attention"]

Mask = Tensor | None


@lru_cache(maxsize=16)
def _causal(queries: int, keys: int, kind: str) -> np.ndarray:
    """0 for the keys up to the query's own place, -∞ for those behind it."""
    found = np.triu(np.full((queries, keys), -np.inf, kind), 1)
    found.flags.writeable = False
    return found


def as_bias(mask: Tensor, kind: np.dtype) -> Tensor:
    """A mask as numbers to add: 0 where a truth value says True, else -∞."""
    if mask.array.dtype.kind == "b":
        return wrap(np.where(mask.array, 0, -np.inf).astype(kind))
    return mask


@in_float32
def scaled_dot_product_attention(
    query: Tensor, key: Tensor, value: Tensor, attn_mask: Mask = None, dropout_p: float = 0.0,
    is_causal: bool = False, scale: float | None = None, enable_gqa: bool = False,
) -> Tensor:
    """softmax(q kᵀ · scale + mask) v: query (*, L, E), key (*, S, E), value (*, S, V) → (*, L, V).

    The mask broadcasts to (*, L, S): truth values say which keys count, numbers are added. A query to which no key is
    left gets 0. With `is_causal` a query sees the keys up to its own place. `scale` is 1/√E unless it is given. Weights
    are dropped with probability `dropout_p`, also in evaluation. With `enable_gqa` groups of heads of the query share
    one of key and value. Raises RuntimeError for shapes and dtypes that do not fit.

    >>> q, v = torch.zeros(1, 2), torch.tensor([[1.0], [3.0]])
    >>> torch.nn.functional.scaled_dot_product_attention(q, torch.zeros(2, 2), v)
    tensor([[2.]])
    """
    name = "scaled_dot_product_attention"
    for i, (word, t) in enumerate((("query", query), ("key", key), ("value", value)), 1):
        expect_tensor(t, name, word, i)
    if attn_mask is not None:
        expect_tensor(attn_mask, name, "attn_mask", 4)
    if dropout_p.__class__ is not float:
        dropout_p = as_float(dropout_p, name, "dropout_p")
    _check_attention(query, key, value, attn_mask, name)
    if enable_gqa and query.array.ndim > 2:
        key, value = _shared_heads(query, key), _shared_heads(query, value)
    q, k, v = query.array, key.array, value.array
    lead = np.broadcast_shapes(q.shape[:-2], k.shape[:-2]) if not _text(q, k) else ()
    if text := _text(q, k) or (broadcast_text((*lead, 1, 1), (*v.shape[:-2], 1, 1))):
        raise refuse(RuntimeError, text, name, query, key, value, mend="batches and heads must be the same, or 1")
    for a, b, x in ((q.shape[-1], k.shape[-1], k), (k.shape[-2], v.shape[-2], v)):
        if a != b:
            batch = math.prod(x.shape[:-2])
            had = [batch, *((x.shape[-1], x.shape[-2]) if x is k else x.shape[-2:])]
            text = f"Expected size for first two dimensions of batch2 tensor to be: [{batch}, {a}] but got: {had[:2]}."
            mend = "give one value per key, and keys as wide as queries"
            raise refuse(RuntimeError, text, name, query, key, value, mend=mend)
    shape = (*lead, q.shape[-2], k.shape[-2])
    bias = None if attn_mask is None else as_bias(attn_mask, q.dtype)
    if bias is not None and (text := broadcast_text(shape, bias.array.shape) or _wider(shape, bias.array.shape)):
        raise refuse(RuntimeError, text, name, query, key, value, attn_mask, mend="a mask is (*, queries, keys)")
    if is_causal:
        if bias is not None and (q.ndim != 4 or dropout_p > 0):
            text = "_scaled_dot_product_attention: Explicit attn_mask should not be set when is_causal=True"
            mend = "put the causal mask into attn_mask"
            raise refuse(RuntimeError, text, name, query, key, value, attn_mask, mend=mend)
        causal = wrap(_causal(*shape[-2:], q.dtype.char))
        bias = causal if bias is None else bias + causal
    size = q.shape[-1]
    factor = (1 / math.sqrt(size) if size else 1.0) if scale is None else as_float(scale, name, "scale")
    logits = ops.bmm(query, ops.t(key))
    if bias is not None and bias.array.dtype != q.dtype:
        bias = ops.cast(bias, dtype=q.dtype)
    weights = attention_weights(logits, scale=factor) if bias is None else attention_weights(logits, bias, scale=factor)
    if dropout_p > 0:
        if dropout_p > 1:
            text = f"dropout probability has to be between 0 and 1, but got {dropout_p:g}"
            raise refuse(RuntimeError, text, name, query, key, value)
        weights = dropout(weights, dropout_p)
    return ops.bmm(weights, value)


def _text(a: np.ndarray, b: np.ndarray) -> str:
    """PyTorch's sentence about batches that do not broadcast."""
    return broadcast_text((*a.shape[:-2], 1, 1), (*b.shape[:-2], 1, 1))


def _wider(shape: tuple[int, ...], mask: tuple[int, ...]) -> str:
    """PyTorch's sentence about a mask that would make the weights larger."""
    both = np.broadcast_shapes(shape, mask)
    return "" if both == shape else f"output with shape {list(shape)} doesn't match the broadcast shape {list(both)}"


def _check_attention(query: Tensor, key: Tensor, value: Tensor, mask: Mask, name: str) -> None:
    """Raise PyTorch's error about axes and dtypes of attention."""
    q, k, v = query.array, key.array, value.array
    if not q.dtype == k.dtype == v.dtype:
        text = (
            "Expected query, key, and value to have the same dtype, but got query.dtype: "
            f"{query.dtype.c_name} key.dtype: {key.dtype.c_name} and value.dtype: {value.dtype.c_name} instead."
        )
        raise refuse(RuntimeError, text, name, query, key, value, mend=f"convert them: x.to({query.dtype})")
    if min(q.ndim, k.ndim, v.ndim) < 2:
        text = (
            "Expected query, key, and value to all be  at least 2 dimensional, but got query.dim: "
            f"{q.ndim} key.dim: {k.ndim} and value.dim: {v.ndim} instead."
        )
        raise refuse(RuntimeError, text, name, query, key, value)
    if q.dtype.kind != "f":
        text = f"expected scalar type Float but found {spoken(query)}"
        raise refuse(RuntimeError, text, name, query, key, value, mend="convert them: x.float()")
    if mask is not None and mask.array.dtype != q.dtype and mask.array.dtype not in (np.bool_, np.float32):
        text = (
            "Expected attn_mask dtype to be bool or float or to match query dtype, but got attn_mask.dtype: "
            f"{mask.dtype.c_name} and  query.dtype: {query.dtype.c_name} instead."
        )
        raise refuse(RuntimeError, text, name, query, key, value, mask, mend="convert the mask: mask.bool()")


def _shared_heads(query: Tensor, x: Tensor) -> Tensor:
    """Key or value with each head as often as heads of the query share it."""
    heads, groups = query.array.shape[-3], x.array.shape[-3] if x.array.ndim > 2 else 1
    if not groups or heads % groups:
        text = "Number of heads in key and value must divide the number of heads in "
        raise refuse(RuntimeError, text, "scaled_dot_product_attention", query, x)
    return x if heads == groups else F.repeat_interleave(x, heads // groups, -3)


# ------------------------------------------------------------------------------------------ many heads
def canonical_mask(
    mask: Mask, name: str, other: Mask, other_name: str, kind: np.dtype, check_other: bool = True
) -> Mask:
    """A mask whose True means "ignore" as numbers to add; PyTorch's error for another dtype, its warning for two."""
    if mask is None:
        return None
    found = mask.array.dtype
    if found.kind not in "bf":
        text = f"only bool and floating types of {name} are supported"
        raise refuse(AssertionError, text, "multi_head_attention_forward", mask, mend="convert it: mask.bool()")
    if check_other and other is not None and other.array.dtype != found:
        text = f"Support for mismatched {name} and {other_name} is deprecated. Use same type for both instead."
        warnings.warn(text, stacklevel=4)
    return mask if found.kind == "f" else wrap(np.where(mask.array, -np.inf, 0).astype(kind))


def _check_axes(query: Tensor, key: Tensor, value: Tensor, padding: Mask, mask: Mask, heads: int) -> bool:
    """Whether there is a batch; PyTorch's error about the number of axes."""
    name, given = "multi_head_attention_forward", (query, key, value)
    for t in (*given, *(m for m in (padding, mask) if m is not None)):
        if not isinstance(t, Tensor):
            raise refuse(AttributeError, f"'{type(t).__name__}' object has no attribute 'dim'", name, *given)
    ndim = query.array.ndim
    if ndim not in (2, 3):
        text = f"query should be unbatched 2D or batched 3D tensor but received {ndim}-D query tensor"
        raise refuse(AssertionError, text, name, *given)
    start = f"For {'batched' if ndim == 3 else 'unbatched'} ({ndim}-D) `query`, expected "
    if key.array.ndim != ndim or value.array.ndim != ndim:
        found = f"{key.array.ndim}-D and {value.array.ndim}-D tensors respectively"
        raise refuse(AssertionError, f"{start}`key` and `value` to be {ndim}-D but found {found}", name, *given)
    if padding is not None and padding.array.ndim != ndim - 1:
        text = f"`key_padding_mask` to be `None` or {ndim - 1}-D but found {padding.array.ndim}-D tensor instead"
        raise refuse(AssertionError, start + text, name, *given, padding)
    if mask is not None:
        if mask.array.ndim not in (2, 3):
            text = f"`attn_mask` to be `None`, 2-D or 3-D but found {mask.array.ndim}-D tensor instead"
            raise refuse(AssertionError, start + text, name, *given, mask)
        expected = (heads, query.array.shape[0], key.array.shape[0])
        if ndim == 2 and mask.array.ndim == 3 and mask.array.shape != expected:
            text = f"Expected `attn_mask` shape to be {expected} but got {Size(mask.array.shape)}"
            raise refuse(AssertionError, text, name, *given, mask)
    return ndim == 3


def _parts(t: Tensor | None, *sizes: int) -> list[Tensor | None]:
    """A weight or bias cut into parts along its rows; None for None."""
    if t is None:
        return [None] * len(sizes)
    if not expect_tensor(t, "linear", "weight", 2).array.ndim:
        text = "chunk expects at least a 1-dimensional tensor"
        raise refuse(RuntimeError, text, "multi_head_attention_forward", t)
    starts = [sum(sizes[:i]) for i in range(len(sizes))]
    return [ops.narrow(t, axis=0, start=start, length=n) for start, n in zip(starts, sizes, strict=True)]


def _projected(q: Tensor, k: Tensor, v: Tensor, w: Tensor, b: Tensor | None) -> list[Tensor]:
    """Queries, keys and values, projected by the three parts of one weight; one product where they are one tensor."""
    size = q.array.shape[-1]
    if q is k and k is v:
        return list(F.split(linear(q, w, b), size, -1))
    if k is v:
        (w_q, w_kv), (b_q, b_kv) = _parts(w, size, 2 * size), _parts(b, size, 2 * size)
        return [linear(q, w_q, b_q), *F.split(linear(k, w_kv, b_kv), size, -1)]  # type: ignore[arg-type]
    ws, bs = _parts(w, size, size, size), _parts(b, size, size, size)
    return [linear(x, w_x, b_x) for x, w_x, b_x in zip((q, k, v), ws, bs, strict=True)]  # type: ignore[arg-type]


def _projected_apart(
    q: Tensor, k: Tensor, v: Tensor, weights: list[Tensor | None], bias: Tensor | None
) -> list[Tensor]:
    """Queries, keys and values, projected by a weight each."""
    name, size = "multi_head_attention_forward", q.array.shape[-1]
    for word, w in zip("qkv", weights, strict=True):
        if w is None:
            text = f"use_separate_proj_weight is True but {word}_proj_weight is None"
            raise refuse(AssertionError, text, name, q, k, v)
    for word, x, w in zip(("query", "key", "value"), (q, k, v), weights, strict=True):
        expected = (size, x.array.shape[-1])
        if w.array.shape != expected:  # type: ignore[union-attr]
            text = f"expecting {word} weights shape of {expected}, but got {Size(w.array.shape)}"  # type: ignore[union-attr]
            raise refuse(AssertionError, text, name, q, k, v, w, mend="kdim and vdim are the features of key and value")
    return [
        linear(x, w, b) for x, w, b in zip((q, k, v), weights, _parts(bias, size, size, size), strict=True)  # type: ignore[arg-type]
    ]


def _with_place(mask: Mask) -> Mask:
    """A mask for one more key, which counts."""
    return None if mask is None else ops.pad(mask, widths=(*((0, 0),) * (mask.array.ndim - 1), (0, 1)), value=0.0)


def multi_head_attention_forward(
    query: Tensor, key: Tensor, value: Tensor, embed_dim_to_check: int, num_heads: int,
    in_proj_weight: Tensor | None, in_proj_bias: Tensor | None, bias_k: Tensor | None, bias_v: Tensor | None,
    add_zero_attn: bool, dropout_p: float, out_proj_weight: Tensor, out_proj_bias: Tensor | None,
    training: bool = True, key_padding_mask: Mask = None, need_weights: bool = True, attn_mask: Mask = None,
    use_separate_proj_weight: bool = False, q_proj_weight: Tensor | None = None, k_proj_weight: Tensor | None = None,
    v_proj_weight: Tensor | None = None, static_k: Tensor | None = None, static_v: Tensor | None = None,
    average_attn_weights: bool = True, is_causal: bool = False,
) -> tuple[Tensor, Tensor | None]:
    """Attention with several heads; see `nn.MultiheadAttention`, which has the arguments as settings.

    Query (L, N, E), key (S, N, K), value (S, N, V) → the output (L, N, E), and the weights (N, L, S) or None.
    """
    name, given = "multi_head_attention_forward", (query, key, value)
    batched = _check_axes(query, key, value, key_padding_mask, attn_mask, num_heads)
    if not batched:
        if query is key and key is value:
            query = key = value = F.unsqueeze(query, 1)
        else:
            query, key, value = (F.unsqueeze(x, 1) for x in (query, key, value))
        if key_padding_mask is not None:
            key_padding_mask = F.unsqueeze(key_padding_mask, 0)
    queries, batch, size = query.array.shape
    keys, kind = key.array.shape[0], query.array.dtype
    key_padding_mask = canonical_mask(key_padding_mask, "key_padding_mask", attn_mask, "attn_mask", kind)
    if is_causal and attn_mask is None:
        text = (
            "Need attn_mask if specifying the is_causal hint. You may use the Transformer module method "
            "`generate_square_subsequent_mask` to create this mask."
        )
        raise refuse(RuntimeError, text, name, *given)
    if is_causal and key_padding_mask is None and not need_weights:
        attn_mask = None
    else:
        attn_mask = canonical_mask(attn_mask, "attn_mask", None, "", kind, False)
        is_causal = is_causal and key_padding_mask is None
    if size != embed_dim_to_check:
        text = f"was expecting embedding dimension of {embed_dim_to_check}, but got {size}"
        raise refuse(AssertionError, text, name, *given, mend="the last axis of query holds embed_dim features")
    num_heads, dropout_p = as_whole(num_heads, name, "num_heads", 5), as_float(dropout_p, name, "dropout_p")
    if not num_heads:
        raise refuse(ZeroDivisionError, "integer division or modulo by zero", name, *given)
    width = size // num_heads
    if width * num_heads != size:
        raise refuse(AssertionError, f"embed_dim {size} not divisible by num_heads {num_heads}", name, *given)
    if use_separate_proj_weight:
        if key.array.shape[:2] != value.array.shape[:2]:
            text = (
                f"key's sequence and batch dims {Size(key.array.shape[:2])} do not match value's "
                f"{Size(value.array.shape[:2])}"
            )
            raise refuse(AssertionError, text, name, *given)
        weights = [q_proj_weight, k_proj_weight, v_proj_weight]
        q, k, v = _projected_apart(query, key, value, weights, in_proj_bias)
    else:
        if key.array.shape != value.array.shape:
            text = f"key shape {Size(key.array.shape)} does not match value shape {Size(value.array.shape)}"
            raise refuse(AssertionError, text, name, *given)
        if in_proj_weight is None:
            raise refuse(AssertionError, "use_separate_proj_weight is False but in_proj_weight is None", name, *given)
        q, k, v = _projected(query, key, value, in_proj_weight, in_proj_bias)
    if attn_mask is not None:
        expected = (queries, keys) if attn_mask.array.ndim == 2 else (batch * num_heads, queries, keys)
        if attn_mask.array.shape != expected:
            found = Size(attn_mask.array.shape)
            text = f"The shape of the {len(expected)}D attn_mask is {found}, but should be {expected}."
            raise refuse(RuntimeError, text, name, *given, attn_mask)
        if attn_mask.array.ndim == 2:
            attn_mask = F.unsqueeze(attn_mask, 0)
    if bias_k is not None and bias_v is not None:
        for what, static in (("key", static_k), ("value", static_v)):
            if static is not None:
                raise refuse(AssertionError, f"bias cannot be added to static {what}.", name, *given)
        k, v = (F.cat([x, ops.expand(b, shape=(1, batch, size))]) for x, b in ((k, bias_k), (v, bias_v)))
        attn_mask, key_padding_mask = _with_place(attn_mask), _with_place(key_padding_mask)
    elif bias_k is not None or bias_v is not None:
        one, other = ("k", "v") if bias_v is None else ("v", "k")
        raise refuse(AssertionError, f"bias_{one} is set but bias_{other} is None", name, *given)
    q, k, v = (_heads(x, batch, num_heads, width, s) for x, s in ((q, None), (k, static_k), (v, static_v)))
    if add_zero_attn:
        zero = wrap(np.zeros((batch, num_heads, 1, width), kind))
        k, v = (F.cat([x, zero], 2) for x in (k, v))
        attn_mask, key_padding_mask = _with_place(attn_mask), _with_place(key_padding_mask)
    keys = k.array.shape[2]
    if attn_mask is not None:
        lead = (1, 1) if attn_mask.array.shape[0] == 1 and batch * num_heads != 1 else (batch, num_heads)
        attn_mask = F.reshape(attn_mask, (*lead, queries, keys))
    if key_padding_mask is not None:
        for i, wanted in enumerate((batch, keys)):
            n = key_padding_mask.array.shape[i]
            if n != wanted:
                text = f"Expected key_padded_mask.shape[{i}] to be {wanted}, but got {n}"
                raise refuse(AssertionError, text, name, *given, key_padding_mask)
        padding = F.reshape(key_padding_mask, (batch, 1, 1, keys))
        attn_mask = padding if attn_mask is None else attn_mask + padding
    p = dropout_p if training else 0.0
    shown = None
    if need_weights:
        logits = ops.bmm(q * math.sqrt(1 / width), ops.t(k))
        shown = softmax(logits if attn_mask is None else logits + attn_mask, -1)
        if p > 0:
            shown = dropout(shown, p)
        y = ops.bmm(shown, v)
    else:
        y = scaled_dot_product_attention(q, k, v, attn_mask, p, is_causal)
    y = F.reshape(F.permute(y, (2, 0, 1, 3)), (queries, batch, size))
    y = linear(y, out_proj_weight, out_proj_bias)
    if shown is not None and average_attn_weights:
        shown = F.mean(shown, 1)
    if not batched:
        y = F.squeeze(y, 1)
        shown = None if shown is None else F.squeeze(shown, 0)
    return y, shown


def _heads(x: Tensor, batch: int, heads: int, width: int, static: Tensor | None) -> Tensor:
    """(L, N, heads · width) as (N, heads, L, width); or the `static` (N · heads, L, width) in its place."""
    if static is not None:
        name = "multi_head_attention_forward"
        if not isinstance(static, Tensor):
            raise refuse(AttributeError, f"'{type(static).__name__}' object has no attribute 'size'", name, x)
        if static.array.ndim < 3:
            text = f"Dimension out of range: a static key or value has 3 dimensions, but got {static.array.ndim}"
            raise refuse(IndexError, text, name, static)
        for i, expected in ((0, batch * heads), (2, width)):
            if static.array.shape[i] != expected:
                text = f"expecting static_k.size({i}) of {expected}, but got {static.array.shape[i]}"
                raise refuse(AssertionError, text, name, static)
        return F.reshape(static, (batch, heads, -1, width))
    if x.array.shape[1] != batch:
        text = f"shape '{[x.array.shape[0], batch * heads, width]}' is invalid for input of size {x.array.size}"
        raise refuse(RuntimeError, text, "multi_head_attention_forward", x, mend="queries and keys have one batch size")
    return F.permute(F.reshape(x, (x.array.shape[0], batch, heads, width)), (1, 2, 0, 3))
