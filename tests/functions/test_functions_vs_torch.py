"""Every function of the tensor vocabulary against PyTorch 2.13: value, dtype, shape, error, warning, gradient.

The tables hold expressions. Each is evaluated twice over the same operands, once with `torch` meaning PyTorch and
once with `torch` meaning this package, and what comes out must be the same: either the same values, dtypes and
shapes, or the same type of error with the same first line.
"""

import math
import warnings

import numpy as np
import pytest

import tinygrad_pt as tg

torch = pytest.importorskip("torch")

RNG = np.random.default_rng(7)
SPECIAL = np.array([-np.inf, -3.7, -1.0, -0.5, -0.0, 0.0, 0.5, 1.0, 2.5, 3.5, np.inf, np.nan])
OPERANDS = {
    "f": RNG.standard_normal((2, 3)).astype("float32"),
    "g": RNG.standard_normal((2, 3)).astype("float32"),
    "d": RNG.standard_normal((2, 3)),
    "h": np.array([[0.5, -1.5, 2.0]], "float16"),
    "i": np.array([[1, -2, 3], [4, 0, -7]]),
    "j": np.array([[2, 3, -4], [1, 5, 2]]),
    "s": np.array([3, 1, 2], "int32"),
    "u": np.array([200, 100, 3], "uint8"),
    "w": np.array([-100, 100, 3], "int8"),
    "b": np.array([[True, False, True], [False, False, True]]),
    "v": np.array([1.0, -2.0, 3.0], "float32"),
    "z": np.array(2.5, "float32"),
    "zd": np.array(-1.5),
    "zi": np.array(3),
    "zb": np.array(True),
    "e": np.zeros((0,), "float32"),
    "e3": np.zeros((0, 3), "float32"),
    "e2": np.zeros((2, 0), "float32"),
    "ei": np.zeros((0,), "int64"),
    "t": RNG.standard_normal((3, 2)).astype("float32"),
    "q": RNG.standard_normal((2, 3, 4)).astype("float32"),
    "r": np.array([[3.0, 1.0, 3.0, 2.0], [0.0, 0.0, -1.0, 0.0]], "float32"),
    "x": SPECIAL,
    "xf": SPECIAL.astype("float32"),
    "n": np.array([[1.0, np.nan, -2.0], [np.inf, 0.0, np.nan]], "float32"),
    "p": np.abs(RNG.standard_normal((2, 3))) + 0.5,
    "k": np.array([[0, 2, 1], [1, 1, 0]]),
}


def operands(library):
    """Fresh tensors of one library; `nc` and `nq` are not contiguous."""
    made = {name: library.from_numpy(value.copy()) for name, value in OPERANDS.items()}
    made["nc"] = library.from_numpy(OPERANDS["t"].copy()).t()
    made["nq"] = library.from_numpy(OPERANDS["q"].copy()).permute(2, 0, 1)
    return made | {"torch": library, "np": np, "inf": math.inf, "nan": math.nan}


def plain(value):
    """What a result is, said without either library."""
    if isinstance(value, (torch.Tensor, tg.Tensor)):
        return ("tensor", str(value.dtype), tuple(value.shape), value.detach().numpy().copy())
    if isinstance(value, np.ndarray):
        return ("array", str(value.dtype), value.shape, value.tolist())
    if isinstance(value, (tuple, list)):
        return ("several", [plain(v) for v in value])
    if isinstance(
        value, (torch.dtype, torch.finfo, torch.iinfo, torch.device, tg.dtype, tg.finfo, tg.iinfo, tg.device)
    ):
        return ("says", str(value))
    return ("value", type(value).__name__, value)


def outcome(library, expression):
    """The result of an expression, or its error, and the warnings it gave."""
    scope = operands(library)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        warnings.filterwarnings("error", category=RuntimeWarning)  # NumPy's must not reach the user
        try:
            if ";" in expression:
                *steps, expression = expression.split("; ")
                for step in steps:
                    exec(step, scope)
            result = plain(eval(expression, scope))
        except Exception as e:
            result = ("error", type(e).__name__, str(e).split("\n")[0])
    told = [str(w.message).split(" (Triggered")[0].split("\n")[0] for w in seen]
    return result, [text for text in told if not any(once in text for once in ONCE)]


# PyTorch's generated argument parser has its own words for calls of the wrong form; there the type is enough.
PARSER = ("received an invalid combination", "missing 1 required", "must be tuple of ints", "positional argument",
          "must be int, not", "unsupported operand")  # fmt: skip
# PyTorch gives these warnings once per process, and we where Python's filters say.
ONCE = (
    "The use of `x.T`", "extremely slow", "on 0-D tensors", "torch.uint8 is now deprecated", "non-tuple sequence",
    "NumPy 2.0",
        "it will be required to pass", "where received a uint8", "The reduce argument of torch.scatter")  # fmt: skip


def same(ours, theirs):
    if ours[0] != theirs[0]:
        return False
    if ours[0] == "error" and ours[2].split(" The only supported")[0] == theirs[2].split(" The only supported")[0]:
        return ours[1] == theirs[1]
    if ours[0] == "error" and any(text in theirs[2] for text in PARSER):
        return ours[1] == theirs[1]
    if ours[0] == "several":
        return len(ours[1]) == len(theirs[1]) and all(map(same, ours[1], theirs[1]))
    if ours[0] == "tensor":
        if ours[1:3] != theirs[1:3]:
            return False
        a, b = ours[3], theirs[3]
        if a.dtype.kind in "biu":
            return np.array_equal(a, b)
        tolerance = {"float16": 2e-3, "float32": 2e-6, "complex64": 2e-6}.get(a.dtype.name, 1e-12)
        return np.allclose(a, b, tolerance, tolerance, equal_nan=True)
    if ours[0] == "value" and isinstance(ours[2], float):
        return ours[1] == theirs[1] and math.isclose(ours[2], theirs[2], rel_tol=1e-6) or str(ours) == str(theirs)
    return ours == theirs


def differences(expressions):
    found = []
    for expression in expressions:
        theirs, their_warnings = outcome(torch, expression)
        ours, our_warnings = outcome(tg, expression)
        if not same(ours, theirs) or their_warnings != our_warnings:
            found.append(f"{expression}\n  torch: {theirs} {their_warnings}\n  ours:  {ours} {our_warnings}")
    return found


def cross(template, **choices):
    """All expressions a template stands for: `{a}` is replaced by each of the words in `a="…"`."""
    texts = [template]
    for name, words in choices.items():
        words = words.split() if isinstance(words, str) else words
        texts = [t.replace("{" + name + "}", w) for t in texts for w in words]
    return texts


