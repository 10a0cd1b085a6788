"""White cells by their stain: nuclei first, then each cell's outline round its nucleus."""

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

from leukemia_app.imaging.picture import BoolArray, FloatArray, Int32Array, UInt8Array
from leukemia_app.imaging.segment_blanked import blanked_cells, is_blanked
from leukemia_app.imaging.segment_density import (
    background_likeness,
    black_surround,
    optical_density,
)
from leukemia_app.imaging.segment_join import group_lobes, near_lobes, part_groups
from leukemia_app.imaging.segment_labels import nearest_label, paint_outlines
from leukemia_app.imaging.segment_nuclei import find_nuclei
from leukemia_app.imaging.segment_outline import Seeds, cheapest_outlines

WORKING_SIDE_PX = 256
"""Longer pictures are worked on at the geometric mean of this and their longer side."""
ROUNDS = 3
"""Times that the colours of cells and of the rest are learned anew."""
BINS = 16
STRONGEST = 1.5
"""Bound of the evidence of one pixel, as a natural-log ratio."""
NEAR = 0.2
"""Up to here cytoplasm is looked for at first, in radii of the nucleus from its edge."""
FAR = 0.5
"""From here on, in the same radii, colours count as outside at first, fully so 0.5 later."""
BACKGROUND_SHARE = 0.25
"""Weight of empty background among the outside colours: red cells must not drown in it."""
REACH = 1.6
"""How far outlines may go beyond the nucleus, in its radii."""


@dataclass(frozen=True, kw_only=True)
class _Scene:
    """One picture at working scale; arrays are (rows, columns)."""

    valid: BoolArray
    colour: Int32Array
    """Number of the colour bin of each pixel."""
    background: FloatArray
    edges: FloatArray
    lobes: Int32Array
    distance: FloatArray
    """Pixels to the nearest lobe."""
    nearest: Int32Array
    """Number of the nearest lobe."""

    @property
    def free(self) -> FloatArray:
        """1 where a pixel is neither nucleus nor padding, else 0."""
        return np.asarray(self.valid & (self.lobes == 0), np.float32)


def stain_cells(pixels: UInt8Array) -> tuple[Int32Array, BoolArray]:
    """Cell numbers (rows, columns) int32 and nucleus (rows, columns) bool inside them.

    A nucleus is where the density of the nuclear stain passes Otsu's threshold. Its cell is the
    cheapest closed outline round it, by colours that are learned from the picture itself: those
    beside the nucleus against those far from it. Lobes are taken together while the cell round
    them looks like one.
    """
    rows, columns = pixels.shape[:2]
    shrink = min(1.0, (WORKING_SIDE_PX / max(rows, columns)) ** 0.5)
    size = (max(1, round(columns * shrink)), max(1, round(rows * shrink)))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA) if shrink < 1 else pixels
    valid = ~black_surround(small)
    if is_blanked(valid):
        cells, nucleus = blanked_cells(small, valid)
        return _enlarge(cells, pixels), _enlarge(nucleus.astype(np.int32), pixels) > 0
    scene = _scene(small, valid)
    if scene is None:
        return np.zeros((rows, columns), np.int32), np.zeros((rows, columns), bool)
    groups, outlines = _cells(scene)
    scale = np.array([columns / size[0], rows / size[1]], np.float32)
    outlines = (outlines + 0.5) * scale - 0.5
    nuclei, nearest = (_enlarge(groups[part], pixels) for part in (scene.lobes, scene.nearest))
    return paint_outlines(outlines, nuclei, nearest), nuclei > 0


def _enlarge(numbers: Int32Array, pixels: UInt8Array) -> Int32Array:
    """The region numbers at the size of the picture."""
    size = (pixels.shape[1], pixels.shape[0])
    taken = cv2.resize(numbers.astype(np.float32), size, interpolation=cv2.INTER_NEAREST_EXACT)
    return np.asarray(taken, np.int32)


def _scene(pixels: UInt8Array, valid: BoolArray) -> _Scene | None:
    """What the outlines are found by; None where there is no nucleus."""
    density = optical_density(pixels, valid)
    lobes = find_nuclei(density, valid)
    if not lobes.any():
        return None
    distance, nearest = nearest_label(lobes)
    return _Scene(
        valid=valid,
        colour=_colour_bins(density),
        background=background_likeness(density, valid),
        edges=_edges(density, valid),
        lobes=lobes,
        distance=distance,
        nearest=nearest,
    )


def _colour_bins(density: FloatArray) -> Int32Array:
    """Number of the colour bin of each pixel; bins are finer where density is low."""
    level = np.sqrt(np.clip(density + 0.12, 0, None)) * (BINS / np.sqrt(2.4))
    level = np.clip(level, 0, BINS - 1).astype(np.int32)
    red, green, blue = cv2.split(level)
    return np.asarray((red * BINS + green) * BINS + blue, np.int32)


def _edges(density: FloatArray, valid: BoolArray) -> FloatArray:
    """Steepness of density over all channels, 0 to 1 (1 for the steepest 3 %)."""
    smooth = cv2.GaussianBlur(density, (0, 0), 1.2)
    across = cv2.Sobel(smooth, cv2.CV_32F, 1, 0)
    down = cv2.Sobel(smooth, cv2.CV_32F, 0, 1)
    squares = across**2 + down**2
    # Not sum(axis=2): NumPy is twenty times slower over an axis as short as that.
    steep = np.sqrt(squares[..., 0] + squares[..., 1] + squares[..., 2])
    return np.asarray(np.minimum(steep / max(float(np.quantile(steep[valid], 0.97)), 0.05), 1))


