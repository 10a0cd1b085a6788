"""Which lobes belong to one cell: near ones are joined, and parted where the cell is not one."""

from dataclasses import dataclass

import cv2
import numpy as np

from leukemia_app.imaging.picture import BoolArray, FloatArray, Int32Array
from leukemia_app.imaging.segment_labels import label_windows

LOBED_NUCLEUS_SHARE = 0.65
"""Nuclei in several lobes fill less of their cell (0.51 at most in 58 pictures with masks)."""
LOBED_SOLIDITY = 0.86
LOBED_ASPECT = 1.7
ROUND_SOLIDITY = 0.93
ROUND_ASPECT = 1.4
"""A cell this round is one, however much of it is nucleus."""
MOST_LOBES = 6
NEAR_GAP = 2.0
"""Lobes may belong together up to this gap, in radii of the larger one."""
CROWD = 8
"""Groups of more lobes are parted at half of their links at once."""


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
    pairs, gaps = [], []
    for first in range(len(rims)):
        for second in range(first + 1, len(rims)):
            limit = NEAR_GAP * max(radii[first], radii[second])
            gap, between = _gap(rims[first], rims[second], limit)
            if gap < limit and background[between].mean() < 0.5:
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
    """Links to keep: groups whose cell does not look like one lose their weakest ones."""
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


def _rims(lobes: Int32Array) -> tuple[list[FloatArray], list[float]]:
    """Outline points (n, 2) of column and row, and radius, of each lobe."""
    rims, radii = [], []
    for number, window in enumerate(label_windows(lobes), 1):
        mask = (lobes[window] == number).astype(np.uint8)
        outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        corner = (window[1].start, window[0].start)
        rims.append((np.concatenate(outlines)[:, 0] + corner).astype(np.float32))
        radii.append(float(np.sqrt(mask.sum() / np.pi)))
    return rims, radii


def _gap(
    first: FloatArray, second: FloatArray, limit: float
) -> tuple[float, tuple[Int32Array, Int32Array]]:
    """Least distance between two outlines, and rows and columns of the pixels on that way.

    Infinite where their boxes are farther apart than `limit`.
    """
    apart = np.maximum(first.min(0) - second.max(0), second.min(0) - first.max(0))
    if apart.max() > limit:
        return float("inf"), (np.zeros(1, np.int32), np.zeros(1, np.int32))
    distance = np.hypot(*(first[:, None] - second[None]).transpose(2, 0, 1))
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