SMOOTH = (
    "exp expm1 exp2 log log1p log2 log10 sqrt rsqrt square reciprocal sin cos tan asin acos atan sinh cosh tanh asinh "
    "acosh atanh sigmoid"
)
STEPS = "abs sign floor ceil trunc round frac relu neg positive sgn isnan isinf isfinite logical_not clone"
ANY = "f d h i s u w b z zi zb e ei nc x xf n"
TABLE = {
    "unary": cross("torch.{f}({a})", f=SMOOTH + " " + STEPS, a=ANY),
    "unary methods": cross("{a}.{f}()", f=SMOOTH + " " + STEPS, a="f i b"),
    "arithmetic": cross(
        "{a} {o} {c}", o="+ - * / // %", a="f i b u z zi zd n nc e", c="f d h i b u w z zi zd zb 2 2.5 True -3 v s e"
    ),
    "power": cross("{a} ** {c}", a="f i b u z zi zd nc e s p", c="f d i b u z zi zd 2 2.5 -1 0 0.5 1 j k -2.0 True")
    + cross("{c} ** {a}", a="f i b z zi", c="2 2.5 -2 0 True"),
    "reflected": cross("{c} {o} {a}", o="+ - * / // %", a="f i b u z zi", c="2 2.5 True -3 0"),
    "division by zero": cross("{a} {o} {c}", o="/ // %", a="f i z zi u", c="0 0.0")
    + cross("torch.fmod({a}, {c})", a="f i u", c="0 0.0 2 -3 j f 2.5"),
    "comparison": cross("{a} {o} {c}", o="== != < <= > >=", a="f i b z n u", c="f d i b z zi zd 2 2.5 True n v"),
    "comparison functions": cross("torch.{f}({a}, {c})", f="eq ne lt le gt ge greater less_equal", a="f i", c="g d 1"),
    "logic": cross("torch.{f}({a}, {c})", f="logical_and logical_or logical_xor", a="f i b z", c="f i b v"),
    "bits": cross("{a} {o} {c}", o="& | ^", a="i b u f", c="j b u zi 3 True 2.5 f") + ["~i", "~b", "~u", "~f", "3 & i"],
    "pairs": cross(
        "torch.{f}({a}, {c})", f="maximum minimum atan2 fmod remainder logaddexp hypot", a="f d i", c="g d j v z n"
    ),
    "where": cross("torch.where({a}, {c}, {k})", a="b", c="f i z 2 2.5 zd", k="g d i 3 0.5 zi")
    + [
        "torch.where(f, f, f)",
        "torch.where(b)",
        "torch.where(b.byte(), f, g)",
        "torch.where(b, v, z)",
        "torch.where(b, f, torch.zeros(4))",
        "f.where(b, g)",
        "f.where(b, 0)",
    ],
    "clamp": cross(
        "{a}.clamp({c})",
        a="f i n u b z e",
        c=["0, 1", "min=0", "max=1", "0.5", "min=-0.5, max=0.5", "", "1, 0", "max=v", "v, v+1", "min=z"],
    )
    + ["torch.clip(f, 0, 1)", "f.clip(max=0)", "torch.clamp(i, 0.5)", "torch.clamp(f, min=zd)"],
    "arithmetic functions": cross(
        "torch.{f}({a}, {c})",
        f="add sub mul div floor_divide remainder pow true_divide multiply",
        a="f i",
        c="g j 2 2.5 z",
    )
    + [
        "torch.add(f, g, alpha=2)",
        "torch.sub(f, g, alpha=0.5)",
        "f.add(1, alpha=3)",
        "torch.add(i, j, alpha=2.5)",
        "torch.add(1, f)",
        "torch.mul(2, f)",
        "torch.rsub(f, 1)",
        "torch.add(f, 'a')",
        "torch.add([1.], f)",
        "torch.exp(2.0)",
        "torch.exp([1.0])",
        "torch.exp(None)",
        "f + 'a'",
        "f + None",
        "f + [1]",
        "f * (1, 2)",
        "torch.div(i, j, rounding_mode='trunc')",
        "torch.div(i, j, rounding_mode='floor')",
        "torch.div(f, g, rounding_mode='floor')",
        "torch.div(f, g, rounding_mode='trunc')",
        "torch.div(f, g, rounding_mode='up')",
        "torch.lerp(f, g, 0.5)",
        "torch.lerp(f, g, f)",
        "torch.addcmul(f, g, nc, value=2)",
        "torch.addcdiv(f, g, nc, value=2)",
        "torch.float_power(f, 2)",
        "torch.float_power(i, 2)",
        "f.masked_fill(b, 0)",
        "f.masked_fill(b, z)",
        "f.masked_fill(b, nan)",
        "i.masked_fill(b, 1.5)",
        "f.masked_fill(f, 0)",
        "f.masked_fill(b, v)",
        "torch.nan_to_num(n)",
        "torch.nan_to_num(n, 1., 2., 3.)",
        "torch.nan_to_num(i)",
        "torch.deg2rad(f)",
        "torch.rad2deg(f)",
        "torch.deg2rad(i)",
        "torch.round(x * 10, decimals=1)",
        "torch.round(d, decimals=2)",
        "torch.isclose(f, g)",
        "torch.isclose(n, n)",
        "torch.isclose(n, n, equal_nan=True)",
        "torch.allclose(f, f)",
        "torch.allclose(f, d)",
        "torch.equal(f, f)",
        "torch.equal(f, t)",
        "torch.allclose(i, i)",
        "torch.equal(i, j)",
    ],
    "mismatched": [
        "torch.zeros(3) + torch.zeros(4)",
        "f + t",
        "f * torch.zeros(2, 4)",
        "f == t",
        "torch.maximum(f, t)",
        "f.add(t)",
        "torch.where(b, f, t)",
        "f ** t",
        "f // t",
        "f.clamp(min=t)",
        "torch.atan2(f, t)",
        "f & b",
    ],
}
DIMS = ["", "0", "1", "-1", "dim=0, keepdim=True", "1, True", "(0, 1)", "dim=(0,), keepdim=True", "2", "-3", "()", "None",  # noqa: E501
        "axis=0", "axis=1, keepdims=True", "(0, 0)", "1.5", "'a'"]  # fmt: skip
