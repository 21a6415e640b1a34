"""Rows of attention and of the Transformers; tests/nn/test_attention_vs_torch.py compares what they compute."""

from __future__ import annotations

from typing import Any

from tests.nn.rows.row import *  # noqa: F403

TWO = {"embed_dim": 4, "num_heads": 2}
row(
    "MultiheadAttention", None, real, [
        Case((), TWO | more) for more in (
            {}, {"bias": False, "batch_first": True}, {"kdim": 3, "vdim": 5, "dropout": 0.1},
            {"add_bias_kv": True, "add_zero_attn": True},
        )
    ],
    wrong=(
        Wrong({"embed_dim": 5, "num_heads": 2}, None, AssertionError, "embed_dim must be divisible by num_heads"),
        Wrong({"embed_dim": 0, "num_heads": 2}, None, ValueError, "embed_dim and num_heads must be greater than 0, got embed_dim=0 and num_heads=2 instead"),
    ),
)  # fmt: skip

SMALL = {"d_model": 4, "nhead": 2, "dim_feedforward": 8}
OTHERS = {"norm_first": True, "bias": False, "activation": "gelu", "dropout": 0.2, "layer_norm_eps": 1e-3}
for name in ("TransformerEncoderLayer", "TransformerDecoderLayer"):
    row(
        name, None, real, [Case((), SMALL | more) for more in ({}, OTHERS | {"batch_first": True})],
        wrong=(Wrong(SMALL | {"activation": "tanh"}, None, RuntimeError, "activation should be relu/gelu, not tanh"),),
    )  # fmt: skip


def stacked(kind: str) -> Any:
    """A layer to be copied, of either library."""
    return lambda torch: getattr(torch.nn, f"Transformer{kind}Layer")(4, 2, 8, batch_first=True)


def norm(torch: Any) -> Any:
    return torch.nn.LayerNorm(4)


def plain(torch: Any) -> Any:
    return torch.nn.Linear(4, 4)


row(
    "TransformerEncoder", None, real, [
        Case((), {"encoder_layer": stacked("Encoder"), "num_layers": 2} | more)
        for more in ({}, {"norm": norm, "enable_nested_tensor": False, "mask_check": False})
    ],
)  # fmt: skip
row(
    "TransformerDecoder", None, real,
    [Case((), {"decoder_layer": stacked("Decoder"), "num_layers": 2} | more) for more in ({}, {"norm": norm})],
)  # fmt: skip
FEW = {"num_encoder_layers": 1, "num_decoder_layers": 2, "batch_first": True}
row(
    "Transformer", None, real, [
        Case((), SMALL | FEW | more) for more in ({}, OTHERS | {"custom_encoder": plain, "custom_decoder": plain})
    ],
)  # fmt: skip
