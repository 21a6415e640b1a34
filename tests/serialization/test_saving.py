"""What is saved comes back as it was; a path leads to the old file until the new one is whole."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from collections import Counter, OrderedDict, defaultdict, namedtuple
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinygrad_pt as torch
from tinygrad_pt import dtypes
from tinygrad_pt.errors import CheckpointError
from tinygrad_pt.files import whole


def through(obj: Any, **words: Any) -> Any:
    file = io.BytesIO()
    torch.save(obj, file)
    file.seek(0)
    return torch.load(file, **words)


def saved(obj: Any) -> bytes:
    file = io.BytesIO()
    torch.save(obj, file)
    return file.getvalue()


PLAIN = [
    None, True, False, 0, 255, 256, 65535, 65536, -1, -(2**31), 2**31, -(2**31) - 1, 2**63, -(2**63), -(2**39), 2**2030,
    1.5, float("inf"), 1 + 2j, "", "é\ud800", b"", b"\xff\x00", bytearray(b""), bytearray(b"x"), (), (1,), (1, 2),
    (1, 2, 3), (1, 2, 3, 4), [], [1], list(range(2500)), {}, {"a": 1}, {i: str(i) for i in range(1001)}, set(),
    {1, (2,)}, OrderedDict(a=1, b=[2]), Counter("aab"), torch.Size([2, 3]), torch.Size([]), torch.float16, torch.int64,
    torch.device("cpu"), torch.device("cuda:1"), {"a": [{"b": ({1}, [()])}]},
]  # fmt: skip


@pytest.mark.parametrize("value", PLAIN, ids=lambda v: repr(v)[:30].encode("ascii", "replace").decode())
def test_plain_values(value: Any) -> None:
    again = through(value)
    assert again == value and type(again) is type(value)


@pytest.mark.parametrize("kind", dtypes.ALL, ids=str)
@pytest.mark.parametrize("shape", [(), (0,), (3, 0, 2), (1,), (2, 3), (2, 1, 3)], ids=str)
def test_tensors(kind: torch.dtype, shape: tuple[int, ...]) -> None:
    x = torch.tensor(np.arange(int(np.prod(shape))).reshape(shape)).to(kind)
    again = through(x)
    assert again.dtype is kind and again.shape == x.shape and again.array.tobytes() == x.array.tobytes()
    assert again.stride() == x.stride() and again.array.flags.writeable


def test_layouts_are_kept() -> None:
    base = torch.arange(24.0).reshape(2, 3, 4)
    views = [base.transpose(0, 2), base[:, 1], base[1, :, ::2], base.expand(5, 2, 3, 4), base.flip(0)]
    for x, again in zip(views, through(views), strict=True):
        assert torch.equal(x, again) and x.stride() == again.stride()
    frozen = torch.from_numpy(np.arange(6)[::2])
    assert torch.equal(through(frozen), frozen)
    image = torch.nn.functional.conv2d(torch.ones(2, 1, 4, 4), torch.ones(3, 1, 2, 2))
    assert torch.equal(through(image), image) and through(image).stride() == image.stride()


def test_tensors_that_share_memory_share_it_again() -> None:
    x = torch.arange(6.0)
    again = through({"x": x, "part": x[2:4], "turned": x.view(2, 3).t(), "same": x})
    assert saved(again) == saved(through(again)) and again["part"].untyped_storage().nbytes() == 24
    again["x"][3] = 9
    assert again["part"][1] == 9 and again["turned"][0, 1] == 9 and again["same"] is again["x"]
    model = torch.nn.Linear(2, 2)
    tied = through(OrderedDict(a=model.weight.detach(), b=model.weight.detach()))
    assert tied["a"].data_ptr() == tied["b"].data_ptr()


def test_one_object_in_two_places_is_one_and_a_circle_stays_one() -> None:
    inner = [1]
    again = through({"a": inner, "b": inner})
    assert again["a"] is again["b"]
    circle: list[Any] = []
    circle.append(circle)
    found = through(circle)
    assert found[0] is found


def test_gradients_are_asked_for_again() -> None:
    leaf, made = torch.ones(2, requires_grad=True), torch.ones(2, requires_grad=True) * 2
    again = through([leaf, made, torch.nn.Parameter(torch.ones(1)), torch.nn.Parameter(torch.ones(1), False)])
    assert [t.requires_grad for t in again] == [True, True, True, False] and all(t.is_leaf for t in again)
    assert [type(t) for t in again[2:]] == [torch.nn.Parameter] * 2
    (again[0] * again[2]).sum().backward()
    assert again[0].grad.tolist() == [1, 1]


def test_attributes_of_tensors_are_kept() -> None:
    x, p = torch.ones(2), torch.nn.Parameter(torch.ones(2))
    x.role, p.role = "input", ["weight"]  # type: ignore[attr-defined]
    x.name = "x"
    again = through((x, p))
    assert again[0].role == "input" and again[1].role == ["weight"] and again[0].name is None


def test_training_goes_on_where_it_was_saved(tmp_path: Path) -> None:
    def start() -> tuple[Any, Any, Any]:
        torch.manual_seed(0)
        model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4), torch.nn.Linear(4, 1))
        optimizer = torch.optim.Adam(model.parameters(), lr=0.1, amsgrad=True)
        return model, optimizer, torch.randn(8, 3)

    def steps(model: Any, optimizer: Any, x: Any) -> None:
        for _ in range(3):
            optimizer.zero_grad()
            model(x).square().mean().backward()
            optimizer.step()

    model, optimizer, x = start()
    steps(model, optimizer, x)
    torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict(), "x": x}, tmp_path / "c.pt")
    steps(model, optimizer, x)
    for words in ({}, {"mmap": True}, {"weights_only": False}, {"map_location": "cpu"}):
        other, its_optimizer, _ = start()
        found = torch.load(tmp_path / "c.pt", **words)
        other.load_state_dict(found["model"])
        its_optimizer.load_state_dict(found["optimizer"])
        steps(other, its_optimizer, found["x"])
        for a, b in zip(model.state_dict().values(), other.state_dict().values(), strict=True):
            assert a.array.tobytes() == b.array.tobytes()


def test_deep_data_are_written_and_too_deep_ones_are_not_read() -> None:
    def nested(depth: int) -> list[Any]:
        data: list[Any] = []
        for _ in range(depth):
            data = [data]
        return data

    found, depth = through(nested(900)), 0
    while found:
        found, depth = found[0], depth + 1
    assert depth == 900
    with pytest.raises(CheckpointError, match="nested more than 1000 deep"):
        through(nested(100_000))


def test_mapped_elements_are_not_written_to_the_file(tmp_path: Path) -> None:
    torch.save({"x": torch.arange(5), "empty": torch.empty(0)}, tmp_path / "x.pt")
    before = (tmp_path / "x.pt").read_bytes()
    found = torch.load(tmp_path / "x.pt", mmap=True)
    found["x"][0] = 7
    assert found["x"].tolist() == [7, 1, 2, 3, 4] and (tmp_path / "x.pt").read_bytes() == before


# ------------------------------------------------------------------------------------------ refusals
Pair = namedtuple("Pair", "a b")


@pytest.mark.parametrize(
    "value",
    [
        torch.nn.Linear(1, 1), [{"m": torch.nn.ReLU()}], object(), len, int, lambda: 0, Pair(1, 2), defaultdict(int),
        frozenset(), np.ones(2), np.float64(1), slice(1), range(3), iter(()), torch.nn.UninitializedParameter(),
        2**2040, torch.optim.SGD([torch.ones(1)], 0.1), (torch.ones(2).untyped_storage(),),
    ],
    ids=lambda v: type(v).__name__,
)  # fmt: skip
def test_what_cannot_be_saved_is_refused_and_no_file_is_made(value: Any, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="cannot save"):
        torch.save(value, tmp_path / "x.pt")
    assert not os.listdir(tmp_path)


def test_the_refusal_of_a_model_names_the_state_dict() -> None:
    with pytest.raises(CheckpointError, match=r"mend: save its state_dict: torch.save\(model.state_dict\(\), f\)"):
        through(torch.nn.Linear(1, 1))


def test_two_dtypes_of_one_memory_are_refused() -> None:
    x = torch.ones(2)
    with pytest.raises(CheckpointError, match="view the same data as different types"):
        through([x, x.view(torch.int32)])
    assert through(x.view(torch.int32)).dtype is torch.int32


def test_wrong_calls(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="Parent directory .* does not exist"):
        torch.save(1, tmp_path / "no" / "x.pt")
    with pytest.raises(AttributeError, match="file-like object with a 'write' attribute"):
        torch.save(1, 3)
    with pytest.raises(ValueError, match="older format"):
        torch.save(1, tmp_path / "x.pt", _use_new_zipfile_serialization=False)
    with pytest.raises(FileNotFoundError):
        torch.load(tmp_path / "none.pt")
    with pytest.raises(AttributeError, match="BytesIO"):
        torch.load(b"bytes")
    with pytest.raises(ValueError, match="must be a file path"):
        torch.load(io.BytesIO(), mmap=True)
    with pytest.raises(AssertionError, match="CUDA"):
        through(1, map_location="cuda")


# ------------------------------------------------------------------------------------------ whole files
@pytest.mark.parametrize("stage", ["write", "fsync", "replace"])
def test_the_old_file_survives_an_error_at_any_stage(
    stage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.pt"
    torch.save("old", path)

    def fail(*args: Any) -> None:
        raise OSError("no space left on device")

    if stage == "write":
        monkeypatch.setattr("tinygrad_pt.serialization.archive.Archive.close", fail)
    else:
        monkeypatch.setattr(os, stage, fail)
    with pytest.raises(OSError, match="no space"):
        torch.save("new", path)
    monkeypatch.undo()
    assert torch.load(path) == "old" and os.listdir(tmp_path) == ["x.pt"]


def test_the_new_name_comes_after_the_bytes_are_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    order = []
    for name in ("fsync", "replace"):
        real = getattr(os, name)
        monkeypatch.setattr(os, name, lambda *args, real=real, name=name: (order.append(name), real(*args))[1])
    torch.save(1, tmp_path / "x.pt")
    assert order[:2] == ["fsync", "replace"]


def test_links_modes_and_what_is_no_ordinary_file(tmp_path: Path) -> None:
    path, link = tmp_path / "x.pt", tmp_path / "link.pt"
    torch.save(1, path)
    path.chmod(0o640)
    link.symlink_to(path)
    torch.save(2, link)
    assert link.is_symlink() and torch.load(path) == 2 and path.stat().st_mode & 0o777 == 0o640
    torch.save(3, os.devnull)
    assert not Path(os.devnull).is_file()


def test_a_file_that_is_half_written_is_never_seen(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"old")
    with whole(path) as file:
        file.write(b"new")
        file.flush()
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"


SAVER = """
import sys, tinygrad_pt as torch
x = torch.arange(200_000)
for i in range(1_000_000):
    torch.save({"i": i, "x": x + i}, sys.argv[1])
    print(i, flush=True)
"""


@pytest.mark.long
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="there is no kill -9 on this system")
def test_a_process_killed_at_any_moment_leaves_a_readable_file(tmp_path: Path) -> None:
    path, random = tmp_path / "x.pt", np.random.default_rng(0)
    for _ in range(10):
        command = [sys.executable, "-c", SAVER, str(path)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2])
        assert process.stdout is not None
        process.stdout.readline()  # the first is whole
        try:
            process.wait(timeout=float(random.random()) / 10)
        except subprocess.TimeoutExpired:
            process.kill()
        process.wait()
        process.stdout.close()
        found = torch.load(path)
        assert found["x"][-1] == 199_999 + found["i"]
