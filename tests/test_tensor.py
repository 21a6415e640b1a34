"""The tensor's own methods: what it is, what it becomes in Python and NumPy, and how it is written in place."""

from __future__ import annotations

import builtins
from array import array
from typing import Any

import numpy as np
import pytest

import tinygrad_pt as torch
from tinygrad_pt.calling import wrap
from tinygrad_pt.graph import Leaf

Tensor = torch.Tensor


def leaf(*values: float) -> Any:
    return torch.tensor(values, requires_grad=True)


# ------------------------------------------------------------------------------------------ what it is
def test_shape_and_memory() -> None:
    x = torch.zeros(2, 3, 4, dtype=torch.float64)
    assert x.size() == x.shape == (2, 3, 4) and (x.size(0), x.size(-1), x.size(2)) == (2, 4, 4)
    assert (x.ndim, x.dim(), x.ndimension(), x.numel(), x.nelement()) == (3, 3, 3, 24, 24)
    assert (x.element_size(), x.itemsize, x.nbytes) == (8, 8, 192)
    assert repr(x.stride()) == "(12, 4, 1)" and (x.stride(0), x.stride(-1)) == (12, 1)
    assert x.is_contiguous() and x.contiguous() is x
    turned = x.permute(2, 0, 1)
    assert not turned.is_contiguous() and turned.stride() == (1, 12, 4)
    plain = turned.contiguous()
    assert plain.stride() == (6, 3, 1) and turned.clone().stride() == turned.stride()
    y = leaf(1.0, 2.0).view(1, 2).expand(2, 2).t().contiguous()
    assert y.is_contiguous() and y.grad_fn.name() == "CloneBackward0" and y.tolist() == [[1.0, 1.0], [2.0, 2.0]]
    assert plain.is_contiguous() and plain.shape == (4, 2, 3) and not np.shares_memory(plain.array, x.array)
    assert x.data_ptr() == x.array.ctypes.data and x[0, 0, 1:].data_ptr() == x.data_ptr() + 8
    assert (
        str(x.device) == "cpu" and not (x.is_cuda or x.is_sparse or x.is_quantized) and str(x.layout) == "torch.strided"
    )
    for call in (x.size, x.stride):
        with pytest.raises(IndexError, match=r"expected to be in range of \[-3, 2\], but got 3"):
            call(3)


def test_kinds_of_numbers() -> None:
    kinds = {d: torch.zeros(1, dtype=d) for d in (torch.float32, torch.int64, torch.bool, torch.uint8)}
    assert [x.is_floating_point() for x in kinds.values()] == [True, False, False, False]
    assert [x.is_signed() for x in kinds.values()] == [True, True, False, False]
    assert not any(x.is_complex() for x in kinds.values())


def test_the_constructor() -> None:
    assert Tensor(2, 3).shape == (2, 3) and Tensor().shape == (0,) and Tensor(torch.Size([4, 1])).shape == (4, 1)
    assert Tensor(3).shape == (3,) and Tensor([1, 2]).tolist() == [1.0, 2.0] and Tensor([1, 2]).dtype is torch.float32
    whole = torch.tensor([1, 2])
    assert Tensor(whole).dtype is torch.int64 and Tensor(whole).data_ptr() == whole.data_ptr()  # as it is, and shared
    with pytest.raises(TypeError):
        Tensor([1.0], [2.0])
    for wrong in (1.5, 1j):
        with pytest.raises(TypeError, match=rf"data must be a sequence \(got {type(wrong).__name__}\)"):
            Tensor(wrong)


# ------------------------------------------------------------------------------------------ autograd
def test_requires_grad_is_for_floating_leaves() -> None:
    x = torch.ones(2)
    assert x.is_leaf and x.grad_fn is None and x.requires_grad_() is x and x.requires_grad and x.is_leaf
    node = x.node
    assert isinstance(node, Leaf) and x.requires_grad_() is x and x.node is node and x.grad_fn is None
    x.requires_grad = False
    assert not x.requires_grad and x.node is None
    x.requires_grad = True
    y = x * 2
    assert not y.is_leaf and y.grad_fn is y.node and y.requires_grad_() is y and not y.is_leaf
    with pytest.raises(RuntimeError, match="you can only change requires_grad flags of leaf variables"):
        y.requires_grad = False
    for dtype in (torch.int64, torch.uint8, torch.bool):
        with pytest.raises(RuntimeError, match="only Tensors of floating point dtype"):
            torch.ones(1, dtype=dtype).requires_grad_()
    assert not torch.ones(1, dtype=torch.int64).requires_grad_(False).requires_grad
    with torch.inference_mode():
        assert (torch.ones(1) * 1).requires_grad_().requires_grad


