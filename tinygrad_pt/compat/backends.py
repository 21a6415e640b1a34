"""`torch.backends`: the settings of libraries that are not used here. They can be set and read, and change nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["cuda", "cudnn", "mkl", "mkldnn", "mps", "openmp", "opt_einsum", "quantized"]


class Settings:
    """Names with values, which a program may change."""

    def __init__(self, **values: Any) -> None:
        vars(self).update(values)


class Backend(Settings):
    """A library: whether it is there, and its settings."""

    def is_available(self) -> bool:
        """Whether the library is there: never."""
        return False

    is_built = is_available

    def version(self) -> int | None:
        """None: the library is not there."""
        return None

    @contextmanager
    def flags(self, *args: Any, **values: Any) -> Iterator[None]:
        """Settings inside a block."""
        before = dict(vars(self))
        vars(self).update(values)
        try:
            yield
        finally:
            vars(self).update(before)


class Cuda(Backend):
    """`torch.backends.cuda`."""

    def flash_sdp_enabled(self) -> bool:
        """Whether attention may use a kernel of a GPU: never."""
        return False

    mem_efficient_sdp_enabled = cudnn_sdp_enabled = flash_sdp_enabled

    def math_sdp_enabled(self) -> bool:
        """Whether attention may be computed by its formula: always."""
        return True

    def enable_flash_sdp(self, enabled: bool) -> None:
        """Do nothing: attention is computed by its formula."""

    enable_mem_efficient_sdp = enable_math_sdp = enable_cudnn_sdp = enable_flash_sdp

    @contextmanager
    def sdp_kernel(self, *args: Any, **choices: Any) -> Iterator[None]:
        """A block in which nothing changes: attention is computed by its formula."""
        yield


cudnn = Backend(
    enabled=True, benchmark=False, benchmark_limit=10, deterministic=False, allow_tf32=True, fp32_precision="none"
)
matmul = Settings(
    allow_tf32=False, allow_fp16_reduced_precision_reduction=True, allow_bf16_reduced_precision_reduction=True,
    fp32_precision="none",
)  # fmt: skip
cuda = Cuda(matmul=matmul, cufft_plan_cache=Settings(size=0, max_size=0), preferred_linalg_library=lambda *a: "Default")
mps, openmp = Backend(), Backend()
mkl, mkldnn = Backend(), Backend(enabled=False, deterministic=False, allow_tf32=True)
opt_einsum = Backend(enabled=False, strategy=None)
quantized = Backend(engine="none", supported_engines=["none"])
