"""TIFF files written by hand, for the layouts that no library at hand writes."""

import struct
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Values = Sequence[int] | bytes
TagValues = tuple[str, Values]

_KINDS = {"B": 1, "s": 2, "H": 3, "L": 4}
RAW, DEFLATE = 1, 8


def tiff_bytes(
    *pages: NDArray[Any],
    order: str = "<",
    compression: int = RAW,
    planar: bool = False,
    tags: Mapping[int, TagValues] | None = None,
) -> bytes:
    """A TIFF of the pages, each (rows, columns) or (rows, columns, channels), one strip a plane.

    `order` is `<` for Intel and `>` for Motorola; `tags` adds entries or takes the place of
    those written here: number -> (struct letter, values).
    """
    out = bytearray((b"II*\0" if order == "<" else b"MM\0*") + bytes(4))
    link = 4
    for page in pages:
        offsets, counts = [], []
        bands = page[..., None] if page.ndim == 2 else page  # (rows, columns, channels)
        for plane in np.moveaxis(bands, 2, 0) if planar else [bands]:
            stored = plane.astype(plane.dtype.newbyteorder(order)).tobytes()
            stored = zlib.compress(stored) if compression == DEFLATE else stored
            offsets.append(_append(out, stored))
            counts.append(len(stored))
        entries = _page_tags(bands, compression, planar, offsets, counts) | dict(tags or {})
        packed = {number: _packed(out, order, value) for number, value in entries.items()}
        struct.pack_into(order + "L", out, link, _append(out, b""))
        out += struct.pack(order + "H", len(packed))
        for number in sorted(packed):
            out += struct.pack(order + "H", number) + packed[number]
        link = len(out)
        out += bytes(4)
    return bytes(out)


def _page_tags(
    bands: NDArray[Any], compression: int, planar: bool, offsets: list[int], counts: list[int]
) -> dict[int, TagValues]:
    rows, columns, channels = bands.shape
    tags: dict[int, TagValues] = {
        256: ("L", [columns]),
        257: ("L", [rows]),
        258: ("H", [bands.dtype.itemsize * 8] * channels),
        259: ("H", [compression]),
        262: ("H", [2 if channels > 2 else 1]),
        273: ("L", offsets),
        277: ("H", [channels]),
        278: ("L", [rows]),
        279: ("L", counts),
        284: ("H", [2 if planar else 1]),
    }
    sample_format = {"i": 2, "f": 3}.get(bands.dtype.kind)
    if sample_format:
        tags[339] = ("H", [sample_format] * channels)
    return tags


def _packed(out: bytearray, order: str, tag: TagValues) -> bytes:
    letter, values = tag
    stored = (
        bytes(values) if letter == "s" else struct.pack(f"{order}{len(values)}{letter}", *values)
    )
    head = struct.pack(order + "HL", _KINDS[letter], len(values))
    if len(stored) > 4:
        stored = struct.pack(order + "L", _append(out, stored))
    return head + stored.ljust(4, b"\0")


def _append(out: bytearray, stored: bytes) -> int:
    if len(out) % 2:
        out += b"\0"
    at = len(out)
    out += stored
    return at
