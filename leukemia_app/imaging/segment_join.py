"""Which lobes belong to one cell: near ones are joined, and parted where the cell is not one."""

from dataclasses import dataclass

import cv2
import numpy as np

from leukemia_app.imaging.picture import BoolArray, FloatArray, Int32Array
from leukemia_app.imaging.segment_labels import label_windows

LOBED_NUCLEUS_SHARE = 0.65
"""Several lobes fill less than this part of their cell (0.51 at most in 58 marked cells)."""
LOBED_SOLIDITY = 0.86
LOBED_ASPECT = 1.7
MOST_LOBES = 6
ROUND_SOLIDITY = 0.93
ROUND_ASPECT = 1.4
"""A cell this round is one, however much of it is nucleus."""
NEAR_GAP = 2.0
"""Lobes may belong together up to this gap, in radii of the larger one."""
CROWD = 8
CROWDED_GAP = 0.5
"""The same where a picture has more than `CROWD` lobes: there, neighbours are mostly cells."""


@dataclass(frozen=True, kw_only=True)
class Links:
    """Pairs of lobes that may belong to one cell."""

    pairs: Int32Array
    """(n, 2), numbers of lobes, 1 and up."""
    gaps: FloatArray
    """(n,), gap in radii of the larger lobe; the weakest link has the greatest."""


def near_lobes(lobes: Int32Array, background: FloatArray) -> Links:
    """Links between lobes that are close for their size and have no background between them.

    `background` is (rows, columns), 0 to 1, how well each pixel fits empty background.
    """
    rims, radii = _rims(lobes)
    reach = NEAR_GAP if len(rims) <= CROWD else CROWDED_GAP
    limits = np.asarray(reach * np.maximum(radii[:, None], radii), np.float32)
    pairs, gaps = [], []
    for first, second in _near_boxes(rims, limits):
        gap, between = _gap(rims[first], rims[second])
        if gap < limits[first, second] and background[between].mean() < 0.5:
            pairs.append((first + 1, second + 1))
            gaps.append(gap / max(radii[first], radii[second]))
    return Links(pairs=np.array(pairs, np.int32).reshape(-1, 2), gaps=np.array(gaps, np.float32))


def group_lobes(count: int, links: Links, kept: BoolArray) -> Int32Array:
    """Number of the group of each lobe, (count + 1,), 0 for the background."""
    owner = np.arange(count + 1)
    for first, second in links.pairs[kept]:
        owner[owner == owner[second]] = owner[first]
    _, numbers = np.unique(owner, return_inverse=True)
    return numbers.astype(np.int32)


def part_groups(
    cells: Int32Array, lobes: Int32Array, groups: Int32Array, links: Links, kept: BoolArray
) -> BoolArray:
    """Links to keep: groups whose cell does not look like one lose their weakest ones.

    Large groups lose the weaker half of theirs, so that few rounds are needed.
    """
    kept = kept.copy()
    sizes = np.bincount(groups)
    windows = label_windows(cells)
    for group in np.flatnonzero(sizes > 1):
        window = windows[group - 1]
        nucleus = groups[lobes[window]] == group
        if _is_one_cell(cells[window] == group, nucleus, int(sizes[group])):
            continue
        inside = np.flatnonzero(kept & (groups[links.pairs[:, 0]] == group))
        strength = links.gaps[inside]
        limit = np.median(strength) if sizes[group] > CROWD else strength.max()
        kept[inside[strength >= limit]] = False
    return kept


def _rims(lobes: Int32Array) -> tuple[list[FloatArray], FloatArray]:
    """Outline points (n, 2) of column and row of each lobe, and the radius of each."""
    rims, radii = [], []
    for number, window in enumerate(label_windows(lobes), 1):
        mask = (lobes[window] == number).astype(np.uint8)
        outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        corner = (window[1].start, window[0].start)
        rims.append((np.concatenate(outlines)[:, 0] + corner).astype(np.float32))
        radii.append(float(np.sqrt(mask.sum() / np.pi)))
    return rims, np.array(radii, np.float32)


def _near_boxes(rims: list[FloatArray], limits: FloatArray) -> Int32Array:
    """Pairs (n, 2) of lobes whose boxes are no farther apart than their limit."""
    low, high = np.array([rim.min(0) for rim in rims]), np.array([rim.max(0) for rim in rims])
    apart = np.maximum(low[:, None] - high, low - high[:, None]).max(axis=2)
    return np.asarray(np.argwhere(np.triu(apart <= limits, 1)), np.int32)


def _gap(first: FloatArray, second: FloatArray) -> tuple[float, tuple[Int32Array, Int32Array]]:
    """Least distance between two outlines, and rows and columns of the pixels on that way."""
    first, second = first[:: 1 + len(first) // 300], second[:: 1 + len(second) // 300]
    distance = np.hypot(*(first[:, None] - second).transpose(2, 0, 1))
    here, there = np.unravel_index(int(distance.argmin()), distance.shape)
    way = np.linspace(first[here], second[there], int(distance.min()) + 2).round().astype(np.int32)
    return float(distance.min()), (way[:, 1], way[:, 0])


def _is_one_cell(cell: BoolArray, nucleus: BoolArray, n_lobes: int) -> bool:
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
    closed = cv2.morphologyEx(np.pad(cell, 3).astype(np.uint8), cv2.MORPH_CLOSE, kernel)
    outlines, _ = cv2.findContours(closed, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    outline = max(outlines, key=cv2.contourArea)
    solidity = cv2.contourArea(outline) / max(cv2.contourArea(cv2.convexHull(outline)), 1.0)
    sides = cv2.minAreaRect(outline)[1]
    aspect = max(sides) / max(min(sides), 1.0)
    if solidity > ROUND_SOLIDITY and aspect < ROUND_ASPECT:
        return True
    lobed = n_lobes <= MOST_LOBES and nucleus.sum() < LOBED_NUCLEUS_SHARE * cell.sum()
    return bool(lobed and solidity > LOBED_SOLIDITY and aspect < LOBED_ASPECT)