TABLE |= {
    "sums": cross("{a}.{f}({c})", f="sum mean var std", a="f nc d n", c=DIMS)
    + cross("{a}.{f}({c})", f="sum mean", a="i b u h z e e3 e2 ei", c=["", "0", "-1, True"])
    + cross(
        "torch.{f}({a})", f="sum mean var std prod norm nansum amax amin max min median all any", a="f i b z e n q zb"
    )
    + cross(
        "{a}.{f}({c})",
        f="var std",
        a="f z e e3 v i",
        c=[
            "",
            "0",
            "unbiased=False",
            "correction=0",
            "0, correction=2",
            "False",
            "0, False",
            "dim=0, unbiased=True, keepdim=True",
        ],
    )
    + cross("f.{f}(dtype={c})", f="sum mean prod", c="torch.float64 torch.int64 torch.float16")
    + [
        "q.sum((0, 2))",
        "q.sum((0, -1), keepdim=True)",
        "q.mean([1, 2])",
        "q.var((0, 2))",
        "torch.sum(q, 1, keepdim=True)",
        "torch.sum([1.0])",
        "torch.sum(f, dim=5)",
        "i.mean()",
        "b.mean()",
        "i.std()",
        "q.sum(3)",
        "torch.mean(f, dtype=torch.float64)",
    ],
    "products": cross(
        "{a}.prod({c})", a="f i b u z e e3 nc q", c=["", "0", "-1", "-1, True", "dim=0, keepdim=True", "5"]
    ),
    "norms": cross(
        "{a}.norm({c})",
        a="f z e e3 nc",
        c=["", "2", "1", "inf", "-inf", "0", "3", "dim=0", "2, 0", "p=1, dim=-1, keepdim=True", "'fro'"],
    )
    + ["i.norm()", "q.norm(dim=(0, 1))", "torch.norm(f, dim=1)"],
    "truth": cross("{a}.{f}({c})", f="any all", a="f i b u z e e3 n", c=["", "0", "-1, True", "3"])
    + ["q.all((0, 1))", "f.count_nonzero()", "i.count_nonzero(0)", "b.count_nonzero((0, 1))", "f.count_nonzero(5)"],
    "extremes": cross(
        "{a}.{f}({c})",
        f="max min argmax argmin median",
        a="f i b z r n nc u e e3 q",
        c=["", "0", "-1", "1, True", "dim=0, keepdim=True", "3"],
    )
    + cross("{a}.{f}({c})", f="amax amin", a="f i b z r n nc e e3 q", c=["", "0", "-1, True", "(0, 1)", "3"])
    + [
        "torch.max(f, g)",
        "torch.min(i, 0)",
        "torch.max(f, t)",
        "f.max(g)",
        "torch.aminmax(f)",
        "torch.aminmax(f, dim=0, keepdim=True)",
        "torch.aminmax(e)",
        "f.argmax(keepdim=True)",
        "f.argmax(None)",
        "torch.argmax(f, dim=1, keepdim=True)",
        "f.max(axis=0)",
    ],
    "order": cross(
        "{a}.{f}({c})",
        f="sort argsort",
        a="f i r n nc z e b u q",
        c=["", "0", "-1, True", "dim=0, descending=True", "descending=True, stable=True", "stable=True", "4"],
    )
    + cross("{a}.topk({c})", a="f i q z", c=["1", "2, 0", "1, -1, False", "2, largest=False", "9", "-1", "2, dim=5"])
    + cross("{a}.kthvalue({c})", a="f i n", c=["1", "2, 0", "3", "2, -1, True", "4", "0"])
    + cross("{a}.mode({c})", a="r i b k", c=["", "0", "-1, True"])
    + [
        "torch.unique(r)",
        "torch.unique(r, return_inverse=True)",
        "torch.unique(r, return_counts=True)",
        "k.unique()",
        "torch.unique(i, return_inverse=True, return_counts=True)",
        "torch.unique(n)",
        "torch.bincount(zi.view(1))",
        "torch.bincount(k.view(-1))",
        "torch.bincount(k.view(-1), minlength=5)",
        "torch.bincount(k.view(-1), weights=f.reshape(-1))",
        "torch.bincount(i.view(-1))",
        "torch.bincount(f.view(-1))",
        "torch.searchsorted(v, f)",
        "torch.sort(r, dim=1).values",
        "torch.searchsorted(s.sort()[0], i)",
        "torch.searchsorted(torch.tensor([1., 2., 3.]), 2.5)",
        "torch.searchsorted(torch.tensor([1., 2., 2., 3.]), torch.tensor([2., 0., 5.]), right=True)",
    ],
    "running": cross(
        "{a}.{f}({c})", f="cumsum cumprod cummax cummin", a="f i b n r z e e3 nc q", c=["0", "-1", "dim=1", "4", ""]
    )
    + ["f.cumsum(0, dtype=torch.float64)", "torch.cumprod(i, dim=1)", "torch.cumsum(f, axis=0)"],
    "soft": cross(
        "torch.{f}({a}, {c})", f="softmax log_softmax logsumexp", a="f d z e3 xf nc h i", c=["0", "-1", "dim=1", "3"]
    )
    + [
        "f.softmax(-1)",
        "f.logsumexp((0, 1))",
        "f.logsumexp(0, keepdim=True)",
        "torch.softmax(i, 0, dtype=torch.float32)",
        "f.softmax()",
        "torch.logsumexp(torch.tensor([-inf, -inf]), 0)",
        "torch.logsumexp(torch.tensor([inf, 1.]), 0)",
        "i.logsumexp(0)",
        "torch.softmax(torch.tensor([-inf, -inf]), 0)",
        "torch.softmax(f, 0, torch.float64)",
    ],
    "shapes": cross(
        "{a}.reshape({c})",
        a="f nc e z q e3",
        c=[
            "6",
            "-1",
            "3, 2",
            "(3, -1)",
            "[-1, 1]",
            "-1, -1",
            "4",
            "-2",
            "0, 3",
            "()",
            "torch.Size([6])",
            "",
            "1.5",
            "'a'",
            "4, -1",
            "0, -1",
        ],
    )
    + cross(
        "{a}.view({c})",
        a="f nc e q",
        c=["6", "-1", "3, 2", "(3, -1)", "-1, -1", "4", "2, 3, 1", "torch.int32", "torch.float32"],
    )
    + cross(
        "{a}.{f}()",
        f="flatten ravel squeeze t mT T contiguous clone detach numel dim size tolist is_contiguous nelement "
        "is_floating_point element_size ndimension is_complex is_signed",
        a="f nc z v e",
    )
    + cross("{a}.stride()", a="f nc z v (e+1) (e3*2) (e2+1) (e3+1).t() q[:1] q[:,:1,None]")
    + cross("{a}.mT", a="f v q z")
    + cross("{a}.T", a="f v q z")
    + cross("q.{f}({c})", f="flatten", c=["0, 1", "1", "1, 2", "-2", "2, 1", "5", "start_dim=1"])
    + cross(
        "{a}.{f}({c})",
        f="squeeze unsqueeze",
        a="f z q q[:1] q[:,:1,:1]",
        c=["0", "-1", "1", "2", "3", "-4", "4", "(0, 1)", "(1, 2)"],
    )
    + cross(
        "q.{f}({c})",
        f="transpose permute movedim",
        c=["0, 1", "-1, 0", "2, 0, 1", "(2, 0, 1)", "0, 5", "0, 0, 1", "(0, 1), (1, 2)", "0"],
    )
    + [
        "torch.transpose(f, 0, 1)",
        "torch.permute(q, (1, 0, 2))",
        "q.t()",
        "z.transpose(0, 0)",
        "f.transpose(0, 3)",
        "z.T",
        "v.t()",
        "torch.swapaxes(q, 0, 1)",
        "torch.moveaxis(q, 0, -1)",
        "q.unflatten(2, (2, 2))",
        "q.unflatten(-1, (-1, 2))",
        "q.unflatten(2, (3, 3))",
        "f.view_as(t)",
        "f.reshape_as(t)",
        "f.size(0)",
        "f.size(-1)",
        "f.size(2)",
        "f.size()",
        "f.shape",
        "f.shape[0]",
        "f.shape[:1]",
        "z.shape",
        "f.ndim",
        "torch.numel(f)",
        "f.stride()",
        "f.stride(0)",
        "nc.stride()",
        "f.nbytes",
        "f.itemsize",
        "f.view()",
    ],
    "reversals": cross("q.flip({c})", c=["0", "(0, 1)", "[2]", "-1", "5", "0, 2", "0, 0"])
    + cross("q.roll({c})", c=["1", "-1, 0", "(1, 2), (0, 1)", "5, 2", "1, 7", "(1, 2), 0"])
    + ["torch.flip(f, (1,))", "torch.flip(f, dims=[0])", "z.flip(0)", "e.roll(1)", "torch.roll(f, shifts=1, dims=1)"],
    "repeats": cross(
        "f.expand({c})",
        c=["2, 3", "4, 2, 3", "-1, 3", "4, -1, -1", "2, 4", "3", "(5, 2, 3)", "-1, 2, 3", "0, 2, 3", "-2, 3"],
    )
    + cross("f.repeat({c})", c=["1, 2", "2, 1, 1", "0, 1", "2", "(2, 2)", "-1, 1"])
    + cross("f.{f}({c})", f="tile", c=["2", "2, 1", "(2, 1, 1)"])
    + [
        "v.expand(2, 3)",
        "v[:, None].expand(-1, 4)",
        "z.expand(3)",
        "v.expand_as(f)",
        "v.broadcast_to(2, 3)",
        "torch.broadcast_to(v, (2, 3))",
        "torch.broadcast_tensors(v, f)",
        "torch.broadcast_shapes((2, 1), (3,))",
        "torch.broadcast_shapes((2,), (3,))",
        "v.repeat_interleave(2)",
        "f.repeat_interleave(2, 0)",
        "f.repeat_interleave(torch.tensor([1, 2]), dim=0)",
        "torch.repeat_interleave(v, 2)",
        "z.repeat(3)",
        "f.repeat_interleave(2, dim=-1)",
        "f.repeat_interleave(torch.tensor([1, 2, 3]), dim=0)",
        "f.repeat()",
    ],
    "joins": [
        "torch.cat([f, g])",
        "torch.cat((f, g), 1)",
        "torch.cat([f, g], dim=-1)",
        "torch.cat([f, e])",
        "torch.cat([f, t])",
        "torch.cat([])",
        "torch.cat([f, v])",
        "torch.cat([z, z])",
        "torch.cat(f)",
        "torch.cat([f, 1])",
        "torch.cat([f, i])",
        "torch.cat([i, b])",
        "torch.cat([f, g], 2)",
        "torch.cat([f, d])",
        "torch.stack([f, g])",
        "torch.stack([f, g], 1)",
        "torch.stack([f, g], -1)",
        "torch.stack([f, t])",
        "torch.stack([])",
        "torch.stack([z, z])",
        "torch.stack([f, g], 4)",
        "torch.stack([f, i])",
        "torch.hstack([f, g])",
        "torch.hstack([v, v])",
        "torch.vstack([v, v])",
        "torch.hstack([z, z])",
        "torch.vstack([f, v])",
        "torch.concat([f, g])",
        "torch.cat([f, g], axis=1)",
        "torch.cat([f[:1], t[:, :1].t(), g[:1]], 0)",
        "torch.stack((v, v), dim=1)",
        "torch.stack(f)",
        "torch.cat([e, e])",
        "torch.cat([e3, f])",
        "torch.cat([None, f])",
        "torch.cat('ab')",
        "torch.vstack([z, z])",
        "torch.cat([f, g, t.t()], 0)",
        "torch.cat([f], 0)",
        "torch.concatenate([f, g], dim=1)",
        "torch.cat([v, v, z])",
    ],
    "cuts": cross(
        "q.split({c})",
        c=["1", "2, 1", "2, dim=2", "[1, 1]", "[1, 2], 1", "[1, 1], 1", "0", "-1", "5", "(2, 2), -1", "1, 7"],
    )
    + cross("q.chunk({c})", c=["2", "2, 1", "3, -1", "5, 2", "0", "1"])
    + cross("q.tensor_split({c})", c=["2, 1", "3, 2", "(1, 2), 1", "(1, 5), 2", "0"])
    + cross("q.unbind({c})", c=["", "1", "-1", "4"])
    + cross(
        "q.narrow({c})", c=["0, 0, 1", "1, 1, 2", "2, -2, 2", "1, 2, 2", "1, 4, 1", "0, 0, 0", "5, 0, 1", "1, 0, -1"]
    )
    + cross("q.select({c})", c=["0, 1", "1, -1", "2, 4", "3, 0"])
    + cross("v.unfold({c})", c=["0, 2, 1", "0, 3, 1", "0, 4, 1", "0, 1, 2", "0, 2, 0"])
    + [
        "torch.split(f, 1)",
        "torch.chunk(f, 2, dim=1)",
        "torch.unbind(f)",
        "z.unbind()",
        "z.split(1)",
        "e3.unbind()",
        "torch.unbind(e2, 1)",
        "e.split(2)",
        "e.chunk(2)",
        "torch.split(f, [1, 2], dim=1)",
        "z.select(0, 0)",
        "q.split(1.5)",
        "torch.split(f, 1, dim=1)",
    ],
    "triangles": cross("{a}.{f}({c})", f="tril triu", a="f q i b", c=["", "1", "-1", "diagonal=2"])
    + [
        "v.tril()",
        "z.triu()",
        "f.diag()",
        "v.diag()",
        "v.diag(1)",
        "v.diag(-1)",
        "f.diag(1)",
        "q.diag()",
        "z.diag()",
        "f.diagonal()",
        "q.diagonal(1, 1, 2)",
        "q.diagonal(dim1=0, dim2=2)",
        "q.diagonal(0, 1, 1)",
        "v.diagonal()",
        "f.trace()",
        "i.trace()",
        "q.trace()",
        "torch.trace(f)",
        "f.diagonal(5)",
        "torch.meshgrid(v, s, indexing='ij')",
        "torch.meshgrid(v, v[:2], indexing='xy')",
        "torch.meshgrid(v, v[:2])",
        "torch.meshgrid([v, v], indexing='ij')",
    ],
    "basic indices": cross(
        "q[{c}]",
        c=[
            "0",
            "-1",
            "1:",
            "::2",
            "...",
            "None",
            ":, 1",
            "..., 0",
            "0, 1, 2",
            "1, :, ::2",
            "None, 0",
            ":, None",
            "..., None",
            "5",
            "0, 7",
            "0, 0, 0, 0",
            "::-1",
            "1:1",
            "-1:",
            ":100",
            "0, ..., 1",
            "..., ...",
            "1.5",
            "'a'",
            "True",
            "False",
            "zi",
            "slice(None)",
            "()",
            "-3",
            ":, -4",
            "zb",
            "torch.tensor(1)",
            "torch.tensor(1):",
            "np.int64(1)",
            "2:1",
            "None, None",
        ],
    )
    + cross("z[{c}]", c=["0", "...", "None", "()", ":", "True", "zb"])
    + cross("e[{c}]", c=["0", ":", "None", "ei"])
    + cross("e3[{c}]", c=["0", ":", ":, 1", "ei", ":, k[0]"])
    + ["f[0][1]", "nc[1:, 0]", "f[:, [0]][0]", "list(v)", "list(f)", "len(f)", "len(z)", "list(z)"],
    "advanced indices": cross(
        "q[{c}]",
        c=[
            "[0, 1]",
            "[[0, 1], [1, 0]]",
            "k[:, :2] % 2",
            "torch.tensor([0, 1]), torch.tensor([2, 0])",
            "[0, 1], [2, 0]",
            ":, [0, 2]",
            ":, [0, 2], 1",
            "0, [0, 2]",
            "[0], :, [1]",
            "[1], [0], [3]",
            "..., [0, 1]",
            "[0, 1], ..., 0",
            "torch.tensor([5])",
            "torch.tensor([-1, -2])",
            "torch.tensor([0.5])",
            "torch.tensor([True, False])",
            "torch.tensor([True])",
            "torch.tensor([[True, False, True], [False, False, True]])",
            ":, torch.tensor([True, False, True])",
            "q > 0",
            "(q > 0).byte()",
            "torch.tensor([], dtype=torch.int64)",
            "[]",
            "None, [0, 1]",
            "[0, 1], None",
            "[0, 1], [0, 1, 2]",
            "torch.tensor([0, 1])[:, None], torch.tensor([0, 2])",
            "torch.tensor([0]), 1:, torch.tensor([0, 1])",
            "np.array([0, 1])",
            "np.array([True, False])",
            "(0, 1)",
            "(torch.tensor([0, 1]),)",
            "[True, False]",
            "torch.tensor([0.5])",
            "torch.tensor([1], dtype=torch.int32)",
            "torch.tensor([0, 1], dtype=torch.uint8)",
            "[slice(0, 1)]",
            "[None]",
            "[0, None]",
            "torch.tensor(0), [0, 1]",
            ":, 1, [0, 1]",
            "[0, 1], 1, [0, 1]",
            "0, :, [0, 1]",
            "[0, 1], :, 2",
            "0, None, [1]",
            "-1, ..., [0, 3]",
            "range(2)",
            "[[0, 1]]",
            "[torch.tensor(0), 1]",
            "torch.tensor([0, 1]), :, torch.tensor([0, 1])",
            "torch.tensor([True, False]), 1",
            "1, q[1] > 0",
            "q[0] > 0",
        ],
    )
    + [
        "f[b]",
        "f[~b]",
        "f[b, 0]",
        "v[v > 0]",
        "f[f > 9]",
        "v[i]",
        "v[torch.tensor([5])]",
        "f[T] if False else f[k]",
        "v[None, [0, 1]]",
        "f[k[0] > 5]",
    ],
    "gathers": [
        "f.gather(0, k % 2)",
        "f.gather(1, k)",
        "f.gather(1, k[:1])",
        "f.gather(1, i)",
        "f.gather(1, k.int())",
        "f.gather(2, k)",
        "f.gather(1, k[0])",
        "z.gather(0, zi * 0)",
        "torch.gather(f, 1, torch.tensor([[0], [2]]))",
        "torch.gather(f, 0, torch.tensor([[0, 1, 5]]))",
        "f.gather(0, torch.zeros(3, 1, dtype=torch.int64))",
        "f.scatter(1, k, g)",
        "f.scatter(1, k[:, :1], 9.)",
        "f.scatter(0, k % 2, g)",
        "f.scatter(1, k, t)",
        "f.scatter(1, k, value=1)",
        "f.scatter_add(1, k, g)",
        "f.scatter_add(0, k % 2, g)",
        "f.scatter(1, i, g)",
        "f.scatter_add(1, i, g)",
        "f.scatter_add(1, k.int(), g)",
        "f.scatter(1, k, i)",
        "f.scatter_add(1, k, d)",
        "f.index_select(0, torch.tensor([1, 0, 1]))",
        "f.index_select(1, torch.tensor([2]))",
        "f.index_select(0, torch.tensor([5]))",
        "f.index_select(0, k)",
        "torch.index_select(f, 1, s - 1)",
        "f.index_select(0, v)",
        "f.index_add(0, torch.tensor([1, 1]), g)",
        "f.index_add(1, torch.tensor([0, 1, 0]), g, alpha=2)",
        "f.index_add(0, torch.tensor([1]), g)",
        "f.masked_select(b)",
        "torch.masked_select(f, torch.tensor([True, False, True]))",
        "f.masked_select(f)",
        "f.take(torch.tensor([0, 5]))",
        "torch.take(f, k)",
        "f.take(torch.tensor([9]))",
        "f.take(torch.tensor([-1]))",
        "f.nonzero()",
        "i.nonzero()",
        "b.nonzero(as_tuple=True)",
        "z.nonzero()",
        "(z * 0).nonzero()",
        "e.nonzero()",
        "torch.take_along_dim(f, k, 1)",
        "torch.take_along_dim(f, f.argsort(0), 0)",
        "f.unfold(1, 2, 1)",
        "torch.where(f > 0)",
    ],
}
TABLE |= {
    "matmul": cross(
        "{a} @ {c}",
        a="f t v q nc z d i e3 q[0] q[:,None]",
        c="t f v q q.mT nc z t.double() t.long() e2 v[:2] q[0].t() q[:1].mT",
    )
    + cross("torch.{f}({a}, {c})", f="mm mv dot bmm outer matmul inner", a="f v q i", c="t v q.mT nc f s i.t()")
    + [
        "torch.mm(f, 1)",
        "torch.matmul(f, [1])",
        "f @ 2",
        "f @ None",
        "2 @ f",
        "torch.addmm(f[:, :2], f, t)",
        "torch.addmm(f[0, :2], f, t, beta=2, alpha=0.5)",
        "torch.addmm(f, f, t)",
        "torch.baddbmm(q[:, :, :3], q, q.mT)",
        "torch.addmv(f[:, 0], f, v)",
        "torch.tensordot(f, t, 1)",
        "torch.tensordot(q, q, dims=([0, 1], [0, 1]))",
        "torch.tensordot(f, f, dims=2)",
        "torch.tensordot(f, f, dims=0)",
        "torch.vdot(v, v)",
        "v.dot(v)",
        "f.mm(t)",
        "q.bmm(q.mT)",
        "e3 @ t",
        "e2 @ e2.t()",
        "e2.t() @ e2",
    ],
    "einsum": cross(
        "torch.einsum({c})",
        c=[
            "'ij,jk->ik', f, t",
            "'ij,jk', f, t",
            "'ij->ji', f",
            "'ij->', f",
            "'ii->i', f[:, :2]",
            "'ii', f[:, :2]",
            "'i,i', v, v",
            "'i,j->ij', v, v",
            "'bij,bkj->bik', q, q",
            "'...ij,...jk->...ik', q, q.mT",
            "'ij,ij,ij->i', f, f, g",
            "'ij->j', f",
            "'...j->...', q",
            "'ij,jk', f, f",
            "'ijk', f",
            "'ij,kl->ijkl', f, t",
            "'i', f",
            "'ij,j->', f, v",
            "'ij->ij', f",
            "'ij,jk->ikj', f, t",
            "'ij->ik', f",
            "'ij,jk', [f, t]",
            "'i,i->i', v, z",
            "'', z",
            "',i', z, v",
            "'bi,bj->bij', f, g",
            "'i j , j k -> i k', f, t",
            "'i1->i', f",
            "'ij,jk->ik', f",
            "'ij,i', f, f[:, 0]",
            "'...i->i...', q",
        ],
    ),
    "creation": [
        "torch.zeros(2, 3)",
        "torch.zeros((2, 3))",
        "torch.zeros([2])",
        "torch.zeros(())",
        "torch.zeros()",
        "torch.zeros(2, dtype=torch.int64)",
        "torch.ones(2, dtype=bool)",
        "torch.zeros(-1)",
        "torch.zeros(1.5)",
        "torch.zeros('a')",
        "torch.zeros(2, 'a')",
        "torch.ones(0)",
        "torch.full((2, 2), 1)",
        "torch.full((2,), 1.5)",
        "torch.full((2,), True)",
        "torch.full((2,), 1, dtype=torch.float32)",
        "torch.full((), 3)",
        "torch.full([2], z)",
        "torch.empty(2, 0)",
        "torch.zeros_like(i)",
        "torch.ones_like(f, dtype=torch.int64)",
        "torch.full_like(f, 3)",
        "torch.full_like(i, 2.5)",
        "torch.zeros_like([1])",
        "torch.eye(3)",
        "torch.eye(2, 3)",
        "torch.eye(2, dtype=torch.int64)",
        "torch.eye(-1)",
        "torch.eye(0)",
        "torch.arange(5)",
        "torch.arange(2, 5)",
        "torch.arange(0, 1, 0.25)",
        "torch.arange(5, 0, -1)",
        "torch.arange(5.)",
        "torch.arange(0, 5, 0)",
        "torch.arange(5, 0)",
        "torch.arange(0)",
        "torch.arange(1, 2.5)",
        "torch.arange(3, dtype=torch.float64)",
        "torch.arange(start=1, end=4)",
        "torch.arange(end=4)",
        "torch.arange(zi)",
        "torch.arange(0., 1., 0.1)",
        "torch.arange(True)",
        "torch.arange(-3)",
        "torch.arange(2, 2)",
        "torch.linspace(0, 1, 5)",
        "torch.linspace(0, 1, 1)",
        "torch.linspace(0, 1, 0)",
        "torch.linspace(0, 1, -1)",
        "torch.linspace(-1, 1, 7)",
        "torch.linspace(0, 10, 4, dtype=torch.int64)",
        "torch.linspace(0, 1, 5, dtype=torch.float64)",
        "torch.linspace(3, -3, 10)",
        "torch.linspace(0, 1, steps=50)",
        "torch.logspace(0, 2, 3)",
        "torch.logspace(0, 3, 4, base=2)",
        "torch.scalar_tensor(3)",
        "f.new_zeros(2)",
        "i.new_ones((2, 2))",
        "f.new_full((2,), 3)",
        "f.new_tensor([1, 2])",
        "i.new_tensor([1.5])",
        "f.new_empty(0)",
        "torch.empty(2, 3).shape",
        "torch.empty_like(f).dtype",
        "torch.tril_indices(2, 3)",
        "torch.zeros(2, 3, dtype=None)",
        "torch.zeros(torch.Size([2]))",
        "torch.zeros(f.shape)",
        "torch.zeros(zi)",
        "torch.ones(zi, 2)",
        "torch.zeros(True)",
        "torch.zeros(None)",
        "torch.full(2, 1)",
        "torch.zeros(2, requires_grad=True)",
        "torch.zeros(2, dtype=torch.int64, requires_grad=True)",
        "torch.zeros(2, device='cpu')",
        "torch.complex64",
        "torch.randint(5, 5, (2,))",
        "torch.rand(2, 3).shape",
        "torch.randint(3, (4,)).shape",
        "torch.randperm(-1)",
        "torch.randn(2, dtype=torch.int64)",
        "torch.rand(2, dtype=torch.float64).dtype",
        "torch.bernoulli(f)",
        "torch.normal(0., -1., (2,))",
        "torch.multinomial(v, 2)",
        "torch.randn_like(f).shape",
        "torch.rand_like(f, dtype=torch.float64).dtype",
        "torch.randint_like(f, 3).dtype",
        "torch.normal(0., 1., (2, 2)).shape",
    ],
    "from data": cross(
        "torch.{f}({c})",
        f="tensor as_tensor",
        c=[
            "1",
            "1.0",
            "True",
            "[1, 2]",
            "[1, 2.]",
            "[True, 2]",
            "1 + 2j",
            "[]",
            "[[]]",
            "[[1, 2], [3, 4]]",
            "[[1, 2], [3]]",
            "[1, [2]]",
            "[[1], 2]",
            "'a'",
            "['a']",
            "None",
            "[None]",
            "{}",
            "2**63",
            "[2**63]",
            "-2**63",
            "2**70",
            "np.array([1., 2.])",
            "np.float64(1.5)",
            "[np.float64(1.5)]",
            "[np.float32(1.5), 2]",
            "np.array(['a'])",
            "np.array([None])",
            "np.array([1 + 2j])",
            "f",
            "[z, z]",
            "[z, 1]",
            "[f[0], f[1]]",
            "(1, 2)",
            "range(3)",
            "np.int32(3)",
            "[v]",
            "[[z], [z]]",
            "object()",
            "[1, 'a']",
            "1e400",
            "np.array(3)",
            "np.zeros((2, 0))",
            "[np.zeros(2), np.ones(2)]",
            "b",
            "np.bool_(True)",
            "[np.int64(1), 2.5]",
            "[float('nan')]",
            "[1.5, None]",
            "[f, f]",
            "{1, 2}",
            "lambda: 1",
            "b'ab'",
            "bytearray(b'ab')",
            "[[1, 2], 'ab']",
            "[(1, 2), [3, 4]]",
            "np.array([1, 2], '>i4')",
            "[1, 2], dtype=torch.float64",
            "[1.7, -1.7], dtype=torch.int64",
            "[300], dtype=torch.uint8",
            "[1, 0], dtype=bool",
            "[1], dtype=float",
            "f, dtype=torch.float64",
            "[0.1], dtype=torch.float16",
            "['1'], dtype=torch.int64",
        ],
    )
    + [
        "torch.tensor([1, 2], requires_grad=True)",
        "torch.tensor()",
        "torch.tensor([1.], device='cpu')",
        "torch.from_numpy([1])",
        "torch.from_numpy(np.array(['a']))",
        "torch.from_numpy(np.float64(1))",
        "torch.Tensor([1, 2])",
        "torch.Tensor(2, 3).shape",
        "torch.Tensor()",
        "torch.Tensor(1.5)",
        "torch.Tensor('a')",
        "torch.Tensor([[1, 2], [3]])",
        "torch.Tensor(torch.Size([2, 3])).shape",
        "torch.Tensor(f)",
        "torch.LongTensor([1, 2])",
        "torch.FloatTensor([1, 2])",
        "torch.LongTensor(2).shape",
        "torch.DoubleTensor([1])",
        "torch.BoolTensor([True])",
        "torch.tensor(np.array([1.5], 'float16'))",
    ],
    "conversion": cross(
        "{a}.{f}()",
        f="float double half long int short byte bool char cpu item tolist numpy __len__ type contiguous",
        a="f i b z zi zb e v[:1] u w[1:]",
    )
    + cross("{f}({a})", f="float int bool complex len str repr abs hex range", a="f z zi zb e v[:1] i[0,0]")
    + cross("f'{{{a}{c}}}'", a="z zi zb v[:1] f", c=["", ":.2f", ":>8", ":d"])
    + cross(
        "f.to({c})",
        c=[
            "torch.float64",
            "torch.int64",
            "'cpu'",
            "i",
            "d",
            "torch.device('cpu')",
            "dtype=torch.float16",
            "'cpu', torch.float64",
            "torch.bool",
            "int",
            "float",
            "None",
            "torch.float64, copy=True",
        ],
    )
    + cross("torch.tensor([1.9, -1.9, 300., 0.]).to(torch.{c})", c="int64 int32 int16 bool float16 float64")
    + cross("i.to(torch.{c})", c="uint8 int8 bool float16 float32")
    + [
        "f.type_as(d)",
        "f.type('torch.DoubleTensor')",
        "f.type(torch.int64)",
        "z.item()",
        "f.item()",
        "e.item()",
        "[1, 2, 3][zi - 2]",
        "range(9)[zi]",
        "[1][z]",
        "[1][v[:1].long() - 1]",
        "1. in v",
        "5. in v",
        "z in v",
        "f.is_floating_point()",
        "torch.is_tensor(f)",
        "torch.is_tensor(1)",
        "torch.is_floating_point(i)",
        "torch.numel([1])",
        "'a' in v",
        "hash(f) == id(f)",
        "f is f.to(torch.float32)",
        "f.float() is f",
        "f.contiguous() is f",
        "nc.contiguous() is nc",
        "torch.can_cast(torch.float64, torch.int64)",
        "torch.promote_types(torch.int8, torch.uint8)",
        "torch.result_type(f, zd)",
        "torch.result_type(1, 1.5)",
        "torch.result_type(i, 1.5)",
        "torch.finfo(torch.float32).eps",
        "torch.iinfo(torch.int16)",
        "torch.finfo(torch.int8)",
        "torch.iinfo(torch.float32)",
        "np.asarray(f).dtype.name",
        "np.asarray(f, dtype='float64').dtype.name",
        "f.device",
        "str(f.device)",
        "f.is_cuda",
        "torch.finfo(torch.float64)",
    ],
    "in place": cross(
        "a = {a}.clone(); r = a.{f}({c}); r is a, a",
        a="f i b",
        f="add_ sub_ mul_ div_ pow_ remainder_ fmod_ floor_divide_ copy_",
        c="2 2.5 v True j",
    )
    + cross("a = {a}.clone(); a {o}= {c}; a", a="f i b u", o="+ - * / // % **", c="2 2.5 f j v d zd t")
    + cross(
        "a = {a}.clone(); r = a.{f}; r is a, a",
        a="f i b z nc",
        f=[
            "zero_()",
            "fill_(3)",
            "fill_(2.5)",
            "fill_(z)",
            "fill_(v)",
            "exp_()",
            "neg_()",
            "abs_()",
            "relu_()",
            "sqrt_()",
            "round_()",
            "sigmoid_()",
            "tanh_()",
            "reciprocal_()",
            "copy_(g)",
            "copy_(v)",
            "copy_(t)",
            "masked_fill_(b, 0)",
            "eq_(1)",
            "lt_(z)",
            "logical_not_()",
            "square_()",
            "floor_()",
            "sign_()",
            "log_()",
            "requires_grad_()",
            "fill_('a')",
            "fill_(None)",
            "add_(g, alpha=2)",
            "tril_()",
            "detach_()",
            "addcmul_(g, g)",
            "addcdiv_(g, g, value=2)",
        ],
    )
    + [
        "a = f.clone(); a.lerp_(g, 0.5)",
        "a = f.clone(); a.clamp_(0.5)",
        "a = f.clone(); a.normal_().shape",
        "a = f.clone(); a.uniform_().shape",
        "a = i.clone(); a.fill_(300)",
        "a = u.clone(); a.fill_(300)",
        "a = i.clone(); a.fill_(nan)",
        "a = f.clone(); a.fill_(2**70)",
    ]
    + [
        "a = torch.zeros(1); a += torch.ones(3); a",
        "a = torch.arange(3); a += 1.5; a",
        "a = torch.zeros(1, 2).expand(3, 2); a.add_(1)",
        "a = torch.zeros(1, 2).expand(3, 2); a[0] = 1; a",
        "a = f.clone(); a.clamp_(); a",
        "a = f.clone(); torch.add(f, g, out=a); a",
        "a = f.clone(); torch.exp(f, out=a); a",
        "a = f.clone(); a[0].add_(1); a, a._version",
        "a = f.clone(); a.t().mul_(2); a",
    ],
    "setitem": cross(
        "a = {a}.clone(); a[{c}] = {k}; a",
        a="f i",
        c=[
            "0",
            ":, 1",
            "0, 1",
            "...",
            "None",
            "1:",
            "b",
            "a > 0",
            "[0, 1]",
            "[1, 1]",
            ":, [0, 2]",
            "torch.tensor([0, 0])",
            "k[0] % 2, k[1]",
            "5",
            "0, 0, 0",
            "::2",
            "1:1",
            "f",
            "None, 0",
        ],
        k=["3", "2.5", "z", "v", "g", "t", "True", "v[:1]", "g[:1]", "np.float64(1.5)", "None", "'a'", "e"],
    )
    + [
        "a = v.clone(); a[a > 0] = torch.tensor([7., 8.]); a",
        "a = v.clone(); a[a > 0] = torch.tensor([7., 8., 9.]); a",
        "a = z.clone(); a[...] = 3; a",
        "a = z.clone(); a[()] = 3; a",
        "a = z.clone(); a[0] = 3; a",
        "a = b.clone(); a[0] = 5; a",
        "a = q.clone(); a[:, 1] = torch.arange(4.); a",
        "a = q.clone(); a[..., 0] = f; a",
        "a = q.clone(); a[1, 2:0] = 4; a",
        "a = u.clone(); a[0] = -1; a",
        "a = u.clone(); a[0] = 300; a",
        "a = i.clone(); a[0] = 2**70; a",
        "a = e.clone(); a[:] = 1; a",
        "a = q.clone(); a[0, :, [0, 1]] = f.t()[:2]; a",
        "a = v.clone(); a[torch.tensor([0, 0, 1])] = torch.tensor([1., 2., 3.]); a",
        "a = i.clone(); a[0] = nan; a[1]",
        "a = f.clone(); a[b] = v; a",
        "a = f.clone(); a[:, 0] = v[:2]; a",
        "a = f.clone(); del a[0]",
        "a = f.clone(); a[True] = v; a",
        "a = f.clone(); a[False] = 3; a",
        "a = f.clone(); a[[5]] = 3; a",
        "a = i.clone(); a[f] = 3",
        "a = f.clone(); a[..., [2]] = 3; a",
        "a = q.clone(); a[0, :, [0, 1]] = 7; a",
        "a = q.clone(); a[[0, 1], :, 2] = f; a",
    ],
}


