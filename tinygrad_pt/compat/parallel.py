"""`torch.nn.parallel`: a model on several GPUs, of which there is none."""

from __future__ import annotations

from typing import Any

from tinygrad_pt.errors import refuse
from tinygrad_pt.nn import Module
from tinygrad_pt.tensor import Tensor

__all__ = ["DataParallel", "DistributedDataParallel", "data_parallel"]


class DataParallel(Module):
    """A module that calls the one it is given, `module`, as PyTorch's does where there is no GPU.

    >>> model = torch.nn.DataParallel(torch.nn.Linear(2, 1))
    >>> list(model.state_dict())
    ['module.weight', 'module.bias']
    """

    def __init__(self, module: Module, device_ids: Any = None, output_device: Any = None, dim: int = 0) -> None:
        super().__init__()
        self.module = module
        self.device_ids: list[int] = []
        self.dim = dim

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        """`module(*inputs, **kwargs)`."""
        return self.module(*inputs, **kwargs)


def data_parallel(
    module: Module, inputs: Any, device_ids: Any = None, output_device: Any = None, dim: int = 0,
    module_kwargs: dict[str, Any] | None = None,
) -> Tensor:  # fmt: skip
    """`module(*inputs)`."""
    result: Tensor = module(*(inputs if isinstance(inputs, tuple) else (inputs,)), **(module_kwargs or {}))
    return result


class DistributedDataParallel(Module):
    """A model in several processes: to make one is PyTorch's error where they have not met."""

    def __init__(self, module: Module, *args: Any, **options: Any) -> None:
        text = "Default process group has not been initialized, please make sure to call init_process_group."
        raise refuse(ValueError, text, "DistributedDataParallel", mend="use the module itself: there is one process")