def test_grad_may_be_assigned_what_fits() -> None:
    x = leaf(1.0, 2.0)
    x.grad = torch.ones(2)
    assert x.grad.tolist() == [1.0, 1.0]
    for wrong, error, text in [
        (1.0, TypeError, "expected to be a Tensor or None but got grad of type float"),
        (torch.ones(3), RuntimeError, r"a gradient of size '\[3\]' to a tensor of size '\[2\]'"),
        (torch.ones(2, dtype=torch.float64), RuntimeError, "with dtype 'double' to a tensor with grad_dtype 'Float'"),
    ]:
        with pytest.raises(error, match=text):
            x.grad = wrong
    for shape in ((1,), (1, 2), ()):
        with pytest.raises(RuntimeError, match="attempting to assign a gradient of size"):
            x.grad = torch.ones(shape)
    for dtype in (torch.float16, torch.float64):
        with pytest.raises(RuntimeError, match="attempting to assign a gradient with dtype"):
            x.grad = torch.ones(2, dtype=dtype)
    assert x.grad.tolist() == [1.0, 1.0]
    del x.grad
    assert x.grad is None
    x.grad = torch.ones(2)
    x.grad = None
    assert x.grad is None


def test_detach_and_data() -> None:
    x = leaf(1.0, 2.0)
    for twin in (x.detach(), (x * 1).detach()):
        assert not twin.requires_grad and twin.is_leaf
    twin = x.detach()
    assert np.shares_memory(twin.array, x.array) and twin.version is x.version
    with torch.no_grad():
        twin.add_(1)
    assert x.tolist() == [2.0, 3.0] and x._version == 1
    x.data.add_(1)
    assert x.tolist() == [3.0, 4.0] and x._version == 1 and not x.data.requires_grad
    y = x * 2
    assert y.detach_() is y and not y.requires_grad
    with pytest.raises(RuntimeError, match="Can't detach views in-place"):
        torch.ones(2)[0].detach_()


def test_data_may_be_exchanged_for_another_shape_and_dtype() -> None:
    x = leaf(1.0, 2.0)
    x.data = torch.ones(3, dtype=torch.float64)
    assert x.shape == (3,) and x.dtype is torch.float64 and x.node.dtype == np.float64
    (x * x).sum().backward()
    assert x.grad.tolist() == [2.0, 2.0, 2.0] and x.grad.dtype is torch.float64
    plain = torch.ones(2)
    plain.data = torch.zeros(1, dtype=torch.int64)
    assert plain.tolist() == [0] and plain.dtype is torch.int64
    h = leaf(1.0, 2.0) * 1
    h.data = torch.full((2,), 5.0)
    assert h.requires_grad and h.tolist() == [5.0, 5.0]
    for wrong, name in ((np.ones(1), "numpy.ndarray"), ([1.0], "list"), (array("f", [1.0]), "array.array")):
        with pytest.raises(TypeError, match=f"Variable data has to be a tensor, but got {name}$"):
            plain.data = wrong
    for dtype in (torch.int64, torch.bool):
        with pytest.raises(RuntimeError, match="data set to a tensor that requires gradients must be floating point"):
            x.data = torch.ones(3, dtype=dtype)
    assert x.tolist() == [1.0, 1.0, 1.0] and plain.tolist() == [0]