FORMS = [  # the same call in the other forms that PyTorch takes
    "torch.zeros(size=(2, 3))", "torch.ones(size=[2], layout=torch.strided, pin_memory=False, device='cpu')",
    "torch.empty(size=(2, 0), dtype=torch.int8)", "torch.zeros(2, size=(3,))", "torch.zeros(2, banana=3)",
    "f.new_zeros(size=(2,))", "f.new_full(size=(2,), fill_value=3)", "f.new_ones((2, 3), layout=torch.strided)",
    "torch.full(size=(2,), fill_value=2.5)", "torch.full_like(f, fill_value=2)", "torch.zeros(2, pin_memory=True)",
    "torch.scalar_tensor(s=3)", "torch.eye(n=2, layout=torch.strided)", "repr(f.layout)",
    "torch.manual_seed(3); torch.rand(size=(2, 3))", "torch.manual_seed(3); torch.randint(low=1, high=9, size=(4,))",
    "torch.manual_seed(3); torch.randint_like(f, 5, device='cpu', dtype=torch.float64)",
    "torch.manual_seed(3); torch.normal(2.0, 0.5, size=(3,), layout=torch.strided, device='cpu')",
    "torch.manual_seed(3); torch.normal(p.requires_grad_(), p).requires_grad",
    "torch.manual_seed(3); torch.normal(std=p)", "torch.manual_seed(3); torch.bernoulli(f, 0.3)",
    "torch.manual_seed(3); torch.bernoulli(f, p=0.7)",
    "torch.bernoulli(torch.full((2,), .5).requires_grad_()).requires_grad",
    "g = torch.Generator(); _ = g.set_state(torch.manual_seed(4).get_state()); torch.rand(3, generator=g)",
    "torch.manual_seed(5); g = torch.Generator(); _ = g.set_state(torch.get_rng_state()); torch.rand(3, generator=g)",
    "g = torch.Generator().manual_seed(2); torch.rand_like(f, generator=g)",
    "torch.IntTensor(range(3))", "torch.FloatTensor(range(3))", "torch.Tensor(range(3))", "torch.ByteTensor([1, 2])",
    "torch.asarray(f, requires_grad=True).requires_grad",
    "torch.asarray([1.0, 2.0], requires_grad=True).requires_grad", "torch.asarray([1.0], copy=False)",
    "torch.asarray(np.ones(2), copy=False, dtype=torch.float32)", "torch.asarray(i, requires_grad=True)",
    "torch.asarray((f.requires_grad_() * 2)).requires_grad",
    "torch.rsub(f, g, alpha=2)", "torch.rsub(i, 3, alpha=2)", "torch.rsub(i, 3, alpha=2.5)",
    "torch.broadcast_shapes((5, 1), 5)", "torch.broadcast_shapes(3)", "torch.broadcast_shapes(2, 3)",
    "torch.nansum(n, dtype=torch.float64)", "f.norm(dtype=torch.float64)", "f.norm(1, 0, dtype=torch.float64)",
    "a = f.clone().requires_grad_(); _ = a.norm(0); a.norm(3).backward(); a.grad",
    "v.norm('nuc')", "q.norm('nuc')", "f.norm('nuc', dim=0)", "f.norm('ruc')", "f.norm(0).requires_grad",
    "f.requires_grad_().norm(0).requires_grad", "torch.div(f.requires_grad_(), 2, rounding_mode='floor').requires_grad",
    "torch.swapaxes(q, axis0=0, axis1=2)", "q.swapaxes(0, -1)", "torch.swapdims(q, dim0=0, dim1=2)",
    "torch.repeat_interleave(torch.tensor([2, 0, 1]))", "f.repeat_interleave(2, 0, output_size=4)",
    "f.repeat_interleave(2, 0, output_size=5)", "f.repeat_interleave(torch.tensor([1, 2]), dim=0, output_size=3)",
    *cross("torch.searchsorted({x}, {v}, {o})", x="v v.sort()[0] xf.sort()[0]", v="f z 2.5 xf",
           o=["right=True", "side='right'", "side='left'", "out_int32=True", "side='left', right=True", "side='up'"]),
    *cross("torch.searchsorted(f.sort(1)[0], {v}, right={r})", v="g f g[:1] q v 1.0 e2 z", r="True False"),
    *cross("torch.searchsorted(f, g, sorter={o}, side={s})", s="'left' 'right'",
           o=["f.argsort()", "f.argsort()[:1]", "f.argsort() + 9", "f"]),
    "torch.searchsorted(z, 1.0)", "torch.searchsorted(z, f)", "torch.searchsorted(b[0], b)", "torch.searchsorted(e, f)",
    "torch.searchsorted(i[0].sort()[0], 2.5)", "torch.searchsorted(e2, f[:, :0])",
    *cross("torch.unique({x}, {o})", x="r k i b zi e u q e3",
           o=["dim=0", "dim=-1", "return_inverse=True, return_counts=True, dim=0", "dim=7", "sorted=True, dim=None"]),
    "k.unique(dim=1, return_inverse=True)", "torch.zeros(0, 0).unique(dim=0)", "x.unique(return_inverse=True, dim=0)",
    *cross("torch.zeros(2, 3, dtype={d}).scatter(1, torch.tensor([[0, 0, 2], [1, 1, 1]]), {s}, reduce={r})",
           d="torch.float32 torch.int64 torch.float16", s=["3", "torch.zeros(2, 3) + 2"], r="'add' 'multiply' 'mean'"),
    "q.long().scatter(2, k[:, :, None], 3, reduce='multiply')", "v.scatter(0, k[0], v * 2, reduce='multiply')",
    "v.scatter_(0, k[0], v * 2, reduce='add')", "z.scatter(0, zi - 3, 2.0, reduce='multiply')",
    *cross("torch.addmv(i[0, :2], i, j[0], {o})",
           o=["alpha=0.6, beta=0.2", "alpha=1.5, beta=2.5", "beta=0", "alpha=2"]),
    *cross("torch.addmm(i[:, :2], i, j.t(), {o})",
           o=["alpha=0.6, beta=0.2", "alpha=1.5, beta=2.5", "beta=0", "alpha=True"]),
    "torch.addmm(n[:, :2], f, t, beta=0)", "torch.addmv(n[0, :2], f, v, beta=0)",
    "torch.addmm(f[:, :2], n, t, alpha=0)",
    "a = f[:, :2].clone().requires_grad_(); torch.addmm(a, f, t, beta=0).sum().backward(); a.grad",
    "torch.baddbmm(n[None, :, :2], f[None], t[None], beta=0)",
    *cross("torch.nn.functional.pad(torch.arange(4.0)[None], {w}, mode={m})", m="'replicate' 'reflect'",
           w=["(-4, 5)", "(5, -4)", "(-2, 3)", "(3, -2)", "(-1, -2)", "(-3, 3)", "(1, 2)", "(0, 0)"]),
    *cross("torch.nn.functional.pad(q, {w}, mode='replicate')",
           w=["(-1, 2, 3, -2)", "(-4, 5, 0, 0)", "(9, -3, -1, 1)"]),
    *cross("torch.nn.functional.pad(q, {w}, mode='circular')", w=["(-1, 1, 1, -1)", "(1, -2)", "(-1, -1)", "(2, 2)"]),
]  # fmt: skip


