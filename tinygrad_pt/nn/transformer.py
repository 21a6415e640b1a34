"""The Transformer: encoders and decoders of attention and small networks (Vaswani et al., 2017)."""

# fmt: off
from __future__ import annotations

import copy
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_pt import dtypes
from tinygrad_pt import functions as F
from tinygrad_pt.errors import refuse
from tinygrad_pt.modes import current
from tinygrad_pt.nn import functional as NF
from tinygrad_pt.nn import init
from tinygrad_pt.nn.activation import GELU, ReLU
from tinygrad_pt.nn.attention import MultiheadAttention
from tinygrad_pt.nn.container import ModuleList
from tinygrad_pt.nn.dropout import Dropout
from tinygrad_pt.nn.functional.attention import canonical_mask
from tinygrad_pt.nn.linear import Linear
from tinygrad_pt.nn.module import Module
from tinygrad_pt.nn.normalization import LayerNorm
from tinygrad_pt.tensor import Tensor

__all__ = [
    "Transformer", "TransformerDecoder", "TransformerDecoderLayer", "TransformerEncoder", "TransformerEncoderLayer",
]

Device = str | F.device | None
Dtype = dtypes.dtype | None
Mask = Tensor | None
Activation = str | Callable[[Tensor], Tensor]


def _activation(found: Activation) -> Callable[[Tensor], Tensor]:
    """The function, or that of a name."""
    if not isinstance(found, str):
        return found
    if found not in ("relu", "gelu"):
        text = f"activation should be relu/gelu, not {found}"
        raise refuse(RuntimeError, text, mend=f"give the function itself: activation=torch.nn.functional.{found}")
    return NF.relu if found == "relu" else NF.gelu


def _looks_causal(mask: Mask, hint: bool | None, size: int) -> bool:
    """Whether a mask is causal: the hint, or if there is none, what its numbers say."""
    if hint is not None or mask is None:
        return hint is True
    x = mask.array
    if x.shape != (size, size):
        return False
    return x.dtype.kind == "f" and bool((x == np.triu(np.full((size, size), -np.inf), 1)).all())


def _steps(x: Tensor, layers: Any) -> int:
    """The length of the sequences."""
    return x.array.shape[1 if layers[0].self_attn.batch_first and x.array.ndim == 3 else 0]


class _Layer(Module):
    """What the layers of encoder and decoder have in common: a network of two layers, and norms with dropout."""

    self_attn: Any
    multihead_attn: Any
    norm1: Any
    norm2: Any
    norm3: Any
    dropout1: Any
    dropout2: Any
    dropout3: Any
    activation: Any

    def _make(
        self, attentions: tuple[str, ...], d_model: int, nhead: int, dim_feedforward: int, dropout: float,
        layer_norm_eps: float, batch_first: bool, norm_first: bool, bias: bool, device: Device, dtype: Dtype,
    ) -> None:
        kinds: dict[str, Any] = {"device": device, "dtype": dtype}
        for name in attentions:
            attention = MultiheadAttention(d_model, nhead, dropout, bias, batch_first=batch_first, **kinds)
            setattr(self, name, attention)
        self.linear1 = Linear(d_model, dim_feedforward, bias, **kinds)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias, **kinds)
        self.norm_first = norm_first
        count = len(attentions) + 1
        for i in range(1, count + 1):
            setattr(self, f"norm{i}", LayerNorm(d_model, eps=layer_norm_eps, bias=bias, **kinds))
        for i in range(1, count + 1):
            setattr(self, f"dropout{i}", Dropout(dropout))

    def _added(self, x: Tensor, norm: Module, block: Callable[[Tensor], Tensor]) -> Tensor:
        """x + block(x), normalised: first, or after."""
        if self.norm_first:
            return x + block(norm(x))
        y: Tensor = norm(x + block(x))
        return y

    def _network(self, x: Tensor, last: Module) -> Tensor:
        y: Tensor = last(self.linear2(self.dropout(self.activation(self.linear1(x)))))
        return y