# ------------------------------------------------------------------------------------------ Python and NumPy
def test_one_element_is_a_number_and_several_are_not() -> None:
    for x in (torch.tensor(3), torch.tensor([[3]])):
        assert (x.item(), float(x), int(x), complex(x), bool(x), x.__index__()) == (3, 3.0, 3, 3 + 0j, True, 3)
        assert [10, 20, 30, 40][x] == 40
    assert float(leaf(2.5)) == 2.5 and not torch.tensor(0.0)
    two, none = torch.tensor([1, 2]), torch.zeros(0)
    for x, count in ((two, 2), (none, 0)):
        with pytest.raises(RuntimeError, match=f"a Tensor with {count} elements cannot be converted to Scalar"):
            x.item()
        for convert in (float, int, complex):
            with pytest.raises(ValueError, match="only one element tensors"):
                convert(x)
    with pytest.raises(RuntimeError, match="Tensor with more than one value is ambiguous"):
        bool(two)
    with pytest.raises(RuntimeError, match="Tensor with no values is ambiguous"):
        bool(none)
    for x in (two, torch.tensor(1.0), torch.zeros(0, dtype=torch.int64)):
        with pytest.raises(TypeError, match="only integer tensors of a single element"):
            x.__index__()
    assert torch.tensor(True).__index__() == 1


def test_sequences() -> None:
    x = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    assert len(x) == 2 and [row.tolist() for row in x] == [[1.0, 2.0], [3.0, 4.0]] and len(torch.zeros(0, 3)) == 0
    for call in (len, iter):
        with pytest.raises(TypeError, match="of a 0-d tensor|over a 0-d tensor"):
            call(torch.tensor(1.0))
    assert 2 in x and torch.tensor(3.0) in x and np.float32(4) in x and torch.tensor([1.0, 9.0]) in x
    assert 0 not in x and 2.5 not in x and 5 not in x
    with pytest.raises(RuntimeError, match="only supports Tensor or scalar, but you passed in a <class 'str'>"):
        "1" in x  # noqa: B015
    assert hash(x) == id(x) and {x: 1}[x] == 1


def test_numpy_shares_memory_where_no_gradient_is_lost() -> None:
    x = torch.ones(2)
    assert x.numpy() is x.array and np.asarray(x) is not None and np.shares_memory(np.asarray(x), x.array)
    assert np.array(x, dtype=np.float64).dtype == np.float64 and not np.shares_memory(np.array(x), x.array)
    assert np.shares_memory(np.from_dlpack(x), x.array) and x.__dlpack_device__() == (1, 0)
    y = leaf(1.0)
    for call in (y.numpy, lambda: np.asarray(y)):
        with pytest.raises(RuntimeError, match="Can't call numpy"):
            call()
    with pytest.raises(BufferError, match="Can't export tensors that require gradient"):
        np.from_dlpack(y)
    assert y.numpy(force=True) is y.array and x.numpy(force=True) is x.array


def test_format_and_repr() -> None:
    assert f"{torch.tensor(2.5):.2f} {torch.tensor(3):4d}|{torch.tensor([1.0])}" == "2.50    3|tensor([1.])"
    with pytest.raises(TypeError, match="unsupported format string"):
        format(torch.ones(2), ".2f")
    x = leaf(1.0)
    assert repr(x) == "tensor([1.], requires_grad=True)"
    assert repr(x * 2) == "tensor([2.], grad_fn=<MulBackward0>)" and repr(x.detach()) == "tensor([1.])"


# ------------------------------------------------------------------------------------------ other dtypes
CASTS = {
    "float": torch.float32, "double": torch.float64, "half": torch.float16, "long": torch.int64, "int": torch.int32,
    "short": torch.int16, "byte": torch.uint8, "char": torch.int8, "bool": torch.bool,
}  # fmt: skip


@pytest.mark.parametrize("name", CASTS)
def test_casts(name: str) -> None:
    x = torch.tensor([0.0, 1.0], dtype=torch.float64 if name != "double" else torch.float32)
    y = getattr(x, name)()
    assert y.dtype is CASTS[name] and y.tolist() == [0, 1] and getattr(y, name)() is y
    for same in (x.to(CASTS[name]), x.to(dtype=CASTS[name]), x.to("cpu", CASTS[name]), x.to(y), x.type_as(y),
                 x.type(CASTS[name]), x.type(y.type())):  # fmt: skip
        assert same.dtype is CASTS[name]
    with pytest.raises(ValueError, match="invalid type: 'torch.RealTensor'"):
        x.type("torch.RealTensor")


