"""Random streams: the very numbers PyTorch 2.13 draws on a CPU, from NumPy alone.

One Mersenne Twister (Matsumoto and Nishimura, 1998) yields 32-bit words; every distribution below is a pure formula
over those words, and what makes a stream equal to PyTorch's is *which* words each formula takes and in which precision
it computes:

===================  ==============================================================================
word                 `w`: 32 bits of the twister; `W = w₁·2³² + w₂`: two of them
unit float32         `u = (w mod 2²⁴) · 2⁻²⁴`
unit float64         `U = (W mod 2⁵³) · 2⁻⁵³`
uniform              `fma(u, high - low, low)`
normal, n < 16       Box-Muller in float64 on pairs of `U`; the second of a pair waits for the next call
normal, n >= 16      Box-Muller on blocks of sixteen units, the first eight radii, the last eight angles
integers             `low + w mod (high - low)`, with `W` for `w` from a range of 2²⁸ on
counts               `w mod (last + 1)`, with `W` for `w` in the types of 64 bits
permutation          Fisher-Yates, swapping place `i` with `i + w mod (n - i)`
===================  ==============================================================================

The stream of float32 normals (n >= 16) is that of PyTorch's AVX2 kernel, whose logarithm, sine and cosine are
the single-precision polynomials of Cephes (Moshier, 1989) with fused multiply-adds; a PyTorch built for
another processor may differ in the last bit there. The float64 draws use the C library's `log`, `sin` and
`cos` through `math`, as PyTorch does, so they share its last bit wherever both share that library.
"""

from __future__ import annotations

import math
import operator
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from tinygrad_pt import dtypes, names
from tinygrad_pt.errors import refuse
from tinygrad_pt.modes import current

__all__ = [
    "Generator", "default_generator", "fork_rng", "get_rng_state", "initial_seed", "manual_seed", "seed",
    "set_rng_state",
]  # fmt: skip

Array = NDArray[Any]
Shape = int | Sequence[int]

FLOATS = (np.float16, np.float32, np.float64)
DEFAULT_SEED = 67280421310721
SMALL_NORMAL = 16  # PyTorch draws fewer normals than this one pair at a time
WIDE_RANGE = 2**28  # from this range on an integer takes two words
TWIST = 624  # words in the twister's state

# The layout of torch.Generator.get_state(), so that a state travels between the two libraries.
STATE = np.dtype(
    [
        ("seed", "u8"), ("left", "i4"), ("seeded", "i4"), ("next", "u8"), ("words", "u8", TWIST),
        ("normal_x", "f8"), ("spare", "f8"), ("normal_rho", "f8"), ("has_spare", "i4"),
        ("float_spare", "f4"), ("has_float_spare", "i8"),
    ]
)  # fmt: skip

TITLES = {t.name: t.spoken for t in dtypes.ALL}
C_NAMES = {t.name: t.c_name for t in dtypes.ALL}


