"""PyTorch reads what is saved here, and here is read what PyTorch saves: the same values, bit for bit."""

from __future__ import annotations

import io
import zipfile
from collections import Counter, OrderedDict
from pathlib import Path
from typing import Any

import pytest

import tinygrad_pt
from tinygrad_pt import dtypes
from tinygrad_pt.errors import CheckpointError

pytorch = pytest.importorskip("torch")


def described(x: Any) -> Any:
    """A value of either package in terms that compare."""
    if hasattr(x, "stride"):
        dense = x.detach().contiguous()
        numbers = dense.numpy().tobytes()
        return ("tensor", type(x).__name__, str(x.dtype), tuple(x.shape), x.stride(), numbers, x.requires_grad)
    if isinstance(x, dict):
        more = {k: described(v) for k, v in getattr(x, "__dict__", {}).items()}
        return (type(x).__name__, [(described(k), described(v)) for k, v in x.items()], more)
    if isinstance(x, (list, tuple)):
        return (type(x).__name__, [described(v) for v in x])
    return (type(x).__name__, str(x) if type(x).__name__ in ("dtype", "device") else x)


def tensors(torch: Any) -> dict[str, Any]:
    found = {}
    for kind in dtypes.ALL:
        dtype = getattr(torch, kind.name)
        x = torch.arange(12).to(dtype)
        found[kind.name] = [x, x.reshape(3, 4).t(), x[2:9:3], torch.zeros(0, 3, dtype=dtype), x[5], x.view(3, 1, 4)[1:]]
    return found


def values(torch: Any) -> dict[str, Any]:
    x = torch.arange(6.0)
    return {
        "t": [(), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)], "s": {1}, "b": b"\xff", "ba": bytearray(b"x"), "none": None,
        "big": [2**70, -5, -(2**31) - 1, 70000, 300, 2**40, True, False], "f": [1.5, -0.0], "c": 1 + 2j,
        "text": "é", "size": torch.Size([2, 3]), "dtype": torch.float16, "od": OrderedDict(a=1, b=OrderedDict()),
        "count": Counter("aab"), "many": list(range(2500)), "dict": {i: i for i in range(1500)}, "x": x, "part": x[1:3],
        "turned": x.view(2, 3).t(), "grad": torch.ones(2, requires_grad=True), "p": torch.nn.Parameter(torch.ones(2)),
        "frozen": torch.nn.Parameter(torch.ones(1), requires_grad=False), "wide": torch.ones(1).expand(3, 2),
    }  # fmt: skip


def training(torch: Any) -> dict[str, Any]:
    torch.manual_seed(0)
    model = torch.nn.Sequential(
        torch.nn.Conv2d(1, 2, 3), torch.nn.BatchNorm2d(2), torch.nn.Flatten(), torch.nn.Linear(8, 2)
    )
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    return {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "rng": torch.get_rng_state()[:8]}


def device(torch: Any) -> Any:
    return [torch.device("cpu"), torch.device("cuda", 1)]


PROGRAMS = [tensors, values, training]


def saved(torch: Any, obj: Any, **words: Any) -> io.BytesIO:
    file = io.BytesIO()
    torch.save(obj, file, **words)
    file.seek(0)
    return file


@pytest.mark.parametrize("program", [*PROGRAMS, device])
def test_each_reads_what_the_other_saves(program: Any) -> None:
    theirs, ours = program(pytorch), program(tinygrad_pt)
    wanted = described(theirs)
    assert described(tinygrad_pt.load(saved(pytorch, theirs))) == wanted
    assert described(tinygrad_pt.load(saved(pytorch, theirs, _use_new_zipfile_serialization=False))) == wanted
    assert described(pytorch.load(saved(tinygrad_pt, ours))) == described(ours) == wanted


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_files_are_the_same(program: Any) -> None:
    """All but the mark by which PyTorch tells one file from another, and its checksums."""
    ours, theirs = (zipfile.ZipFile(saved(torch, program(torch))) for torch in (tinygrad_pt, pytorch))
    for a, b in zip(ours.infolist(), theirs.infolist(), strict=True):
        known = ("filename", "header_offset", "file_size", "flag_bits", "extra", "date_time", "create_version")
        assert [getattr(a, name) for name in known] == [getattr(b, name) for name in known]
        if not a.filename.endswith("serialization_id"):
            assert ours.read(a) == theirs.read(b), a.filename
    ours.fp.seek(0), theirs.fp.seek(0)
    until = ours.getinfo("archive/.data/serialization_id").header_offset
    assert ours.fp.read(until) == theirs.fp.read(until)


