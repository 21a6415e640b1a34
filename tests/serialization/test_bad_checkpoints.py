"""Damaged and malicious checkpoints raise CheckpointError, with the reason, and nothing in them is executed."""

from __future__ import annotations

import io
import json
import os
import pickle
import struct
import subprocess
import sys
import tarfile
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinygrad_pt as torch
from tests.serialization import fuzz
from tinygrad_pt.errors import CheckpointError
from tinygrad_pt.serialization import reading
from tinygrad_pt.serialization.writing import Writer


def load(data: bytes) -> Any:
    return torch.load(io.BytesIO(data))


def refused(data: bytes, text: str) -> None:
    """It is refused, and takes no more memory than some megabytes."""
    tracemalloc.start()
    try:
        with pytest.raises(CheckpointError, match=text):
            load(data)
        assert tracemalloc.get_traced_memory()[1] < 50 << 20
    finally:
        tracemalloc.stop()


def stream(*opcodes: bytes, storages: tuple[np.ndarray, ...] = ()) -> bytes:
    return fuzz.archive(b"\x80\x02" + b"".join(opcodes) + b".", list(storages))


def name(path: str) -> bytes:
    return b"c" + path.replace(" ", "\n").encode() + b"\n"


def pushed(value: Any) -> bytes:
    """The opcodes of a plain value."""
    return bytes(Writer(value).stream[2:-1])


def called(path: str, *args: Any) -> bytes:
    return name(path) + pushed(args) + b"R"


def tensor(count: Any, offset: Any, size: Any, stride: Any, kind: str = "FloatStorage", key: str = "0") -> bytes:
    described = b"(" + pushed("storage") + name(f"torch {kind}") + pushed(key) + pushed("cpu") + pushed(count) + b"tQ"
    rest = pushed(offset) + pushed(size) + pushed(stride) + b"\x89"
    return name("torch._utils _rebuild_tensor_v2") + b"(" + described + rest + called("collections OrderedDict") + b"tR"


TEN = np.arange(10, dtype=np.float32)


def test_the_sound_one_is_read() -> None:
    assert load(stream(tensor(10, 1, (2, 3), (4, 1)), storages=(TEN,))).tolist() == [[1, 2, 3], [5, 6, 7]]


class Harm:
    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return os.system, ("touch harm",)


@pytest.mark.parametrize("protocol", range(6))
def test_nothing_is_called_that_the_table_has_not(
    protocol: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    attack = pickle.dumps([1, Harm()], protocol)
    for weights_only in (True, False):
        with pytest.raises(CheckpointError):
            torch.load(io.BytesIO(fuzz.archive(attack, [])), weights_only=weights_only)
    refused(attack, "Weights only load failed")
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize(
    "path",
    ["os system", "builtins eval", "__builtin__ getattr", "builtins type", "torch load", "torch.hub load", "torch nn",
     "functools partial", "collections namedtuple", "numpy load", "torch.Tensor __init__", "torch FloatTensor"],
)  # fmt: skip
def test_no_other_name_is_known(path: str) -> None:
    refused(stream(name(path)), "Unsupported global: GLOBAL")


HUGE = 1 << 61


@pytest.mark.parametrize(
    ("opcodes", "text"),
    [
        (tensor(11, 0, (2,), (1,)), "has 40 bytes where 44 are described"),
        (tensor(10, 0, (2,), (1,), "DoubleStorage"), "has 40 bytes where 80"),
        (tensor(10, 0, (2,), (1,), key="1"), "file not found"),
        (tensor(10, 0, (2,), (1,), key="../data.pkl"), "file not found"),
        (tensor(HUGE, 0, (2,), (1,)), "are described"),
        (tensor(-1, 0, (2,), (1,)), "a size is -1"),
        (tensor(True, 0, (2,), (1,)), "a size is True"),
        (tensor(10, 0, (11,), (1,)), "reaches to element 10 of a storage that has 10"),
        (tensor(10, 10, (1,), (1,)), "reaches to element 10"),
        (tensor(10, 10, (), ()), "reaches to element 10"),
        (tensor(10, -1, (1,), (1,)), "a size is -1"),
        (tensor(10, 0, (-1,), (1,)), "a size is -1"),
        (tensor(10, 0, (2,), (-1,)), "a size is -1"),
        (tensor(10, 0, (2, 2), (9, 1)), "reaches to element 10"),
        (tensor(10, 0, (2,), (1, 1)), "1 sizes and 2 strides"),
        (tensor(10, 0, (1,) * 65, (1,) * 65), "65 sizes"),
        (tensor(10, 0, (HUGE, HUGE), (0, 0)), "has the sizes"),
        (tensor(10, 0, (HUGE, 0, HUGE), (0, 0, 0)), "has the sizes"),
        (tensor(10, 0, (2.0,), (1,)), "a size is 2.0"),
        (tensor(10, 0, [2], (1,)), "not described as one"),
        (tensor(10, 0, (2,), (1,)) + tensor(10, 0, (2,), (1,), "IntStorage") + b"\x86", "described in two ways"),
        (called("__builtin__ bytearray", 1 << 40), "bytes expected"),
        (called("__builtin__ bytes", 1 << 40), "Weights only load failed"),
        (called("_codecs encode", "x", "rot13"), "bytes are written as"),
        (called("_codecs encode", "x", "zlib"), "bytes are written as"),
        (called("__builtin__ complex", "1" * 9, 0.0), "float expected"),
        (called("__builtin__ set", [[1]]), "a key is of type list"),
        (called("torch device", "nowhere"), "Expected one of"),
        (called("torch device"), "missing 1 required"),
        (called("torch Size", (-1,)), "a size is -1"),
        (called("torch._utils _rebuild_parameter", 1, True, {}), "made of no tensor"),
        (pushed({}) + pushed({1: 2})[:-3] + b"b", "Weights only load failed"),
        (called("collections OrderedDict") + pushed({"update": 1}) + b"b", "Can only build"),
        (name("torch FloatStorage"), "stands among the data"),
        (name("torch Tensor"), "stands among the data"),
        (name("torch Size") + b"\x85", "stands among the data"),
        (pushed(1) + b")R", "unrecognized function"),
        (name("torch Tensor") + b")R", "unrecognized function"),
        (pushed(("storage",)) + b"Q", "not described as one"),
        (pushed(("module",)) + b"Q", "Only persistent_load of storage"),
        (b"X\xff\xff\xff\xff", "more than"),
        (b"h\x05", "object 5 is not there"),
        (b"t", "no mark"),
        (b"", "empty stack"),
        (b"\x80\x04", "protocol 4"),
        (b"(" * 2000, "nested more than 1000 deep"),
        (b")" + b"\x85" * 5000, "nested more than 1000 deep"),
        (b"}" + b")" + b"\x85" * 5000 + b"Ns", "a key has more than 1000 parts"),
        (tensor(b"", 0, (2,), (1,)), "a size is bytes"),
        (b"]" + b"q\x00h\x00\x86" * 60 + b"\x85" + name("torch Size") + b"h\x00\x85R", "a size is tuple"),
        (b"})" + b"q\x00h\x00\x86" * 40 + b"Ns", "a key has more than 1000 parts"),
    ],
)
def test_what_is_said_is_compared_with_what_is_there(opcodes: bytes, text: str) -> None:
    refused(stream(opcodes, storages=(TEN,)), text)


def test_copies_of_one_thing_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "LONGEST", 1 << 20)
    numbers = pushed(list(range(10_000))) + b"q\x63"
    again = name("__builtin__ set") + b"h\x63\x85R"
    load(stream(b"(" + numbers + again * 5 + b"t"))
    refused(stream(b"(" + numbers + again * 1000 + b"t"), "more than 1048576 bytes are described")


