"""What a file is and what its tags ask for, from its bytes alone, before anything is decoded."""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

MAX_PAGES_COUNTED = 1000
"""Pages are counted no further: a chain of millions of empty ones must not take minutes."""
MAX_TAGS = 65_535
"""Entries are counted no further: one classic directory holds as many; pictures have about 20."""

_TIFF_SIGNS = (b"II*\x00", b"MM\x00*", b"II+\x00")
_OTHER_SIGNS = (
    (b"GIF8", "is a GIF picture. Save it as PNG"),
    (b"8BPS", "is a Photoshop file. Export it as PNG or TIFF"),
    (b"%PDF", "is a PDF. Export the picture in it as PNG or TIFF"),
    (b"PK\x03\x04", "is a zip archive or an office document. Unpack it and choose the pictures"),
    (b"\x1f\x8b", "is a compressed archive. Unpack it and choose the pictures"),
    (b"\x00\x00\x00\x0cjP  ", "is a JPEG 2000 picture. Save it as PNG or TIFF"),
    (b"\xff\x4f\xff\x51", "is a JPEG 2000 picture. Save it as PNG or TIFF"),
    (b"\xff\x0a", "is a JPEG XL picture. Save it as PNG"),
    (b"\x00\x00\x00\x0cJXL ", "is a JPEG XL picture. Save it as PNG"),
    (b"ZISRAWFILE", "is a Zeiss slide file (CZI). Export the field you want as PNG or TIFF"),
    (b"\xda\xce\xbe\x0a", "is a Nikon file (ND2). Export the field you want as PNG or TIFF"),
)
_BRANDS = (
    (
        (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1"),
        "is a HEIC photograph, as telephones store them. Export it as JPEG or PNG",
    ),
    ((b"avif", b"avis"), "is an AVIF picture. Save it as PNG"),
)
_EXIF_SIGN = b"Exif\x00\x00"
_EXIF_SEGMENT = re.compile(rb"\xff\xe1(..)Exif\x00\x00", re.DOTALL)
_INDEX_SEGMENT = re.compile(rb"\xff\xe2(..)MPF\x00", re.DOTALL)
_ORIENTATION_TAG = 0x0112
_PART_TAGS = (273, 279, 324, 325)
"""Tags that list places and sizes of strips, and of tiles."""
_DIRECTORY_TAGS = (0x8769, 0x8825, 0xA005)
"""Tags whose value is the place of another directory: EXIF, GPS, interoperability."""
_SMALLEST_ENTRY_BYTES = 12
_VALUE_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_BIG_VALUE_SIZES = {**_VALUE_SIZES, 16: 8, 17: 8, 18: 8}
_NUMBER_CODES = {1: "B", 3: "H", 4: "L", 9: "l", 13: "L", 16: "Q", 17: "q", 18: "Q"}


@dataclass(frozen=True, kw_only=True)
class Tag:
    """One entry of a TIFF or EXIF directory."""

    number: int
    n_values: int
    """Values that it says it has."""
    size_bytes: int
    """Bytes of its values, wherever they lie."""
    value: int | None
    """Its value where that is one whole number, else None."""


def container_of(data: bytes) -> str | None:
    """The format the content begins with, by Pillow's name; None where it is not one we read."""
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if data.startswith(b"BM"):
        return "BMP"
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "WEBP"
    if data.startswith(_TIFF_SIGNS):
        return "TIFF"
    return None


def advice_for(data: bytes) -> str | None:
    """What a file of another format is and what to do with it; None where it is not known."""
    if data[128:132] == b"DICM":
        return "is a DICOM file. Export the picture in it as PNG or TIFF"
    for sign, advice in _OTHER_SIGNS:
        if data.startswith(sign):
            return advice
    if data[4:8] == b"ftyp":
        for brands, advice in _BRANDS:
            if data[8:12] in brands:
                return advice
    return None


def jpeg_scans(data: bytes) -> int:
    """How many scans a JPEG holds, those of embedded previews counted too.

    In coded data 0xFF is followed by 0x00 or a restart mark, so the two bytes that open a scan
    stand nowhere else but in metadata, where they are rare.
    """
    return data.count(b"\xff\xda")


def jpeg_exif(data: bytes) -> bytes:
    """The first EXIF block of a JPEG; empty where there is none."""
    return next(_segments(_EXIF_SEGMENT, data), b"")


def jpeg_page_index(data: bytes) -> Iterator[bytes]:
    """Every block of a JPEG that lists further pictures in the file, cut out when it is asked for.

    Forged ones overlap: half a megabyte of their heads made 4 GB of blocks. All are given, since
    a false one in a comment could else hide the true one behind it.
    """
    return _segments(_INDEX_SEGMENT, data)


def without_exif(data: bytes) -> bytes:
    """The same JPEG with its EXIF blocks renamed, so that no decoder reads them."""
    return data.replace(_EXIF_SIGN, b"none\x00\x00")


def tiff_pages(data: bytes) -> int:
    """How many pages a TIFF chains together, at most `MAX_PAGES_COUNTED`.

    A chain that bites its tail or leaves the file ends there. Pillow's own count compares each
    page with all before it, so 50 MB of empty pages would keep it busy for hours.
    """
    directory = _Directory(data)
    at, seen = directory.first(), set[int]()
    while at and at not in seen and len(seen) < MAX_PAGES_COUNTED:
        seen.add(at)
        at = directory.next_after(at)
    return max(len(seen), 1)


def tiff_parts(data: bytes) -> int:
    """Strips or tiles of a TIFF's first page: the most values that any list of them says it has.

    Pillow builds an object for each, however few pixels there are: four million strips of one
    picture of 64 x 64 took 32 s and 1 GB.
    """
    directory = _Directory(data)
    tags = directory.tags(directory.first())
    return max((tag.n_values for tag in tags if tag.number in _PART_TAGS), default=0)


def tag_bytes(block: bytes) -> int | None:
    """Bytes that all values of a TIFF's first page, or of an EXIF block, take together.

    Values lie in the file one beside the other, so honest ones take no more than the file. In a
    forged one thousands of tags point at the same megabytes, and Pillow makes a copy for each:
    400 tags in 5 MB took 2 GB. None where there are more entries than `MAX_TAGS`, or than the
    block has room for: then directories hold each other, and 65,535 entries become 3 * 10**14.
    """
    directory = _Directory(block)
    most = min(len(block) // _SMALLEST_ENTRY_BYTES, MAX_TAGS)
    total = 0
    for n_read, tag in enumerate(_all_tags(directory, directory.first(), 2), 1):
        if n_read > most:
            return None
        total += tag.size_bytes
    return total


def exif_orientation(block: bytes) -> int:
    """The orientation mark of an EXIF block, 1 to 8; 1, upright, where there is none to be read."""
    directory = _Directory(block.removeprefix(_EXIF_SIGN))
    for tag in islice(directory.tags(directory.first()), MAX_TAGS):
        if tag.number == _ORIENTATION_TAG and tag.value is not None and 1 <= tag.value <= 8:
            return tag.value
    return 1


class _Directory:
    """The directories of a TIFF file or EXIF block; whatever lies outside the bytes is absent."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._order = "<" if data.startswith(b"II") else ">"
        self._is_big = data[2:3] == b"+"
        self._count = struct.Struct(self._order + ("Q" if self._is_big else "H"))
        self._entry = struct.Struct(self._order + ("HHQ8s" if self._is_big else "HHL4s"))
        self._link = struct.Struct(self._order + ("Q" if self._is_big else "L"))
        self._value_sizes = _BIG_VALUE_SIZES if self._is_big else _VALUE_SIZES

    def first(self) -> int:
        """Where the first directory begins; 0 for none."""
        return self._number(self._link, 8 if self._is_big else 4)

    def next_after(self, at: int) -> int:
        """Where the directory after the one at `at` begins; 0 for none."""
        n_entries = self._number(self._count, at)
        return self._number(self._link, at + self._count.size + n_entries * self._entry.size)

    def tags(self, at: int) -> Iterator[Tag]:
        """The entries of the directory at `at`; none where that is 0 or outside."""
        start = at + self._count.size
        for index in range(self._number(self._count, at) if at > 0 else 0):
            place = start + index * self._entry.size
            if place + self._entry.size > len(self._data):
                return
            number, kind, count, inline = self._entry.unpack_from(self._data, place)
            value = None
            if count == 1 and kind in _NUMBER_CODES and self._value_sizes.get(kind):
                (value,) = struct.unpack_from(self._order + _NUMBER_CODES[kind], inline)
            size_bytes = self._value_sizes.get(kind, 0) * count
            yield Tag(number=number, n_values=count, size_bytes=size_bytes, value=value)

    def _number(self, layout: struct.Struct, at: int) -> int:
        if at + layout.size > len(self._data):
            return 0
        return int(layout.unpack_from(self._data, at)[0])


def _segments(pattern: re.Pattern[bytes], data: bytes) -> Iterator[bytes]:
    for found in pattern.finditer(data):
        yield data[found.end() : found.start() + 2 + int.from_bytes(found[1], "big")]


def _all_tags(directory: _Directory, at: int, depth: int) -> Iterator[Tag]:
    """The entries of the directory at `at` and of those that they lead to, `depth` times."""
    for tag in directory.tags(at):
        yield tag
        if depth and tag.value and tag.number in _DIRECTORY_TAGS:
            yield from _all_tags(directory, tag.value, depth - 1)
