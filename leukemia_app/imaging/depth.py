"""16-bit pictures: all their bits, and the window that shows them in 8.

Pillow keeps the upper byte of 16-bit colour and drops the lower, which leaves 16 steps of a
12-bit camera's 4,096. OpenCV keeps both, but mixes up TIFF files with one plane a colour. So
Pillow reads the picture twice, once a byte: the lower one by naming the other byte order.
"""

import io
import sys
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile

from leukemia_app.imaging.picture import UInt8Array

UInt16Array = NDArray[np.uint16]

WINDOW_FRACTIONS = (0.001, 0.999)
"""Parts of all values at or below black, and below white."""

_STRIP_VALUES = 1 << 20
_BITS_TAG, _PHOTOMETRIC_TAG, _PLANES_TAG = 258, 262, 284
_WHITE_IS_ZERO, _SEPARATE_PLANES = 0, 2
_NATIVE = "L" if sys.byteorder == "little" else "B"
_OTHER_ORDER: Mapping[str, str] = {"L": "B", "B": "L", "N": "B" if _NATIVE == "L" else "L"}


@dataclass(frozen=True, kw_only=True)
class DeepPixels:
    """A picture of 16 bits a channel.

    `values` is (rows, columns) or (rows, columns, 3) uint16; `alpha` is (rows, columns) uint16,
    65535 where opaque, or None.
    """

    values: UInt16Array
    alpha: UInt16Array | None


def is_deep(image: Image.Image) -> bool:
    """Whether an opened, not yet loaded PNG or TIFF holds 16 bits a channel."""
    if image.format == "TIFF":
        bits = _tag(image, _BITS_TAG)
        return image.mode.startswith("I;16") or (isinstance(bits, tuple) and 16 in bits)
    return image.format == "PNG" and ";16" in _raw_mode(image)


def has_deep_planes(image: Image.Image) -> bool:
    """Whether a 16-bit TIFF keeps one plane a colour, of which only the upper byte can be had."""
    return (
        is_deep(image)
        and not image.mode.startswith("I;16")
        and _tag(image, _PLANES_TAG) == _SEPARATE_PLANES
    )


def deep_pixels(data: bytes, image: Image.Image) -> DeepPixels:
    """All 16 bits of the picture in `data`; `image` is the same, opened and not yet loaded."""
    raw_mode = _raw_mode(image)
    if image.mode.startswith("I;16"):
        grey = np.array(image, np.uint16)
        if _tag(image, _PHOTOMETRIC_TAG) == _WHITE_IS_ZERO:
            grey = ~grey  # Pillow turns 8-bit pictures of this kind round, but not 16-bit ones
        return DeepPixels(values=grey, alpha=_keyed_alpha(image, grey[..., None]))
    if raw_mode.startswith("LA"):
        # Four bytes a pixel, read as they lie: grey high, grey low, alpha high, alpha low.
        pairs = _read_as(data, image, "RGBA")
        return DeepPixels(
            values=_joined(pairs[..., 0], pairs[..., 1]),
            alpha=_joined(pairs[..., 2], pairs[..., 3]),
        )
    is_premultiplied = raw_mode.startswith("RGBa")
    upper_mode = raw_mode.replace("a", "A")
    lower_mode = upper_mode[:-1] + _OTHER_ORDER[upper_mode[-1]]
    joined = _joined(_read_as(data, image, upper_mode), _read_as(data, image, lower_mode))
    colours, alpha = joined[..., :3], joined[..., 3] if joined.shape[2] == 4 else None
    if alpha is None:
        return DeepPixels(values=colours, alpha=_keyed_alpha(image, colours))
    return DeepPixels(values=_divided(colours, alpha) if is_premultiplied else colours, alpha=alpha)


def windowed(values: UInt16Array) -> tuple[UInt8Array, int, int]:
    """8-bit values of 16-bit ones, and the two 16-bit values that became 0 and 255.

    `values` is of any shape, uint16; the result has the same shape, uint8. The two ends are the
    0.1 and 99.9 percentiles over all values (nearest rank), so channels keep their ratios. Where
    the percentiles coincide, the extremes take their place; a constant picture keeps its part of
    the full range.
    """
    counts = np.zeros(1 << 16, np.int64)
    flat = values.reshape(-1)
    for start in range(0, flat.size, _STRIP_VALUES):
        # In strips: bincount turns its input into 64-bit numbers, eight bytes for every two.
        counts += np.bincount(flat[start : start + _STRIP_VALUES], minlength=1 << 16)
    below = np.cumsum(counts)
    low = int(np.searchsorted(below, WINDOW_FRACTIONS[0] * flat.size, side="right"))
    high = int(np.searchsorted(below, WINDOW_FRACTIONS[1] * flat.size, side="left"))
    if low == high:
        present = np.flatnonzero(counts)
        low, high = int(present[0]), int(present[-1])
    if low == high:
        low, high = 0, 65535
    steps = (np.arange(1 << 16) - low) * 255 / (high - low)
    table = np.clip(np.round(steps), 0, 255).astype(np.uint8)
    return table[values], low, high


def _tag(image: Image.Image, number: int) -> object:
    tags = getattr(image, "tag_v2", None)
    return None if tags is None else tags.get(number)


def _raw_mode(image: Image.Image) -> str:
    """The layout of the stored bytes, as Pillow's decoders name it."""
    tiles = image.tile if isinstance(image, ImageFile.ImageFile) else []
    arguments = tiles[0].args if tiles else ""
    return str(arguments[0]) if isinstance(arguments, tuple) else str(arguments)


def _read_as(data: bytes, image: Image.Image, raw_mode: str) -> UInt8Array:
    """The pixels, (rows, columns, bands) uint8, with the bytes taken to lie as `raw_mode` says."""
    with Image.open(io.BytesIO(data), formats=(str(image.format),)) as again:
        again.tile = [
            tile._replace(
                args=(raw_mode, *tile.args[1:]) if isinstance(tile.args, tuple) else raw_mode
            )
            for tile in again.tile
        ]
        return np.asarray(again)


def _joined(upper: UInt8Array, lower: UInt8Array) -> UInt16Array:
    joined = upper.astype(np.uint16)
    joined <<= 8
    joined |= lower
    return joined


def _keyed_alpha(image: Image.Image, values: UInt16Array) -> UInt16Array | None:
    """The opacity of a PNG that names one colour as transparent; None for any other picture."""
    key = image.info.get("transparency")
    if key is None:
        return None
    is_clear = (values == np.asarray(key, np.uint16)).all(axis=-1)
    return np.where(is_clear, np.uint16(0), np.uint16(65535))


def _divided(colours: UInt16Array, alpha: UInt16Array) -> UInt16Array:
    """Colours as they were before they were multiplied by their opacity."""
    whole = colours.astype(np.uint32) * 65535 // np.maximum(alpha, 1)[..., None]
    return np.minimum(whole, 65535).astype(np.uint16)
