"""PyTorch's products: matmul in all ranks, and einsum."""

from __future__ import annotations

import math
import string
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinygrad_pt import dtypes, ops
from tinygrad_pt.calling import wrap
from tinygrad_pt.errors import broadcast_text, refuse
from tinygrad_pt.functions.arguments import Number, axis_from, flat_in, promoted
from tinygrad_pt.functions.binding import in_place
from tinygrad_pt.functions.checks import checked, expect_tensor, into, not_a, unsupported
from tinygrad_pt.functions.shaping import diagonal, expand
from tinygrad_pt.graph import Tensor
from tinygrad_pt.half import in_float32
from tinygrad_pt.views import as_own

__all__ = [
    "addbmm", "addmm", "addmv", "addmv_", "addr", "baddbmm", "bmm", "dot", "einsum", "ger", "inner", "matmul", "mm",
    "mv", "outer", "tensordot", "vdot",
]  # fmt: skip

MENDS = "their inner sizes must agree; perhaps one of them wants a transpose (.T)"


KERNELS = {"mm": "addmm_impl_cpu_", "mv": "addmv_impl_cpu", "dot": "dot", "inner": "dot"}  # all others use bmm
BOOL = np.dtype(bool)


def same_dtype(a: Tensor, b: Tensor, op: str) -> None:
    """Products do not promote: both factors must have one dtype. PyTorch has a text for each of its kernels."""
    if a.array.dtype == b.array.dtype == BOOL:
        raise unsupported(KERNELS.get(op, "bmm"), op, a, b)
    if a.array.dtype != b.array.dtype:
        one, two = (dtypes.of(x.array.dtype) for x in (a, b))
        texts = {
            "mm": f"expected m1 and m2 to have the same dtype, but got: {one.c_name} != {two.c_name}",
            "mv": f"addmv input tensors must have the same dtype, but got {two.spoken}, {one.spoken}, and {two.spoken}",
            "bmm": f"expected scalar type {one.spoken} but found {two.spoken}",
            "dot": f"dot : expected both vectors to have same dtype, but found {one.spoken} and {two.spoken}",
            "inner": "both inputs should have same dtype",
        }
        text = texts.get(op, f"mat1 and mat2 must have the same dtype, but got {one.spoken} and {two.spoken}")
        raise refuse(RuntimeError, text, op, a, b, mend=f"convert one of them: x.to(torch.{two.name})")


