"""Nuclei in a map of nuclear stain: one threshold, touching ones parted."""

import cv2
import numpy as np

from leukemia_app.imaging.picture import BoolArray, FloatArray, Int32Array, UInt8Array
from leukemia_app.imaging.segment_density import GREY, NUCLEAR, PURPLE, stain_density
from leukemia_app.imaging.segment_labels import label_windows

BINS = 256
FAINTEST = 0.12
"""Nuclear stain under this density is noise."""
COLOURLESS = 0.06
"""Channels of a grey picture differ by less density than this."""
PALE_SHARE = 0.35
"""A nucleus has at least this share of the stain of the strongest large one in the picture."""
RING_SHARE = 0.5
"""Width of a nucleus's surroundings, in its radii."""
SMALL_SHARE = 0.06
"""Specks under this share of the largest nucleus are platelets, granules or dirt."""
SMALLEST_PX = 12
MOST_NUCLEI = 1000
"""The largest are kept, so that noise and dirt cannot keep the machine busy for minutes."""
MOST_BULGES = 64
"""Of one region, the widest first; for the same reason."""
HOLE_SHARE = 0.01
NECK = 0.7
"""Two bulges are parted where the neck is under this share of the narrower one."""


def otsu_threshold(values: FloatArray) -> float:
    """The cut with the greatest variance between both sides. Source: Otsu 1979."""
    low, high = float(values.min()), float(np.quantile(values, 0.999))
    if high - low < BINS * float(np.spacing(values.dtype.type(max(abs(low), abs(high))))):
        return high  # they differ by rounding alone: too little for as many bins
    counts, edges = np.histogram(np.clip(values, low, high), BINS, (low, high))
    share = np.cumsum(counts / counts.sum())
    centres = (edges[:-1] + edges[1:]) / 2
    mean = np.cumsum(counts / counts.sum() * centres)
    between = (mean[-1] * share - mean) ** 2 / np.maximum(share * (1 - share), 1e-9)
    return float(edges[1:][between.argmax()])


def is_coloured(density: FloatArray) -> bool:
    """Whether the channels of (points, 3) differ; grey pictures have no purple to look for."""
    red, green, blue = density.T
    highest, lowest = np.maximum(red, green), np.minimum(red, green)
    spread = np.maximum(highest, blue) - np.minimum(lowest, blue)
    return bool(np.quantile(spread, 0.99) > COLOURLESS)


def find_nuclei(density: FloatArray, valid: BoolArray) -> Int32Array:
    """One number for each nucleus or lobe, (rows, columns) int32, 0 elsewhere.

    `density` is (rows, columns, 3), the optical density; only `valid` pixels count.
    """
    coloured = is_coloured(density[valid])
    purple = stain_density(density, PURPLE if coloured else GREY)
    mask = _clean((purple > max(otsu_threshold(purple[valid]), FAINTEST)) & valid)
    regions = _drop_pale(_drop_specks(mask), purple)
    nuclear = stain_density(density, NUCLEAR if coloured else GREY)
    mask = _clean(_refine(regions, nuclear) & valid)
    return _part(_drop_specks(mask))


def _clean(mask: BoolArray) -> UInt8Array:
    """The mask without single pixels and small holes, (rows, columns) uint8 of 0 and 1."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3))
    clean = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, kernel)
    _, holes, stats, _ = cv2.connectedComponentsWithStats(1 - clean, connectivity=4)
    small = stats[:, cv2.CC_STAT_AREA] < HOLE_SHARE * clean.sum()
    small[0] = False
    clean[small[holes]] = 1
    return np.asarray(clean)


def _drop_pale(regions: Int32Array, purple: FloatArray) -> Int32Array:
    """The regions without those much paler than the palest allowed, numbered anew."""
    areas = np.bincount(regions.ravel()).astype(float)
    means = np.bincount(regions.ravel(), purple.ravel()) / np.maximum(areas, 1)
    areas[0] = 0
    if not areas.any():
        return regions
    large = areas >= 0.25 * areas.max()
    kept = (areas > 0) & (means >= PALE_SHARE * means[large].max())
    return np.asarray(np.where(kept, np.cumsum(kept), 0)[regions], np.int32)


def _refine(regions: Int32Array, nuclear: FloatArray) -> BoolArray:
    """Each region cut again by Otsu's threshold of its own surroundings, (rows, columns) bool."""
    refined = np.zeros(regions.shape, bool)
    for number, (rows, columns) in enumerate(label_windows(regions), 1):
        area = float((regions[rows, columns] == number).sum())
        ring = max(2, round(RING_SHARE * np.sqrt(area / np.pi)))
        wide = (
            slice(max(rows.start - ring, 0), rows.stop + ring),
            slice(max(columns.start - ring, 0), columns.stop + ring),
        )
        outside = (regions[wide] != number).astype(np.uint8)
        near = cv2.distanceTransform(outside, cv2.DIST_L2, 5) <= ring
        refined[wide] |= near & (nuclear[wide] > otsu_threshold(nuclear[wide][near]))
    return refined


