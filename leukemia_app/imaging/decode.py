"""From the bytes of a file to a picture: whatever the bytes, a picture or a sentence."""

import io
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np
from PIL import Image, ImageFile, UnidentifiedImageError

from leukemia_app.errors import ImageError
from leukemia_app.imaging.containers import (
    MAX_PAGES_COUNTED,
    advice_for,
    container_of,
    exif_orientation,
    jpeg_exif,
    jpeg_page_index,
    jpeg_scans,
    tag_bytes,
    tiff_pages,
    tiff_parts,
    without_exif,
)
from leukemia_app.imaging.depth import deep_pixels, has_deep_planes, is_deep, windowed
from leukemia_app.imaging.picture import Picture, Source, UInt8Array

MIN_SIDE_PX = 16
"""A picture with a shorter side shows no cell."""
MAX_TAG_PART = 2
"""All tags of a file hold at most this many times its bytes; honest ones hold less than one."""
MAX_TIFF_PARTS = 65_536
"""Strips or tiles of a TIFF; three planes of 16,000 rows, each a strip, are 48,000."""
MAX_JPEG_SCANS = 100
"""Progressive files have about ten; thousands would keep the decoder busy for hours."""
MAX_JPEG_INDEXES = 16
"""Lists of further pictures that a JPEG may have: one, and one more in each of a few previews."""
PILLOW_MAX_PIXELS = 89_478_485
"""Pillow warns of a decompression bomb above this. Limits stay at or below it, so that whatever
would warn is refused, and the filters of warnings, which all threads share, are left alone."""

_ACCEPTED = "Choose a JPEG, PNG, BMP, WebP or TIFF picture."
_ORIENTATION_TAG, _DESCRIPTION_TAG, _PHOTOMETRIC_TAG, _YCBCR = 274, 270, 262, 6
_SLIDE_SIGNS = ("Aperio", "<scn ")
_UPRIGHT_BY_ORIENTATION: Mapping[int, Callable[[UInt8Array], UInt8Array]] = {
    1: lambda pixels: pixels,
    2: lambda pixels: pixels[:, ::-1],
    3: lambda pixels: pixels[::-1, ::-1],
    4: lambda pixels: pixels[::-1],
    5: lambda pixels: pixels.swapaxes(0, 1),
    6: lambda pixels: pixels[::-1].swapaxes(0, 1),
    7: lambda pixels: pixels[::-1, ::-1].swapaxes(0, 1),
    8: lambda pixels: pixels[:, ::-1].swapaxes(0, 1),
}
"""What each EXIF orientation asks for. Source: EXIF 2.32, tag 0x0112."""
_REFUSED_MODES: Mapping[str, str] = {
    "CMYK": "is a CMYK picture, made for printing, and its colours depend on the press",
    "LAB": "is a picture in Lab colours, which are not read",
    "F": "holds 32-bit decimal numbers, whose black and white are not known",
    "I": "holds signed or 32-bit numbers, whose black and white are not known",
}


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a file may cost; checked before its pixels are decoded."""

    max_bytes: int = 50_000_000
    """Bytes of the file."""
    max_pixels: int = 64_000_000
    """Rows times columns, as the header says."""
    max_side: int = 16_000
    """Rows or columns; a longer strip, padded to a square, would fill the memory."""

    def __post_init__(self) -> None:
        """Refuse limits that nothing passes, or that Pillow's own would undercut."""
        if min(self.max_bytes, self.max_pixels, self.max_side) < 1:
            raise ValueError(f"{self} lets no picture through; use numbers above 0.")
        if self.max_pixels > PILLOW_MAX_PIXELS:
            raise ValueError(f"max_pixels is {self.max_pixels}; use at most {PILLOW_MAX_PIXELS}.")


DEFAULT_LIMITS = Limits()


def read_picture(path: Path, limits: Limits = DEFAULT_LIMITS) -> Picture:
    """The picture in a file, named after it; see `decode`.

    Raises:
        ImageError: the file is missing, unreadable, too large, or no picture that can be used.
    """
    try:
        facts = path.stat()
        if not stat.S_ISREG(facts.st_mode):
            raise ImageError(f"{path.name} is not a file. {_ACCEPTED}")
        _check_bytes(facts.st_size, path.name, limits)
        with path.open("rb") as file:
            data = file.read(facts.st_size)  # to ask for the limit would clear as much memory
    except FileNotFoundError as error:
        raise ImageError(f"{path.name} is not there. Check the folder and the spelling.") from error
    except (OSError, ValueError) as error:
        raise ImageError(
            f"{path.name} cannot be opened. Check that you may read it and that its disk is there."
        ) from error
    return decode(data, path.name, limits)


