"""Pictures that are nearly the same, so that they can be kept on one side of a split."""

import cv2
import numpy as np
from numpy.typing import NDArray

from leukemia_app.imaging.picture import UInt8Array

SIDE_PX = 32
ALIKE = 0.99
"""Correlation of the reduced pictures from which two count as the same: exact copies, shifted or
recompressed ones and neighbouring frames, but not two cells of one kind."""
BLOCK = 512


def near_duplicate_groups(pixels: UInt8Array) -> NDArray[np.int64]:
    """Group number of each picture, (n_images,) int64; linked pictures share the smallest number.

    `pixels` is (n_images, side, side, 3) uint8 RGB. Two pictures are linked when their reduced
    copies, mean taken off, correlate by `ALIKE` or more; links are passed on.
    """
    small = np.stack([_reduced(picture) for picture in pixels])
    parent = np.arange(len(small))
    for start in range(0, len(small), BLOCK):
        alike = small[start : start + BLOCK] @ small.T >= ALIKE
        for first, second in zip(*np.nonzero(alike), strict=True):
            if start + first < second:
                _join(parent, start + int(first), int(second))
    return np.array([_root(parent, number) for number in range(len(parent))], np.int64)


def _reduced(picture: UInt8Array) -> NDArray[np.float32]:
    """The picture as a direction: (SIDE_PX * SIDE_PX * 3,) float32 of length 1, or 0 if flat."""
    small = cv2.resize(picture, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA)
    values: NDArray[np.float32] = small.astype(np.float32).ravel()
    values -= values.mean()
    length = float(np.linalg.norm(values))
    if length > 0:
        values /= length
    return values


def _root(parent: NDArray[np.int64], number: int) -> int:
    while parent[number] != number:
        parent[number] = parent[parent[number]]
        number = int(parent[number])
    return number


def _join(parent: NDArray[np.int64], first: int, second: int) -> None:
    low, high = sorted((_root(parent, first), _root(parent, second)))
    parent[high] = low