class Generator:
    """A stream of random numbers with the surface of `torch.Generator`; its draws are fresh NumPy arrays.

    Every draw checks its arguments first: one that raises leaves the stream where it was. Shapes are an integer or a
    sequence of integers. Equal seeds and equal sequences of draws give equal bits.

    >>> g = Generator().manual_seed(0)
    >>> g.uniform(3)
    array([0.4962566 , 0.7682218 , 0.08847743], dtype=float32)
    >>> g.permutation(5).tolist(), g.integers(0, 10, (2, 2)).tolist()
    ([0, 4, 2, 1, 3], [[3, 7], [3, 1]])
    """

    def __init__(self, device: str = "cpu") -> None:
        if str(device) != "cpu":
            text = f"Device type {device} is not supported: tinygrad_pt draws on the 'cpu' only"
            raise refuse(RuntimeError, text, "Generator")
        self.device = "cpu"
        self._twister: np.random.MT19937 | None = None
        self.manual_seed(DEFAULT_SEED)

    # -- seeds and states ---------------------------------------------------------------------------

    def manual_seed(self, seed: int) -> Generator:
        """Start the stream of `seed`, an integer in [-2⁶³, 2⁶⁴); the twister sees its lowest 32 bits.

        A negative seed stands for `2⁶⁴ + seed`. Outside the interval a ValueError is raised.
        """
        try:
            number = operator.index(seed)
        except TypeError:
            text = f"manual_seed expected a long, but got {type(seed).__name__}"
            raise refuse(RuntimeError, text, "manual_seed") from None
        if not -(2**63) <= number < 2**64:
            raise refuse(ValueError, "Overflow when unpacking long long", "manual_seed")
        for listener in current().listeners:
            listener.seeding(self, number % 2**64)
        self._seed = number % 2**64
        self._spare: float | None = None
        self._unseeded = True  # until the first draw, so that an import does not load numpy.random
        return self

    def seed(self) -> int:
        """Seed with 64 bits from the operating system and return them."""
        self.manual_seed(int.from_bytes(os.urandom(8), "little"))
        return self._seed

    def initial_seed(self) -> int:
        """The seed the stream started from, in [0, 2⁶⁴)."""
        return self._seed

    def get_state(self) -> NDArray[np.uint8]:
        """The whole state as 5056 bytes, in the layout of `torch.Generator.get_state()`."""
        twister: Any = self._engine().state["state"]
        state = np.zeros((), STATE)
        state["seed"] = self._seed
        state["left"] = TWIST + 1 - twister["pos"]
        state["seeded"] = 1
        state["next"] = twister["pos"] % TWIST
        state["words"] = twister["key"]
        if self._spare is not None:
            state["spare"], state["has_spare"] = self._spare, 1
        return np.frombuffer(state.tobytes(), np.uint8).copy()

    def set_state(self, state: Array) -> Generator:
        """Continue from a state of `get_state`, ours or PyTorch's; other bytes raise a RuntimeError."""
        state = getattr(state, "array", state)  # of a tensor
        if not isinstance(state, np.ndarray):
            raise refuse(TypeError, f"expected a torch.ByteTensor, but got {type(state).__name__}", "set_state")
        if state.dtype != np.uint8:
            raise refuse(TypeError, "RNG state must be a torch.ByteTensor", "set_state")
        if state.size != STATE.itemsize:
            text = f"Expected a CPUGeneratorImplState of size {STATE.itemsize} but found the input RNG state size to be"
            raise refuse(RuntimeError, f"{text} {state.size}", "set_state")
        fields = np.frombuffer(state.tobytes(), STATE)[0]
        if not fields["seeded"] or not 1 <= fields["left"] <= TWIST or fields["next"] > TWIST:
            raise refuse(RuntimeError, "Invalid mt19937 state", "set_state")
        twister: Any = {"key": fields["words"].astype(np.uint32), "pos": TWIST + 1 - int(fields["left"])}
        self._engine().state = {"bit_generator": "MT19937", "state": twister}
        self._seed = int(fields["seed"])
        self._spare = float(fields["spare"]) if fields["has_spare"] else None
        return self

    def clone_state(self) -> Generator:
        """A second generator that goes on from the same place."""
        return Generator().set_state(self.get_state())

    # -- words and units ----------------------------------------------------------------------------

    def _engine(self) -> np.random.MT19937:
        if self._twister is None:
            self._twister = np.random.MT19937(0)
        if self._unseeded:
            np.random.RandomState(self._twister).seed(self._seed % 2**32)
            self._unseeded = False
        return self._twister

    def _words(self, n: int) -> NDArray[np.uint64]:
        return self._engine().random_raw(n)

    def _wide_words(self, n: int) -> NDArray[np.uint64]:
        words = self._words(2 * n)
        return (words[0::2] << np.uint64(32)) | words[1::2]

    def _mantissas24(self, n: int) -> NDArray[np.int32]:
        # int32, because NumPy turns it into floats several times faster than uint64
        return self._words(n).astype(np.uint32).view(np.int32) & np.int32(2**24 - 1)

    def _mantissas53(self, n: int) -> NDArray[np.uint64]:
        return self._wide_words(n) & np.uint64(2**53 - 1)

    def _units(self, n: int, dtype: DTypeLike) -> Array:
        """`n` uniforms on [0, 1) in float32 or float64."""
        if dtype == np.float64:
            return self._mantissas53(n) * 2.0**-53
        return self._mantissas24(n).astype(np.float32) * np.float32(2**-24)

    def random_int64(self) -> int:
        """One integer in [0, 2⁶³): what `torch.empty((), dtype=torch.int64).random_()` draws.

        Each epoch the DataLoader takes one as its base seed, its sampler another as the seed of the order.
        """
        return int(self.counts(()))

    # -- continuous ---------------------------------------------------------------------------------

    def uniform(self, shape: Shape, low: float = 0.0, high: float = 1.0, dtype: DTypeLike = np.float32) -> Array:
        """Uniform floats on [low, high): `fma(u, high - low, low)`, in float16, float32 or float64.

        Should rounding reach `high` itself, `low` is returned in its place. Raises RuntimeError unless `low <= high`
        are finite in `dtype` and so is their difference.
        """
        shape, dtype, low, high = _shape(shape), np.dtype(dtype), float(low), float(high)
        _check_uniform(low, high, dtype)
        n = math.prod(shape)
        work = np.float64 if dtype == np.float64 else np.float32
        if (low, high) == (0, 1) and dtype != np.float16:
            return self._units(n, work).reshape(shape)
        if work is np.float64:
            out = _fma64(self._units(n, work), high - low, low)
        else:
            start = float(np.float32(low))
            scale = float(np.float32(high) - np.float32(low)) * 2.0**-24
            # product and sum in float64 are exact enough that one rounding remains: a fused multiply-add
            out = (self._mantissas24(n) * scale + start).astype(np.float32).astype(dtype)
        out[out == np.array(high, dtype)] = low
        return out.reshape(shape)

    def normal(
        self, shape: Shape, mean: float = 0.0, std: float = 1.0, dtype: DTypeLike = np.float32, paired: bool = False
    ) -> Array:
        """Normal floats `mean + std·z` by Box and Muller (1958), in float16, float32 or float64.

        Fewer than sixteen, or all if `paired`, come in pairs, and the second of a pair is kept for the next call.
        Sixteen or more come in blocks of sixteen; when the last block is short, the last sixteen values are drawn anew.
        Raises RuntimeError if `std` is negative or nan.
        """
        shape, dtype, mean, std = _shape(shape), np.dtype(dtype), float(mean), float(std)
        if not std >= 0:
            raise refuse(RuntimeError, f"normal expects std >= 0.0, but found std {std:g}", "normal")
        if dtype not in FLOATS:
            raise _not_implemented("normal_kernel_cpu", dtype, "normal")
        n = math.prod(shape)
        if n < SMALL_NORMAL or paired:
            return _narrow(_fma64(self._gaussians(n), std, mean), dtype).reshape(shape)
        work = np.float64 if dtype == np.float64 else np.float32
        whole, short = divmod(n, 16)
        # PyTorch first fills all n places with units, but in float16 it goes block by block
        used = 16 * whole if dtype == np.float16 else n
        units = self._units(used + 16 if short else n, work)
        out = np.empty(n, work)
        blocks = units[: 16 * whole].reshape(-1, 16)
        for i in range(0, whole, 1024):  # as many blocks as the processor's cache holds
            out[16 * i : 16 * min(i + 1024, whole)] = _box_muller(blocks[i : i + 1024], mean, std)
        if short:
            out[-16:] = _box_muller(units[used:].reshape(1, 16), mean, std)
        return _narrow(out, dtype).reshape(shape)

    def _gaussians(self, n: int) -> NDArray[np.float64]:
        """`n` standard normals, pair by pair: `√(-2·log(1 - U₂))·(cos, sin)(2π·U₁)`."""
        kept = [] if self._spare is None or n == 0 else [self._spare]
        pairs = (n - len(kept) + 1) // 2
        drawn = np.empty((pairs, 2))
        if pairs:
            units = self._units(2 * pairs, np.float64).reshape(-1, 2)
            radius = np.sqrt(-2.0 * _libm(math.log1p, -units[:, 1]))
            angle = 2.0 * math.pi * units[:, 0]
            drawn[:, 0], drawn[:, 1] = radius * _libm(math.cos, angle), radius * _libm(math.sin, angle)
        values = np.concatenate([kept, drawn.ravel()])
        if n:
            self._spare = float(values[n]) if len(values) > n else None
        return values[:n]

    def exponential(self, shape: Shape, rate: float = 1.0, dtype: DTypeLike = np.float32) -> Array:
        """Exponential floats by inversion, `-log(1 - U) / rate`; `rate > 0`."""
        shape, dtype, rate = _shape(shape), np.dtype(dtype), float(rate)
        if not rate > 0:
            raise refuse(RuntimeError, f"exponential_ expects lambda > 0.0, but found lambda={rate:g}", "exponential")
        if dtype not in FLOATS:
            text = "Exponential distribution is a continuous probability distribution. dtype must be a floating point "
            text += f"but you specified {_title(dtype)}"
            raise refuse(RuntimeError, text, "exponential")
        logs = _libm(math.log1p, -self._units(math.prod(shape), np.float64))
        return _narrow(_fma64(logs, -1.0 / rate, 0.0), dtype).reshape(shape)

    def cauchy(self, shape: Shape, median: float = 0.0, sigma: float = 1.0, dtype: DTypeLike = np.float32) -> Array:
        """Cauchy floats by inversion, `median + sigma · tan(π (U - 1/2))`; `sigma > 0`."""
        shape, dtype = _shape(shape), np.dtype(dtype)
        if not sigma > 0:
            raise refuse(RuntimeError, f"cauchy_ expects sigma > 0.0, but found sigma={sigma:g}", "cauchy")
        if dtype not in FLOATS:
            text = (
                "Cauchy distribution is a continuous probability distribution. dtype must be a floating point but you "
            )
            raise refuse(RuntimeError, f"{text}specified {dtypes.of(dtype).c_name}", "cauchy")
        angle = math.pi * (self._units(math.prod(shape), np.float64) - 0.5)
        return _narrow(median + sigma * _libm(math.tan, angle), dtype).reshape(shape)

    def log_normal(self, shape: Shape, mean: float = 1.0, std: float = 2.0, dtype: DTypeLike = np.float32) -> Array:
        """Floats whose logarithm is normal: `e^(mean + std·z)`; `std > 0`."""
        shape, dtype = _shape(shape), np.dtype(dtype)
        if not std > 0:
            raise refuse(RuntimeError, f"log_normal_ expects std > 0.0, but found std={std:g}", "log_normal")
        if dtype not in FLOATS:
            raise _not_implemented("log_normal_cpu", dtype, "log_normal")
        z = self._gaussians(math.prod(shape))
        return _narrow(_libm(math.exp, z * std + mean), dtype).reshape(shape)

    # -- discrete -----------------------------------------------------------------------------------

    def counts(self, shape: Shape, dtype: DTypeLike = np.int64) -> Array:
        """Integers from 0 to the last that `dtype` reaches in steps of one: the stream of `random_()`."""
        shape, dtype = _shape(shape), np.dtype(dtype)
        if dtype.kind == "c":
            raise _not_implemented("random_kernel_cpu", dtype, "counts")
        draw = self._wide_words if dtype.itemsize == 8 else self._words
        return (draw(math.prod(shape)) % np.uint64(_last(dtype) + 1)).astype(dtype).reshape(shape)

    def integers(self, low: int, high: int | None, shape: Shape, dtype: DTypeLike = np.int64) -> Array:
        """Integers on [low, high), written in any real `dtype` that can hold them.

        Without `high` they go to the last that `dtype` reaches in steps of one. Raises RuntimeError if the interval is
        empty or reaches beyond `dtype`.
        """
        shape, dtype = _shape(shape), np.dtype(dtype)
        low = operator.index(low)
        if high is None:
            return self._span(low, _last(dtype) + 1, shape, dtype)
        high = operator.index(high)
        if not (-(2**63) <= low < 2**63 and -(2**63) <= high < 2**63):
            raise refuse(ValueError, "Overflow when unpacking long long", "integers")
        if low >= high:
            text = f"random_ expects 'from' to be less than 'to', but got from={low} >= to={high}"
            raise refuse(RuntimeError, text, "integers")
        return self._span(low, high, shape, dtype)

    def _span(self, low: int, high: int, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
        _check_integers(low, high, dtype)
        n, span = math.prod(shape), high - low
        words = self._wide_words(n) if span >= WIDE_RANGE else self._words(n)
        if span < 2**64:  # otherwise a word is such an integer
            # sums wrap modulo 2⁶⁴, which is what two's complement needs for a negative `low`
            words = words % np.uint64(span) + np.uint64(low % 2**64)
        return words.view(np.int64).astype(dtype).reshape(shape)

    def bernoulli(self, p: ArrayLike) -> Array:
        """One coin per entry of `p`: 1 where a unit of the precision of `p` is below it, in its dtype.

        Raises RuntimeError unless every probability lies in [0, 1].
        """
        p = np.asarray(p)
        if p.dtype not in FLOATS:
            raise _not_implemented("bernoulli_tensor_cpu_p_", p.dtype, "bernoulli")
        if not np.all((p >= 0) & (p <= 1)):
            text = "Expected p_in >= 0 && p_in <= 1 to be true, but got false.  (Could this error message be improved? "
            text += " If so, please report an enhancement request to PyTorch.)"
            raise refuse(RuntimeError, text, "bernoulli")
        return np.asarray(self._units(p.size, p.dtype).reshape(p.shape) < p).astype(p.dtype)

    def bernoulli_fill(self, shape: Shape, p: float, dtype: DTypeLike = np.float32) -> Array:
        """Coins of one probability, `U < p`: the stream of `bernoulli_(p)` and of dropout.

        A dropout mask that drops with probability `q` is `bernoulli_fill(shape, 1 - q)`.
        """
        shape, dtype, p = _shape(shape), np.dtype(dtype), float(p)
        if not 0 <= p <= 1:
            raise refuse(RuntimeError, f"bernoulli_ expects p to be in [0, 1], but got p={p:g}", "bernoulli_fill")
        if dtype.kind == "c":
            raise _not_implemented("bernoulli_scalar_cpu_", dtype, "bernoulli_fill")
        # k·2⁻⁵³ < p  ⇔  k < ⌈p·2⁵³⌉, and integers compare faster than they turn into floats
        heads = self._mantissas53(math.prod(shape)) < np.uint64(math.ceil(p * 2**53))
        return heads.astype(dtype).reshape(shape)

    def geometric(self, shape: Shape, p: float, dtype: DTypeLike = np.float32) -> Array:
        """The number of the first head among coins of probability p, by inversion: `⌈ln U / ln(1 - p)⌉`; 0 < p < 1."""
        shape, dtype = _shape(shape), np.dtype(dtype)
        if not 0 < p < 1:
            raise refuse(RuntimeError, f"geometric_ expects p to be in (0, 1), but got p={p:g}", "geometric")
        if dtype.kind == "b":
            raise _not_implemented("geometric_cpu", dtype, "geometric")
        with np.errstate(divide="ignore"):
            found = np.ceil(np.log(self._units(math.prod(shape), np.float64)) / math.log1p(-p))
        return found.astype(dtype).reshape(shape)

    def poisson(self, rates: ArrayLike) -> Array:
        """Poisson numbers of the rates, in their dtype: products of units below a rate of 10, else rejection.

        Hörmann, 1993, "The transformed rejection method". Raises RuntimeError for a negative rate.
        """
        rates = np.asarray(rates)
        if rates.dtype not in FLOATS:
            raise _not_implemented("poisson_cpu", rates.dtype, "poisson")
        if not np.all(rates >= 0):
            text = "invalid Poisson rate, expected rate to be non-negative"
            raise refuse(RuntimeError, text, "poisson")
        drawn = self._one_by_one(_poisson, rates)
        return np.array(drawn, rates.dtype).reshape(rates.shape)

    def binomial(self, counts: ArrayLike, p: ArrayLike) -> Array:
        """How many of so many coins show heads, in the dtype of the probabilities p.

        Waiting times while count · p < 10, else rejection; Hörmann, 1993, "The generation of binomial random variates".
        """
        counts, p = np.broadcast_arrays(counts, p)
        if p.dtype not in FLOATS[1:]:
            raise _not_implemented("binomial_cpu", p.dtype, "binomial")
        n, q = counts.astype(p.dtype), np.where(p > 0.5, 1 - p, p)  # heads and tails change places above 1/2
        with np.errstate(all="ignore"):
            parts = (n, q, n * q, n * q * (1 - q), q / (1 - q), np.floor((n + 1) * q))  # rounded in the dtype
        heads = np.array(self._one_by_one(_binomial, *parts), p.dtype).reshape(p.shape)
        return np.where(p > 0.5, np.maximum(n, 0) - heads, heads).astype(p.dtype)

    def _one_by_one(self, draw: Callable[..., float], *arguments: Array) -> list[float]:
        """`draw(unit, *numbers)` for each element, where `unit()` gives the next float64 unit of the stream.

        How many units an element takes is not known before, so they are read ahead from a copy of the stream.
        """
        ahead, used = self.clone_state(), 0

        def units() -> Iterator[float]:
            nonlocal used
            while True:
                for u in ahead._units(256, np.float64).tolist():
                    used += 1
                    yield u

        unit = units().__next__
        drawn = [draw(unit, *numbers) for numbers in zip(*(x.ravel().tolist() for x in arguments), strict=True)]
        self._units(used, np.float64)
        return drawn

    def permutation(self, n: int) -> NDArray[np.int64]:
        """A random order of `0 … n-1` (Fisher and Yates, 1938), int64."""
        (n,) = _shape(n)
        places = np.arange(max(n - 1, 0), dtype=np.uint64)
        order = list(range(n))
        if n > 1:
            targets = (self._words(n - 1) % (np.uint64(n) - places) + places).tolist()
            for i, j in enumerate(targets):
                order[i], order[j] = order[j], order[i]
        return np.array(order, np.int64)

    def multinomial(self, weights: ArrayLike, num_samples: int, replacement: bool = False) -> NDArray[np.int64]:
        """Classes drawn in proportion to `weights` (classes,) or (rows, classes), as int64 indices.

        With replacement: each unit is looked up among the cumulated weights. Without it (and for one sample): the
        `num_samples` largest of `wᵢ / Eᵢ`, `Eᵢ` exponential; the order among equal ratios (weights of zero; float16) is
        ours, the lower index first. Raises RuntimeError on weights that are negative, not finite or all zero, and on
        more samples than classes without replacement.
        """
        weights, num_samples = np.asarray(weights), operator.index(num_samples)
        text = ""
        if weights.ndim not in (1, 2):
            text = "prob_dist must be 1 or 2 dim"
        elif weights.dtype not in FLOATS:
            text = f"multinomial only supports floating-point dtypes for input, got: {_title(weights.dtype)}"
        elif num_samples <= 0:
            text = "cannot sample n_sample <= 0 samples"
        elif weights.shape[-1] > 2**24:
            text = "number of categories cannot exceed 2^24"
        elif not replacement and num_samples > weights.shape[-1]:
            text = "cannot sample n_sample > prob_dist.size(-1) samples without replacement"
        if text:
            raise refuse(RuntimeError, text, "multinomial")
        race = not replacement or num_samples == 1
        _check_weights(weights, race)
        if weights.size == 0:
            return np.zeros((*weights.shape[:-1], num_samples), np.int64)
        if race:
            with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
                score = weights / self.exponential(weights.shape, dtype=weights.dtype)
            places: NDArray[np.int64] = np.argsort(-score, axis=-1, kind="stable")[..., :num_samples]
            return places.astype(np.int64)
        rows = weights.reshape(-1, weights.shape[-1])
        cumulated = np.cumsum(rows, axis=1, dtype=np.promote_types(rows.dtype, np.float32))
        cumulated /= cumulated[:, -1:]
        units = self._units(len(rows) * num_samples, np.float64).reshape(len(rows), num_samples)
        found = [np.searchsorted(row, unit) for row, unit in zip(cumulated, units, strict=True)]
        return np.array(found, np.int64).reshape(*weights.shape[:-1], num_samples)


# -- formulas -------------------------------------------------------------------------------------------


def _poisson(unit: Callable[[], float], rate: float) -> float:
    if rate < 10:
        bound, product, k = math.exp(-rate), 1.0, -1
        if rate == 0:
            return 0
        while product > bound or k < 0:
            product *= unit()
            k += 1
        return k
    root, log = math.sqrt(rate), math.log(rate)
    b = 0.931 + 2.53 * root
    a = -0.059 + 0.02483 * b
    inverse, inside = 1.1239 + 1.1328 / (b - 3.4), 0.9277 - 3.6224 / (b - 2)
    while True:
        u, v = unit() - 0.5, unit()
        us = 0.5 - abs(u)
        k = math.floor((2 * a / us + b) * u + rate + 0.43)
        if us >= 0.07 and v <= inside:
            return k
        if k < 0 or (us < 0.013 and v > us):
            continue
        if math.log(v) + math.log(inverse) - math.log(a / (us * us) + b) <= -rate + k * log - math.lgamma(k + 1):
            return k


def _binomial(
    unit: Callable[[], float], n: float, p: float, mean: float, variance: float, odds: float, mode: float
) -> float:
    """The heads of n coins of p ≤ 1/2."""
    if n <= 0 or p <= 0:
        return 0
    if n * p < 10:  # as many as geometric waiting times fit into n
        waited, heads, log = 0.0, -1, math.log1p(-p)
        while waited <= n:
            waited += math.ceil(math.log(unit()) / log)
            heads += 1
        return heads
    spread = math.sqrt(variance)
    b = 1.15 + 2.53 * spread
    a = -0.0873 + 0.0248 * b + 0.01 * p
    c, inside, alpha = mean + 0.5, 0.92 - 4.2 / b, (2.83 + 5.1 / b) * spread
    while True:
        u, v = unit() - 0.5, unit()
        us = 0.5 - abs(u)
        k = math.floor((2 * a / us + b) * u + c)
        if k < 0 or k > n:
            continue
        if us >= 0.07 and v <= inside:
            return k
        bound = (
            (mode + 0.5) * math.log((mode + 1) / (odds * (n - mode + 1)))
            + (n + 1) * math.log((n - mode + 1) / (n - k + 1))
            + (k + 0.5) * math.log(odds * (n - k + 1) / (k + 1))
            + _stirling(mode) + _stirling(n - mode) - _stirling(k) - _stirling(n - k)
        )  # fmt: skip
        if math.log(v * alpha / (a / (us * us) + b)) <= bound:
            return k


def _stirling(k: float) -> float:
    """What Stirling's formula leaves of ln k!."""
    if k <= 9:
        return STIRLING[int(k)]
    square = (k + 1) ** 2
    return (1 / 12 - (1 / 360 - 1 / 1260 / square) / square) / (k + 1)


STIRLING = (
    0.0810614667953272, 0.0413406959554092, 0.0276779256849983, 0.02079067210376509, 0.0166446911898211,
    0.0138761288230707, 0.0118967099458917, 0.0104112652619720, 0.00925546218271273, 0.00833056343336287,
)  # fmt: skip


def _libm(function: Callable[[float], float], x: Array) -> NDArray[np.float64]:
    """`function` of `math` on every element: NumPy's own vector kernels differ in the last bit."""
    return np.fromiter(map(function, x.ravel().tolist()), np.float64, x.size).reshape(x.shape)


def _narrow(x: Array, dtype: np.dtype[Any]) -> Array:
    """Round to `dtype`; to float16 by way of float32, as C++ does."""
    with np.errstate(over="ignore", invalid="ignore"):
        return x.astype(np.float32).astype(dtype) if dtype == np.float16 else x.astype(dtype, copy=False)


def _fma32(a: Array, b: Array | float, c: Array | float) -> Array:
    """`a·b + c` of float32 values with one rounding: in float64 the product is exact."""
    with np.errstate(over="ignore", invalid="ignore"):
        return (np.multiply(a, b, dtype=np.float64) + c).astype(np.float32)


def _fma64(a: NDArray[np.float64], b: float, c: float) -> NDArray[np.float64]:
    """`a·b + c` of float64 values with one rounding.

    From error-free products (Dekker, 1971) and sums (Knuth), where the sum of what is lost is rounded to odd, so that
    it leans to its own side when all is rounded once more (Boldo and Melquiond, 2008).
    """
    with np.errstate(all="ignore"):
        product = a * b
        if b == 1 or c == 0:
            return product + c
        (a_high, a_low), (b_high, b_low) = _halves(a), _halves(np.float64(b))
        lost = a_low * b_low - (((product - a_high * b_high) - a_low * b_high) - a_high * b_low)
        small, smaller = _two_sum(np.float64(c), lost)
        total, rest = _two_sum(product, small)
        odd, dropped = _two_sum(rest, smaller)
        leans = (dropped != 0) & (odd.view(np.int64) % 2 == 0)
        odd = np.where(leans, np.nextafter(odd, np.copysign(np.inf, dropped)), odd)
        fused = total + odd
        return np.where(np.isfinite(fused), fused, product + c)


def _two_sum(a: Any, b: Any) -> tuple[Any, Any]:
    """`a + b` rounded, and what the rounding dropped."""
    total = a + b
    back = total - a
    return total, (a - (total - back)) + (b - back)


def _halves(x: Any) -> tuple[Any, Any]:
    """`x` as a sum of two floats of 26 bits, whose products are exact."""
    scaled = x * (2.0**27 + 1)
    high = scaled - (scaled - x)
    return high, x - high


def _box_muller(blocks: Array, mean: float, std: float) -> Array:
    """Normals of (m, 16) units as one row: `mean + std·√(-2·log(1 - u))·(cos, sin)(2π·v)`."""
    units, turns = blocks[:, :8], blocks[:, 8:]
    if blocks.dtype == np.float64:
        angle = 2.0 * math.pi * turns
        radius = np.sqrt(-2.0 * _libm(math.log, 1.0 - units))
        waves = np.concatenate([_libm(math.cos, angle), _libm(math.sin, angle)], axis=1).ravel()
        return _fma64(np.tile(radius, 2).ravel() * waves, std, mean)
    sine, cosine = _sincos32(np.float32(2 * math.pi) * turns)
    radius = np.sqrt(np.float32(-2) * _log32(np.float32(1) - units))
    normals = np.concatenate([radius * cosine, radius * sine], axis=1).ravel()
    if (mean, std) == (0, 1):
        return normals
    with np.errstate(over="ignore"):
        return _fma32(normals, float(np.float32(std)), float(np.float32(mean)))


# Coefficients of Cephes' logf, sinf and cosf, highest power first, as float32 has them.
LOG = np.array(
    [7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1,
     -1.6668057665e-1, 2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1],
    np.float32,
)  # fmt: skip
SIN = np.array([-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1], np.float32)
COS = np.array([2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2], np.float32)
QUARTER_PI = np.array([0.78515625, 2.4187564849853515625e-4, 3.77489497744594108e-8], np.float32)


def _horner32(coefficients: Array, x: Array) -> Array:
    y = np.full_like(x, coefficients[0])
    for c in coefficients[1:]:
        y = _fma32(y, x, float(c))
    return y


def _log32(x: Array) -> Array:
    """Logarithm of float32 in (0, 1], as Cephes: `log(m·2ᵉ) = log m + e·log 2` with `√½ <= m < √2`."""
    m, e = np.frexp(x)
    small = m < np.float32(math.sqrt(0.5))
    m = np.where(small, m + m, m) - np.float32(1)
    exponent = (e - small).astype(np.float32)
    square = m * m
    y = _horner32(LOG, m) * m
    y = _fma32(y, square, exponent * np.float32(-2.12194440e-4))  # log 2 = 0.693359375 - 2.12194440e-4
    y = y - np.float32(0.5) * square
    log: Array = (m + y) + np.float32(0.693359375) * exponent
    return log


def _sincos32(x: Array) -> tuple[Array, Array]:
    """Sine and cosine of float32 in [0, 2π], as Cephes: reduced to the nearest quarter turn."""
    eighths = ((x * np.float32(4 / math.pi)).astype(np.int32) + 1) & ~1
    turn = eighths.astype(np.float64)
    for part in QUARTER_PI:  # π/4 in three parts, so that the difference stays exact
        x = _fma32(turn, -float(part), x)
    square = x * x
    sine = _fma32(_horner32(SIN, square) * square, x, x)
    cosine = _horner32(COS, square) * square
    cosine = _fma32(cosine, square, np.float32(-0.5) * square) + np.float32(1)
    swapped = (eighths & 2) != 0
    s, c = np.where(swapped, cosine, sine), np.where(swapped, sine, cosine)
    return np.where((eighths & 4) != 0, -s, s), np.where(((eighths + 2) & 4) != 0, -c, c)


# -- checks ---------------------------------------------------------------------------------------------


def _shape(shape: Shape) -> tuple[int, ...]:
    sizes = tuple(map(operator.index, shape)) if isinstance(shape, Sequence) else (operator.index(shape),)
    for size in sizes:
        if size < 0:
            raise refuse(RuntimeError, f"Trying to create tensor with negative dimension {size}: {list(sizes)}")
    return sizes


def _title(dtype: np.dtype[Any]) -> str:
    """PyTorch's name of a dtype in its error texts."""
    return TITLES.get(dtype.name, dtype.name)


def _not_implemented(kernel: str, dtype: np.dtype[Any], op: str) -> Exception:
    return refuse(NotImplementedError, f"\"{kernel}\" not implemented for '{_title(dtype)}'", op)


def _check_bounds(bounds: dict[str, Any], dtype: np.dtype[Any], op: str) -> None:
    smallest, largest = _limits(dtype)
    for name, bound in bounds.items():
        if not smallest <= bound <= largest:
            raise refuse(RuntimeError, f"{name} is out of bounds for {C_NAMES.get(dtype.name, dtype.name)}", op)


@cache
def _limits(dtype: np.dtype[Any]) -> tuple[float, float]:
    """The smallest and the largest number of a real dtype."""
    if dtype.kind == "b":
        return 0, 1
    if dtype.kind == "f":
        return -float(np.finfo(dtype).max), float(np.finfo(dtype).max)
    return int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)