def test_functions_take_the_forms_that_pytorch_takes():
    assert differences(FORMS) == []


def test_a_device_is_a_context():
    for library in (torch, tg):
        with library.device("cpu") as place:
            assert library.zeros(2).device == place


@pytest.mark.parametrize("name", TABLE)
def test_function_gives_what_pytorch_gives(name):
    found = differences(TABLE[name])
    assert not found, "\n".join([f"{len(found)} differences", *found])


@pytest.mark.parametrize(
    "shape, options",
    [((3, 3), {}), ((4, 2), {}), ((2, 4), {}), ((2, 3, 4), {"dim": (1, 2)}),
     ((2, 3, 4), {"dim": (2, 0), "keepdim": True}),
     ((0, 3), {}), ((1, 1), {})],
)  # fmt: skip
def test_the_sum_of_singular_values_has_pytorchs_derivatives(shape, options):
    x, weights = (np.random.default_rng(seed).standard_normal(shape) for seed in (1, 2))
    found = []
    for library in (torch, tg):
        a = library.tensor(x, requires_grad=True)
        y = a.norm("nuc", **options)
        (g,) = library.autograd.grad(y.sum(), a, create_graph=True)
        (h,) = library.autograd.grad((g * library.tensor(weights)).sum(), a)
        found.append([v.detach().numpy() for v in (y, g, h)])
    for theirs, ours in zip(*found, strict=True):
        assert theirs.shape == ours.shape
        np.testing.assert_allclose(ours, theirs, 1e-9, 1e-9)
