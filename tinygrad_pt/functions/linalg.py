"""PyTorch's products: matmul in all ranks, and einsum."""

from __future__ import annotations

import math
import string
from typing import Any

import numpy as np

from tinygrad_pt import dtypes, ops
from tinygrad_pt.errors import broadcast_text, refuse
from tinygrad_pt.functions.arguments import expect_tensor
from tinygrad_pt.functions.shaping import diagonal, expand

__all__ = [
    "addmm", "addmv", "baddbmm", "bmm", "dot", "einsum", "inner", "matmul", "mm", "mv", "outer", "tensordot", "vdot",
]  # fmt: skip

MENDS = "their inner sizes must agree; perhaps one of them wants a transpose (.T)"


def same_dtype(a: Any, b: Any, op: str) -> None:
    """Products do not promote: both factors must have one dtype. PyTorch has a text for each of its kernels."""
    if a.array.dtype != b.array.dtype:
        one, two = (dtypes.of(x.array.dtype) for x in (a, b))
        texts = {
            "mm": f"expected m1 and m2 to have the same dtype, but got: {one.c_name} != {two.c_name}",
            "mv": f"addmv input tensors must have the same dtype, but got {two.spoken}, {one.spoken}, and {two.spoken}",
            "bmm": f"expected scalar type {one.spoken} but found {two.spoken}",
            "dot": f"dot : expected both vectors to have same dtype, but found {one.spoken} and {two.spoken}",
            "inner": "both inputs should have same dtype",
        }
        raise refuse(
            RuntimeError,
            texts.get(op, f"mat1 and mat2 must have the same dtype, but got {one.spoken} and {two.spoken}"),
            op,
            a,
            b,
            mend=f"convert one of them: x.to(torch.{two.name})",
        )


def _refuse(text: str, op: str, a: Any, b: Any) -> Exception:
    return refuse(RuntimeError, text, op, a, b, mend=MENDS)


def mm(input: Any, mat2: Any) -> Any:
    """Matrix times matrix: (n, m)·(m, p) → (n, p)."""
    a, b = expect_tensor(input, "mm").array, expect_tensor(mat2, "mm", "mat2", 2).array
    if a.ndim != 2 or b.ndim != 2:
        raise _refuse(f"{'self' if a.ndim != 2 else 'mat2'} must be a matrix", "mm", input, mat2)
    if a.shape[1] != b.shape[0]:
        raise _refuse(
            f"mat1 and mat2 shapes cannot be multiplied ({a.shape[0]}x{a.shape[1]} and {b.shape[0]}x{b.shape[1]})",
            "matmul", input, mat2,
        )  # fmt: skip
    if a.dtype is not b.dtype:
        same_dtype(input, mat2, "mm")
    return ops.mm(input, mat2)


def mv(input: Any, vec: Any) -> Any:
    """Matrix times vector: (n, m)·(m,) → (n,)."""
    a, b = expect_tensor(input, "mv").array, expect_tensor(vec, "mv", "vec", 2).array
    if a.ndim != 2 or b.ndim != 1:
        raise _refuse(f"vector + matrix @ vector expected, got 1, {a.ndim}, {b.ndim}", "mv", input, vec)
    if a.shape[1] != b.shape[0]:
        raise _refuse(_mv_text(a.shape[0], a.shape[1], b.shape[0]), "mv", input, vec)
    same_dtype(input, vec, "mv")
    return ops.mv(input, vec)


def _mv_text(n: int, m: int, k: int) -> str:
    return f"size mismatch, got input ({n}), mat ({n}x{m}), vec ({k})"


def dot(input: Any, tensor: Any) -> Any:
    """Σ aᵢ bᵢ of two vectors."""
    a, b = input.array, tensor.array
    if a.ndim != 1 or b.ndim != 1:
        raise _refuse(f"1D tensors expected, but got {a.ndim}D and {b.ndim}D tensors", "dot", input, tensor)
    if a.shape != b.shape:
        raise _refuse(
            f"inconsistent tensor size, expected tensor [{a.shape[0]}] and src [{b.shape[0]}] to have the "
            "same number of "
            f"elements, but got {a.shape[0]} and {b.shape[0]} elements respectively", "dot", input, tensor,
        )  # fmt: skip
    same_dtype(input, tensor, "dot")
    return ops.dot(input, tensor)