def _check_uniform(low: float, high: float, dtype: np.dtype[Any]) -> None:
    if dtype not in FLOATS:
        raise _not_implemented("check_uniform_bounds", dtype, "uniform")
    _check_bounds({"from": low, "to": high}, dtype, "uniform")
    text = ""
    if low > high:
        text = f"uniform_ expects to return a [from, to) range, but found from={low:g} > to={high:g}"
    elif high - low > _limits(dtype)[1]:
        text = f"uniform_ expects to-from <= std::numeric_limits<{_title(dtype)}>::max(), but found to={high:g} and "
        text += f"from={low:g} which result in to-from to exceed the limit"
    if text:
        raise refuse(RuntimeError, text, "uniform")


def _last(dtype: np.dtype[Any]) -> int:
    """The last integer that `dtype` reaches in steps of one."""
    if dtype.kind == "f":
        return 2 ** (int(np.finfo(dtype).nmant) + 1)
    return int(np.iinfo(dtype).max) if dtype.kind in "iu" else 1


def _check_integers(low: int, high: int, dtype: np.dtype[Any]) -> None:
    if dtype.kind not in "fiub":
        text = "check_random_bounds handles only integral, floating-point and boolean types"
        raise refuse(RuntimeError, text, "integers")
    _check_bounds({"from": low, "to - 1": high - 1}, dtype, "integers")