def mm(input: Tensor, mat2: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Matrix times matrix: (n, m)·(m, p) → (n, p)."""
    if out is not None:
        return into(out, "mm", mm(input, mat2))
    a, b = expect_tensor(input, "mm").array, expect_tensor(mat2, "mm", "mat2", 2).array
    if a.ndim != 2 or b.ndim != 2:
        text = f"{'self' if a.ndim != 2 else 'mat2'} must be a matrix"
        raise refuse(RuntimeError, text, "mm", input, mat2, mend=MENDS)
    if a.shape[1] != b.shape[0]:
        raise refuse(RuntimeError, _mm_text(*a.shape, *b.shape), "matmul", input, mat2, mend=MENDS)
    if a.dtype is not b.dtype or a.dtype is BOOL:
        same_dtype(input, mat2, "mm")
    return ops.mm(input, mat2)


def mv(input: Tensor, vec: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Matrix times vector: (n, m)·(m,) → (n,)."""
    if out is not None:
        return into(out, "mv", mv(input, vec))
    a, b = expect_tensor(input, "mv").array, expect_tensor(vec, "mv", "vec", 2).array
    text = ""
    if a.ndim != 2 or b.ndim != 1:
        text = f"vector + matrix @ vector expected, got 1, {a.ndim}, {b.ndim}"
    elif a.shape[1] != b.shape[0]:
        text = _mv_text(a.shape[0], a.shape[1], b.shape[0])
    if text:
        raise refuse(RuntimeError, text, "mv", input, vec, mend=MENDS)
    same_dtype(input, vec, "mv")
    return ops.mv(input, vec)


def _mm_text(n: int, m: int, k: int, p: int) -> str:
    return f"mat1 and mat2 shapes cannot be multiplied ({n}x{m} and {k}x{p})"


def _mv_text(n: int, m: int, k: int) -> str:
    return f"size mismatch, got input ({n}), mat ({n}x{m}), vec ({k})"


def dot(input: Tensor, tensor: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Σ aᵢ bᵢ of two vectors."""
    if out is not None:
        return into(out, "dot", dot(input, tensor))
    a, b = expect_tensor(input, "dot").array, expect_tensor(tensor, "dot", "tensor", 2).array
    text = ""
    if a.ndim != 1 or b.ndim != 1:
        text = f"1D tensors expected, but got {a.ndim}D and {b.ndim}D tensors"
    elif a.dtype == b.dtype and a.size != b.size:
        text = f"inconsistent tensor size, expected tensor [{a.size}] and src [{b.size}] to have the same number of "
        text += f"elements, but got {a.size} and {b.size} elements respectively"
    if text:
        raise refuse(RuntimeError, text, "dot", input, tensor, mend=MENDS)
    same_dtype(input, tensor, "dot")
    return ops.dot(input, tensor)


@checked
def vdot(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """`dot`."""
    return dot(input, other)


def matmul(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The product over the last axis of one and the last but one of the other, in all ranks.

    Vectors are rows on the left and columns on the right; leading axes broadcast. No promotion: both factors must have
    one dtype.

    >>> import tinygrad_pt as torch
    >>> torch.ones(2, 3) @ torch.ones(3), (torch.ones(5, 1, 2, 3) @ torch.ones(4, 3, 2)).shape
    (tensor([3., 3.]), torch.Size([5, 4, 2, 2]))
    """
    if out is not None:
        return into(out, "matmul", matmul(input, other))
    a = expect_tensor(input, "matmul").array
    b = expect_tensor(other, "matmul", "other", 2).array
    if a.ndim == 2 and b.ndim == 2:
        return mm(input, other)
    text = ""
    if a.ndim == 0 or b.ndim == 0:
        text = f"both arguments to matmul need to be at least 1D, but they are {a.ndim}D and {b.ndim}D"
    elif b.ndim == 1 and a.ndim <= 2:
        return dot(input, other) if a.ndim == 1 else mv(input, other)
    elif a.ndim == 1:
        if b.ndim == 2 or b.shape[-2] == a.shape[0]:
            left = ops.reshape(input, shape=(1, a.shape[0]))
            return as_own(ops.squeeze(matmul(left, other), axis=(max(0, b.ndim - 2),)))
        text = _mv_text(b.size // b.shape[-2] if b.shape[-2] else 0, b.shape[-2], a.shape[0])
    elif b.ndim == 1:
        if a.shape[-1] == b.shape[0]:
            y = matmul(input, ops.reshape(other, shape=(b.shape[0], 1)))
            return as_own(ops.squeeze(y, axis=(y.array.ndim - 1,)))
        text = _mv_text(_rows(a), a.shape[-1], b.shape[0])
    else:
        text = broadcast_text(a.shape[:-2], b.shape[:-2])
        if not text and a.shape[-1] != b.shape[-2]:
            text = _mm_text(_rows(a), a.shape[-1], *b.shape[-2:])
            if b.ndim > 2:
                text = _bmm_text(math.prod(np.broadcast_shapes(a.shape[:-2], b.shape[:-2])), a.shape[-1], b.shape[-2])
    if text:
        raise refuse(RuntimeError, text, "matmul", input, other, mend=MENDS)
    same_dtype(input, other, "mm" if b.ndim == 2 else "bmm")
    return ops.bmm(input, other)


def _rows(a: np.ndarray) -> int:
    return a.size // a.shape[-1] if a.shape[-1] else 0


def _bmm_text(batch: int, m: int, k: int, batch2: int | None = None) -> str:
    got = [batch if batch2 is None else batch2, k]
    return f"Expected size for first two dimensions of batch2 tensor to be: {[batch, m]} but got: {got}."


@checked
def bmm(input: Tensor, mat2: Tensor, *, out: Tensor | None = None) -> Tensor:
    """A batch of matrices times a batch of matrices: (b, n, m)·(b, m, p) → (b, n, p)."""
    a, b = input.array, mat2.array
    if a.ndim != 3 or b.ndim != 3:
        raise refuse(RuntimeError, f"batch{1 if a.ndim != 3 else 2} must be a 3D tensor", mend=MENDS)
    if a.shape[0] != b.shape[0]:
        raise refuse(RuntimeError, _bmm_text(a.shape[0], a.shape[2], b.shape[1], b.shape[0]), mend=MENDS)
    return matmul(input, mat2)


def _plus(input: Tensor, y: Tensor, beta: Number, alpha: Number) -> Tensor:
    """beta · input + alpha · y, in the shape of y. A summand whose factor is 0 counts for nothing, even if it is nan.

    Factors of integers are cut to integers, as in PyTorch.
    """
    x = expand(input, y.array.shape)
    if x.array.dtype != y.array.dtype:
        text = f"self and mat2 must have the same dtype, but got {x.dtype.spoken} and {y.dtype.spoken}"
        raise refuse(RuntimeError, text, mend=f"convert one of them: x.to(torch.{y.dtype.name})")
    if y.array.dtype.kind in "iu":
        beta, alpha = int(beta.real), int(alpha.real)
    if beta == 0:
        return flat_in(y if alpha == 1 else y * alpha, x)
    if alpha == 0:
        return flat_in(x if beta == 1 else x * beta, y)
    return (x if beta == 1 else x * beta) + (y if alpha == 1 else y * alpha)


@checked
@in_float32
def addmm(
    input: Tensor, mat1: Tensor, mat2: Tensor, *, beta: Number = 1, alpha: Number = 1, out: Tensor | None = None
) -> Tensor:
    """beta · input + alpha · mat1·mat2."""
    return _plus(input, mm(mat1, mat2), beta, alpha)


@checked
@in_float32
def addmv(
    input: Tensor, mat: Tensor, vec: Tensor, *, beta: Number = 1, alpha: Number = 1, out: Tensor | None = None
) -> Tensor:
    """beta · input + alpha · mat·vec."""
    return _plus(input, mv(mat, vec), beta, alpha)


@checked
@in_float32
def addr(
    input: Tensor, vec1: Tensor, vec2: Tensor, *, beta: Number = 1, alpha: Number = 1, out: Tensor | None = None
) -> Tensor:
    """beta · input + alpha · vec1 ⊗ vec2."""
    for x, name in ((vec1, "vec1"), (vec2, "vec2")):
        if x.array.ndim != 1:
            text = f"addr: Expected 1-D argument {name}, but got {x.array.ndim}-D"
            raise refuse(RuntimeError, text, "addr", input, vec1, vec2)
    kind = dtypes.result_type(input.array, vec1.array, vec2.array)
    y = outer(*(ops.cast(x, dtype=kind) if x.array.dtype != kind.numpy else x for x in (vec1, vec2)))
    y = _plus(ops.cast(input, dtype=kind) if input.array.dtype != kind.numpy else input, y, beta, alpha)
    return y if out is None else into(out, "addr", y)


@checked
@in_float32
def addbmm(
    input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: Number = 1, alpha: Number = 1, out: Tensor | None = None
) -> Tensor:
    """beta · input + alpha · Σ batch1·batch2, the sum of the products of matrices."""
    product = bmm(batch1, batch2)
    rows = ops.sum(product, axis=0, keepdims=False)
    rows = rows if rows.array.dtype == product.array.dtype else wrap(rows.array.astype(product.array.dtype))
    y = _plus(input, rows, beta, alpha)
    return y if out is None else into(out, "addbmm", y)


@checked
@in_float32
def baddbmm(
    input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: Number = 1, alpha: Number = 1, out: Tensor | None = None
) -> Tensor:
    """beta · input + alpha · batch1·batch2, matrix by matrix."""
    return _plus(input, bmm(batch1, batch2), beta, alpha)


@checked
def inner(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Σ over the last axes of both: yᵢⱼ = Σₖ aᵢₖ bⱼₖ."""
    a, b = input.array, other.array
    if a.ndim == 0 or b.ndim == 0:
        return input * other
    if a.shape[-1] != b.shape[-1]:
        text = "inner() the last dimension must match on both input tensors but got shapes "
        raise refuse(RuntimeError, f"{text}{list(a.shape)} and {list(b.shape)}", mend=MENDS)
    same_dtype(input, other, "inner")
    return tensordot(input, other, dims=([-1], [-1]))


@checked
def outer(input: Tensor, vec2: Tensor, *, out: Tensor | None = None) -> Tensor:
    """yᵢⱼ = aᵢ bⱼ."""
    for name, n in (("self", input.array.ndim), ("vec2", vec2.array.ndim)):
        if n != 1:
            raise refuse(RuntimeError, f"outer: Expected 1-D argument {name}, but got {n}-D", mend=MENDS)
    return ops.mul(ops.unsqueeze(input, axis=1), vec2)


@checked
def tensordot(a: Tensor, b: Tensor, dims: int | Sequence[Any] | Tensor = 2) -> Tensor:
    """Σ over the last `dims` axes of a and the first of b, or over the pairs of axes listed."""
    n, m = a.array.ndim, b.array.ndim
    if isinstance(dims, Tensor):
        dims = dims.tolist()
    if isinstance(dims, int):
        if not 0 <= dims <= min(n, m):
            bound = ">= 0" if dims < 0 else "< ndim_a or ndim_b"
            raise refuse(RuntimeError, f"tensordot expects dims {bound}, but got dims={dims}", "tensordot", a, b)
        dims = (range(-dims, 0), range(dims))
    if len(dims) != 2:
        raise refuse(RuntimeError, "tensordot expects dims to be int or two lists of ints")
    named = [[ds] if isinstance(ds, int) else list(ds) for ds in dims]
    left, right = ([axis_from(d, k) for d in ds] for ds, k in zip(named, (n, m), strict=True))
    if len(left) != len(right):
        raise refuse(RuntimeError, "both dimension lists should have same length")
    for i, j in zip(*named, strict=True):
        s, r = a.array.shape[i], b.array.shape[j]
        if s != r and 1 not in (s, r):
            text = f"contracted dimensions need to match, but first has size {s} in dim {i} and second has size {r} in "
            raise refuse(RuntimeError, f"{text}dim {j}")
    names = string.ascii_letters
    one = list(names[:n])
    two = [one[left[right.index(j)]] if j in right else names[n + j] for j in range(m)]
    out = [c for i, c in enumerate(one) if i not in left] + [c for j, c in enumerate(two) if j not in right]
    return einsum(f"{''.join(one)},{''.join(two)}->{''.join(out)}", a, b)


@checked
@in_float32
def einsum(equation: str | Tensor, *operands: Any) -> Tensor:
    """Einstein's summation: `einsum("ij,jk->ik", a, b)` is the matrix product, and so is
    `einsum(a, [0, 1], b, [1, 2], [0, 2])`.

    Labels missing from the result are summed over; a label twice in a term takes the diagonal; `...` stands for the
    axes that have no label and broadcasts them. Of one tensor whose axes are neither summed nor doubled it is a view.

    >>> import tinygrad_pt as torch
    >>> torch.einsum("ii->i", torch.eye(3)), torch.einsum("i,i", torch.ones(3), torch.ones(3))
    (tensor([1., 1., 1.]), tensor(3.))
    """
    if not operands:
        text = "einsum(): must specify the equation string and at least one operand, or at least one operand and its "
        raise refuse(ValueError, f"{text}subscripts list")
    if isinstance(equation, Tensor):  # tensor, labels, tensor, labels, …, and the labels of the result
        given = (equation, *operands)
        equation = ",".join(map(_letters, given[1::2])) + (f"->{_letters(given[-1])}" if len(given) % 2 else "")
        operands = given[:-1:2]
    if len(operands) == 1 and isinstance(operands[0], (list, tuple)):
        operands = tuple(operands[0])
    for x in operands:
        expect_tensor(x, "einsum", "operands", 2)
    terms, out = _terms(equation, operands)
    sizes: dict[str, int] = {}
    xs = list(operands)
    for i, (x, term) in enumerate(zip(operands, terms, strict=True)):
        for label, n in zip(term, x.array.shape, strict=True):
            seen = sizes.get(label, 1)
            if seen not in (1, n) and n != 1:
                text = f"einsum(): subscript {label} has size {n} for operand {i} which does not broadcast with "
                raise refuse(RuntimeError, f"{text}previously seen size {seen}")
            sizes[label] = seen if n == 1 else n
    for i, term in enumerate(terms):  # an axis of length 1 beside a longer one of that label is broadcast: leave it out
        shape = xs[i].array.shape
        for label, n in zip(term, shape, strict=True):
            first = shape[term.index(label)]
            if n != first:
                text = f"einsum(): subscript {label} is repeated for operand {i} but the sizes don't match, "
                raise refuse(RuntimeError, f"{text}{n} != {first}")
        wide = tuple(j for j, label in enumerate(term) if shape[j] == 1 and sizes[label] != 1)
        if wide:
            xs[i] = ops.squeeze(xs[i], axis=wide)
            terms[i] = "".join(label for j, label in enumerate(term) if j not in wide)
    for i, term in enumerate(terms):  # a label twice in one term: take the diagonal
        for label in dict.fromkeys(term):
            while term.count(label) > 1:
                j = term.index(label)
                k = term.index(label, j + 1)
                xs[i] = diagonal(xs[i], 0, j, k)
                term = term[:j] + term[j + 1 : k] + term[k + 1 :] + label
        others = out + "".join(terms[:i] + terms[i + 1 :])
        alone = tuple(j for j, label in enumerate(term) if label not in others)
        if alone:  # no other term has this label: sum over it at once
            y, kind = ops.sum(xs[i], axis=alone, keepdims=False), xs[i].array.dtype
            if kind.kind in "biu":  # a sum is int64, a factor of a product keeps its dtype
                y = ops.cast(y, dtype=dtypes.int64 if len(xs) == 1 else dtypes.of(kind))
            xs[i] = y
            term = "".join(label for label in term if label in others)
        terms[i] = term
    if len(xs) == 1:
        summed = terms[0] == out and xs[0] is not operands[0]  # the sum itself, not a view of it
        return xs[0] if summed else ops.permute(xs[0], axes=tuple(map(terms[0].index, out)))
    for a, b in zip(operands, operands[1:], strict=False):
        same_dtype(a, b, "einsum")
    return ops.einsum(*promoted(*xs), terms=tuple(terms), out=out)


def _letters(labels: Sequence[Any]) -> str:
    """Labels from 0 to 51 as the letters A … Z, a … z."""
    if not isinstance(labels, (list, tuple)):
        raise not_a("list of ints", labels, "einsum", "subscripts")
    for n in labels:
        if n is not Ellipsis and not (isinstance(n, int) and 0 <= n < 52):
            raise refuse(ValueError, "einsum(): subscript in subscript list is not within the valid range [0, 52)")
    letters = string.ascii_uppercase + string.ascii_lowercase
    return "".join("..." if n is Ellipsis else letters[n] for n in labels)


def _terms(equation: str, operands: tuple[Tensor, ...]) -> tuple[list[str], str]:
    """The labels of each operand and of the result, with `...` replaced by labels of its own."""
    if not isinstance(equation, str):
        raise not_a("str", equation, "einsum", "equation", 1)
    for place, c in enumerate(equation.replace("->", "  ", 1)):
        if c not in string.ascii_letters + "., ":
            found = f"{place} in the equation string, subscripts must be in [a-zA-Z]"
            raise refuse(RuntimeError, f"einsum(): invalid subscript given at index {found}")
    left, arrow, right = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(operands):
        more = "more" if len(terms) < len(operands) else "fewer"
        raise refuse(RuntimeError, f"einsum(): {more} operands were provided than specified in the equation")
    spare = [c for c in string.ascii_letters if c not in equation]
    widest = 0
    for i, (term, x) in enumerate(zip(terms, operands, strict=True)):
        if "." in term.replace("...", "", 1):
            text = f"einsum(): found '.' for operand {i} that is not part of any ellipsis"
            raise refuse(RuntimeError, text)
        labels = len(term.replace("...", ""))
        free = x.array.ndim - labels
        if free < 0 or (free and "..." not in term):
            text = f"einsum(): the number of subscripts in the equation ({labels}) does not match the number of "
            dims = f"dimensions ({x.array.ndim}) for operand {i} and no ellipsis was given"
            raise refuse(RuntimeError, f"{text}{dims}")
        if "..." in term:
            widest = max(widest, free)
            terms[i] = term.replace("...", "".join(spare[:free][::-1]))
    dots = "".join(spare[:widest][::-1])
    flat = "".join(terms)
    if not arrow:
        right = dots + "".join(sorted(c for c in set(flat) if flat.count(c) == 1 and c not in dots))
    right = right.replace("...", dots)
    for c in right:
        if c not in flat:
            what = f"subscript {c} does not appear in the equation for any input operand"
            raise refuse(RuntimeError, f"einsum(): output {what}")
        if right.count(c) > 1:
            what = f"subscript {c} appears more than once in the output"
            raise refuse(RuntimeError, f"einsum(): output {what}")
    return terms, right


addmv_ = in_place(addmv)
ger = outer


# ------------------------------------------------------------------------------------------ as methods
class Linalg:
    """The methods of a tensor that this file defines."""

    __slots__ = ()  # so that tensors are as small, and made as fast, as if the class were not there

    addmm, addmv, baddbmm, bmm, dot, inner, matmul, mm, mv = addmm, addmv, baddbmm, bmm, dot, inner, matmul, mm, mv
    addbmm, addr, ger, outer, vdot = addbmm, addr, ger, outer, vdot

    # each of these changes the tensor itself
    addbmm_, addmm_, addmv_, addr_ = in_place(addbmm), in_place(addmm), addmv_, in_place(addr)
    baddbmm_ = in_place(baddbmm)
