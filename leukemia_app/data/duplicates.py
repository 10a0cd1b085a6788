"""Pictures that show the same thing, so that they can be named and kept on one side of a split."""

import cv2
import numpy as np
from numpy.typing import NDArray

from leukemia_app.imaging.picture import FloatArray, UInt8Array

SIDE_PX = 24
DETAIL_PX = 2.0
"""Standard deviation of the blur that is taken off, in pixels of `SIDE_PX`: what is left is detail.
Without it all cells that fill their picture alike are alike."""
ALIKE = 0.9
"""Correlation of two signatures from which pictures count as the same: exact copies, shifted,
recompressed or newly exposed ones, and one cell in two overlapping fields. Measured on the sets in
../shared/data, the folder beside the checkout, pictures of different classes reach at most 0.70 on
pbc and allidb2, 0.84 where the cells are cut out to fill the picture, and 0.28 on all4; on cnmc
those of different patients reach 0.89, but for six families of patients with hundreds of copies."""
BLOCK = 512

_FRAME_SHARE = 0.6
_FEWEST_PIXELS = 50
_BLACK = 8
_EDGE_SHARE = 0.04
Signatures = NDArray[np.int8]


def near_duplicate_groups(pixels: UInt8Array) -> NDArray[np.int64]:
    """Group number of each picture, (n_images,) int64; linked pictures share the smallest number.

    `pixels` is (n_images, side, side, 3) uint8 RGB; see `signature` and `linked_groups`.
    """
    return linked_groups(np.stack([signature(picture) for picture in pixels]))


def signature(picture: UInt8Array) -> Signatures:
    """What a picture is known again by: (SIDE_PX * SIDE_PX * 3,) int8, 0 everywhere if it is flat.

    It is the picture at `SIDE_PX` less a blurred copy of itself, so that light, stain and form
    hardly matter. Where an earlier segmentation made the background black, the cell is cut out
    first and only what lies inside it counts.
    """
    small = cv2.resize(_seen(picture), (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA)
    small -= cv2.GaussianBlur(small, (0, 0), DETAIL_PX)
    largest = np.abs(small).max()
    if largest < 1:
        return np.zeros(small.size, np.int8)
    return np.asarray(np.round(small * (127 / largest)), np.int8).ravel()


def linked_groups(signatures: Signatures, alike: float = ALIKE) -> NDArray[np.int64]:
    """Group number of each signature, (n_images,) int64; linked ones share the smallest number.

    `signatures` is (n_images, n_values) int8. Two are linked when they correlate by `alike` or
    more; links are passed on. Works block by block: memory does not grow with the square.
    """
    parent = np.arange(len(signatures))
    blocks = range(0, len(signatures), BLOCK)
    for first in blocks:
        left = _directions(signatures[first : first + BLOCK])
        for second in range(first, len(signatures), BLOCK):
            right = _directions(signatures[second : second + BLOCK])
            for row, column in zip(*np.nonzero(left @ right.T >= alike), strict=True):
                if first + row < second + column:
                    _join(parent, first + int(row), second + int(column))
    return np.array([_root(parent, number) for number in range(len(parent))], np.int64)


def _seen(picture: UInt8Array) -> FloatArray:
    """The whole picture, or the cell on black less its mean colour and 0 around it, float32."""
    visible = cv2.inRange(picture, (0, 0, 0), (_BLACK, _BLACK, _BLACK)) == 0
    frame = np.concatenate([visible[0], visible[-1], visible[:, 0], visible[:, -1]])
    # A few bright pixels on black are noise of a compression, not a cell.
    opened = cv2.morphologyEx(visible.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    if (~frame).mean() <= _FRAME_SHARE or np.count_nonzero(opened) < _FEWEST_PIXELS:
        return picture.astype(np.float32)
    rows, columns = np.flatnonzero(opened.any(1)), np.flatnonzero(opened.any(0))
    cut = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    cell, inside = picture[cut].astype(np.float32), opened[cut]
    side = max(3, round(_EDGE_SHARE * max(inside.shape)))
    inner = cv2.erode(inside, np.ones((side, side), np.uint8)) > 0  # outlines are alike everywhere
    counted = inner if np.count_nonzero(inner) >= _FEWEST_PIXELS else inside > 0
    return np.where(counted[..., None], cell - cell[counted].mean(axis=0), 0).astype(np.float32)


def _directions(signatures: Signatures) -> FloatArray:
    """Signatures as float32 of length 1; flat ones stay 0, and so are like nothing."""
    values = signatures.astype(np.float32)
    lengths = np.linalg.norm(values, axis=1, keepdims=True)
    return np.asarray(values / np.maximum(lengths, 1), np.float32)


def _root(parent: NDArray[np.int64], number: int) -> int:
    while parent[number] != number:
        parent[number] = parent[parent[number]]
        number = int(parent[number])
    return number


def _join(parent: NDArray[np.int64], first: int, second: int) -> None:
    low, high = sorted((_root(parent, first), _root(parent, second)))
    parent[high] = low