def matmul(input: Any, other: Any) -> Any:
    """The product over the last axis of one and the last but one of the other, in all ranks.

    Vectors are rows on the left and columns on the right; leading axes broadcast. No promotion: both factors
    must have one dtype.

    >>> import tinygrad_pt as torch
    >>> torch.ones(2, 3) @ torch.ones(3), (torch.ones(5, 1, 2, 3) @ torch.ones(4, 3, 2)).shape
    (tensor([3., 3.]), torch.Size([5, 4, 2, 2]))
    """
    a = expect_tensor(input, "matmul").array
    b = expect_tensor(other, "matmul", "other", 2).array
    if a.ndim == 2 and b.ndim == 2:
        return mm(input, other)
    if a.ndim == 0 or b.ndim == 0:
        raise _refuse(
            f"both arguments to matmul need to be at least 1D, but they are {a.ndim}D and {b.ndim}D",
            "matmul",
            input,
            other,
        )
    if a.ndim == 1 and b.ndim == 1:
        return dot(input, other)
    if a.ndim == 2 and b.ndim == 1:
        return mv(input, other)
    if a.ndim == 1:
        if b.ndim > 2 and b.shape[-2] != a.shape[0]:
            raise _refuse(_mv_text(b.size // b.shape[-2], b.shape[-2], a.shape[0]), "matmul", input, other)
        left = ops.reshape(input, shape=(1, a.shape[0]))
        return ops.squeeze(matmul(left, other), axis=(max(0, b.ndim - 2),))
    if b.ndim == 1:
        if a.shape[-1] != b.shape[0]:
            raise _refuse(_mv_text(_rows(a), a.shape[-1], b.shape[0]), "matmul", input, other)
        y = matmul(input, ops.reshape(other, shape=(b.shape[0], 1)))
        return ops.squeeze(y, axis=(y.array.ndim - 1,))
    text = broadcast_text(a.shape[:-2], b.shape[:-2])
    if text:
        raise _refuse(text, "matmul", input, other)
    if a.shape[-1] != b.shape[-2]:
        batch = math.prod(np.broadcast_shapes(a.shape[:-2], b.shape[:-2]))
        raise _refuse(
            f"mat1 and mat2 shapes cannot be multiplied ({_rows(a)}x{a.shape[-1]} and {b.shape[-2]}x{b.shape[-1]})"
            if b.ndim == 2 else
            f"Expected size for first two dimensions of batch2 tensor to be: [{batch}, {a.shape[-1]}] but got: "
            f"[{batch}, {b.shape[-2]}].", "matmul", input, other,
        )  # fmt: skip
    same_dtype(input, other, "mm" if b.ndim == 2 else "bmm")
    return ops.bmm(input, other)


def _rows(a: Any) -> int:
    return a.size // a.shape[-1] if a.shape[-1] else 0


def bmm(input: Any, mat2: Any) -> Any:
    """A batch of matrices times a batch of matrices: (b, n, m)·(b, m, p) → (b, n, p)."""
    expect_tensor(input, "bmm"), expect_tensor(mat2, "bmm", "mat2", 2)
    if input.array.ndim != 3 or mat2.array.ndim != 3:
        raise _refuse(f"batch{1 if input.array.ndim != 3 else 2} must be a 3D tensor", "bmm", input, mat2)
    if input.array.shape[0] != mat2.array.shape[0]:
        s = input.array.shape
        raise _refuse(
            f"Expected size for first two dimensions of batch2 tensor to be: [{s[0]}, {s[2]}] but got: "
            f"[{mat2.array.shape[0]}, {mat2.array.shape[1]}].", "bmm", input, mat2,
        )  # fmt: skip
    return matmul(input, mat2)


def _plus(input: Any, y: Any, beta: float, alpha: float) -> Any:
    """beta · input + alpha · y, in the shape of y."""
    x = expand(input, y.array.shape)
    return (x if beta == 1 else x * beta) + (y if alpha == 1 else y * alpha)


def addmm(input: Any, mat1: Any, mat2: Any, *, beta: float = 1, alpha: float = 1) -> Any:
    """beta · input + alpha · mat1·mat2."""
    return _plus(expect_tensor(input, "addmm"), mm(mat1, mat2), beta, alpha)


def addmv(input: Any, mat: Any, vec: Any, *, beta: float = 1, alpha: float = 1) -> Any:
    """beta · input + alpha · mat·vec."""
    return _plus(expect_tensor(input, "addmv"), mv(mat, vec), beta, alpha)


def baddbmm(input: Any, batch1: Any, batch2: Any, *, beta: float = 1, alpha: float = 1) -> Any:
    """beta · input + alpha · batch1·batch2, matrix by matrix."""
    return _plus(expect_tensor(input, "baddbmm"), bmm(batch1, batch2), beta, alpha)


def inner(input: Any, other: Any) -> Any:
    """Σ over the last axes of both: yᵢⱼ = Σₖ aᵢₖ bⱼₖ."""
    a, b = expect_tensor(input, "inner").array, expect_tensor(other, "inner", "other", 2).array
    if a.ndim == 0 or b.ndim == 0:
        return input * other
    if a.shape[-1] != b.shape[-1]:
        raise _refuse(
            "inner() the last dimension must match on both input tensors but got shapes "
            f"{list(a.shape)} and {list(b.shape)}", "inner", input, other,
        )  # fmt: skip
    same_dtype(input, other, "inner")
    return tensordot(input, other, dims=([-1], [-1]))


def outer(input: Any, vec2: Any) -> Any:
    """yᵢⱼ = aᵢ bⱼ."""
    for name, x in (("self", input), ("vec2", vec2)):
        if x.array.ndim != 1:
            raise _refuse(f"outer: Expected 1-D argument {name}, but got {x.array.ndim}-D", "outer", input, vec2)
    return ops.mul(ops.unsqueeze(input, axis=1), vec2)


def tensordot(a: Any, b: Any, dims: Any = 2) -> Any:
    """Σ over the last `dims` axes of a and the first of b, or over the pairs of axes listed."""
    n, m = a.array.ndim, b.array.ndim
    if isinstance(dims, int):
        dims = (range(n - dims, n), range(dims))
    left, right = ([d % k for d in ([ds] if isinstance(ds, int) else ds)] for ds, k in zip(dims, (n, m), strict=True))
    names = string.ascii_letters
    one = list(names[:n])
    two = [one[left[right.index(j)]] if j in right else names[n + j] for j in range(m)]
    out = [c for i, c in enumerate(one) if i not in left] + [c for j, c in enumerate(two) if j not in right]
    return einsum(f"{''.join(one)},{''.join(two)}->{''.join(out)}", a, b)


def einsum(equation: str, *operands: Any) -> Any:
    """Einstein's summation: `einsum("ij,jk->ik", a, b)` is the matrix product.

    Labels missing from the result are summed over; a label twice in a term takes the diagonal; `...` stands for
    the axes that have no label and broadcasts them.

    >>> import tinygrad_pt as torch
    >>> torch.einsum("ii->i", torch.eye(3)), torch.einsum("i,i", torch.ones(3), torch.ones(3))
    (tensor([1., 1., 1.]), tensor(3.))
    """
    if len(operands) == 1 and isinstance(operands[0], (list, tuple)):
        operands = tuple(operands[0])
    for x in operands:
        expect_tensor(x, "einsum", "operands", 2)
    terms, out = _terms(equation, operands)
    sizes: dict[str, int] = {}
    xs: list[Any] = []
    for i, (x, term) in enumerate(zip(operands, terms, strict=True)):
        for label, n in zip(term, x.array.shape, strict=True):
            if sizes.get(label, 1) not in (1, n) and n != 1:
                raise refuse(
                    RuntimeError,
                    f"einsum(): subscript {label} has size {n} for operand {i} which does not broadcast "
                    "with previously "
                    f"seen size {sizes[label]}",
                    "einsum",
                    *operands,
                )
            sizes[label] = max(n, sizes.get(label, n)) if n != 0 else 0
        xs.append(x)
    for i, term in enumerate(terms):  # a label twice in one term: take the diagonal
        for label in dict.fromkeys(term):
            while term.count(label) > 1:
                j = term.index(label)
                k = term.index(label, j + 1)
                xs[i] = diagonal(xs[i], 0, j, k)
                term = term[:j] + term[j + 1 : k] + term[k + 1 :] + label
        others = out + "".join(terms[:i] + terms[i + 1 :])
        alone = tuple(j for j, label in enumerate(term) if label not in others)
        if alone:  # a label nobody shares: sum over it at once
            xs[i] = ops.sum(xs[i], axis=alone, keepdims=False)
            term = "".join(label for label in term if label in others)
        terms[i] = term
    for a, b in zip(xs, xs[1:], strict=False):
        same_dtype(a, b, "einsum")
    return ops.einsum(*xs, terms=tuple(terms), out=out)


def _terms(equation: str, operands: tuple[Any, ...]) -> tuple[list[str], str]:
    """The labels of each operand and of the result, with `...` replaced by labels of its own."""
    left, arrow, right = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(operands):
        more = "more" if len(terms) < len(operands) else "fewer"
        raise RuntimeError(f"einsum(): {more} operands were provided than specified in the equation")
    spare = [c for c in string.ascii_letters if c not in equation]
    widest = 0
    for i, (term, x) in enumerate(zip(terms, operands, strict=True)):
        named = len(term.replace("...", ""))
        free = x.array.ndim - named
        if free < 0 or (free and "..." not in term):
            raise RuntimeError(
                f"einsum(): the number of subscripts in the equation ({named}) does not match the number of dimensions "
                f"({x.array.ndim}) for operand {i} and no ellipsis was given"
            )
        if "..." in term:
            widest = max(widest, free)
            terms[i] = term.replace("...", "".join(spare[:widest][::-1])[-free:] if free else "")
    dots = "".join(spare[:widest][::-1])
    if not arrow:
        flat = "".join(terms)
        right = dots + "".join(sorted(c for c in set(flat) if flat.count(c) == 1 and c not in dots))
    else:
        right = right.replace("...", dots)
    for term in terms:
        for c in term:
            if c not in string.ascii_letters:
                raise RuntimeError(
                    f"einsum(): invalid subscript given at index {equation.find(c)} in the equation "
                    "string, subscripts must be in [a-zA-Z]"
                )  # noqa: E501
    for c in right:
        if c not in "".join(terms):
            raise RuntimeError(f"einsum(): output subscript {c} does not appear in the equation for any input operand")
    return terms, right


def vdot(input: Any, other: Any) -> Any:
    """`dot`."""
    return dot(input, other)


# ------------------------------------------------------------------------------------------ as methods
class Linalg:
    """The methods of a tensor that this file defines."""

    addmm, addmv, baddbmm, bmm, dot, inner, matmul, mm, mv = addmm, addmv, baddbmm, bmm, dot, inner, matmul, mm, mv
    outer, vdot = outer, vdot
