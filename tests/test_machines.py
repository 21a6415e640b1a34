"""What PyTorch answers where there is no GPU, and the settings that change nothing here, line by line."""

from __future__ import annotations

import warnings
from typing import Any

import pytest

import tinygrad_pt

pytorch = pytest.importorskip("torch")

SAME = """
torch.cuda.is_available(), torch.cuda.device_count(), torch.cuda.is_initialized(), torch.cuda.get_arch_list()
torch.cuda.is_bf16_supported(), torch.cuda.memory_allocated(), torch.cuda.max_memory_allocated()
torch.cuda.manual_seed(0), torch.cuda.manual_seed_all(0), torch.cuda.empty_cache(), torch.cuda.default_generators
torch.cuda.current_device()
torch.cuda.get_device_name(0)
torch.cuda.get_device_properties(0)
torch.cuda.get_device_capability()
torch.cuda.Stream()
torch.cuda.Event()
torch.cuda.FloatTensor(2)
torch.cuda.FloatTensor
isinstance(torch.ones(1), torch.cuda.FloatTensor)
torch.accelerator.is_available(), torch.accelerator.current_accelerator(), torch.accelerator.device_count()
torch.accelerator.current_device_index()
torch.mps.is_available(), torch.mps.device_count(), torch.xpu.is_available(), torch.xpu.device_count()
torch.backends.mps.is_available(), torch.backends.mps.is_built(), torch.backends.cuda.is_built()
torch.backends.cudnn.is_available(), torch.backends.cudnn.version()
torch.backends.cudnn.enabled, torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic
torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32
torch.set_num_threads(0)
torch.set_num_threads(1.5)
torch.set_num_interop_threads(0)
torch.use_deterministic_algorithms(True), torch.are_deterministic_algorithms_enabled()
torch.get_deterministic_debug_mode(), torch.use_deterministic_algorithms(False), torch.get_deterministic_debug_mode()
torch.get_float32_matmul_precision(), torch.set_float32_matmul_precision('high'), torch.get_float32_matmul_precision()
torch.set_float32_matmul_precision('highest')
torch.get_default_device(), torch.set_default_device('cpu'), torch.set_default_device(None)
torch.set_default_tensor_type(torch.LongTensor)
torch.set_default_tensor_type(torch.cuda.FloatTensor)
torch.is_autocast_enabled(), torch.is_warn_always_enabled(), torch.is_vulkan_available()
torch.jit.is_scripting(), torch.jit.is_tracing(), torch.jit.annotate(int, 3)
torch.amp.GradScaler('cuda', enabled=False).get_scale(), torch.cuda.amp.GradScaler().is_enabled()
torch.amp.GradScaler(enabled=False).scale(torch.ones(1)), torch.amp.GradScaler(enabled=False).state_dict()
torch.nn.DataParallel(torch.nn.Linear(2, 1))
torch.version.cuda, torch.version.hip
torch.ones(2).get_device(), torch.ones(2).is_pinned(), torch.ones(2).is_cuda, torch.ones(2).is_xpu
torch.ones(2).is_mps
torch.ones(2).is_cpu, torch.ones(2).is_sparse, torch.ones(2).is_quantized
torch.ones(2).is_meta, torch.ones(2).is_nested
torch.overrides.has_torch_function((torch.ones(1),))
torch.sparse_coo_tensor([[0, 1], [2, 0]], [3.0, 4.0], (2, 3)).to_dense()
torch.sparse_coo_tensor(torch.tensor([[0, 1, 1], [2, 0, 0]]), torch.tensor([3.0, 4.0, 5.0])).to_dense()
torch.sparse_coo_tensor((2, 3)).to_dense()
torch.sparse.FloatTensor(torch.LongTensor([[0, 1], [1, 0]]), torch.FloatTensor([1, 2]), torch.Size([2, 2])).to_dense()
torch.sparse_csr_tensor([0, 2, 3], [0, 1, 1], [1.0, 2.0, 3.0], (2, 2)).to_dense()
torch.eye(2).to_sparse().coalesce().indices(), torch.eye(2).to_sparse().coalesce().values()
torch.spmm(torch.eye(2).to_sparse(), torch.ones(2, 2)), torch.sparse.mm(torch.eye(2).to_sparse(), torch.ones(2, 1))
torch.sparse.sum(torch.eye(2).to_sparse())
torch.sparse.softmax(torch.tensor([[1.0, 2.0, 0.0]]).to_sparse(), 1).to_dense()
torch.sparse.torch.eye(2)
""".strip().splitlines()


