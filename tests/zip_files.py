"""Zip archives written byte by byte, so that every field of theirs can lie."""

import struct
import zlib
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(kw_only=True)
class Entry:
    """One member; what is None is filled in honestly."""

    name: bytes
    data: bytes = b"x" * 40
    method: int = 8
    flags: int = 0
    crc: int | None = None
    size: int | None = None
    packed: bytes | None = None
    packed_size: int | None = None
    offset: int | None = None
    mode: int = 0o100644
    local_name: bytes | None = None
    local_method: int | None = None
    extra: bytes = b""


@dataclass(kw_only=True)
class Archive:
    """What the end of the archive says, where it shall lie."""

    entries: list[Entry] = field(default_factory=list)
    before: bytes = b""
    comment: bytes = b""
    disk: int = 0
    directory_size: int | None = None
    directory_start: int | None = None
    count: int | None = None
    after_directory: bytes = b""


def deflated(data: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


def zip_bytes(archive: Archive) -> bytes:
    """The archive, its members one after the other, then its directory."""
    body, directory = b"", b""
    for entry in archive.entries:
        packed = entry.packed
        if packed is None:
            packed = deflated(entry.data) if entry.method == 8 else entry.data
        crc = zlib.crc32(entry.data) if entry.crc is None else entry.crc
        size = len(entry.data) if entry.size is None else entry.size
        packed_size = len(packed) if entry.packed_size is None else entry.packed_size
        offset = len(body) if entry.offset is None else entry.offset
        local_name = entry.name if entry.local_name is None else entry.local_name
        method = entry.method if entry.local_method is None else entry.local_method
        body += struct.pack("<4s5H3L2H", b"PK\3\4", 20, entry.flags, method, 0, 0, crc,
                            packed_size & 0xFFFFFFFF, size & 0xFFFFFFFF,
                            len(local_name), 0) + local_name + packed  # fmt: skip
        directory += struct.pack(
            "<4s6H3L5H2L", b"PK\1\2", 0x031E, 20, entry.flags, entry.method, 0, 0, crc,
            packed_size & 0xFFFFFFFF, size & 0xFFFFFFFF, len(entry.name), len(entry.extra), 0, 0, 0,
            entry.mode << 16, offset,
        ) + entry.name + entry.extra  # fmt: skip
    directory += archive.after_directory
    size = len(directory) if archive.directory_size is None else archive.directory_size
    start = len(body) if archive.directory_start is None else archive.directory_start
    count = len(archive.entries) if archive.count is None else archive.count
    end = struct.pack("<4s4H2LH", b"PK\5\6", archive.disk, archive.disk, count, count, size, start,
                      len(archive.comment))  # fmt: skip
    return archive.before + body + directory + end + archive.comment


def write_zip(path: Path, *entries: Entry, **lies: object) -> Path:
    path.write_bytes(zip_bytes(Archive(entries=list(entries), **lies)))  # type: ignore[arg-type]
    return path


def two_ends(archive: bytes) -> bytes:
    """The archive after an end record that knows no member and has the rest as its comment."""
    at = archive.rfind(b"PK\5\6")
    size, start = struct.unpack_from("<2L", archive, at + 12)
    rest = archive[start : start + size] + archive[at:-10]
    rest += struct.pack("<2LH", size, start + 22, 0) + b"\n"
    empty = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0, 0, 0, start, len(rest))
    return archive[:start] + empty + rest


def wide_end(archive: bytes) -> bytes:
    """The archive with a zip64 record that knows no member, not where it usually lies."""
    at = archive.rfind(b"PK\5\6")
    size, start = struct.unpack_from("<2L", archive, at + 12)
    record = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, 0, 0, 0, start)
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, start, 1)
    # the locator is the comment of the last entry, so the plain record's directory stays whole
    directory = bytearray(archive[start:at])
    struct.pack_into("<H", directory, 32, len(locator))
    end = archive[at : at + 12] + struct.pack("<2LH", size + 20, start + len(record), 0)
    return archive[:start] + record + bytes(directory) + locator + end