def test_to_returns_the_tensor_itself_where_nothing_changes() -> None:
    x = leaf(1.0)
    assert x.to(torch.float32) is x.to("cpu") is x.to(torch.device("cpu")) is x.to(None) is x.cpu() is x.to(x) is x
    twin = x.to(torch.float32, copy=True)
    assert twin is not x and not np.shares_memory(twin.array, x.array) and twin.requires_grad
    assert x.to(torch.float32, True) is x and x.type() == "torch.FloatTensor"
    assert x.double().requires_grad and not x.long().requires_grad
    for call in (x.cuda, lambda: x.to("cuda"), lambda: torch.ones(2, device="cuda")):
        with pytest.raises(AssertionError, match="^Torch not compiled with CUDA enabled\n"):
            call()


def test_new_tensors_like_this_one() -> None:
    x = torch.ones(1, dtype=torch.int16)
    assert x.new_tensor([1.9]).tolist() == [1] and x.new_zeros(2, 2).tolist() == [[0, 0], [0, 0]]
    assert x.new_ones(2).tolist() == [1, 1] and x.new_full((2,), 7).tolist() == [7, 7]
    assert x.new_empty(3).shape == (3,)
    for y in (x.new_tensor([1]), x.new_zeros(1), x.new_ones(1), x.new_full((1,), 7), x.new_empty(1)):
        assert y.dtype is torch.int16
    for y in (x.new_tensor([1], dtype=torch.float32), x.new_zeros(1, dtype=torch.float32),
              x.new_ones(1, dtype=torch.float32), x.new_empty(1, dtype=torch.float32),
              x.new_full((1,), 7, dtype=torch.float32)):  # fmt: skip
        assert y.dtype is torch.float32


# ------------------------------------------------------------------------------------------ operators
@pytest.mark.parametrize("word", ["+", "-", "*", "/", "//", "%", "**", "<", "<=", ">", ">=", "==", "!="])
def test_operators_take_tensors_numbers_and_arrays_on_either_side(word: str) -> None:
    values, other = np.array([1.0, 2.0, 5.0], np.float32), np.array([2.0, 2.0, 3.0], np.float32)
    x = torch.tensor(values)
    for right in (torch.tensor(other), other, 2, 2.0, np.float32(2), np.float64(2), True):
        number = right.array if isinstance(right, Tensor) else right
        if right is True and word == "-":
            continue  # refused, as in PyTorch
        for left_to_right in (True, False):
            pair = {"a": x, "b": right} if left_to_right else {"a": right, "b": x}
            plain = {"a": values, "b": number} if left_to_right else {"a": number, "b": values}
            y = eval(f"a {word} b", pair)
            assert isinstance(y, Tensor)
            np.testing.assert_allclose(y.array, eval(f"a {word} b", plain), rtol=1e-6)
    for alien in ("2", None, object()):
        if word not in ("==", "!="):
            for pair in ({"a": x, "b": alien}, {"a": alien, "b": x}):
                if word == "%" and isinstance(pair["a"], str):
                    continue  # formatting
                with pytest.raises(TypeError):
                    eval(f"a {word} b", pair)


@pytest.mark.parametrize("word", ["&", "|", "^"])
def test_operators_of_bits(word: str) -> None:
    x = torch.tensor([6, 3])
    for right in (torch.tensor([5, 5]), np.array([5, 5]), 5, np.int64(5)):
        for pair in ({"a": x, "b": right}, {"a": right, "b": x}):
            assert eval(f"a {word} b", pair).tolist() == eval(f"a {word} b", {"a": np.array([6, 3]), "b": 5}).tolist()


def test_the_other_side_may_know_how() -> None:
    class Other:
        __array_ufunc__ = None

        def __radd__(self, x: Any) -> str:
            return "radd"

        def __rsub__(self, x: Any) -> str:
            return "rsub"

        def __sub__(self, x: Any) -> str:
            return "sub"

    x = torch.ones(1)
    assert (x + Other(), x - Other(), Other() - x) == ("radd", "rsub", "sub")
    assert (x == "1") is False and (x != "1") is True
    with pytest.raises(TypeError):
        x - np.array(["1"])


