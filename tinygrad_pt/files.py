"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO


@contextmanager
def whole(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """A file to write, which takes its place in one step when the block ends well.

    Until then, and if the block raises or the process is killed, the path leads to what was there before. The bytes are
    on the disk before the name is. What is no ordinary file, such as a pipe, is written as it is.
    """
    place = os.path.realpath(path)
    try:
        mode: int | None = os.stat(place).st_mode
    except FileNotFoundError:
        mode = None
    if mode is not None and not stat.S_ISREG(mode):
        with open(place, "wb") as file:
            yield file
        return
    folder, name = os.path.split(place)
    part = os.path.join(folder, f".{name[:50]}.{secrets.token_hex(4)}.part")
    try:
        with open(part, "xb") as file:
            if mode is not None:
                os.chmod(part, stat.S_IMODE(mode))
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, place)
    except BaseException:
        if os.path.exists(part):
            os.remove(part)
        raise
    if hasattr(os, "O_DIRECTORY"):  # where a folder can be opened, its new entry is written to the disk as well
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