class TransformerEncoderLayer(_Layer):
    """Attention of a sequence to itself, and a network of two layers, each added to its input and normalised.

    Input (S, N, d_model), with `batch_first` (N, S, d_model), or (S, d_model); output the same. In masks True means
    "ignore"; numbers are added. With `norm_first` the norms come before attention and network.
    Raises AssertionError or RuntimeError, as PyTorch, for shapes that do not fit.

    >>> torch.nn.TransformerEncoderLayer(4, 2, 8)(torch.zeros(3, 1, 4)).shape
    torch.Size([3, 1, 4])
    """

    def __init__(
        self, d_model: int, nhead: int, dim_feedforward: int = 2048, dropout: float = 0.1,
        activation: Activation = NF.relu, layer_norm_eps: float = 1e-5, batch_first: bool = False,
        norm_first: bool = False, bias: bool = True, device: Device = None, dtype: Dtype = None,
    ) -> None:
        super().__init__()
        self._make(
            ("self_attn",), d_model, nhead, dim_feedforward, dropout, layer_norm_eps, batch_first, norm_first, bias,
            device, dtype,
        )
        self.activation = found = _activation(activation)
        relu, gelu = found is NF.relu or isinstance(found, ReLU), found is NF.gelu or isinstance(found, GELU)
        self.activation_relu_or_gelu = 1 if relu else 2 if gelu else 0

    def forward(
        self, src: Tensor, src_mask: Mask = None, src_key_padding_mask: Mask = None, is_causal: bool = False
    ) -> Tensor:
        kind = src.array.dtype
        padding = canonical_mask(src_key_padding_mask, "src_key_padding_mask", src_mask, "src_mask", kind)
        mask = canonical_mask(src_mask, "src_mask", None, "", kind, False)

        def attention(x: Tensor) -> Tensor:
            y = self.self_attn(
                x, x, x, attn_mask=mask, key_padding_mask=padding, need_weights=False, is_causal=is_causal
            )
            z: Tensor = self.dropout1(y[0])
            return z

        x = self._added(src, self.norm1, attention)
        return self._added(x, self.norm2, lambda x: self._network(x, self.dropout2))


