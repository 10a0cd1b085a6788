"""What a zip archive says it holds, and its members' bytes, read with suspicion.

Python's own `zipfile` is not used: one name in a broken encoding makes it refuse the whole archive,
it keeps a directory of any length in memory, and older versions read overlapping members.
Source: PKWARE, APPNOTE.TXT 6.3.10; Info-ZIP, extra field 0x7075.
"""

import stat
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from leukemia_app.archives.safe_names import shown
from leukemia_app.errors import DatasetError

CHUNK_BYTES = 1 << 16
ENTRY_BYTES = 512
"""Of the directory, for each entry that is allowed; honest names take a fifth of it."""
_STORED, _DEFLATED = 0, 8
_METHODS = {9: "Deflate64", 12: "bzip2", 14: "LZMA", 93: "Zstandard", 95: "XZ", 99: "AES"}
_ENCRYPTED_FLAGS = 0x0001 | 0x0040 | 0x2000
_FULL_16, _FULL_32 = 0xFFFF, 0xFFFFFFFF
"""Stand in a field whose number is in the zip64 record."""

_END_SIGN = b"PK\x05\x06"
_LOCATOR_64_SIGN = b"PK\x06\x07"
_END = struct.Struct("<4s4H2LH")
_END_64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR_64 = struct.Struct("<4sLQL")
_ENTRY = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")


class MemberError(Exception):
    """Why one member is left out; the text goes on from its name."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Member:
    """One entry of an archive's directory: claims, until its bytes were read."""

    name: str
    raw_name: bytes
    flags: int
    method: int
    crc: int
    packed_bytes: int
    size_bytes: int
    """Of the unpacked content, as the directory says."""
    offset: int
    """Where its local header lies in the file."""
    mode: int
    """Unix type and permissions; 0 where the archive has none."""

    @property
    def is_folder(self) -> bool:
        """Whether it stands for a folder."""
        return self.name.endswith(("/", "\\")) or stat.S_ISDIR(self.mode)

    def check(self) -> None:
        """Refuse what is no plain file that can be read.

        Raises:
            MemberError: it is a link, a device, encrypted, or packed in a way that is not read.
        """
        if stat.S_ISLNK(self.mode):
            raise MemberError("is a link; put the file itself into the archive")
        if stat.S_IFMT(self.mode) not in (0, stat.S_IFREG):
            raise MemberError("is no plain file")
        if self.flags & _ENCRYPTED_FLAGS or self.method == 99:
            raise MemberError("is protected with a password; pack it again without")
        if self.method not in (_STORED, _DEFLATED):
            way = _METHODS.get(self.method, f"method {self.method}")
            raise MemberError(
                f"is packed with {way}, which is not read; pack it again as plain zip"
            )


