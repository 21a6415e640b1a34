"""Recurrent layers and cells: Elman's network, LSTM and GRU."""

# fmt: off
from __future__ import annotations

import math
import numbers
import warnings
from typing import Any

import numpy as np

from tinygrad_pt import dtypes, ops
from tinygrad_pt import functions as F
from tinygrad_pt.calling import wrap
from tinygrad_pt.errors import refuse
from tinygrad_pt.nn import init
from tinygrad_pt.nn.functional.recurrent import all_layers, one_layer, same_kind
from tinygrad_pt.nn.module import Module
from tinygrad_pt.nn.parameter import Parameter
from tinygrad_pt.nn.utils.rnn import PackedSequence
from tinygrad_pt.tensor import Tensor
from tinygrad_pt.views import as_own

__all__ = ["GRU", "LSTM", "RNN", "GRUCell", "LSTMCell", "RNNBase", "RNNCell", "RNNCellBase"]

Device = str | F.device | None
Dtype = dtypes.dtype | None
GATES = {"RNN_TANH": 1, "RNN_RELU": 1, "GRU": 3, "LSTM": 4}
SHARE = "dropout should be a number in range [0, 1] representing the probability of an element being zeroed"


# ------------------------------------------------------------------------------------------ layers
class RNNBase(Module):
    """What RNN, LSTM and GRU have in common: their weights, and the checks of their inputs."""

    def __init__(
        self, mode: str, input_size: int, hidden_size: int, num_layers: int = 1, bias: bool = True,
        batch_first: bool = False, dropout: float = 0.0, bidirectional: bool = False, proj_size: int = 0,
        device: Device = None, dtype: Dtype = None,
    ) -> None:
        super().__init__()
        self.mode, self.input_size, self.hidden_size, self.num_layers = mode, input_size, hidden_size, num_layers
        self.bias, self.batch_first = bias, batch_first
        self.bidirectional, self.proj_size = bidirectional, proj_size
        if not isinstance(dropout, numbers.Number) or isinstance(dropout, bool) or not 0 <= dropout <= 1:
            raise refuse(ValueError, SHARE, mend="dropout=0.2 drops a fifth of the elements")
        self.dropout = float(dropout)
        if dropout > 0 and num_layers == 1:
            warnings.warn(
                "dropout option adds dropout after all but last recurrent layer, so non-zero dropout expects "
                f"num_layers greater than 1, but got dropout={dropout} and num_layers={num_layers}", stacklevel=3,
            )
        self._check_settings()
        self._flat_weights_names: list[str] = []
        self._all_weights: list[list[str]] = []
        out = proj_size or hidden_size
        directions = 2 if bidirectional else 1
        rows = GATES[mode] * hidden_size
        for layer in range(num_layers):
            width = out * directions if layer else input_size
            shapes: dict[str, Any] = {"weight_ih": (rows, width), "weight_hh": (rows, out)}
            if bias:
                shapes |= {"bias_ih": rows, "bias_hh": rows}
            if proj_size:
                shapes["weight_hr"] = (out, hidden_size)
            for suffix in ("", "_reverse")[:directions]:
                names = [f"{name}_l{layer}{suffix}" for name in shapes]
                for name, shape in zip(names, shapes.values(), strict=True):
                    setattr(self, name, Parameter(F.empty(shape, dtype=dtype, device=device)))
                self._flat_weights_names += names
                self._all_weights.append(names)
        self.reset_parameters()

    def _check_settings(self) -> None:
        """Raise PyTorch's error about the first of the settings that is wrong."""
        for name, kind in (("bias", bool), ("batch_first", bool), ("input_size", int), ("hidden_size", int)):
            value = getattr(self, name)
            if not isinstance(value, kind):
                text = f"{name} should be of type {kind.__name__}, got: {type(value).__name__}"
                raise refuse(TypeError, text, mend=f"give {name} by its name" if kind is bool else "give an int")
            if kind is int and value <= 0:
                raise refuse(ValueError, f"{name} must be greater than zero")
        if self.num_layers <= 0:
            raise refuse(ValueError, "num_layers must be greater than zero")
        if self.proj_size < 0:
            text = "proj_size should be a positive integer or zero to disable projections"
            raise refuse(ValueError, text)
        if self.proj_size >= self.hidden_size:
            raise refuse(ValueError, "proj_size has to be smaller than hidden_size")
        if self.mode not in GATES:
            raise refuse(ValueError, f"Unrecognized RNN mode: {self.mode}", mend=f"one of {', '.join(GATES)}")

    def reset_parameters(self) -> None:
        """Draw new values of all weights from U(-1/√H, 1/√H)."""
        bound = 1 / math.sqrt(self.hidden_size) if self.hidden_size > 0 else 0
        for weight in self.parameters():
            init.uniform_(weight, -bound, bound)

    def flatten_parameters(self) -> None:
        """Nothing: it matters on other devices."""

    @property
    def all_weights(self) -> list[list[Parameter]]:
        """The weights of each layer and direction."""
        return [[getattr(self, name) for name in names] for names in self._all_weights]

    @property
    def _flat_weights(self) -> list[Parameter]:
        return [getattr(self, name) for name in self._flat_weights_names]

    # ---------------------------------------------------------------------------- checks of the inputs
    def check_input(self, input: Tensor, batch_sizes: Tensor | None) -> None:
        """Raise PyTorch's error unless the input has the dtype, the axes and the features of this layer."""
        kind = self._parameters_first().dtype
        if input.dtype != kind:
            text = (
                f"RNN input dtype ({input.dtype}) does not match weight dtype ({kind}). Convert input: "
                f"input.to({kind}), or convert model: model.to({input.dtype})"
            )
            raise refuse(ValueError, text, type(self).__name__, input, mend=f"x.to({kind})")
        ndim = 3 if batch_sizes is None else 2
        if input.array.ndim != ndim:
            text = f"input must have {ndim} dimensions, got {input.array.ndim}"
            raise refuse(RuntimeError, text, type(self).__name__, input)
        if input.array.shape[-1] != self.input_size:
            text = (
                f"input.size(-1) must be equal to input_size. Expected {self.input_size}, got {input.array.shape[-1]}"
            )
            mend = f"this layer takes {self.input_size} features: change input_size, or reshape the input"
            raise refuse(RuntimeError, text, type(self).__name__, input, mend=mend)

    def _parameters_first(self) -> Tensor:
        return getattr(self, self._flat_weights_names[0])

    def get_expected_hidden_size(self, input: Tensor, batch_sizes: Tensor | None) -> tuple[int, int, int]:
        """(layers · directions, B, H or P)."""
        if batch_sizes is not None:
            batch = int(batch_sizes.array[0])
        else:
            batch = input.array.shape[0 if self.batch_first else 1]
        layers = self.num_layers * (2 if self.bidirectional else 1)
        return layers, batch, self.proj_size or self.hidden_size

    def check_hidden_size(
        self, hx: Tensor, expected_hidden_size: tuple[int, int, int], msg: str = "Expected hidden size {}, got {}"
    ) -> None:
        """Raise PyTorch's error unless the state has this shape."""
        if hx.array.shape != expected_hidden_size:
            text = msg.format(expected_hidden_size, list(hx.array.shape))
            mend = "a state is (layers · directions, batch, hidden), also with batch_first"
            raise refuse(RuntimeError, text, type(self).__name__, hx, mend=mend)

    def check_forward_args(self, input: Tensor, hidden: Any, batch_sizes: Tensor | None) -> None:
        """Raise PyTorch's error unless input and state fit this layer."""
        self.check_input(input, batch_sizes)
        self.check_hidden_size(hidden, self.get_expected_hidden_size(input, batch_sizes))

    def permute_hidden(self, hx: Any, permutation: Tensor | None) -> Any:
        """The states of the sequences in another order."""
        return hx if permutation is None else F.index_select(hx, 1, permutation)

    # ---------------------------------------------------------------------------- the computation
    def _states(self, hx: Any) -> list[Tensor]:
        """The states as a list."""
        return [hx]

    def _form(self, states: list[Tensor]) -> Any:
        """The states as the user gets them."""
        return states[0]

    def _check_axes(self, hx: Any, ndim: int) -> None:
        """Raise PyTorch's error unless the states have this number of axes."""
        if hx.array.ndim != ndim:
            batched = "batched 3-D" if ndim == 3 else "unbatched 2-D"
            text = f"For {batched} input, hx should also be {ndim}-D but got {hx.array.ndim}-D tensor"
            raise refuse(RuntimeError, text, type(self).__name__, hx)

    def forward(self, input: Any, hx: Any = None) -> Any:
        name = type(self).__name__
        packed = isinstance(input, PackedSequence)
        x, sizes, order, back = input if packed else (input, None, None, None)
        if not isinstance(x, Tensor):
            text = f"'{type(x).__name__}' object has no attribute 'dim'"
            raise refuse(AttributeError, text, name, x, mend="give a tensor or a PackedSequence")
        batched = packed or x.array.ndim == 3
        where = 0 if self.batch_first else 1
        if not packed and x.array.ndim not in (2, 3):
            tail = " tensor instead" if self.mode[:3] == "RNN" else " instead"
            text = f"{name}: Expected input to be 2D or 3D, got {x.array.ndim}D{tail}"
            raise refuse(ValueError, text, name, x, mend="(steps, batch, features), or (steps, features)")
        if hx is not None and not packed:
            self._check_axes(hx, 3 if batched else 2)
        if not batched:
            x = F.unsqueeze(x, where)
            if hx is not None:
                hx = self._form([F.unsqueeze(s, 1) for s in self._states(hx)])
        if hx is None:
            hx = self._zeros(x, sizes)
        self.check_forward_args(x, hx, sizes)
        if order is not None:
            hx = self.permute_hidden(hx, order)
        if not packed:
            if self.batch_first:
                x = F.transpose(x, 0, 1)
            if not x.array.shape[0]:
                text = "Expected sequence length to be larger than 0 in RNN"
                raise refuse(RuntimeError, text, name, input, mend="leave out the empty sequences")
        states, weights = self._states(hx), self.all_weights
        same_kind(name, weights[0][0], *states)
        layers = [tuple(ops.select(s, axis=0, index=i) for s in states) for i in range(len(weights))]
        p = self.dropout if self.training else 0.0
        counts = None if sizes is None else sizes.array
        y, *final = all_layers(self.mode, x, layers, weights, 2 if self.bidirectional else 1, p, counts)
        if packed:
            return PackedSequence(y, sizes, order, back), self.permute_hidden(self._form(final), back)
        if self.batch_first:
            y = as_own(F.transpose(y, 0, 1))
        if not batched:
            y, final = F.squeeze(y, where), [F.squeeze(s, 1) for s in final]
        return y, self._form(final)

    def _zeros(self, x: Tensor, sizes: Tensor | None) -> Any:
        """The states before the first step, where the user gives none."""
        return wrap(np.zeros(self.get_expected_hidden_size(x, sizes), x.array.dtype))

    def extra_repr(self) -> str:
        shown = {"proj_size": 0, "num_layers": 1, "bias": True, "batch_first": False, "dropout": 0.0}
        shown |= {"bidirectional": False}
        more = [f"{name}={getattr(self, name)}" for name, usual in shown.items() if getattr(self, name) != usual]
        return ", ".join([str(self.input_size), str(self.hidden_size), *more])