@pytest.mark.parametrize("computed", [False, True])
def test_pytorch_maps_our_files(computed: bool, tmp_path: Path) -> None:
    from torch.utils.serialization import config

    tinygrad_pt.save(values(tinygrad_pt), tmp_path / "x.pt")
    assert zipfile.ZipFile(tmp_path / "x.pt").namelist()[0] == "x/data.pkl"
    with config.patch("load.calculate_storage_offsets", computed):
        found = pytorch.load(tmp_path / "x.pt", mmap=True)
    assert described(found) == described(values(pytorch))


def test_its_files_are_mapped_here(tmp_path: Path) -> None:
    pytorch.save(tensors(pytorch), tmp_path / "x.pt")
    assert described(tinygrad_pt.load(tmp_path / "x.pt", mmap=True)) == described(tensors(pytorch))


def test_memory_is_shared_in_both_directions() -> None:
    for torch, other in ((pytorch, tinygrad_pt), (tinygrad_pt, pytorch)):
        x = torch.arange(6.0)
        for words in ({}, {"_use_new_zipfile_serialization": False})[: 2 if torch is pytorch else 1]:
            found = other.load(saved(torch, [x, x[2:4]], **words))
            found[0][3] = 9
            assert found[1].tolist() == [2, 9]


def test_attributes_go_to_pytorch_and_back() -> None:
    for torch, other in ((pytorch, tinygrad_pt), (tinygrad_pt, pytorch)):
        x, p = torch.ones(2), torch.nn.Parameter(torch.ones(2))
        x.role, p.role = "input", "weight"
        found = other.load(saved(torch, [x, p]))
        assert [t.role for t in found] == ["input", "weight"] and type(found[1]) is other.nn.Parameter


def test_an_optimizer_of_pytorchs_goes_on_here() -> None:
    def step(torch: Any, model: Any, optimizer: Any) -> None:
        optimizer.zero_grad()
        model(torch.ones(4, 3)).square().sum().backward()
        optimizer.step()

    model = pytorch.nn.Linear(3, 2)
    optimizer = pytorch.optim.AdamW(model.parameters(), lr=0.1)
    step(pytorch, model, optimizer)
    found = tinygrad_pt.load(saved(pytorch, {"m": model.state_dict(), "o": optimizer.state_dict()}))
    ours = tinygrad_pt.nn.Linear(3, 2)
    its = tinygrad_pt.optim.AdamW(ours.parameters(), lr=0.1)
    ours.load_state_dict(found["m"])
    its.load_state_dict(found["o"])
    step(pytorch, model, optimizer)
    step(tinygrad_pt, ours, its)
    assert ours.weight.numpy(force=True) == pytest.approx(model.weight.numpy(force=True), rel=1e-6)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: pytorch.nn.Linear(1, 1), "Unsupported global: GLOBAL torch.nn.modules.linear.Linear"),
        (lambda: pytorch.ones(2, dtype=pytorch.bfloat16), "torch.bfloat16"),
        (lambda: pytorch.ones(2, dtype=pytorch.uint16), "torch.uint16"),
        (lambda: pytorch.ones(2).to(pytorch.float8_e5m2), "torch.float8_e5m2"),
        (lambda: pytorch.ones(2, dtype=pytorch.complex64).conj(), "conjugated"),
        (lambda: pytorch.eye(2).to_sparse(), "Unsupported global"),
        (lambda: print, "Unsupported global: GLOBAL print was"),
        (lambda: pytorch.ones(2, device="meta"), "Unsupported global"),
    ],
)
@pytest.mark.parametrize("zipped", [True, False])
def test_what_is_not_read_is_refused_with_the_reason(make: Any, text: str, zipped: bool) -> None:
    try:
        file = saved(pytorch, make(), _use_new_zipfile_serialization=zipped)
    except NotImplementedError:
        pytest.skip("PyTorch does not save it either")
    with pytest.raises(CheckpointError, match=text):
        tinygrad_pt.load(file)