# ------------------------------------------------------------------------------------------ written in place
IN_PLACE = {
    "addcmul": (torch.ones(2), torch.ones(2)), "addcdiv": (torch.ones(2), torch.ones(2)), "lerp": (torch.ones(2), 0.5),
    "clamp": (0.0, 0.5), "clip": (0.0, 0.5), "masked_fill": (torch.tensor([True, False]), 3.0),
    "index_add": (0, torch.tensor([0]), torch.ones(1)), "scatter_add": (0, torch.tensor([0]), torch.ones(1)),
    "scatter": (0, torch.tensor([1]), torch.ones(1)), "index_put": ((torch.tensor([1]),), torch.ones(1)),
    "cumsum": (0,), "cumprod": (0,), "index_copy": (0, torch.tensor([0]), torch.ones(1)),
    "index_fill": (0, torch.tensor([0]), 3.0), "index_reduce": (0, torch.tensor([0]), torch.ones(1), "prod"),
    "put": (torch.tensor([1]), torch.ones(1)), "scatter_reduce": (0, torch.tensor([1]), torch.ones(1), "sum"),
    "mvlgamma": (1,), "polygamma": (1,),
    "tril": (), "triu": (), "masked_scatter": (torch.tensor([False, True]), torch.ones(1)),
}  # fmt: skip
TWO = {
    "add",
    "sub",
    "subtract",
    "mul",
    "multiply",
    "div",
    "divide",
    "pow",
    "fmod",
    "remainder",
    "floor_divide",
    "eq",
    "ne",
    "gt",
    "ge",
    "lt",
    "le",
    "logical_and",
    "logical_or",
}
MORE_TWO = {
    "arctan2", "atan2", "clamp_max", "clamp_min", "copysign", "greater", "greater_equal", "heaviside", "hypot",
    "ldexp", "less", "less_equal", "logical_xor", "nextafter", "not_equal", "true_divide", "xlogy", "igamma", "igammac",
}  # fmt: skip
OTHERS = {"requires_grad_", "detach_", "copy_", "fill_", "zero_", "uniform_", "normal_", "bernoulli_", "random_"}
OTHERS |= {  # of matrices, of integers, with a function, or of the shape: tests of functions are about them
    "addbmm_",
    "addmm_",
    "addmv_",
    "addr_",
    "apply_",
    "as_strided_",
    "baddbmm_",
    "bitwise_and_",
    "bitwise_left_shift_",
    "bitwise_not_",
    "bitwise_or_",
    "bitwise_right_shift_",
    "bitwise_xor_",
    "fill_diagonal_",
    "float_power_",
    "gcd_",
    "lcm_",
    "map2_",
    "map_",
    "renorm_",
    "resize_",
    "resize_as_",
    "set_",
    "squeeze_",
    "swapaxes_",
    "swapdims_",
    "t_",
    "transpose_",
    "cauchy_",
    "exponential_",
    "geometric_",
    "log_normal_",
    "unsqueeze_",
}
WRITES = sorted(
    n[:-1] for n in dir(Tensor) if n.endswith("_") and n[0] != "_" and n not in OTHERS and hasattr(Tensor, n)
)


@pytest.mark.parametrize("name", WRITES)
def test_the_method_with_an_underscore_is_the_one_without_in_place(name: str) -> None:
    shape = (1, 2) if name in ("tril", "triu") else (2,)
    args = IN_PLACE.get(name, (torch.full(shape, 0.75),) if name in TWO | MORE_TWO else ())
    x = torch.tensor([0.25, 0.5]).reshape(shape).clone()
    expected, memory = getattr(x, name)(*args), x.array
    assert getattr(x, name + "_")(*args) is x and x.array is memory and x._version == 1
    np.testing.assert_array_equal(x.array, expected.array.astype(np.float32))
    method = getattr(Tensor, name + "_")
    if getattr(Tensor, name).__name__ == name and name != "scatter":  # an alias bears the name of what it is
        assert method.__name__ == method.__qualname__ == name + "_" and f"`{name}`" in method.__doc__


