"""Attention with several heads as a module."""

# fmt: off
from __future__ import annotations

from typing import Any

from tinygrad_pt import dtypes
from tinygrad_pt import functions as F
from tinygrad_pt.errors import refuse
from tinygrad_pt.nn import functional as NF
from tinygrad_pt.nn import init
from tinygrad_pt.nn.linear import NonDynamicallyQuantizableLinear
from tinygrad_pt.nn.module import Module
from tinygrad_pt.nn.parameter import Parameter
from tinygrad_pt.tensor import Tensor
from tinygrad_pt.views import as_own

__all__ = ["MultiheadAttention"]

Device = str | F.device | None
Dtype = dtypes.dtype | None


class MultiheadAttention(Module):
    """Attention with several heads (Vaswani et al., 2017): each head attends with projections of its own.

    Query (L, N, embed_dim), key (S, N, kdim), value (S, N, vdim), or (L, embed_dim) …, or with `batch_first` (N, L, …).
    Gives the output, of the shape of the query, and with `need_weights` the weights (N, L, S), or with
    `average_attn_weights=False` those of each head (N, heads, L, S). In `attn_mask` (L, S) or (N·heads, L, S), and in
    `key_padding_mask` (N, S), True means "ignore"; numbers are added. `add_bias_kv` learns one more key and value,
    `add_zero_attn` adds a key and value of zeros. In training weights are dropped with probability `dropout`.
    The projections start as Xavier's uniform numbers over the whole matrix, the biases as 0.
    Raises AssertionError or RuntimeError, as PyTorch, for shapes that do not fit.

    >>> attention = torch.nn.MultiheadAttention(4, 2)
    >>> y, weights = attention(torch.zeros(3, 1, 4), torch.zeros(5, 1, 4), torch.zeros(5, 1, 4))
    >>> y.shape, weights.shape
    (torch.Size([3, 1, 4]), torch.Size([1, 3, 5]))
    """

    bias_k: Tensor | None
    bias_v: Tensor | None
    q_proj_weight: Tensor | None
    k_proj_weight: Tensor | None
    v_proj_weight: Tensor | None

    def __init__(
        self, embed_dim: int, num_heads: int, dropout: float = 0.0, bias: bool = True, add_bias_kv: bool = False,
        add_zero_attn: bool = False, kdim: int | None = None, vdim: int | None = None, batch_first: bool = False,
        device: Device = None, dtype: Dtype = None,
    ) -> None:
        if embed_dim <= 0 or num_heads <= 0:
            found = f"embed_dim={embed_dim} and num_heads={num_heads}"
            raise refuse(ValueError, f"embed_dim and num_heads must be greater than 0, got {found} instead")
        super().__init__()
        self.embed_dim, self.num_heads, self.dropout, self.batch_first = embed_dim, num_heads, dropout, batch_first
        self.kdim = embed_dim if kdim is None else kdim
        self.vdim = embed_dim if vdim is None else vdim
        self._qkv_same_embed_dim = self.kdim == embed_dim == self.vdim
        self.head_dim = embed_dim // num_heads
        if self.head_dim * num_heads != embed_dim:
            mend = f"{embed_dim} features cannot be shared by {num_heads} heads"
            raise refuse(AssertionError, "embed_dim must be divisible by num_heads", mend=mend)
        self.add_zero_attn = add_zero_attn

        def made(*shape: int) -> Parameter:
            return Parameter(F.empty(shape, dtype=dtype, device=device))

        shapes: dict[str, Any] = {"q_proj_weight": embed_dim, "k_proj_weight": self.kdim, "v_proj_weight": self.vdim}
        if self._qkv_same_embed_dim:
            self.in_proj_weight = made(3 * embed_dim, embed_dim)
            for name in shapes:
                self.register_parameter(name, None)
        else:
            for name, size in shapes.items():
                setattr(self, name, made(embed_dim, size))
            self.register_parameter("in_proj_weight", None)
        if bias:
            self.in_proj_bias = made(3 * embed_dim)
        else:
            self.register_parameter("in_proj_bias", None)
        self.out_proj = NonDynamicallyQuantizableLinear(embed_dim, embed_dim, bias, device, dtype)
        if add_bias_kv:
            self.bias_k, self.bias_v = made(1, 1, embed_dim), made(1, 1, embed_dim)
        else:
            self.bias_k = self.bias_v = None
        self._reset_parameters()

    def _reset_parameters(self) -> None:
        names = ["in_proj_weight"] if self._qkv_same_embed_dim else [f"{x}_proj_weight" for x in "qkv"]
        for name in names:
            init.xavier_uniform_(getattr(self, name))
        if self.in_proj_bias is not None:
            init.zeros_(self.in_proj_bias)
            init.zeros_(self.out_proj.bias)
        for b in (self.bias_k, self.bias_v):
            if b is not None:
                init.xavier_normal_(b)

    def forward(
        self, query: Tensor, key: Tensor, value: Tensor, key_padding_mask: Tensor | None = None,
        need_weights: bool = True, attn_mask: Tensor | None = None, average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        turns = self.batch_first and isinstance(query, Tensor) and query.array.ndim == 3
        if turns and isinstance(key, Tensor) and isinstance(value, Tensor) and key.array.ndim == value.array.ndim == 3:
            one = F.transpose(query, 0, 1)
            two = one if key is query else F.transpose(key, 0, 1)
            three = two if value is key else one if value is query else F.transpose(value, 0, 1)
            query, key, value = one, two, three
        y, weights = NF.multi_head_attention_forward(
            query, key, value, self.embed_dim, self.num_heads, self.in_proj_weight, self.in_proj_bias, self.bias_k,
            self.bias_v, self.add_zero_attn, self.dropout, self.out_proj.weight, self.out_proj.bias, self.training,
            key_padding_mask, need_weights, attn_mask, not self._qkv_same_embed_dim, self.q_proj_weight,
            self.k_proj_weight, self.v_proj_weight, average_attn_weights=average_attn_weights, is_causal=is_causal,
        )
        return (as_own(F.transpose(y, 0, 1)) if turns else y), weights
