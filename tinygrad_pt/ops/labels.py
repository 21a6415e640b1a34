"""PyTorch's names of vertices, as in `grad_fn=<AddmmBackward0>`, for ops whose names do not lead to them."""

from __future__ import annotations

from collections.abc import Callable

from tinygrad_pt.graph import Node
from tinygrad_pt.ops.index import is_basic


def whole_or_part(whole: str, part: str) -> Callable[[Node], str]:
    """One name for a reduction over all elements, another for one over some axes."""
    return lambda node: whole if node.attrs["axis"] is None else part


def of_power(node: Node) -> str:
    return "PowBackward1" if hasattr(node.parents[0], "shape") else "PowBackward2"


def of_index(node: Node) -> str:
    index = node.attrs["index"]
    if not is_basic(index):
        return "IndexBackward0"
    last = [i for i in index if i is not Ellipsis]
    if not last:
        return "AliasBackward0"
    kind = type(last[-1])
    return "UnsqueezeBackward0" if last[-1] is None else "SliceBackward0" if kind is slice else "SelectBackward0"


def of_split(node: Node) -> str:
    """Pieces of one size, the last of which may be smaller, or of sizes that were listed."""
    first, *rest = node.attrs["sizes"]
    alike = all(n == first for n in rest[:-1]) and (not rest or rest[-1] <= first)
    return "SplitBackward0" if alike else "SplitWithSizesBackward0"


LABELS: dict[str, str | Callable[[Node], str]] = {
    "amax": whole_or_part("MaxBackward1", "AmaxBackward0"),
    "amin": whole_or_part("MinBackward1", "AminBackward0"),
    "cast": "ToCopyBackward0",
    "cholesky": "LinalgCholeskyExBackward0",
    "clamp": "ClampBackward1",
    "copy": "CopyBackwards",
    "det": "LinalgDetBackward0",
    "eigh": "LinalgEighBackward0",
    "getitem": of_index,
    "index_put": "IndexPutBackward0",
    "inverse": "LinalgInvExBackward0",
    "linear": lambda node: "AddmmBackward0" if len(node.parents) == 3 else "MmBackward0",
    "log_abs_det": "LinalgSlogdetBackward0",
    "lu": "LinalgLuFactorExBackward0",
    "matrix_exp": "LinalgMatrixExpBackward0",
    "mean": whole_or_part("MeanBackward0", "MeanBackward1"),
    "narrow": "SliceBackward0",
    "norm": "LinalgVectorNormBackward0",
    "overwrite": "CopySlices",
    "pad": "ConstantPadNdBackward0",
    "pnorm": "LinalgVectorNormBackward0",
    "pow": of_power,
    "power": "PowBackward0",
    "qr": "LinalgQrBackward0",
    "reshape": "ViewBackward0",
    "solution": "LinalgSolveExBackward0",
    "split": of_split,
    "square": "PowBackward0",
    "sum": whole_or_part("SumBackward0", "SumBackward1"),
    "sum_rows": "SumBackward1",
    "sum_to": "SumBackward1",
    "svd": "LinalgSvdBackward0",
}