class RNN(RNNBase):
    """Elman's network: hₜ = tanh(W_ih xₜ + b_ih + W_hh hₜ₋₁ + b_hh), or relu, in layers (Elman, 1990).

    Input (T, B, in), with `batch_first` (B, T, in), or (T, in); the initial state (layers · directions, B, H), 0 if it
    is not given. Gives the output (T, B, directions · H) of the last layer, and the final states. A `PackedSequence`
    goes in and comes out as one. Weights start as U(-1/√H, 1/√H). Between layers, elements are dropped with probability
    `dropout`. Raises ValueError for wrong settings, RuntimeError for sizes that do not fit.

    >>> y, h = torch.nn.RNN(3, 4, num_layers=2)(torch.zeros(5, 2, 3))
    >>> y.shape, h.shape
    (torch.Size([5, 2, 4]), torch.Size([2, 2, 4]))
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        no_projection(kwargs)
        if len(args) > 3:
            nonlinearity, args = args[3], args[:3] + args[4:]
        else:
            nonlinearity = kwargs.pop("nonlinearity", "tanh")
        if nonlinearity not in ("tanh", "relu"):
            raise refuse(ValueError, f"Unknown nonlinearity '{nonlinearity}'. Select from 'tanh' or 'relu'.")
        super().__init__(f"RNN_{nonlinearity.upper()}", *args, **kwargs)
        self.nonlinearity = nonlinearity


def no_projection(kwargs: dict[str, Any]) -> None:
    """Raise PyTorch's error if a projection is asked for."""
    if "proj_size" in kwargs:
        raise refuse(ValueError, "proj_size argument is only supported for LSTM, not RNN or GRU")


