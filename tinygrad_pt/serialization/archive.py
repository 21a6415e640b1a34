"""The zip archive of a checkpoint, as PyTorch lays it out: nothing is compressed, and members begin at multiples of 64.

PyTorch computes from `.format_version` where the elements of a storage stand, without reading the archive's table.
So headers, padding and the sizes behind each member are laid out exactly as its own writer does.
"""

from __future__ import annotations

import os
import struct
import zipfile
import zlib
from collections.abc import Iterable
from typing import Any, BinaryIO

import numpy as np

from tinygrad_pt.errors import CheckpointError, refuse
from tinygrad_pt.serialization.storages import ALIGNMENT

WIDE = 0xFFFFFFFF  # what does not fit into four bytes stands in a field of eight, and this in its place
UTF8, SIZES_BEHIND = 0x800, 0x8  # flags of a member


class Archive:
    """The writer of an archive."""

    def __init__(self, file: Any, name: str) -> None:
        self.file, self.name, self.at = file, name, 0
        self.table: list[bytes] = []
        self.checksum = 0

    def _put(self, data: Any) -> None:
        self.file.write(data)
        self.at += len(data)

    def add(self, name: str, data: bytes | memoryview) -> None:
        """Write a member."""
        path, size, crc, start = f"{self.name}/{name}".encode(), len(data), zlib.crc32(data), self.at
        self.checksum = zlib.crc32(path + struct.pack("<I", crc), self.checksum)
        big = struct.pack("<QQ", size, size) if size >= WIDE else b""
        far = struct.pack("<Q", start) if start >= WIDE else b""
        wide = struct.pack("<HH", 1, len(big + far)) + big + far if big or far else b""
        padding = -(start + 34 + len(path) + len(wide)) % ALIGNMENT
        extra = wide + struct.pack("<HH", 0x4246, padding) + b"Z" * padding
        flags = UTF8 | (SIZES_BEHIND if size else 0)
        lengths = (len(path), len(extra))
        self._put(struct.pack("<4s5H3I2H", b"PK\3\4", 0, flags, 0, 0, 0, 0, 0, 0, *lengths) + path + extra)
        self._put(data)
        if size:
            self._put(struct.pack("<4sIQQ" if wide else "<4sIII", b"PK\7\10", crc, size, size))
        narrow, place = min(size, WIDE), min(start, WIDE)
        entry = (0, 0, flags, 0, 0, 0, crc, narrow, narrow, len(path), len(wide), 0, 0, 0, 0, place)
        self.table.append(struct.pack("<4s6H3I5H2I", b"PK\1\2", *entry) + path + wide)

    def close(self) -> None:
        """Write the table of the members."""
        start, count = self.at, len(self.table)
        self._put(b"".join(self.table))
        end, length = self.at, self.at - start
        if end >= WIDE or count >= 0xFFFF:
            self._put(struct.pack("<4sQHHIIQQQQ", b"PK\6\6", 44, 45, 45, 0, 0, count, count, length, start))
            self._put(struct.pack("<4sIQI", b"PK\6\7", 0, end, 1))
        count, length, start = min(count, 0xFFFF), min(length, WIDE), min(start, WIDE)
        self._put(struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, count, count, length, start, 0))


def write(file: Any, name: str, stream: bytes, storages: Iterable[np.ndarray], order: str) -> None:
    """Write the members of a checkpoint, in PyTorch's order."""
    archive = Archive(file, name)
    archive.add("data.pkl", stream)
    archive.add(".format_version", b"1")
    archive.add(".storage_alignment", str(ALIGNMENT).encode())
    archive.add("byteorder", order.encode())
    for i, memory in enumerate(storages):
        archive.add(f"data/{i}", memory.view(np.uint8).data if memory.size else b"")
    archive.add("version", b"3\n")
    archive.add(".data/serialization_id", f"{archive.checksum:040d}".encode())
    archive.close()


def damaged(reason: object) -> Exception:
    """PyTorch's error about an archive that cannot be read."""
    return refuse(CheckpointError, f"PytorchStreamReader failed reading zip archive: {reason}", None)


class Members:
    """The reader of an archive. No member is longer than the file, nor are all of them together."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        try:
            self.zip = zipfile.ZipFile(file)
        except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError, struct.error) as error:
            raise damaged(error) from None
        infos = self.zip.infolist()
        if not infos:
            raise damaged("there is nothing in it")
        length = file.seek(0, os.SEEK_END)
        if sum(info.file_size for info in infos) > length or any(
            not 0 <= info.header_offset <= length - info.file_size for info in infos
        ):
            raise damaged(f"its members are said to be longer than the file, which has {length} bytes")
        self.folder = infos[0].filename.partition("/")[0]

    def __contains__(self, name: str) -> bool:
        return f"{self.folder}/{name}" in self.zip.NameToInfo

    def size(self, name: str) -> int:
        """The bytes of a member."""
        info = self.zip.NameToInfo.get(f"{self.folder}/{name}")
        if info is None:
            raise damaged(f"file not found: {self.folder}/{name}")
        if info.compress_type != zipfile.ZIP_STORED or info.file_size != info.compress_size:
            raise damaged(f"{name} is compressed, which no file of PyTorch's is")
        return info.file_size

    def read(self, name: str, most: int) -> bytes:
        """The content of a small member."""
        if self.size(name) > most:
            raise damaged(f"{name} has {self.size(name)} bytes, and {most} are allowed")
        return self.memory(name).tobytes()

    def memory(self, name: str) -> np.ndarray:
        """The content of a member, in memory of its own; its checksum is compared."""
        found = np.empty(self.size(name), np.uint8)
        try:
            with self.zip.open(f"{self.folder}/{name}") as member:
                count = 0
                while count < len(found) and (part := member.read(1 << 20)):
                    found[count : count + len(part)] = np.frombuffer(part, np.uint8)
                    count += len(part)
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError, EOFError, struct.error) as error:
            raise damaged(error) from None
        if count < len(found):
            raise damaged(f"{name} ends after {count} of {len(found)} bytes")
        return found

    def mapped(self, name: str, path: str) -> np.ndarray:
        """The content of a member, read from the disk where it is used; what is written stays in memory."""
        size, info = self.size(name), self.zip.NameToInfo[f"{self.folder}/{name}"]
        if not size:
            return np.empty(0, np.uint8)
        self.file.seek(info.header_offset)
        header = self.file.read(30)
        if len(header) < 30 or header[:4] != b"PK\3\4":
            raise damaged(f"{name} has no header")
        start = info.header_offset + 30 + sum(struct.unpack("<HH", header[26:30]))
        if start + size > self.file.seek(0, os.SEEK_END):
            raise damaged(f"{name} ends behind the end of the file")
        return np.memmap(path, np.uint8, "c", start, (size,))
