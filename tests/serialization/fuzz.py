"""Changes checkpoints at random and loads them: `python -m tests.serialization.fuzz 10000 [seed]`.

Each either loads or raises CheckpointError. While a file is read, nothing is imported, compiled, opened or started, as
Python's audit events tell, and the memory of the process grows by less than a bound.
"""

from __future__ import annotations

import codecs
import io
import json
import random
import sys
import zipfile
from collections import Counter
from typing import Any

import numpy as np

import tinygrad_pt as torch
from tinygrad_pt.errors import CheckpointError
from tinygrad_pt.serialization.archive import write
from tinygrad_pt.serialization.storages import LEGACY_VERSION, MAGIC
from tinygrad_pt.serialization.writing import Reference, Writer

HARM = ("import", "exec", "compile", "open", "os.", "subprocess.", "socket.", "ctypes.", "shutil.", "pickle.")


def sample() -> dict[str, Any]:
    """What programs save, and more."""
    x = torch.arange(6.0)
    model = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.BatchNorm1d(3))
    optimizer = torch.optim.Adam(model.parameters())
    model(torch.ones(4, 2)).sum().backward()
    optimizer.step()
    return {
        "model": model.state_dict(), "optimizer": optimizer.state_dict(), "p": torch.nn.Parameter(torch.ones(2)),
        "x": x, "part": x[1:4], "turned": x.view(2, 3).t(), "empty": torch.empty(0), "flags": torch.ones(3).bool(),
        "t": (1, 2, 3, 4), "s": {1, (2, "x")}, "b": b"abc", "ba": bytearray(b"x"), "size": torch.Size([2, 3]),
        "kind": torch.float16, "place": torch.device("cpu"), "f": 1.5, "big": 2**70, "c": 1 + 2j, "n": Counter("aab"),
    }  # fmt: skip


def archive(stream: bytes, storages: list[np.ndarray]) -> bytes:
    """A zip archive around a stream of opcodes, whose checksums are right."""
    file = io.BytesIO()
    write(file, "archive", stream, storages, sys.byteorder)
    return file.getvalue()


class Older(Writer):
    """The opcodes of the format before PyTorch 1.6, whose descriptions of storages have a word more."""

    def _storage(self, x: np.ndarray) -> tuple[Reference, int]:
        reference, start = super()._storage(x)
        return Reference((*reference, None)), start


def older(obj: Any) -> bytes:
    """A file of that format: five objects, and the elements of each storage behind their number."""
    written = Older(obj)
    keys = [str(i) for i in range(len(written.storages))]
    head = b"".join(bytes(Writer(x).stream) for x in (MAGIC, LEGACY_VERSION, {"little_endian": True}))
    rows = b"".join(x.size.to_bytes(8, "little") + x.tobytes() for x in written.storages)
    return head + bytes(written.stream) + bytes(Writer(keys).stream) + rows


def changed(data: bytes, r: random.Random) -> bytes:
    """The bytes with up to sixteen changes."""
    b = bytearray(data)
    for _ in range(r.choice([1, 1, 2, 4, 16])):
        i, kind = r.randrange(len(b) + 1), r.randrange(6)
        if kind == 0:
            b[i : i + 1] = bytes([r.randrange(256)])
        elif kind == 1 and i < len(b):
            b[i] ^= 1 << r.randrange(8)
        elif kind == 2:
            del b[i : i + r.choice([1, 2, 8, 100])]
        elif kind == 3:
            b[i:i] = r.randbytes(r.choice([1, 2, 4]))
        elif kind == 4:
            j, n = r.randrange(len(b) + 1), r.choice([1, 4, 20])
            b[i : i + n] = b[j : j + n]
        elif r.random() < 0.2:
            del b[i:]
    return bytes(b)


def files(count: int, seed: int) -> list[bytes]:
    """Changed files: whole archives, streams inside sound archives, and files of the older format."""
    r, obj = random.Random(seed), sample()
    file = io.BytesIO()
    torch.save(obj, file)
    members = zipfile.ZipFile(file)
    stream = members.read("archive/data.pkl")
    names = [name for name in members.namelist() if name.startswith("archive/data/")]
    storages = [np.frombuffer(members.read(name), np.uint8) for name in names]
    kinds = (file.getvalue(), None, older(obj))
    made = []
    for i in range(count):
        whole = kinds[i % 3]
        made.append(archive(changed(stream, r), storages) if whole is None else changed(whole, r))
    return made


def run(made: list[bytes]) -> Counter[str]:
    """How many loaded, and how many were refused; any other exception is raised."""
    counts: Counter[str] = Counter()
    for data in made:
        try:
            torch.load(io.BytesIO(data))
            counts["loaded"] += 1
        except CheckpointError as error:
            counts["no memory" if isinstance(error.__cause__, MemoryError) else "refused"] += 1
    return counts


def main(count: int, seed: int = 0) -> None:
    import resource

    made = files(count, seed)
    run(made[:200])  # what is imported once
    codecs.lookup("cp437")  # in which zipfile reads names that are not marked as UTF-8
    events: Counter[str] = Counter()
    sys.addaudithook(lambda event, args: events.update([event]) if event.startswith(HARM) else None)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    counts = run(made)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    print(json.dumps({**counts, "events": dict(events), "MiB": grown / 1024}))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
