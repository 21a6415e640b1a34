"""Wrong inputs of functions, losses, activations and init: the package refuses them, in its own words."""

from __future__ import annotations

import inspect
import linecache
import math
import traceback
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import tinygrad_pt as torch
from tests.nn.table import ROWS
from tinygrad_pt import nn
from tinygrad_pt.nn import functional as F
from tinygrad_pt.nn import init

HERE = ("/nn/functional/", "/nn/loss.py", "/nn/activation.py", "/nn/init.py")
BUILDERS = ("refuse", "wrong_type", "not_a", "no_overload", "unsupported")
NUMBERS = [0, 1, -1, 3, 0.5, -0.5, 2.5, True, 1e300, math.inf, math.nan]
OTHERS = [None, "x", "mean", [], [1.0], (1,), (0, 1, 2), {}, object(), torch.int64]
SHAPES = [(), (0,), (2,), (3,), (2, 3), (3, 0), (3, 2, 2)]
DTYPES = [torch.float32, torch.float64, torch.int64, torch.bool]


def full(*shape: int, dtype: Any = torch.float32) -> Any:
    """A tensor of 0.5 (or of ones) that wants a gradient if it can have one."""
    return torch.full(shape, 0.5 if dtype.is_floating_point else 1, dtype=dtype).requires_grad_(dtype.is_floating_point)


def tensors() -> Iterator[Any]:
    return (full(*s, dtype=d) for s in SHAPES for d in DTYPES if s == (2, 3) or d in (torch.float32, torch.int64))


RIGHT: dict[str, Any] = {"pad": [1, 1], "nonlinearity": "relu", "kernel_size": 2}  # by the name of a parameter
BY_TYPE: dict[str, Any] = {
    "float": 0.5,
    "int": 1,
    "bool": True,
    "Ints": 1,
    "MaybeInts": 1,
}  # or by its annotation; else a tensor of shape (2, 3)
SEQUENCE = {"log_probs": (4, 2, 3), "targets": [[1, 2], [1, 1]], "input_lengths": [4, 4], "target_lengths": [2, 2]}
IMAGES = {n: (1, 2, *(4,) * n) for n in (1, 2, 3)}
ATTENTION = {
    "query": (3, 1, 2), "key": (3, 1, 2), "value": (3, 1, 2), "embed_dim_to_check": 2, "num_heads": 1,
    "in_proj_weight": (6, 2), "in_proj_bias": (6,), "bias_k": None, "bias_v": None, "add_zero_attn": False,
    "dropout_p": 0.0, "out_proj_weight": (2, 2), "out_proj_bias": (2,),
}  # fmt: skip
RIGHT_FOR: dict[str, dict[str, Any]] = {
    **{f"conv{n}d": {"input": IMAGES[n], "weight": (3, 2, *(2,) * n)} for n in IMAGES},
    **{f"conv_transpose{n}d": {"input": IMAGES[n], "weight": (2, 3, *(2,) * n)} for n in IMAGES},
    **{
        f"{kind}_pool{n}d{end}": {"input": IMAGES[n]}
        for n in IMAGES
        for kind in ("max", "avg", "lp", "adaptive_max", "adaptive_avg")
        for end in ("", "_with_indices")
    },
    **{
        f"fractional_max_pool{n}d{end}": {"input": IMAGES[n], "output_size": 2}
        for n in (2, 3) for end in ("", "_with_indices")
    },
    **{
        f"max_unpool{n}d": {"input": (1, 1, *(1,) * n), "indices": torch.ones(1, 1, *(1,) * n).long().tolist()}
        for n in IMAGES
    },
    "unfold": {"input": IMAGES[2]}, "fold": {"input": (1, 4, 1), "output_size": 2},
    **dict.fromkeys(("interpolate", "upsample_bilinear"), {"input": IMAGES[2], "size": 3}),
    **dict.fromkeys(("upsample", "upsample_nearest"), {"input": IMAGES[2], "scale_factor": 2}),
    "affine_grid": {"theta": (1, 2, 3), "size": torch.Size((1, 1, 2, 2))},
    "grid_sample": {"input": IMAGES[2], "grid": (1, 3, 3, 2)},
    "channel_shuffle": {"input": IMAGES[2]}, "native_channel_shuffle": {"input": IMAGES[2]},
    "pixel_shuffle": {"input": (1, 4, 2, 2), "upscale_factor": 2},
    "pixel_unshuffle": {"input": IMAGES[2], "downscale_factor": 2},
    "embedding": {"input": [0, 1]}, "embedding_bag": {"input": [0, 1], "offsets": [0]},
    "batch_norm": {"running_mean": [0.0, 0.5, 1.0], "running_var": [0.5, 1.0, 2.0]}, "group_norm": {"num_groups": 1},
    "instance_norm": {"input": IMAGES[1]}, "local_response_norm": {"input": IMAGES[1]},
    **dict.fromkeys(("layer_norm", "rms_norm"), {"normalized_shape": torch.Size((3,))}),
    "multi_head_attention_forward": ATTENTION,
    "linear": {"weight": (4, 3)}, "bilinear": {"weight": (4, 3, 3)}, "prelu": {"weight": (3,)},
    "glu": {"input": (2, 4)}, "dropout1d": {"input": (2, 3, 2)}, "dirac_": {"tensor": (2, 3, 3)},
    "cosine_embedding_loss": {"target": (2,)},
    "cross_entropy": {"target": [0, 1]}, "nll_loss": {"target": [0, 1]}, "multi_margin_loss": {"target": [0, 1]},
    "multilabel_margin_loss": {"target": [[0, -1, 1], [2, 0, -1]]},
    "linear_cross_entropy": {"target": [0, 1], "linear_weight": (4, 3)},
    "ctc_loss": SEQUENCE,
    "GLU": {"input": (2, 4)}, "Softmax2d": {"input": (2, 3, 4)}, "CosineEmbeddingLoss": {"target": (2,)},
    "CrossEntropyLoss": {"target": [0, 1]}, "NLLLoss": {"target": [0, 1]}, "MultiMarginLoss": {"target": [0, 1]},
    "MultiLabelMarginLoss": {"target": [[0, -1, 1], [2, 0, -1]]},
    "LinearCrossEntropyLoss": {"target": [0, 1], "in_features": 3, "num_classes": 4},
    "CTCLoss": SEQUENCE,
}  # fmt: skip