class LSTM(RNNBase):
    """Long short-term memory, in layers (Hochreiter, Schmidhuber, 1997):

        cₜ = fₜ cₜ₋₁ + iₜ gₜ,  hₜ = oₜ tanh cₜ,  i, f, o = σ(W_ih xₜ + b_ih + W_hh hₜ₋₁ + b_hh),  g = tanh of the same.

    Input (T, B, in), with `batch_first` (B, T, in), or (T, in); initial states h, c (layers · directions, B, H), 0 if
    they are not given. Gives the output (T, B, directions · H) of the last layer, and the final states (h, c). With
    `proj_size` each h is projected to P numbers: hₜ = W_hr (oₜ tanh cₜ). Else as `RNN`.

    >>> y, (h, c) = torch.nn.LSTM(3, 4, bidirectional=True)(torch.zeros(5, 2, 3))
    >>> y.shape, h.shape, c.shape
    (torch.Size([5, 2, 8]), torch.Size([2, 2, 4]), torch.Size([2, 2, 4]))
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__("LSTM", *args, **kwargs)

    def get_expected_cell_size(self, input: Tensor, batch_sizes: Tensor | None) -> tuple[int, int, int]:
        """(layers · directions, B, H)."""
        layers, batch, _ = self.get_expected_hidden_size(input, batch_sizes)
        return layers, batch, self.hidden_size

    def check_forward_args(self, input: Tensor, hidden: Any, batch_sizes: Tensor | None) -> None:
        """Raise PyTorch's error unless input and states fit this layer."""
        self.check_input(input, batch_sizes)
        sizes = self.get_expected_hidden_size(input, batch_sizes), self.get_expected_cell_size(input, batch_sizes)
        for i, size in enumerate(sizes):
            self.check_hidden_size(hidden[i], size, f"Expected hidden[{i}] size {{}}, got {{}}")
        if len(hidden) > 2:
            raise refuse(RuntimeError, "lstm expects two hidden states", "LSTM", *hidden)

    def permute_hidden(self, hx: Any, permutation: Tensor | None) -> Any:
        """The states of the sequences in another order."""
        return hx if permutation is None else tuple(F.index_select(s, 1, permutation) for s in hx)

    def _states(self, hx: Any) -> list[Tensor]:
        return [hx[0], hx[1]]

    def _form(self, states: list[Tensor]) -> Any:
        return tuple(states)

    def _check_axes(self, hx: Any, ndim: int) -> None:
        h, c = (s.array.ndim for s in two_states(hx, "LSTM"))
        if h != ndim or c != ndim:
            batched = "batched 3-D" if ndim == 3 else "unbatched 2-D"
            text = f"For {batched} input, hx and cx should also be {ndim}-D but got ({h}-D, {c}-D) tensors"
            raise refuse(RuntimeError, text, "LSTM", *hx)

    def _zeros(self, x: Tensor, sizes: Tensor | None) -> Any:
        shapes = self.get_expected_hidden_size(x, sizes), self.get_expected_cell_size(x, sizes)
        return tuple(wrap(np.zeros(shape, x.array.dtype)) for shape in shapes)