def answer(line: str, package: Any) -> str:
    """What a line gives, or the first line of its error."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return repr(eval(line, {"torch": package}))
        except Exception as error:
            return f"{type(error).__name__}: {str(error).splitlines()[0]}"


@pytest.mark.parametrize("line", SAME)
def test_a_line_gives_what_it_gives_in_pytorch(line: str) -> None:
    assert answer(line, tinygrad_pt) == answer(line, pytorch)


def test_threads_and_settings_are_noted() -> None:
    torch = tinygrad_pt
    before = torch.get_num_threads()
    assert before >= 1 and torch.get_num_interop_threads() >= 1
    torch.set_num_threads(3)
    assert torch.get_num_threads() == 3
    torch.set_num_threads(before)
    assert torch.set_flush_denormal(True) is False
    with torch.backends.cudnn.flags(enabled=False, benchmark=True):
        assert not torch.backends.cudnn.enabled and torch.backends.cudnn.benchmark
    assert torch.backends.cudnn.enabled
    with pytest.warns(UserWarning, match="foo is not one of"):
        torch.set_float32_matmul_precision("foo")


def test_programs_run_as_python_runs_them() -> None:
    torch = tinygrad_pt

    @torch.compile
    def double(x: Any) -> Any:
        return 2 * x

    @torch.jit.script
    def triple(x: Any) -> Any:
        return 3 * x

    assert double(torch.ones(1)).item() == 2 and triple(torch.ones(1)).item() == 3
    net = torch.nn.Linear(1, 1)
    assert torch.compile(net, mode="max-autotune") is net and torch.jit.trace(net, torch.ones(1)) is net
    with torch.amp.autocast("cpu", enabled=False), torch.autocast(device_type="cpu"):
        assert net(torch.ones(1)).dtype is torch.float32
    with pytest.warns(UserWarning, match="Disabling autocast"), torch.cuda.amp.autocast():
        pass
    with torch.autograd.profiler.profile(use_cuda=False) as measured, torch.profiler.record_function("step"):
        net(torch.ones(1))
    assert "cProfile" in measured.key_averages().table(sort_by="cpu_time_total")


def test_a_step_with_mixed_precision_is_an_ordinary_step() -> None:
    torch = tinygrad_pt
    w = torch.ones(1, requires_grad=True)
    optimizer, scaler = torch.optim.SGD([w], lr=0.5), torch.amp.GradScaler("cpu", enabled=False)
    scaler.scale((w * w).sum()).backward()
    scaler.unscale_(optimizer)
    scaler.step(optimizer)
    scaler.update()
    assert w.item() == 0.0


def test_gradients_reach_the_values_of_a_sparse_tensor() -> None:
    torch = tinygrad_pt
    values = torch.tensor([3.0, 4.0, 5.0], requires_grad=True)
    dense = torch.sparse_coo_tensor(torch.tensor([[0, 1, 1], [2, 0, 0]]), values, (2, 3))
    (dense * torch.arange(6.0).reshape(2, 3)).sum().backward()
    assert values.grad.tolist() == [2.0, 3.0, 3.0]


@pytest.mark.parametrize(
    "place, text", [(3, "size is inconsistent with indices: for dim 0"), (-1, "found negative index")]
)
def test_a_place_outside_of_a_sparse_tensor_is_refused(place: int, text: str) -> None:
    with pytest.raises(RuntimeError, match=text):
        tinygrad_pt.sparse_coo_tensor([[0, place]], [1.0, 2.0], (3,))