def _cells(scene: _Scene) -> tuple[Int32Array, FloatArray]:
    """Number of the cell of each lobe, (lobes + 1,), and outlines of the cells, (n, rays, 2)."""
    links = near_lobes(scene.lobes, scene.background)
    kept = np.ones(len(links.gaps), bool)
    groups = group_lobes(int(scene.lobes.max()), links, kept)
    seeds = _seeds(groups[scene.lobes])
    weights = _first_guess(scene, groups, seeds)
    rounds = ROUNDS
    while True:
        for _ in range(rounds):
            outlines, cells = _outlines(scene, groups, seeds, _evidence(scene, *weights))
            weights = _regions(scene, cells)
        parted = part_groups(cells, scene.lobes, groups, links, kept)
        if (parted == kept).all():
            return groups, outlines
        kept, rounds = parted, 1
        groups = group_lobes(int(scene.lobes.max()), links, kept)
        seeds = _seeds(groups[scene.lobes])


def _outlines(
    scene: _Scene, groups: Int32Array, seeds: Seeds, evidence: FloatArray
) -> tuple[FloatArray, Int32Array]:
    """Outlines (n, rays, 2) and the cells in them, (rows, columns)."""
    nuclei = groups[scene.lobes]
    outlines = cheapest_outlines(evidence, scene.edges, nuclei, seeds)
    return outlines, paint_outlines(outlines, nuclei, groups[scene.nearest])


def _seeds(nuclei: Int32Array) -> Seeds:
    """Middle, radius and reach of each nucleus."""
    row, column = np.nonzero(nuclei > 0)  # of bool it is several times faster
    numbers = nuclei[row, column]
    # The first and the last pixel of every run of a row: all that a hull can touch.
    runs = np.flatnonzero((np.diff(numbers) != 0) | (np.diff(column) != 1))
    ends = np.union1d(np.append(runs, len(numbers) - 1), np.append(0, runs + 1))
    row, column, numbers = row[ends], column[ends], numbers[ends]
    order = np.argsort(numbers, kind="stable")
    points = np.column_stack([column, row]).astype(np.float32)[order]
    starts = np.searchsorted(numbers[order], np.arange(1, int(numbers.max()) + 2))
    centres, radii, reach = [], [], []
    for start, end in pairwise(starts):
        hull = cv2.convexHull(points[start:end])[:, 0]
        moments = cv2.moments(hull)
        area = moments["m00"]
        middle = (
            (moments["m10"] / area, moments["m01"] / area) if area > 0 else tuple(hull.mean(axis=0))
        )
        radius = float(np.sqrt(max(area, 1.0) / np.pi))
        centres.append(middle)
        radii.append(radius)
        reach.append(float(np.hypot(*(hull - middle).T).max()) + REACH * radius)
    return Seeds(centres=np.array(centres), radii=np.array(radii), reach=np.array(reach))


def _first_guess(scene: _Scene, groups: Int32Array, seeds: Seeds) -> tuple[FloatArray, FloatArray]:
    """Weights of each pixel as cytoplasm and as outside, before any outline is known."""
    radius = np.concatenate([[1.0], seeds.radii]).astype(np.float32)
    away = scene.distance / radius[groups[scene.nearest]]
    inner = np.clip(1 - away / NEAR, 0, 1) * scene.free
    return inner, np.clip((away - FAR) / 0.5, 0, 1) * scene.free


def _regions(scene: _Scene, cells: Int32Array) -> tuple[FloatArray, FloatArray]:
    """Weights of each pixel as cytoplasm and as outside; little near the outlines."""
    cell = (cells > 0).astype(np.float32)
    soft = cv2.blur(cell, (7, 7))
    return cell * soft * scene.free, (1 - cell) * (1 - soft) * scene.free


def _evidence(scene: _Scene, inner: FloatArray, outer: FloatArray) -> FloatArray:
    """How much each pixel looks like cell, (rows, columns) float32, -1.5 to 1.5."""
    inner = inner * (1 - scene.background)
    outer = outer * (1 - (1 - BACKGROUND_SHARE) * scene.background)
    if inner.sum() > 15 and outer.sum() > 15:
        ratio = np.log(_colour_shares(scene.colour, inner) / _colour_shares(scene.colour, outer))
        evidence = np.clip(ratio, -STRONGEST, STRONGEST).astype(np.float32)[scene.colour]
    else:
        evidence = np.full(scene.colour.shape, -STRONGEST, np.float32)
    evidence = cv2.blur(evidence, (3, 3)) - scene.background
    evidence = np.maximum(evidence, -STRONGEST)
    evidence[scene.lobes > 0] = STRONGEST
    evidence[~scene.valid] = -0.3
    return np.asarray(evidence, np.float32)


def _colour_shares(colour: Int32Array, weight: FloatArray) -> FloatArray:
    """Share of each colour bin in the weighted pixels, smoothed, never 0; (BINS³,)."""
    counts = np.bincount(colour.ravel(), weight.ravel(), BINS**3).astype(np.float64)
    counts = counts.reshape(BINS, BINS, BINS)
    padded = np.zeros((BINS + 2, BINS, BINS))
    for axis in range(3):
        padded[1:-1] = np.moveaxis(counts, axis, 0)
        smooth = (padded[:-2] + 2 * padded[1:-1] + padded[2:]) / 4
        counts = np.moveaxis(smooth, 0, axis)
    return np.asarray(counts.ravel() / weight.sum() + 2e-4)
