"""The names that PyTorch's files have for the types of numbers."""

from __future__ import annotations

from tinygrad_pt import dtypes

PROTOCOL = 2  # of the opcodes
MAGIC, LEGACY_VERSION = 0x1950A86A20F9469CFC6C, 1001  # what a file of the older format begins with
ALIGNMENT = 64  # the elements of each storage begin at a multiple of this

# The class of a storage by the type of its elements: `torch.FloatStorage`, …
STORAGES: dict[dtypes.dtype, str] = {kind: f"{kind.spoken}Storage" for kind in dtypes.ALL}
# Types of PyTorch's that have no counterpart here: names of storages and of dtypes.
FOREIGN = {
    "BFloat16Storage": "bfloat16", "QInt8Storage": "qint8", "QUInt8Storage": "quint8", "QInt32Storage": "qint32",
    "QUInt4x2Storage": "quint4x2", "QUInt2x4Storage": "quint2x4",
    **{name: name for name in (
        "bfloat16", "uint16", "uint32", "uint64", "complex32", "float8_e4m3fn", "float8_e4m3fnuz", "float8_e5m2",
        "float8_e5m2fnuz", "float8_e8m0fnu", "float4_e2m1fn_x2", "qint8", "quint8", "qint32", "quint4x2", "quint2x4",
        "bits8", "bits16", "bits1x8", "bits2x4", "bits4x2",
        *(f"{sign}int{n}" for sign in ("u", "") for n in range(1, 8)),
    )},
}  # fmt: skip
