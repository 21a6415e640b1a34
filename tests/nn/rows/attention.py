"""Rows of attention and of the Transformers; tests/nn/test_attention_vs_torch.py compares what they compute."""

from __future__ import annotations

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