@pytest.mark.parametrize("name", ["atan2", *(n + end for n in sorted(TWO - {"pow"}) for end in ("", "_"))])
def test_methods_of_two_refuse_what_is_no_number(name: str) -> None:
    method = getattr(torch.ones(2), name)
    for alien in ("1", None, object()):
        with pytest.raises(TypeError, match=rf"\(position 2\) must be Tensor, not {type(alien).__name__}"):
            method(alien)


@pytest.mark.parametrize("word", ["+=", "-=", "*=", "/=", "//=", "%=", "**="])
def test_operators_that_write(word: str) -> None:
    names = {"x": torch.tensor([3.0, 5.0]), "y": np.array([3.0, 5.0], np.float32)}
    x = names["x"]
    exec(f"x {word} 2; y {word} 2", names)
    assert names["x"] is x and x._version == 1 and x.tolist() == names["y"].tolist()


@pytest.mark.parametrize("word", ["+=", "-=", "*=", "/=", "//=", "%=", "**=", "&=", "|=", "^="])
def test_operators_that_write_leave_the_unknown_to_the_right_side(word: str) -> None:
    class Other:
        def answer(self, x: Any) -> Any:
            return "mine", x

        __radd__ = __rsub__ = __rmul__ = __rtruediv__ = __rfloordiv__ = __rmod__ = __rpow__ = answer
        __rand__ = __ror__ = __rxor__ = answer

    x = torch.ones(2, dtype=torch.int64)
    names: dict[str, Any] = {"x": x, "y": Other()}
    exec(f"x {word} y", names)
    assert names["x"][0] == "mine" and names["x"][1] is x
    for alien in ("1", None, [1, 2], object()):
        with pytest.raises(TypeError):
            exec(f"x {word} y", {"x": x, "y": alien})
    assert x._version == 0
    if word not in ("/=", "**="):
        exec(f"x {word} y", {"x": x, "y": np.array([1, 1])})
        assert x._version == 1


def test_copy_fill_and_zero() -> None:
    x = torch.zeros(2, 2)
    assert x.copy_(torch.tensor([1, 2])) is x and x.tolist() == [[1.0, 2.0], [1.0, 2.0]] and x.dtype is torch.float32
    assert x.copy_([3.0, 4.0]).tolist() == [[3.0, 4.0], [3.0, 4.0]] and x._version == 2
    with pytest.raises(RuntimeError, match=r"The size of tensor a \(2\) must match the size of tensor b \(3\)"):
        x.copy_(torch.ones(3))
    with pytest.raises(RuntimeError, match=r"output with shape \[2, 2\] doesn't match the broadcast shape \[3, 2, 2\]"):
        x.copy_(torch.ones(3, 2, 2))
    with pytest.raises(RuntimeError, match=r"output with shape \[5\] doesn't match the broadcast shape \[3, 5\]"):
        torch.zeros(5).copy_(torch.ones(3, 5))
    for value in (7, 7.0, torch.tensor(7), np.float32(7)):
        assert torch.zeros(2).fill_(value).tolist() == [7.0, 7.0]
    assert torch.zeros(1).fill_(True).tolist() == [1.0] and torch.ones(2).zero_().tolist() == [0.0, 0.0]
    assert torch.zeros(1, dtype=torch.int64).fill_(1.9).tolist() == [1]
    with pytest.raises(RuntimeError, match="0-dimension value tensor but got tensor with 1 dimensions"):
        x.fill_(torch.ones(1))
    with pytest.raises(TypeError, match="must be a Number, not str"):
        x.fill_("1")
    assert torch.zeros(1, dtype=torch.float64).fill_(0.1).tolist() == [0.1], "never rounded to the default dtype"
    number = torch.tensor(3.0, requires_grad=True)
    torch.zeros(2).fill_(number).sum().backward()
    assert number.grad.item() == 2.0
    source = leaf(1.0, 2.0)
    target = torch.zeros(2, 2)
    target.copy_(source)
    target.sum().backward()
    assert source.grad.tolist() == [2.0, 2.0]