class TransformerDecoderLayer(_Layer):
    """Attention of a sequence to itself, attention to the memory of an encoder, and a network of two layers.

    Target (T, N, d_model), memory (S, N, d_model), with `batch_first` (N, …); output of the shape of the target. Else
    as `TransformerEncoderLayer`.

    >>> torch.nn.TransformerDecoderLayer(4, 2, 8)(torch.zeros(3, 1, 4), torch.zeros(5, 1, 4)).shape
    torch.Size([3, 1, 4])
    """

    def __init__(
        self, d_model: int, nhead: int, dim_feedforward: int = 2048, dropout: float = 0.1,
        activation: Activation = NF.relu, layer_norm_eps: float = 1e-5, batch_first: bool = False,
        norm_first: bool = False, bias: bool = True, device: Device = None, dtype: Dtype = None,
    ) -> None:
        super().__init__()
        self._make(
            ("self_attn", "multihead_attn"), d_model, nhead, dim_feedforward, dropout, layer_norm_eps, batch_first,
            norm_first, bias, device, dtype,
        )
        self.activation = _activation(activation)

    def forward(
        self, tgt: Tensor, memory: Tensor, tgt_mask: Mask = None, memory_mask: Mask = None,
        tgt_key_padding_mask: Mask = None, memory_key_padding_mask: Mask = None, tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> Tensor:
        def to_itself(x: Tensor) -> Tensor:
            y = self.self_attn(
                x, x, x, attn_mask=tgt_mask, key_padding_mask=tgt_key_padding_mask, need_weights=False,
                is_causal=tgt_is_causal,
            )
            z: Tensor = self.dropout1(y[0])
            return z

        def to_memory(x: Tensor) -> Tensor:
            y = self.multihead_attn(
                x, memory, memory, attn_mask=memory_mask, key_padding_mask=memory_key_padding_mask, need_weights=False,
                is_causal=memory_is_causal,
            )
            z: Tensor = self.dropout2(y[0])
            return z

        x = self._added(tgt, self.norm1, to_itself)
        x = self._added(x, self.norm2, to_memory)
        return self._added(x, self.norm3, lambda x: self._network(x, self.dropout3))


def _copies(layer: Module, count: int) -> ModuleList:
    return ModuleList([copy.deepcopy(layer) for _ in range(count)])


class TransformerEncoder(Module):
    """Several encoder layers, one after the other: copies of one layer, which start with the same numbers.

    Input and output (S, N, d_model), or (N, S, d_model), as the layer has it.

    >>> layer = torch.nn.TransformerEncoderLayer(4, 2, 8, batch_first=True)
    >>> torch.nn.TransformerEncoder(layer, 2)(torch.zeros(1, 3, 4)).shape
    torch.Size([1, 3, 4])
    """

    def __init__(
        self, encoder_layer: TransformerEncoderLayer, num_layers: int, norm: Module | None = None,
        enable_nested_tensor: bool = True, mask_check: bool = True,
    ) -> None:
        super().__init__()
        self.layers = _copies(encoder_layer, num_layers)
        self.num_layers, self.norm = num_layers, norm
        self.enable_nested_tensor, self.mask_check = enable_nested_tensor, mask_check
        reason = _why_not_nested(encoder_layer) if enable_nested_tensor else ""
        self.use_nested_tensor = enable_nested_tensor and not reason
        if reason:
            text = f"enable_nested_tensor is True, but self.use_nested_tensor is False because encoder_layer{reason}"
            warnings.warn(text, stacklevel=2)

    def _leaves_padding_out(self, src: Tensor, padding: Tensor) -> bool:
        """Whether PyTorch computes nothing for what is padding, in evaluation without gradients, and gives 0 there."""
        first = self.layers[0]
        if not self.use_nested_tensor or first.training or src.array.ndim != 3:
            return False
        if current().grad and any(x.requires_grad for x in (src, *first.parameters())):
            return False
        counts = padding.array == 0
        return not self.mask_check or not (counts[:, 1:] & ~counts[:, :-1]).any()

    def forward(
        self, src: Tensor, mask: Mask = None, src_key_padding_mask: Mask = None, is_causal: bool | None = None
    ) -> Tensor:
        kind = src.array.dtype
        padding = canonical_mask(src_key_padding_mask, "src_key_padding_mask", mask, "mask", kind)
        mask = canonical_mask(mask, "mask", None, "", kind, False)
        causal = _looks_causal(mask, is_causal, _steps(src, self.layers))
        x = src
        for layer in self.layers:
            x = layer(x, src_mask=mask, is_causal=causal, src_key_padding_mask=padding)
        if padding is not None and mask is None and self._leaves_padding_out(src, padding):
            x = F.where(F.unsqueeze(padding == 0, -1), x, 0.0)
        return x if self.norm is None else self.norm(x)


def _why_not_nested(layer: Any) -> str:
    """Why PyTorch does not leave out padding in evaluation (which nested tensors would allow; here nothing does)."""
    if not isinstance(layer, TransformerEncoderLayer):
        return " was not TransformerEncoderLayer"
    attention = layer.self_attn
    if layer.norm_first:
        return ".norm_first was True"
    if not attention.batch_first:
        return ".self_attn.batch_first was not True(use batch_first for better inference performance)"
    if not attention._qkv_same_embed_dim:
        return ".self_attn._qkv_same_embed_dim was not True"
    if attention.in_proj_bias is None:
        return ".self_attn was passed bias=False"
    if not layer.activation_relu_or_gelu:
        return ".activation_relu_or_gelu was not True"
    if layer.norm1.eps != layer.norm2.eps:
        return ".norm1.eps was not equal to encoder_layer.norm2.eps"
    return ".self_attn.num_heads is odd" if attention.num_heads % 2 else ""


class TransformerDecoder(Module):
    """Several decoder layers, one after the other: copies of one layer, which start with the same numbers.

    >>> decoder = torch.nn.TransformerDecoder(torch.nn.TransformerDecoderLayer(4, 2, 8), 2)
    >>> decoder(torch.zeros(3, 1, 4), torch.zeros(5, 1, 4)).shape
    torch.Size([3, 1, 4])
    """

    def __init__(self, decoder_layer: TransformerDecoderLayer, num_layers: int, norm: Module | None = None) -> None:
        super().__init__()
        self.layers = _copies(decoder_layer, num_layers)
        self.num_layers, self.norm = num_layers, norm

    def forward(
        self, tgt: Tensor, memory: Tensor, tgt_mask: Mask = None, memory_mask: Mask = None,
        tgt_key_padding_mask: Mask = None, memory_key_padding_mask: Mask = None, tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        causal = _looks_causal(tgt_mask, tgt_is_causal, _steps(tgt, self.layers))
        x = tgt
        for layer in self.layers:
            x = layer(
                x, memory, tgt_mask=tgt_mask, memory_mask=memory_mask, tgt_key_padding_mask=tgt_key_padding_mask,
                memory_key_padding_mask=memory_key_padding_mask, tgt_is_causal=causal,
                memory_is_causal=memory_is_causal,
            )
        return x if self.norm is None else self.norm(x)


class Transformer(Module):
    """An encoder and a decoder, each with a norm at its end (Vaswani et al., 2017).

    Source (S, N, d_model), target (T, N, d_model), with `batch_first` (N, …); output of the shape of the target. All
    matrices start as Xavier's uniform numbers.
    Raises RuntimeError if batches or features differ.

    >>> model = torch.nn.Transformer(4, 2, 1, 1, 8, batch_first=True)
    >>> model(torch.zeros(1, 5, 4), torch.zeros(1, 3, 4)).shape
    torch.Size([1, 3, 4])
    """

    def __init__(
        self, d_model: int = 512, nhead: int = 8, num_encoder_layers: int = 6, num_decoder_layers: int = 6,
        dim_feedforward: int = 2048, dropout: float = 0.1, activation: Activation = NF.relu,
        custom_encoder: Any | None = None, custom_decoder: Any | None = None, layer_norm_eps: float = 1e-5,
        batch_first: bool = False, norm_first: bool = False, bias: bool = True, device: Device = None,
        dtype: Dtype = None,
    ) -> None:
        super().__init__()
        settings = (d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first, bias)
        kinds: dict[str, Any] = {"device": device, "dtype": dtype}
        if custom_encoder is None:
            one = TransformerEncoderLayer(*settings, **kinds)
            norm = LayerNorm(d_model, eps=layer_norm_eps, bias=bias, **kinds)
            custom_encoder = TransformerEncoder(one, num_encoder_layers, norm)
        self.encoder = custom_encoder
        if custom_decoder is None:
            two = TransformerDecoderLayer(*settings, **kinds)
            norm = LayerNorm(d_model, eps=layer_norm_eps, bias=bias, **kinds)
            custom_decoder = TransformerDecoder(two, num_decoder_layers, norm)
        self.decoder = custom_decoder
        for p in self.parameters():
            if p.array.ndim > 1:
                init.xavier_uniform_(p)
        self.d_model, self.nhead, self.batch_first = d_model, nhead, batch_first

    def forward(
        self, src: Tensor, tgt: Tensor, src_mask: Mask = None, tgt_mask: Mask = None, memory_mask: Mask = None,
        src_key_padding_mask: Mask = None, tgt_key_padding_mask: Mask = None, memory_key_padding_mask: Mask = None,
        src_is_causal: bool | None = None, tgt_is_causal: bool | None = None, memory_is_causal: bool = False,
    ) -> Tensor:
        where = 0 if self.batch_first else 1
        if src.array.ndim == 3 and src.array.shape[where] != tgt.array.shape[where]:
            raise refuse(RuntimeError, "the batch number of src and tgt must be equal", "Transformer", src, tgt)
        if src.array.shape[-1] != self.d_model or tgt.array.shape[-1] != self.d_model:
            text = "the feature number of src and tgt must be equal to d_model"
            raise refuse(RuntimeError, text, "Transformer", src, tgt)
        memory = self.encoder(src, mask=src_mask, src_key_padding_mask=src_key_padding_mask, is_causal=src_is_causal)
        y: Tensor = self.decoder(
            tgt, memory, tgt_mask=tgt_mask, memory_mask=memory_mask, tgt_key_padding_mask=tgt_key_padding_mask,
            memory_key_padding_mask=memory_key_padding_mask, tgt_is_causal=tgt_is_causal,
            memory_is_causal=memory_is_causal,
        )
        return y

    @staticmethod
    def generate_square_subsequent_mask(sz: int, device: Device = None, dtype: Dtype = None) -> Tensor:
        """-∞ above the diagonal, where a query would look ahead, else 0.

        >>> torch.nn.Transformer.generate_square_subsequent_mask(2)
        tensor([[0., -inf],
                [0., 0.]])
        """
        return F.triu(F.full((sz, sz), float("-inf"), dtype=dtype, device=device), 1)