def two_states(hx: Any, op: str) -> tuple[Tensor, Tensor]:
    """The states h and c; PyTorch's error if there are not two."""
    try:
        return hx[0], hx[1]
    except (TypeError, IndexError) as error:
        text = str(error).split("\n")[0]
        raise refuse(type(error), text, op, hx, mend="give the states as a pair: (h, c)") from None


class GRU(RNNBase):
    """Gated recurrent units, in layers (Cho et al., 2014, with the reset gate after the product):

        hₜ = (1 - zₜ) nₜ + zₜ hₜ₋₁,  nₜ = tanh(W_in xₜ + b_in + rₜ (W_hn hₜ₋₁ + b_hn)),
        r, z = σ(W_ih xₜ + b_ih + W_hh hₜ₋₁ + b_hh).

    Inputs, outputs and settings as of `RNN`.

    >>> y, h = torch.nn.GRU(3, 4, batch_first=True)(torch.zeros(2, 5, 3))
    >>> y.shape, h.shape
    (torch.Size([2, 5, 4]), torch.Size([1, 2, 4]))
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        no_projection(kwargs)
        super().__init__("GRU", *args, **kwargs)


# ------------------------------------------------------------------------------------------ cells
class RNNCellBase(Module):
    """What the cells have in common."""

    bias_ih: Tensor | None
    bias_hh: Tensor | None
    nonlinearity: str

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool, num_chunks: int, device: Device = None,
        dtype: Dtype = None,
    ) -> None:
        super().__init__()
        self.input_size, self.hidden_size, self.bias = input_size, hidden_size, bias
        rows = num_chunks * hidden_size
        self.weight_ih = Parameter(F.empty((rows, input_size), dtype=dtype, device=device))
        self.weight_hh = Parameter(F.empty((rows, hidden_size), dtype=dtype, device=device))
        for name in ("bias_ih", "bias_hh"):
            if bias:
                setattr(self, name, Parameter(F.empty(rows, dtype=dtype, device=device)))
            else:
                self.register_parameter(name, None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new values of all weights from U(-1/√H, 1/√H)."""
        bound = 1 / math.sqrt(self.hidden_size) if self.hidden_size > 0 else 0
        for weight in self.parameters():
            init.uniform_(weight, -bound, bound)

    def extra_repr(self) -> str:
        more = "" if self.bias is True else f", bias={self.bias}"
        if vars(self).get("nonlinearity", "tanh") != "tanh":
            more += f", nonlinearity={self.nonlinearity}"
        return f"{self.input_size}, {self.hidden_size}{more}"

    def _step(self, mode: str, input: Any, states: list[Any]) -> list[Tensor]:
        """The states after one step; zeros stand for states that are None."""
        name = type(self).__name__
        if not isinstance(input, Tensor):
            raise refuse(AttributeError, f"'{type(input).__name__}' object has no attribute 'dim'", name, input)
        if input.array.ndim not in (1, 2):
            text = f"{name}: Expected input to be 1D or 2D, got {input.array.ndim}D instead"
            raise refuse(ValueError, text, name, input, mend="a cell takes one step; a layer takes all of them")
        for i, s in enumerate(states):
            if s is not None and s.array.ndim not in (1, 2):
                what = "hidden" if len(states) == 1 else f"hx[{i}]"
                text = f"{name}: Expected {what} to be 1D or 2D, got {s.array.ndim}D instead"
                raise refuse(ValueError, text, name, input, *states)
        batched = input.array.ndim == 2
        x = input if batched else ops.unsqueeze(input, axis=0)
        batch, width = x.array.shape
        if states[0] is None:
            zeros = wrap(np.zeros((batch, self.hidden_size), x.array.dtype))
            states = [zeros] * len(states)
        elif not batched:
            states = [F.unsqueeze(s, 0) for s in states]
        if width != self.input_size:
            text = f"input has inconsistent input_size: got {width} expected {self.input_size}"
            raise refuse(RuntimeError, text, name, input, *states, mend="change input_size, or reshape the input")
        for i, s in enumerate(states):
            rows, size = s.array.shape if s.array.ndim == 2 else (s.array.shape[0], s.array.shape[0])
            if rows != batch:
                text = f"Input batch size {batch} doesn't match hidden{i} batch size {rows}"
                raise refuse(RuntimeError, text, name, input, *states)
            if size != self.hidden_size or s.array.ndim != 2:
                text = f"hidden{i} has inconsistent hidden_size: got {size}, expected {self.hidden_size}"
                raise refuse(RuntimeError, text, name, input, *states)
        weights: list[Tensor] = [self.weight_ih, self.weight_hh]
        weights += [b for b in (self.bias_ih, self.bias_hh) if b is not None]
        same_kind(name, weights[0], x, *states)
        _, *new = one_layer(mode, ops.unsqueeze(x, axis=0), states, weights)
        return new if batched else [F.squeeze(s, 0) for s in new]