def test_draws_in_place_have_the_usual_defaults() -> None:
    torch.manual_seed(0)
    n = 20000
    u = torch.zeros(n).uniform_()
    assert 0 <= u.array.min() < 0.01 and 0.99 < u.array.max() < 1 and abs(u.array.mean() - 0.5) < 0.02
    u = torch.zeros(n).uniform_(2, 4)
    assert 2 <= u.array.min() < 2.01 and 3.99 < u.array.max() < 4
    z = torch.zeros(n).normal_()
    assert abs(z.array.mean()) < 0.05 and abs(z.array.std() - 1) < 0.05
    z = torch.zeros(n).normal_(3, 0.5)
    assert abs(z.array.mean() - 3) < 0.05 and abs(z.array.std() - 0.5) < 0.05
    b = torch.zeros(n).bernoulli_()
    assert set(b.tolist()) == {0.0, 1.0} and abs(b.array.mean() - 0.5) < 0.02
    assert abs(torch.zeros(n).bernoulli_(0.9).array.mean() - 0.9) < 0.02
    assert torch.zeros(2, 2).bernoulli_(torch.tensor([0.0, 1.0])).tolist() == [[0.0, 1.0], [0.0, 1.0]]
    with pytest.raises(RuntimeError, match="The expanded size of the tensor"):
        torch.zeros(3).bernoulli_(torch.tensor([0.0, 1.0]))
    r = torch.zeros(n, dtype=torch.int64).random_(3, 6)
    assert set(r.tolist()) == {3, 4, 5} and set(torch.zeros(n).random_(2).tolist()) == {0.0, 1.0}
    wide = torch.zeros(n).random_()
    assert wide.array.min() < 2**14 and 0.99 * 2**24 < wide.array.max() < 2**24
    x = torch.ones(3)
    assert x.uniform_() is x and x._version == 1
    with pytest.raises(RuntimeError, match="leaf Variable that requires grad"):
        leaf(1.0).normal_()
    one, same = (torch.zeros(5).normal_(generator=torch.Generator().manual_seed(3)) for _ in range(2))
    assert one.tolist() == same.tolist()


def test_indices_where_and_scatter() -> None:
    x = torch.arange(4.0)
    x[1:3] = 9
    assert x.tolist() == [0.0, 9.0, 9.0, 3.0] and x[-1].item() == 3.0 and x._version == 1
    assert x.where(x > 5, -x).tolist() == [0.0, 9.0, 9.0, -3.0]
    assert x.scatter_(0, torch.tensor([0]), torch.tensor([5.0])) is x and x.tolist()[0] == 5.0
    assert x.scatter_(0, torch.tensor([1]), value=2.0).tolist() == [5.0, 2.0, 9.0, 3.0] and x._version == 3


def test_index_put_takes_the_place_of_what_the_indices_read_or_adds_to_it() -> None:
    x, v, places = leaf(1.0, 2.0, 3.0), leaf(10.0, 20.0, 30.0), (torch.tensor([0, 2, 2]),)
    assert torch.index_put(x, places, v).tolist() == [10.0, 2.0, 30.0] and x._version == 0
    y = x.index_put(places, v, accumulate=True)
    assert y.tolist() == [11.0, 2.0, 53.0]
    (y * y).sum().backward()
    assert x.grad.tolist() == [22.0, 4.0, 106.0] and v.grad.tolist() == [22.0, 106.0, 106.0]
    z = torch.zeros(2, 2)
    assert z.index_put_((torch.tensor([True, False]),), torch.ones(2)) is z and z.tolist() == [[1.0, 1.0], [0.0, 0.0]]
    assert z.index_put((torch.tensor(1),), torch.ones(1), True).tolist() == [[1.0, 1.0], [1.0, 1.0]]
    for call, name in ((lambda: torch.index_put(1, places, v), "input"), (lambda: x.index_put(places, 1), "values"),
                       (lambda: x.index_put(places[0], v), "indices")):  # fmt: skip
        with pytest.raises(TypeError, match=rf"index_put\(\): argument '{name}' \(position \d\) must be"):
            call()