def _check_weights(weights: Array, race: bool) -> None:
    text = ""
    if race and not np.all(np.isfinite(weights) & (weights >= 0)):
        text = "probability tensor contains either `inf`, `nan` or element < 0"
    elif not np.all(weights >= 0):
        text = "invalid multinomial distribution (encountering probability entry < 0)"
    elif not np.all(np.isfinite(weights)):
        text = "invalid multinomial distribution (encountering probability entry = infinity or NaN)"
    elif not np.all(weights.sum(axis=-1) > 0):
        text = "invalid multinomial distribution (sum of probabilities <= 0)"
    if text:
        raise refuse(RuntimeError, text, "multinomial")


# -- the default stream ---------------------------------------------------------------------------------

default_generator = Generator()
default_generator.seed()  # unseeded programs differ from run to run, as in PyTorch


def manual_seed(seed: int) -> Generator:
    """Seed the default stream, and with it every layer, mask and order drawn from it; return its generator.

    >>> manual_seed(0).normal(2)
    array([ 1.5409961, -0.2934289], dtype=float32)
    """
    return default_generator.manual_seed(int(seed))


seed, initial_seed = default_generator.seed, default_generator.initial_seed
get_rng_state, set_rng_state = default_generator.get_state, default_generator.set_state


@contextmanager
def fork_rng(devices: object = None, enabled: bool = True) -> Iterator[None]:
    """Within the `with` block the default stream may be drawn and seeded; after it, it is as before.

    `devices` is accepted for PyTorch's sake; there is only the CPU.

    >>> before = manual_seed(1).get_state()
    >>> with fork_rng():
    ...     _ = manual_seed(7).normal(100)
    >>> bool((get_rng_state() == before).all()), initial_seed()
    (True, 1)
    """
    state = default_generator.get_state() if enabled else None
    try:
        yield
    finally:
        if state is not None:
            default_generator.set_state(state)


if not TYPE_CHECKING:  # a name that is not here says so
    __getattr__ = names.namespace("random")