def test_objects_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "STEPS", 1000)
    refused(stream(b"(" + b"}" * 1000 + b"t"), "more than 1000 opcodes")


# ------------------------------------------------------------------------------------------ archives
def sound() -> tuple[bytes, dict[str, bytes]]:
    file = io.BytesIO()
    torch.save({"x": torch.zeros(1000)}, file)
    members = zipfile.ZipFile(file)
    return file.getvalue(), {name: members.read(name) for name in members.namelist()}


def test_compressed_members_are_refused() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        for name_, data in sound()[1].items():
            made.writestr(name_, data if "/0" not in name_ else bytes(100 << 20))
    refused(file.getvalue(), "members are said to be longer than the file")
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        for name_, data in sound()[1].items():
            made.writestr(name_, data, zipfile.ZIP_DEFLATED if "data.pkl" in name_ else zipfile.ZIP_STORED)
    refused(file.getvalue(), "data.pkl is compressed")


def test_members_on_top_of_each_other_are_refused() -> None:
    data, _ = sound()
    end = data.rindex(b"PK\5\6")
    length, start = struct.unpack("<2I", data[end + 12 : end + 20])
    table = data[start : start + length] * 50
    closing = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 400, 400, len(table), start, 0)
    refused(data[:start] + table + closing, "longer than the file")


def test_a_changed_element_is_noticed() -> None:
    file = io.BytesIO()
    torch.save(torch.arange(1000), file)
    data = bytearray(file.getvalue())
    data[data.index(np.arange(1000).tobytes()) + 800] ^= 1
    refused(bytes(data), "Bad CRC-32")


def test_every_cut_is_refused() -> None:
    for data in (sound()[0], fuzz.older({"x": torch.zeros(3), "y": [1, "text"]})):
        load(data)
        for end in range(len(data)):
            with pytest.raises(CheckpointError):
                load(data[:end])


def test_other_files_are_refused(tmp_path: Path) -> None:
    refused(b"", "Ran out of input")
    refused(b"Hello, world\n", "Unsupported operand")
    refused(bytes(range(256)) * 100, "Unsupported operand")
    refused(fuzz.archive(b"", []), "Ran out of input")
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as tar:
        tar.addfile(tarfile.TarInfo("storages"))
    refused(file.getvalue(), "legacy .tar format")
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        made.writestr("x/constants.pkl", b"")
    refused(file.getvalue(), "TorchScript")
    (tmp_path / "x.pt").write_bytes(fuzz.older(1))
    with pytest.raises(CheckpointError, match="mmap can only be used"):
        torch.load(tmp_path / "x.pt", mmap=True)


def test_a_mapped_file_that_was_cut_is_refused(tmp_path: Path) -> None:
    data, members = sound()
    (tmp_path / "x.pt").write_bytes(data)
    assert torch.load(tmp_path / "x.pt", mmap=True)["x"].sum() == 0
    place = data.index(b"PK\3\4", data.index(b"byteorder"))
    (tmp_path / "x.pt").write_bytes(data[:place] + b"PK\3\5" + data[place + 4 :])
    with pytest.raises(CheckpointError, match="has no header"):
        torch.load(tmp_path / "x.pt", mmap=True)


def test_changed_files_load_or_are_refused() -> None:
    counts = fuzz.run(fuzz.files(600, 1))
    assert counts.total() == 600 and not counts["no memory"]
    assert counts["refused"] > 300 and counts["loaded"] > 10


@pytest.mark.long
def test_thousands_of_changed_files_start_nothing_and_take_no_memory() -> None:
    command = [sys.executable, "-m", "tests.serialization.fuzz", "10000", "2"]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    assert found["loaded"] + found["refused"] == 10000
    assert found["events"] == {} and found["MiB"] < 64