class ZipReader:
    """One open archive; `members` in the order of their bytes."""

    def __init__(
        self, file: BinaryIO, name: str, max_members: int, too_many: str = "Pack fewer files."
    ) -> None:
        """Read the directory of `file`, an archive called `name`.

        `too_many` says what to do where it lists more than may be.

        Raises:
            DatasetError: it is no zip, is cut short, is one of several volumes, lists more than
                `max_members`, or has members that overlap.
        """
        self._file = file
        self._name = name
        self._too_many_advice = too_many
        self._end_of_data, size, self._shift = self._directory()
        if size > ENTRY_BYTES * max_members:
            raise self._too_many(max_members)
        members: list[Member] = []
        for member in self._entries(size):
            if len(members) >= max_members:
                raise self._too_many(max_members)
            members.append(member)
        self.members = tuple(sorted(members, key=lambda member: member.offset))
        self._limits = self._data_limits()

    def content(self, member: Member) -> Iterator[bytes]:
        """The bytes of a member in pieces of at most `CHUNK_BYTES`, checked on the way.

        Raises:
            MemberError: its local header, its length or its checksum is not as the directory says.
            DatasetError: its bytes run into the next member's.
        """
        member.check()
        start = self._data_start(member)
        n_bytes, crc = 0, 0
        for piece in self._unpacked(member, start):
            n_bytes += len(piece)
            if n_bytes > member.size_bytes:
                raise MemberError(
                    f"holds more than the {member.size_bytes:,} bytes that its header states"
                )
            crc = zlib.crc32(piece, crc)
            yield piece
        if n_bytes != member.size_bytes:
            raise MemberError(
                f"holds {n_bytes:,} bytes where its header states {member.size_bytes:,}"
            )
        if crc != member.crc:
            raise MemberError("is damaged: its checksum does not fit")

    def _directory(self) -> tuple[int, int, int]:
        """Where the directory starts in the file, its bytes, and how far offsets are shifted."""
        length = self._file.seek(0, 2)
        tail_start = max(0, length - _END.size - _FULL_16)
        self._file.seek(tail_start)
        tail = self._file.read()
        place = _end_record(tail)
        if place is None:
            raise DatasetError(f"{self._name} is no zip archive, or was cut short. "
                               "Copy or upload it again.")  # fmt: skip
        _, disk, first_disk, _, _, size, start, _ = _END.unpack_from(tail, place)
        end = tail_start + place
        wide = self._directory_64(end)
        if wide is not None:
            end, disk, first_disk, size, start = wide
        if disk or first_disk:
            raise DatasetError(f"{self._name} is one of several volumes of an archive. "
                               "Join them, or pack all as one zip.")  # fmt: skip
        shift = end - size - start  # bytes before the archive, as of a program that unpacks itself
        if shift < 0:
            raise DatasetError(f"{self._name} is damaged: its directory is not where its end "
                               "says. Copy or pack it again.")  # fmt: skip
        return end - size, size, shift

    def _directory_64(self, end: int) -> tuple[int, int, int, int, int] | None:
        """The same of a zip64 archive: place, disk, first disk, size and start; else None."""
        place = end - _LOCATOR_64.size
        if place < 0:
            return None
        sign, _, offset, _ = _LOCATOR_64.unpack(self._bytes_at(place, _LOCATOR_64.size))
        if sign != _LOCATOR_64_SIGN:
            return None
        # its offset does not count what lies before the archive; its usual place does
        for where in (place - _END_64.size, offset):
            if 0 <= where <= place - _END_64.size:
                record = _END_64.unpack(self._bytes_at(where, _END_64.size))
                if record[0] == b"PK\x06\x06":
                    return where, record[4], record[5], record[8], record[9]
        raise DatasetError(f"{self._name} is damaged: its zip64 record is missing. "
                           "Copy or pack it again.")  # fmt: skip

    def _entries(self, size: int) -> Iterator[Member]:
        position, end = self._end_of_data, self._end_of_data + size
        while position < end:
            self._file.seek(position)
            head = self._file.read(_ENTRY.size)
            if len(head) < _ENTRY.size or not head.startswith(b"PK\x01\x02"):
                raise DatasetError(f"{self._name} is damaged: its directory breaks off. "
                                   "Copy or pack it again.")  # fmt: skip
            # versions, time, disk and inner attributes are of no use here
            _, _, _, flags, method, _, _, crc, packed, unpacked, *lengths = _ENTRY.unpack(head)
            n_name, n_extra, n_comment, _, _, attributes, offset = lengths
            raw_name, extra = self._file.read(n_name), _extra_fields(self._file.read(n_extra))
            unpacked, packed, offset = _widened(extra.get(1, b""), (unpacked, packed, offset))
            position += _ENTRY.size + n_name + n_extra + n_comment
            yield Member(
                name=_text(raw_name, extra.get(0x7075, b"")), raw_name=raw_name,
                flags=flags, method=method, crc=crc, packed_bytes=packed, size_bytes=unpacked,
                offset=offset + self._shift, mode=attributes >> 16,
            )  # fmt: skip

    def _data_limits(self) -> dict[int, int]:
        """The place up to which the bytes of the member at each offset may reach."""
        starts = [member.offset for member in self.members]
        limits = [*starts, self._end_of_data][1:]
        for member, limit in zip(self.members, limits, strict=True):
            if member.offset + _LOCAL.size + member.packed_bytes > limit:
                raise self._overlap(member)
        return dict(zip(starts, limits, strict=True))

    def _too_many(self, max_members: int) -> DatasetError:
        return DatasetError(
            f"{self._name} lists more than {max_members:,} entries. {self._too_many_advice}"
        )

    def _overlap(self, member: Member) -> DatasetError:
        return DatasetError(
            f"{self._name} is not unpacked: the bytes of {shown(member.name)} overlap with others, "
            "as in archives made to fill a disk. Pack it again."
        )

    def _data_start(self, member: Member) -> int:
        head = self._bytes_at(member.offset, _LOCAL.size)
        if not head.startswith(b"PK\x03\x04"):
            raise MemberError("is not where the directory says")
        _, _, flags, method, _, _, _, _, _, n_name, n_extra = _LOCAL.unpack(head)
        name = self._file.read(n_name)
        if name != member.raw_name or method != member.method or flags & _ENCRYPTED_FLAGS:
            raise MemberError("is described otherwise in the directory than beside its bytes")
        start: int = member.offset + _LOCAL.size + n_name + n_extra
        if start + member.packed_bytes > self._limits[member.offset]:
            raise self._overlap(member)
        return start

    def _unpacked(self, member: Member, start: int) -> Iterator[bytes]:
        if member.method == _STORED:
            yield from self._packed(member, start)
            return
        inflate = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            for packed in self._packed(member, start):
                while packed and not inflate.eof:
                    yield inflate.decompress(packed, CHUNK_BYTES)
                    packed = inflate.unconsumed_tail
            while piece := inflate.decompress(inflate.unconsumed_tail, CHUNK_BYTES):
                yield piece
        except zlib.error as error:
            raise MemberError("is damaged: its packed bytes cannot be unpacked") from error
        if not inflate.eof:
            raise MemberError("is cut short")

    def _packed(self, member: Member, start: int) -> Iterator[bytes]:
        self._file.seek(start)
        left = member.packed_bytes
        while left:
            piece = self._file.read(min(CHUNK_BYTES, left))
            if not piece:
                raise MemberError("is cut short")
            left -= len(piece)
            yield piece

    def _bytes_at(self, place: int, n_bytes: int) -> bytes:
        self._file.seek(place)
        found = self._file.read(n_bytes)
        return found.ljust(n_bytes, b"\0")