class RNNCell(RNNCellBase):
    """One step of Elman's network: h' = tanh(W_ih x + b_ih + W_hh h + b_hh), or relu.

    Input (B, in) or (in,); state (B, H) or (H,), 0 if it is not given. Weights start as U(-1/√H, 1/√H).

    >>> torch.nn.RNNCell(3, 4)(torch.zeros(2, 3)).shape
    torch.Size([2, 4])
    """

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, nonlinearity: str = "tanh", device: Device = None,
        dtype: Dtype = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 1, device, dtype)
        self.nonlinearity = nonlinearity

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        if self.nonlinearity not in ("tanh", "relu"):
            raise refuse(RuntimeError, f"Unknown nonlinearity: {self.nonlinearity}", mend="tanh or relu")
        return self._step(f"RNN_{self.nonlinearity.upper()}", input, [hx])[0]


class LSTMCell(RNNCellBase):
    """One step of an LSTM: the new states (h, c); see `LSTM`.

    Input (B, in) or (in,); states (B, H) or (H,), 0 if they are not given. Weights start as U(-1/√H, 1/√H).

    >>> h, c = torch.nn.LSTMCell(3, 4)(torch.zeros(2, 3))
    >>> h.shape, c.shape
    (torch.Size([2, 4]), torch.Size([2, 4]))
    """

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, device: Device = None, dtype: Dtype = None
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 4, device, dtype)

    def forward(self, input: Tensor, hx: tuple[Tensor, Tensor] | None = None) -> tuple[Tensor, Tensor]:
        if hx is None:
            h, c = self._step("LSTM", input, [None, None])
            return h, c
        if isinstance(hx, Tensor):
            text = "lstm_cell(): argument 'hx' (position 2) must be tuple of Tensors, not Tensor"
            raise refuse(TypeError, text, "LSTMCell", input, hx, mend="give the states as a pair: (h, c)")
        if len(hx) != 2:
            raise refuse(RuntimeError, "lstm_cell expects two hidden states", "LSTMCell", input, *hx)
        h, c = self._step("LSTM", input, list(hx))
        return h, c


class GRUCell(RNNCellBase):
    """One step of a GRU: the new state; see `GRU`.

    Input (B, in) or (in,); state (B, H) or (H,), 0 if it is not given. Weights start as U(-1/√H, 1/√H).

    >>> torch.nn.GRUCell(3, 4)(torch.zeros(3)).shape
    torch.Size([4])
    """

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, device: Device = None, dtype: Dtype = None
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 3, device, dtype)

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        return self._step("GRU", input, [hx])[0]