@pytest.mark.parametrize("name", ["exp_", "relu_", "clamp_", "zero_", "fill_", "detach", "detach_", "is_signed"])
def test_functions_that_are_methods_too_refuse_what_is_no_tensor(name: str) -> None:
    for alien in (3, None, np.ones(2)):
        with pytest.raises(TypeError, match=rf"{name}\(\): argument 'input' \(position 1\) must be Tensor, not "):
            getattr(torch, name)(alien, *((1,) if name == "fill_" else ()))
    x = torch.tensor([1.0, 2.0])
    assert torch.zero_(torch.exp_(x)) is x and torch.fill_(x, 2) is x and x.tolist() == [2.0, 2.0]
    assert x.swapaxes(0, 0).inner(x).item() == 8.0 and x.flipud().vdot(x).is_nonzero() and x.erf().equal(torch.erf(x))


def test_options_of_methods_are_given_by_name() -> None:
    x, index, g = torch.ones(3), torch.tensor([0]), torch.Generator()
    for call in (lambda: x.numpy(True), lambda: x.uniform_(0, 1, g), lambda: x.normal_(0, 1, g),
                 lambda: x.bernoulli_(0.5, g), lambda: x.random_(0, 2, g),
                 lambda: x.scatter_(0, index, torch.ones(1), 2.0)):  # fmt: skip
        with pytest.raises(TypeError):
            call()
    assert x.tolist() == [1.0, 1.0, 1.0]


def test_what_may_not_be_written_stays_as_it_was() -> None:
    x = torch.ones(2)
    for shape in ((3, 2), (1, 2)):
        text = rf"output with shape \[2\] doesn't match the broadcast shape \[{shape[0]}, 2\]"
        with pytest.raises(RuntimeError, match=text):
            x.add_(torch.ones(shape))
    with pytest.raises(RuntimeError, match="result type Float can't be cast to the desired output type Long"):
        torch.ones(1, dtype=torch.int64).add_(0.5)
    y = leaf(1.0, 2.0)
    for write in (lambda: y.add_(1), lambda: y[0:1].add_(1), lambda: y.zero_(), lambda: y.copy_(x)):
        with pytest.raises(RuntimeError, match="leaf Variable that requires grad is being used in an in-place"):
            write()
    assert x.tolist() == [1.0, 1.0] and y.tolist() == [1.0, 2.0] and x._version == y._version == 0
    with torch.no_grad():
        assert y.add_(1) is y and y.requires_grad and y.is_leaf and y._version == 1
    for wide in (torch.ones(1, 2).expand(3, 2), torch.tensor(1.0).expand(2)):
        with pytest.raises(RuntimeError, match="more than one element of the written-to tensor"):
            wide.add_(1)
    row = torch.ones(2).expand(1, 2)
    assert row.add_(1).tolist() == [[2.0, 2.0]] and row._version == 1


def test_views_follow_what_is_written_to_their_base_and_back() -> None:
    x = leaf(1.0, 2.0, 3.0, 4.0)
    h = x * 1
    first, turned = h[:2], h.view(2, 2).t()
    h.mul_(2)
    assert first.tolist() == [2.0, 4.0] and first.requires_grad
    turned[0].mul_(10)
    assert h.tolist() == [20.0, 4.0, 60.0, 8.0] and first.tolist() == [20.0, 4.0]
    (first.sum() + turned.sum()).backward()
    assert x.grad.tolist() == [40.0, 4.0, 20.0, 2.0]
    g = x * 1
    g[1:].view(3)[0] = 7.0
    g.sum().backward()
    assert x.grad.tolist() == [41.0, 4.0, 21.0, 3.0] and g.tolist() == [1.0, 7.0, 3.0, 4.0]
    plain = torch.zeros(4)
    view = plain[1:3]
    view.copy_(leaf(5.0, 6.0))
    assert plain.requires_grad and view.requires_grad and plain.tolist() == [0.0, 5.0, 6.0, 0.0]
    with torch.no_grad():
        view.zero_()
    assert plain.tolist() == [0.0] * 4


def test_names_of_builtins_are_not_lost_in_the_class() -> None:
    assert builtins.any([Tensor.float is not float, False]) and wrap(np.float32(1)).float().dtype is torch.float32