def _drop_specks(mask: UInt8Array) -> Int32Array:
    _, regions, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    areas = stats[:, cv2.CC_STAT_AREA].copy()
    areas[0] = 0
    kept = areas >= max(SMALL_SHARE * areas.max(), SMALLEST_PX)
    if kept.sum() > MOST_NUCLEI:
        kept &= areas > np.sort(areas)[-MOST_NUCLEI - 1]
    numbers = np.where(kept, np.cumsum(kept), 0)
    return np.asarray(numbers[regions], np.int32)


def _part(regions: Int32Array) -> Int32Array:
    """Regions cut at their necks, numbered anew."""
    parted = np.zeros_like(regions)
    count = 0
    for number, window in enumerate(label_windows(regions), 1):
        mask = np.pad(regions[window] == number, 1).astype(np.uint8)
        parts = _parts(mask)[1:-1, 1:-1]
        inside = parts > 0
        parted[window][inside] = parts[inside] + count
        count += int(parts.max())
    return parted


def _parts(mask: UInt8Array) -> Int32Array:
    """1..n for the bulges of one region, each pixel with the bulge whose circle is nearest."""
    depth = cv2.distanceTransform(mask, cv2.DIST_L2, 5)
    peaks = _bulges(cv2.GaussianBlur(depth, (0, 0), 1.0) * mask)
    if len(peaks) < 2:
        return mask.astype(np.int32)
    row, column = np.nonzero(mask)
    nearest, part = np.full(len(row), np.inf), np.zeros(len(row), np.int32)
    for number, (r, c, radius) in enumerate(peaks, 1):
        away = np.hypot(row - r, column - c) - radius
        part[away < nearest] = number
        nearest = np.minimum(nearest, away)
    parts = np.zeros(mask.shape, np.int32)
    parts[row, column] = part
    return _renumbered(parts)


def _renumbered(parts: Int32Array) -> Int32Array:
    """The numbers without gaps: a bulge may lie wholly in wider ones."""
    known, numbers = np.unique(parts, return_inverse=True)
    return np.asarray(numbers.reshape(parts.shape) + (known[0] > 0), np.int32)


def _bulges(depth: FloatArray) -> FloatArray:
    """Row, column and radius of the circles that fill the region, (n, 3); necks between them."""
    side = 2 * max(1, int(depth.max() * 0.35)) + 1
    tops = cv2.dilate(depth, np.ones((side, side), np.uint8))
    row, column = np.nonzero((depth == tops) & (depth > 0.35 * depth.max()))
    order = np.argsort(-depth[row, column], kind="stable")[:MOST_BULGES]
    kept: list[tuple[float, float, float]] = []
    for r, c in zip(row[order], column[order], strict=True):
        radius = float(depth[r, c])
        if all(_neck(depth, (r, c), peak[:2]) < NECK * radius for peak in kept):
            kept.append((float(r), float(c), radius))
    return np.array(kept).reshape(-1, 3)


def _neck(depth: FloatArray, start: tuple[int, int], end: tuple[float, float]) -> float:
    """The least depth on the straight way between two peaks."""
    steps = int(np.hypot(start[0] - end[0], start[1] - end[1])) + 2
    row = np.linspace(start[0], end[0], steps).round().astype(int)
    column = np.linspace(start[1], end[1], steps).round().astype(int)
    return float(depth[row, column].min())