def open_zip(path: Path) -> BinaryIO:
    """The archive, open for reading.

    Raises:
        DatasetError: it is not there or may not be read.
    """
    try:
        return path.open("rb")
    except OSError as error:
        raise DatasetError(f"{path.name} cannot be opened ({error.strerror}). "
                           "Choose or upload it again.") from error  # fmt: skip


def has_plain_end(file: BinaryIO) -> bool:
    """Whether every reader finds the same directory in an archive: its file ends with its record.

    Readers choose differently where a comment holds a second record, or where a zip64 record does
    not lie in its usual place.
    """
    file.seek(max(0, file.seek(0, 2) - _LOCATOR_64.size - _END.size))
    tail = file.read()
    is_last = tail[-_END.size :].startswith(_END_SIGN) and tail.endswith(b"\0\0")  # no comment
    return is_last and not tail.startswith(_LOCATOR_64_SIGN)


def _end_record(tail: bytes) -> int | None:
    """Where the archive's last record begins in its last bytes; None where there is none."""
    found = []
    place = tail.rfind(_END_SIGN)
    while place >= 0:
        if len(tail) - place >= _END.size:
            # the comment reaches to the end of the file, and may hold the sign itself
            if place + _END.size + _END.unpack_from(tail, place)[-1] == len(tail):
                return place
            found.append(place)
        place = tail.rfind(_END_SIGN, 0, place)
    return found[0] if found else None


def _extra_fields(extra: bytes) -> dict[int, bytes]:
    """The values of an entry's extra field by their number; what breaks off is left out."""
    fields: dict[int, bytes] = {}
    place = 0
    while place + 4 <= len(extra):
        number, length = struct.unpack_from("<2H", extra, place)
        fields.setdefault(number, extra[place + 4 : place + 4 + length])
        place += 4 + length
    return fields


def _widened(zip64: bytes, numbers: tuple[int, int, int]) -> tuple[int, int, int]:
    """`numbers`, those that did not fit into 32 bits taken from the zip64 field, in its order."""
    place, wide = 0, []
    for number in numbers:
        if number == _FULL_32 and place + 8 <= len(zip64):
            number = int.from_bytes(zip64[place : place + 8], "little")
            place += 8
        wide.append(number)
    return wide[0], wide[1], wide[2]


def _text(raw: bytes, unicode_path: bytes) -> str:
    """The name in `raw`: macOS writes UTF-8 unmarked, and other programs mark what is none."""
    if len(unicode_path) > 5 and unicode_path[0] == 1:
        (crc,) = struct.unpack_from("<L", unicode_path, 1)
        raw = unicode_path[5:] if crc == zlib.crc32(raw) else raw
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("cp437")
