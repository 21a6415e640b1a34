"""What to use in the place of a name of PyTorch's that is not here, and why it is not here."""

from __future__ import annotations

import re

from tinygrad_pt.names import module_at

# Names of PyTorch's that will not come, by the reason: patterns of whole names, with their namespace.
NUMPY = "NumPy has no such type"
REASONS: dict[str, str] = {
    r"(\w+\.)*(bfloat16|BFloat16\w*|float8_\w+|float4_\w+)": f"{NUMPY}: use torch.float32, or torch.float16",
    r"(\w+\.)*(u?int[1-7]|uint16|uint32|uint64|bits\w+)": f"{NUMPY} that PyTorch computes with: use torch.int64",
    r"(\w+\.)*(chalf|complex32|ComplexHalf\w*)": f"{NUMPY}",
    r"(\w+\.)*(q_?u?int\w*|q_\w+|quint\w+|Q\w*Storage|quantiz\w+|quantize_\w+|per_channel_\w+|per_tensor_\w+|"
    r"dequantize|fake_quantize\w*|fbgemm_\w+|fused_moving_avg\w+|int_repr|choose_qparams\w*|qscheme|quantized_\w+|"
    r"empty_quantized|ao(\.\w+)*|quantization(\.\w+)*)": "quantised numbers are not provided: use torch.float32",
    r"(complex|polar|view_as_complex(_copy)?|view_as_real(_copy)?|real|imag|angle|adjoint|is_conj|is_neg|conj\w*|"
    r"resolve_\w+|Tensor\.(real|imag|angle|adjoint|conj\w*|resolve_\w+|cfloat|cdouble|chalf|is_conj|is_neg|H))":
        "gradients of complex numbers are not provided: keep real and imaginary part as two tensors",
    r"linalg\.(eig|eigvals)|Tensor\.eig":
        "its results are complex: torch.linalg.eigh takes symmetric matrices, numpy.linalg.eig all, without gradients",
    r"(fft|fft\.\w+|stft|istft|Tensor\.i?stft|signal(\.\w+)*|\w+_window)":
        "Fourier transforms are not provided: numpy.fft computes them, without gradients",
    r"(Tensor\.)?(\w*sparse\w*|c?(row|col)_indices\w*|\w*crow\w*|hspmm|smm|sspaddmm|ccol_indices\w*)":
        "tensors are dense here: torch.sparse_coo_tensor, spmm and to_sparse give dense ones",
    r"(distributed|_C\._distributed\w*|multiprocessing|futures|monitor|DistributedOptimizer)(\.\w+)*":
        "a program is one process here: leave it out, or guard it with an if",
    r"(onnx|export|package|fx|_dynamo|_inductor|library|ops|classes|_export|_functorch|_prims\w*|_refs|_ops)(\.\w+)*":
        "networks are not exported or transformed as graphs: viz.draw(loss) draws one, state_dict() has the numbers",
    r"(hub|utils\.(model_zoo|mobile_optimizer|cpp_extension|dlpack\.\w+))(\.\w+)*":
        "nothing is downloaded or compiled",
    r"jit\.\w+": "torch.jit.script and torch.jit.trace give back what they are given; save the state_dict()",
    r"(cuda|mps|xpu|mtia|hip|accelerator|backends)(\.\w+)*": "there is no GPU: use the CPU",
    r"(nested|masked|func|vmap|utils\.tensorboard|utils\.bottleneck|testing\._internal)(\.\w+)*": "it is not provided",
    r"(cudnn_|mkldnn_|miopen_|_cudnn|_mkldnn|mps_|_)\w+": "it belongs to the inside of PyTorch",
}  # fmt: skip

# What to use instead, by the whole name.
INSTEAD: dict[str, str] = {
    "solve": "torch.linalg.solve(A, B)", "gesv": "torch.linalg.solve(A, B)", "lstsq": "torch.linalg.lstsq(A, B)",
    "gels": "torch.linalg.lstsq(A, B)", "symeig": "torch.linalg.eigh(A)",
    "eig": "torch.linalg.eigh(A), if A is symmetric",
    "potrf": "torch.linalg.cholesky(A)", "potri": "torch.cholesky_inverse(L)", "btrifact": "torch.linalg.lu_factor(A)",
    "matrix_rank": "torch.linalg.matrix_rank(A)", "chain_matmul": "torch.linalg.multi_dot(matrices)",
    "ger": "torch.outer(a, b)",
    "vmap": "write the axis of the batch out: every op broadcasts",
    "utils.checkpoint": "call the function itself: it computes the same gradients, with more memory",
    "utils.tensorboard": "matplotlib draws curves: pip install \"tinygrad_pt[plots]\"",
    "fx": "torch.viz.draw(loss) shows the graph", "utils.data.DataLoader2": "torch.utils.data.DataLoader",
    "Storage": "x.untyped_storage()", "Tensor.typed_storage": "x.untyped_storage()",
    "Tensor.share_memory_": "x itself: there is one process",
    "Tensor.bfloat16": "x.float(), or x.half(): NumPy has no bfloat16",
    "Tensor.names": "numbers of axes: named axes are not provided", "vision": "the package torchvision is not read",
    "get_default_dtype_": "torch.get_default_dtype()", "multiprocessing": "Python's multiprocessing",
}  # fmt: skip

# Where a name may stand otherwise.
SPACES = ("", "nn", "nn.functional", "nn.init", "nn.utils", "optim", "optim.lr_scheduler", "linalg", "special",
          "utils.data", "autograd", "autograd.functional", "random")  # fmt: skip


def reason(space: str, name: str) -> str:
    """Why PyTorch's name is not here, or nothing if it is merely not provided."""
    path = f"{space}.{name}" if space else name
    return next((why for pattern, why in REASONS.items() if re.fullmatch(pattern, path)), "")


def instead(space: str, name: str) -> str:
    """What to use in its place, or why there is nothing."""
    path = f"{space}.{name}" if space else name
    named = INSTEAD.get(path, "")
    if named and all(map(found, re.findall(r"torch\.([\w.]*\w)", named))):
        return f"use {named}"
    for other in elsewhere(space, name):
        return f"use {other}"
    return reason(space, name)


def found(path: str) -> bool:
    """Whether there is something at a path below `torch`."""
    space, _, name = path.rpartition(".")
    module = module_at(space)
    return module is not None and hasattr(module, name)


def elsewhere(space: str, name: str) -> list[str]:
    """The paths under which a name is here: with other capitals in this namespace, as it is or so in another one."""
    if name.startswith("_"):
        return []
    near: list[str] = []
    same: list[str] = []
    alike: list[str] = []
    for other in SPACES:
        module = module_at(other)
        if module is None:
            continue
        for known in getattr(module, "__all__", None) or [n for n in vars(module) if not n.startswith("_")]:
            if known.lower() == name.lower() and (other, known) != (space, name):
                kind = near if other == space else same if known == name else alike
                kind.append(".".join(filter(None, ("torch", other, known))))
    return near + same + alike