def decode(data: bytes, name: str, limits: Limits = DEFAULT_LIMITS) -> Picture:
    """The picture in the bytes of a file: its first page, upright, 8-bit RGB.

    The format is found in the content, never in the name. Transparent parts are laid over white,
    16-bit values windowed (see `windowed`); `source.remarks` says what was done. Neither EXIF nor
    any other metadata is kept.

    Raises:
        ImageError: the bytes are no picture that can be used; the text names the file.
    """
    _check_bytes(len(data), name, limits)
    container = _container(data, name)
    try:
        return _decoded(data, name, container, limits)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageError(_too_large(name, "far too many", limits)) from error
    except MemoryError as error:
        raise ImageError(
            f"{name} needs more memory than there is. Shrink it, or cut out the part you need."
        ) from error
    except UnidentifiedImageError as error:
        raise ImageError(
            f"{name} begins like a {container} file, but its header is damaged or of a kind that "
            "is not read. Save it again as an 8-bit RGB PNG or TIFF."
        ) from error
    except ImageError:
        raise
    except Exception as error:
        # Pillow answers damaged bytes with a dozen kinds of exceptions, documented nowhere.
        raise ImageError(
            f"{name} is a {container} file that is damaged or cut short. Copy or export it again."
        ) from error


def encode_png(pixels: UInt8Array) -> bytes:
    """A PNG file of the pixels, without any metadata.

    `pixels` is (rows, columns, 3) uint8 RGB or (rows, columns) uint8 grey.
    """
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def _check_bytes(size_bytes: int, name: str, limits: Limits) -> None:
    if not size_bytes:
        raise ImageError(f"{name} is empty (0 bytes). {_ACCEPTED}")
    if size_bytes > limits.max_bytes:
        raise ImageError(
            f"{name} has {_millions(size_bytes)} MB; the limit is {_millions(limits.max_bytes)} "
            "MB. Cut out the part you need, or save it with compression."
        )


def _millions(count: int) -> str:
    return f"{count / 1e6:,.1f}".removesuffix(".0")


def _container(data: bytes, name: str) -> str:
    container = container_of(data)
    if container is not None:
        return container
    advice = advice_for(data)
    if advice is not None:
        raise ImageError(f"{name} {advice}. JPEG, PNG, BMP, WebP and TIFF are read.")
    raise ImageError(
        f"{name} is not a picture: its content is no JPEG, PNG, BMP, WebP or TIFF file. {_ACCEPTED}"
    )


def _too_large(name: str, size: str, limits: Limits) -> str:
    return (
        f"{name} has {size} pixels; the limit is {_millions(limits.max_pixels)} million and "
        f"{limits.max_side:,} a side. Shrink it, or cut out the part you need."
    )


def _decoded(data: bytes, name: str, container: str, limits: Limits) -> Picture:
    _check_structure(data, name, container)
    exif = b""
    if container == "JPEG":
        # Pillow would read EXIF while it opens the file; all we want of it is the orientation.
        exif, data = jpeg_exif(data), without_exif(data)
    with Image.open(io.BytesIO(data), formats=(container,)) as image:
        _check_size(image, name, limits)
        _check_kind(image, name, container)
        source = _source(data, image, container)
        orientation = _tiff_orientation(image)
        remarks = [_pages_remark(source.pages)] if source.pages > 1 else []
        pixels = _deep(data, image, remarks) if source.bit_depth == 16 else _shallow(image, remarks)
        exif = exif or image.info.get("exif", b"")
    if container != "TIFF":  # those Pillow turns itself, while it loads them
        orientation = exif_orientation(exif)
        pixels = _UPRIGHT_BY_ORIENTATION[orientation](pixels)
    if orientation != 1:
        remarks.append(f"The picture was turned upright: its orientation mark was {orientation}.")
    return Picture(
        pixels=np.ascontiguousarray(pixels),
        name=name,
        source=replace(source, remarks=tuple(remarks)),
    )


def _check_structure(data: bytes, name: str, container: str) -> None:
    """Refuse what would cost hours or gigabytes before the first pixel."""
    for block in _tag_blocks(data, name, container):
        size_bytes = tag_bytes(block)
        if size_bytes is None or size_bytes > MAX_TAG_PART * len(block):
            raise ImageError(
                f"{name} is a {container} file whose tags are damaged: together they are larger "
                "than the file. Copy or export it again."
            )
    parts = tiff_parts(data) if container == "TIFF" else 1
    if parts > MAX_TIFF_PARTS:
        raise ImageError(
            f"{name} is a TIFF file in {parts:,} strips or tiles, and the limit is "
            f"{MAX_TIFF_PARTS:,}. Save it again with larger ones, or as PNG."
        )
    scans = jpeg_scans(data) if container == "JPEG" else 1
    if scans > MAX_JPEG_SCANS:
        raise ImageError(
            f"{name} is a JPEG in {scans} passes, which takes too long to read. "
            "Save it again as JPEG or PNG."
        )
    if container == "PNG":
        with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
            image.verify()  # loading the pixels does not compare the checksums of their chunks