def right(name: str, parameters: Any) -> dict[str, Any]:
    """Arguments with which a call of `name` succeeds: for the parameters that have no default, or are named."""
    found = {}
    for p in parameters:
        needed = p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
        if p.name != "self" and (needed or p.name in RIGHT_FOR.get(name, {})):
            value = (RIGHT | RIGHT_FOR.get(name, {})).get(p.name, BY_TYPE.get(p.annotation, (2, 3)))
            if isinstance(value, tuple) and not isinstance(value, torch.Size):  # a shape
                value = full(*value).detach() if p.name == "tensor" else full(*value)
            elif isinstance(value, list) and p.name != "pad":
                value = torch.tensor(value)
            found[p.name] = value
    return found


def fault(call: Callable[[], Any]) -> str:
    """What is wrong about the exception that this call raises, or ""."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            y = call()
            if isinstance(y, torch.Tensor) and y.requires_grad and not y.is_leaf:
                y.sum().backward()
            return ""
        except Exception as error:
            place = traceback.extract_tb(error.__traceback__)[-1]
            line = linecache.getline(place.filename, place.lineno or 0).strip()
            ours = any(part in place.filename for part in HERE)
            built = (
                any(f"{name}(" in line for name in ("refuse", "wrong_type", "not_a", "no_overload", "unsupported"))
                or not ours
            )
            if "/tinygrad_pt/" in place.filename and line.startswith("raise ") and built:
                return ""
            return f"{type(error).__name__}: {error} ({place.filename}:{place.lineno}: {line})"


def faults(call: Callable[..., Any], fitting: Callable[[], dict[str, Any]], names: list[str]) -> list[str]:
    """Each argument wrong in turn, then all tensors alike."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        call(**fitting())
    found = []
    for name in names:
        for wrong in (*NUMBERS, *OTHERS, *tensors()):
            said = fault(lambda name=name, wrong=wrong: call(**{**fitting(), name: wrong}))
            found += [f"{name}={wrong!r}: {said}"] * bool(said)
    for shape in SHAPES:
        for dtype in DTYPES:
            alike = {k: full(*shape, dtype=dtype) for k, v in fitting().items() if isinstance(v, torch.Tensor)}
            said = fault(lambda alike=alike: call(**{**fitting(), **alike}))
            found += [f"all {dtype} {shape}: {said}"] * bool(said)
    return found


def functions(room: Any) -> list[Any]:
    """The public functions that this room defines."""
    everything = [thing for name, thing in vars(room).items() if not name.startswith("_") and inspect.isfunction(thing)]
    own = [thing for thing in everything if thing.__module__.startswith(room.__name__)]
    return [
        thing for thing in own if thing.__name__.endswith("_") == (room is init) or thing is init.calculate_gain
    ]  # functions in place are made of others, and so are the older names of init


@pytest.mark.parametrize("function", functions(F) + functions(init), ids=lambda function: function.__name__)
def test_functions_refuse_in_their_own_words(function: Any) -> None:
    parameters = inspect.signature(function).parameters
    assert not faults(function, lambda: right(function.__name__, parameters.values()), list(parameters))


@pytest.mark.parametrize(
    "kind",
    [row.kind for row in ROWS.values() if row.kind.__module__ in (nn.loss.__name__, nn.activation.__name__)],
    ids=lambda kind: kind.__name__,
)
def test_modules_refuse_in_their_own_words(kind: Any) -> None:
    settings = inspect.signature(kind).parameters
    inputs = inspect.signature(kind.forward).parameters

    def call(**arguments: Any) -> Any:
        given = {k: arguments.pop(k) for k in inputs if k in arguments}
        return kind(**arguments)(**given)

    def fitting() -> dict[str, Any]:
        return right(kind.__name__, settings.values()) | right(kind.__name__, inputs.values())

    names = [name for name in {**settings, **inputs} if name not in ("self", "args", "kwargs")]
    assert not faults(call, fitting, names)
