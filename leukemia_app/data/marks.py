"""What a camera program drew into a picture or left round it: scale bars, captions, frames.

None of it is blood, and where it differs between classes a network can read the class from it.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from leukemia_app.imaging.overlay import thumbnail
from leukemia_app.imaging.picture import BoolArray, UInt8Array

KINDS = ("black mark", "coloured mark")
GRID = 32
"""Places a side at which marks are looked for."""
FREQUENT = 0.25
"""Share of a class's pictures with a thin line at one place from which it is no part of the smear.
In ../shared/data, the folder beside the checkout, the scale bars of all4 reach 0.29 to 1.0 by class
and colour; the sets without any reach 0.13 at most."""
FEWEST = 5
FRAMES = ("", "black surround", "black edge", "white edge", "black corners")

_LONGEST_PX = 512
_LINE_SHARE = 1 / 25
"""Widest line, as a part of the longer side."""
_STEP = 50
"""Least difference from what lies beside the line, in grey levels."""
_MARGIN = GRID // 4
_BLACK, _WHITE = 16, 250
_SURROUND_SHARE = 0.6
_EDGE_SHARE = 0.01
_CORNER_SHARE = 0.04


def line_places(pixels: UInt8Array) -> BoolArray:
    """Where thin dark lines of pure colour lie in the outer quarters, (kinds, GRID, GRID) bool.

    `pixels` is (rows, columns, 3) uint8 RGB. Stained blood has such lines too, but not at the same
    place in many pictures: see `marked`. White lines are left out: gaps between red cells look so.
    """
    small = np.ascontiguousarray(thumbnail(pixels, _LONGEST_PX))
    side = max(3, round(max(small.shape[:2]) * _LINE_SHARE) | 1)
    red, green, blue = (channel.astype(np.int16) for channel in cv2.split(small))
    largest = np.maximum(np.maximum(red, green), blue)
    smallest = np.minimum(np.minimum(red, green), blue)
    is_line = _is_line(smallest.astype(np.uint8), side)
    is_black = (largest - smallest <= 28) & (largest < 120)
    return np.stack(
        [_on_grid(is_line & colour) for colour in (is_black, _is_pure(red, green, blue))]
    )


def marked(places: BoolArray, labels: Sequence[str]) -> dict[str, BoolArray]:
    """Which pictures carry each of `KINDS`, (n_images,) bool.

    `places` is (n_images, len(KINDS), GRID, GRID) from `line_places`. A mark is a line at a place
    where many pictures of a class have one.
    """
    classes = np.asarray(labels)
    found = {}
    for number, kind in enumerate(KINDS):
        there = places[:, number]
        usual = np.zeros((GRID, GRID), bool)
        for label in np.unique(classes):
            mine = there[classes == label]
            usual |= mine.sum(0) >= max(FEWEST, FREQUENT * len(mine))
        found[kind] = np.asarray((there & usual).any(axis=(1, 2)))
    return found


def frame_of(pixels: UInt8Array) -> str:
    """What surrounds a picture, one of `FRAMES`; `pixels` is (rows, columns, 3) uint8 RGB."""
    black = cv2.inRange(pixels, (0, 0, 0), (_BLACK, _BLACK, _BLACK)) > 0
    white = cv2.inRange(pixels, (_WHITE, _WHITE, _WHITE), (255, 255, 255)) > 0
    edge = np.concatenate([black[0], black[-1], black[:, 0], black[:, -1]])
    if edge.mean() > _SURROUND_SHARE:
        return "black surround"
    if _has_band(black):
        return "black edge"
    if _has_band(white):
        return "white edge"
    rows, columns = (max(2, round(side * _CORNER_SHARE)) for side in black.shape)
    corners = [black[part, other].all() for part in (np.s_[:rows], np.s_[-rows:])
               for other in (np.s_[:columns], np.s_[-columns:])]  # fmt: skip
    return "black corners" if sum(corners) >= 2 else ""


def _is_line(grey: UInt8Array, side: int) -> BoolArray:
    """Where a line thinner than `side` is darker than what lies on both its sides."""
    across, down = (
        cv2.morphologyEx(grey, cv2.MORPH_BLACKHAT, np.ones(shape, np.uint8))
        for shape in ((1, side), (side, 1))
    )
    return np.asarray(np.maximum(across, down) > _STEP)


def _is_pure(
    red: NDArray[np.int16], green: NDArray[np.int16], blue: NDArray[np.int16]
) -> BoolArray:
    """Red, green or yellow as programs draw them; no stain has such a colour in a thin line."""
    is_red = (red > 130) & (red - np.maximum(green, blue) > 60) & (np.abs(green - blue) < 40)
    is_green = (green > 130) & (green - np.maximum(red, blue) > 60)
    is_yellow = (np.minimum(red, green) - blue > 100) & (np.abs(red - green) < 40)
    return np.asarray(is_red | is_green | is_yellow)


def _on_grid(lines: BoolArray) -> BoolArray:
    """The squares of the grid that hold any part of a line; those in the middle never do."""
    coarse = cv2.resize(lines.astype(np.float32), (GRID, GRID), interpolation=cv2.INTER_AREA) > 0
    coarse[_MARGIN:-_MARGIN, _MARGIN:-_MARGIN] = False
    return np.asarray(coarse)


def _has_band(mask: BoolArray) -> bool:
    """Whether some side is covered by a band of the mask, at least 1 % of the picture wide."""
    for lines in (mask, mask[::-1], mask.T, mask.T[::-1]):
        width = max(2, round(len(lines) * _EDGE_SHARE))
        if lines[:width].mean() > 0.98:
            return True
    return False