def _tag_blocks(data: bytes, name: str, container: str) -> list[bytes]:
    """The parts of the file whose tags Pillow reads as soon as it opens it."""
    if container != "JPEG":
        return [data] if container == "TIFF" else []
    blocks = list(islice(jpeg_page_index(data), MAX_JPEG_INDEXES + 1))
    if len(blocks) > MAX_JPEG_INDEXES:
        raise ImageError(
            f"{name} is a JPEG with more than {MAX_JPEG_INDEXES} lists of further pictures, which "
            "none needs. Save it again as JPEG or PNG."
        )
    return blocks


def _check_size(image: Image.Image, name: str, limits: Limits) -> None:
    columns, rows = image.size
    size = f"{columns:,} x {rows:,}"
    if rows * columns > limits.max_pixels or max(rows, columns) > limits.max_side:
        raise ImageError(_too_large(name, size, limits))
    if min(rows, columns) < MIN_SIDE_PX:
        raise ImageError(
            f"{name} has {size} pixels, too few to show a cell; "
            f"use a picture of at least {MIN_SIDE_PX} x {MIN_SIDE_PX}."
        )


def _check_kind(image: Image.Image, name: str, container: str) -> None:
    """Refuse what would be read wrongly."""
    frames = int(getattr(image, "n_frames", 1)) if container in ("PNG", "WEBP") else 1
    if frames > 1:
        raise ImageError(
            f"{name} is animated ({frames} frames). Save the one you need as a still PNG."
        )
    if str(_tiff_tag(image, _DESCRIPTION_TAG)).lstrip().startswith(_SLIDE_SIGNS):
        raise ImageError(f"{name} is a whole-slide scan. Export the field you want as PNG or TIFF.")
    if image.mode in _REFUSED_MODES:
        raise ImageError(f"{name} {_REFUSED_MODES[image.mode]}. Save it as 8-bit or 16-bit RGB.")
    if has_deep_planes(image):
        raise ImageError(
            f"{name} keeps its 16-bit colours in separate planes, which is not read. "
            "Save it with interleaved colours, or as PNG."
        )
    if container == "TIFF":
        _check_tiles(image, name)


def _check_tiles(image: Image.Image, name: str) -> None:
    """Refuse uncompressed TIFF pictures that Pillow would fill with black or with other bytes."""
    tiles = image.tile if isinstance(image, ImageFile.ImageFile) else []
    if any(tile.codec_name != "raw" for tile in tiles):
        return
    if _tiff_tag(image, _PHOTOMETRIC_TAG) == _YCBCR:
        raise ImageError(
            f"{name} holds uncompressed YCbCr colours, which are not read. Save it as RGB."
        )
    boxes = [tile.extents for tile in tiles if tile.extents is not None]
    covered = sum((right - left) * (bottom - top) for left, top, right, bottom in boxes)
    if covered < image.width * image.height:
        raise ImageError(
            f"{name} is a TIFF file that lacks part of its rows. Copy or export it again."
        )


def _source(data: bytes, image: Image.Image, container: str) -> Source:
    columns, rows = image.size
    if _tiff_orientation(image) >= 5:  # Pillow gives the size after the turn
        columns, rows = rows, columns
    pages = tiff_pages(data) if container == "TIFF" else int(getattr(image, "n_frames", 1))
    bit_depth = 16 if is_deep(image) else 1 if image.mode == "1" else 8
    return Source(format=container, rows=rows, columns=columns, bit_depth=bit_depth, pages=pages)


def _pages_remark(pages: int) -> str:
    count = f"at least {pages:,}" if pages >= MAX_PAGES_COUNTED else str(pages)
    return f"The file has {count} pages; only the first was read."


def _tiff_tag(image: Image.Image, number: int) -> object:
    tags = getattr(image, "tag_v2", None)
    return None if tags is None else tags.get(number)


def _tiff_orientation(image: Image.Image) -> int:
    orientation = _tiff_tag(image, _ORIENTATION_TAG)
    return orientation if orientation in range(1, 9) and isinstance(orientation, int) else 1


def _deep(data: bytes, image: Image.Image, remarks: list[str]) -> UInt8Array:
    found = deep_pixels(data, image)
    shown, low, high = windowed(found.values)
    remarks.append(f"16-bit values from {low} (black) to {high} (white) were mapped to 8 bits.")
    rgb = Image.fromarray(shown).convert("RGB")
    if found.alpha is None:
        return np.asarray(rgb)
    return _over_white(rgb, Image.fromarray((found.alpha >> 8).astype(np.uint8)), remarks)


def _shallow(image: Image.Image, remarks: list[str]) -> UInt8Array:
    if not image.has_transparency_data:
        return np.asarray(image.convert("RGB"))
    rgba = image.convert("RGBA")
    return _over_white(rgba.convert("RGB"), rgba.getchannel("A"), remarks)


def _over_white(rgb: Image.Image, alpha: Image.Image, remarks: list[str]) -> UInt8Array:
    if alpha.getextrema() == (255, 255):
        return np.asarray(rgb)
    white = Image.new("RGB", rgb.size, "white")
    white.paste(rgb, mask=alpha)
    remarks.append("Transparent parts were laid over white.")
    return np.asarray(white)
