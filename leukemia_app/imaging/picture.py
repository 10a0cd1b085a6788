"""The decoded picture: what every later step works on."""

import hashlib
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

UInt8Array = NDArray[np.uint8]
BoolArray = NDArray[np.bool_]
Int32Array = NDArray[np.int32]
FloatArray = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Source:
    """What the file was before it was decoded, and what decoding did to it."""

    format: str
    """The container found in the content, never taken from the name: JPEG, PNG, BMP, WEBP, TIFF."""
    rows: int
    """Rows of the stored picture, in pixels, before any turn."""
    columns: int
    """Columns of the stored picture, in pixels, before any turn."""
    bit_depth: int
    """Bits a channel as stored: 1, 8 or 16."""
    pages: int = 1
    """Pages in the file; only the first is read."""
    remarks: tuple[str, ...] = ()
    """What was done to the picture, one full sentence each: turned, windowed, alpha dropped."""


@dataclass(frozen=True, kw_only=True)
class Picture:
    """One decoded picture.

    `pixels` is (rows, columns, 3) uint8 RGB, upright, and read-only.
    """

    pixels: UInt8Array
    name: str
    source: Source = field(
        default_factory=lambda: Source(format="memory", rows=0, columns=0, bit_depth=8)
    )

    def __post_init__(self) -> None:
        """Check the pixels and lock them."""
        if self.pixels.ndim != 3 or self.pixels.shape[2] != 3 or self.pixels.dtype != np.uint8:
            raise ValueError(
                f"pixels are {self.pixels.shape} {self.pixels.dtype}; "
                "use (rows, columns, 3) uint8 RGB."
            )
        self.pixels.setflags(write=False)


def pixels_digest(picture: Picture) -> str:
    """sha256 of the decoded pixels, 64 hex digits: the same whatever the file is called."""
    return hashlib.sha256(picture.pixels.tobytes()).hexdigest()
