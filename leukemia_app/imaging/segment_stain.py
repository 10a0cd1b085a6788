"""White cells by their stain: nuclei first, then each cell's outline round its nucleus."""

from dataclasses import dataclass

import cv2
import numpy as np

from leukemia_app.imaging.picture import BoolArray, FloatArray, Int32Array, UInt8Array
from leukemia_app.imaging.segment_density import (
    background_likeness,
    black_surround,
    optical_density,
    purple_density,
)
from leukemia_app.imaging.segment_join import group_lobes, near_lobes, part_groups
from leukemia_app.imaging.segment_nuclei import find_nuclei
from leukemia_app.imaging.segment_outline import Seeds, cheapest_outlines

WORKING_SIDE_PX = 256
ROUNDS = 3
BINS = 16
STRONGEST = 1.5
"""Bound of the evidence of one pixel, as a natural-log ratio."""
NEAR = 0.2
"""Up to here cytoplasm is looked for at first, in radii of the nucleus from its edge."""
FAR = 0.6
"""From here on, in the same radii, colours count as outside at first, fully so 0.5 later."""
BACKGROUND_SHARE = 0.4
REACH = 1.6
"""How far outlines may go beyond the nucleus, in its radii."""


@dataclass(frozen=True, kw_only=True)
class _Scene:
    """One picture at working scale."""

    valid: BoolArray
    purple: FloatArray
    colour: Int32Array  # (rows, columns), the bin of each pixel's density
    background: FloatArray
    edges: FloatArray


def stain_cells(pixels: UInt8Array) -> tuple[Int32Array, BoolArray]:
    """Cell numbers (rows, columns) int32 and nucleus (rows, columns) bool inside them."""
    rows, columns = pixels.shape[:2]
    shrink = min(1.0, (WORKING_SIDE_PX / max(rows, columns)) ** 0.5)
    size = (max(1, round(columns * shrink)), max(1, round(rows * shrink)))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA) if shrink < 1 else pixels
    scene = _scene(small)
    nuclei = find_nuclei(scene.purple, scene.valid)
    if not nuclei.any():
        return np.zeros((rows, columns), np.int32), np.zeros((rows, columns), bool)
    nuclei, outlines = _cells(scene, nuclei)
    cells = _paint(outlines * (columns / size[0]), _enlarge(nuclei, (rows, columns)))
    nucleus = cv2.resize((nuclei > 0).astype(np.float32), (columns, rows)) > 0.5
    return cells, np.asarray(nucleus & (cells > 0))


def _scene(pixels: UInt8Array) -> _Scene:
    valid = ~black_surround(pixels)
    density = optical_density(pixels, valid)
    return _Scene(
        valid=valid,
        purple=purple_density(density),
        colour=_colour_bins(density),
        background=background_likeness(density, valid),
        edges=_edges(density, valid),
    )


def _colour_bins(density: FloatArray) -> Int32Array:
    """Number of the colour bin of each pixel; bins are finer where density is low."""
    level = np.sqrt(np.clip(density + 0.12, 0, None)) * (BINS / np.sqrt(2.4))
    level = np.clip(level, 0, BINS - 1).astype(np.int32)
    return np.asarray(level @ np.array([BINS * BINS, BINS, 1], np.int32), np.int32)


def _edges(density: FloatArray, valid: BoolArray) -> FloatArray:
    """Steepness of density over all channels, 0 to 1 (1 for the steepest 3 %)."""
    smooth = cv2.GaussianBlur(density, (0, 0), 1.2)
    across = cv2.Sobel(smooth, cv2.CV_32F, 1, 0)
    down = cv2.Sobel(smooth, cv2.CV_32F, 0, 1)
    steep = np.sqrt((across**2 + down**2).sum(axis=2))
    return np.asarray(np.minimum(steep / max(float(np.quantile(steep[valid], 0.97)), 0.05), 1))


def _cells(scene: _Scene, lobes: Int32Array) -> tuple[Int32Array, FloatArray]:
    """Nuclei numbered by cell, (rows, columns), and each cell's outline, (n, rays, 2)."""
    links = near_lobes(lobes, scene.background)
    kept = np.ones(len(links.gaps), bool)
    count = int(lobes.max())
    while True:
        groups = group_lobes(count, links, kept)
        nuclei = groups[lobes]
        outlines = _outlines(scene, nuclei)
        before = kept
        kept = part_groups(_paint(outlines, nuclei), lobes, groups, links, kept)
        if (kept == before).all():
            return nuclei, outlines


def _outlines(scene: _Scene, nuclei: Int32Array) -> FloatArray:
    """Outlines found in rounds: colours of cells and of the rest are learned from the last one."""
    seeds = _seeds(nuclei)
    nucleus = nuclei > 0
    away = _away(nuclei, seeds.radii)
    free = (scene.valid & ~nucleus).astype(np.float32)
    inner = np.clip(1 - away / NEAR, 0, 1) * free
    outer = np.clip((away - FAR) / 0.5, 0, 1) * free
    stained = 1 - scene.background
    rest = 1 - (1 - BACKGROUND_SHARE) * scene.background
    for _ in range(ROUNDS):
        evidence = _evidence(scene, nucleus, inner * stained, outer * rest)
        outlines = cheapest_outlines(evidence, scene.edges, nuclei, seeds)
        cell = (_paint(outlines, nuclei) > 0).astype(np.float32)
        soft = cv2.blur(cell, (7, 7))
        inner, outer = cell * soft * free, (1 - cell) * (1 - soft) * free
    return outlines


def _seeds(nuclei: Int32Array) -> Seeds:
    centres, radii, reach = [], [], []
    for number in range(1, int(nuclei.max()) + 1):
        row, column = np.nonzero(nuclei == number)
        points = np.column_stack([column, row]).astype(np.float32)
        hull = cv2.convexHull(points)
        moments = cv2.moments(hull)
        area = max(moments["m00"], 1.0)
        centre = (
            np.array([moments["m10"], moments["m01"]]) / moments["m00"]
            if moments["m00"] > 0
            else points.mean(axis=0)
        )
        radius = float(np.sqrt(area / np.pi))
        farthest = float(np.hypot(*(points - centre).T).max())
        centres.append(centre)
        radii.append(radius)
        reach.append(farthest + REACH * radius)
    return Seeds(centres=np.array(centres), radii=np.array(radii), reach=np.array(reach))


def _away(nuclei: Int32Array, radii: FloatArray) -> FloatArray:
    """Distance from the nearest nucleus in its radii, (rows, columns)."""
    distance, nearest = _nearest(nuclei)
    return np.asarray(distance / np.concatenate([[1.0], radii])[nearest], np.float32)


def _nearest(nuclei: Int32Array) -> tuple[FloatArray, Int32Array]:
    """Distance to the nearest nucleus and its number, each (rows, columns)."""
    distance, pixel = cv2.distanceTransformWithLabels(
        (nuclei == 0).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    number_of = np.zeros(int(pixel.max()) + 1, np.int32)
    number_of[pixel[nuclei > 0]] = nuclei[nuclei > 0]
    return distance, number_of[pixel]


def _evidence(
    scene: _Scene, nucleus: BoolArray, inner: FloatArray, outer: FloatArray
) -> FloatArray:
    """How much each pixel looks like cell, (rows, columns) float32, -1.5 to 1.5."""
    if inner.sum() > 15 and outer.sum() > 15:
        ratio = np.log(_colour_shares(scene.colour, inner) / _colour_shares(scene.colour, outer))
        evidence = np.clip(ratio, -STRONGEST, STRONGEST)[scene.colour]
    else:
        evidence = np.full(scene.colour.shape, -STRONGEST, np.float32)
    evidence = cv2.blur(evidence.astype(np.float32), (3, 3)) - scene.background
    evidence = np.maximum(evidence, -STRONGEST)
    evidence[nucleus] = STRONGEST
    evidence[~scene.valid] = -0.3
    return np.asarray(evidence, np.float32)


def _colour_shares(colour: Int32Array, weight: FloatArray) -> FloatArray:
    """Share of each colour bin in the weighted pixels, smoothed, never 0; (BINS³,)."""
    counts = np.bincount(colour.ravel(), weight.ravel(), BINS**3).reshape(BINS, BINS, BINS)
    for axis in range(3):
        padded = np.pad(counts, [(1, 1) if axis == other else (0, 0) for other in range(3)])
        below, above = np.roll(padded, 1, axis), np.roll(padded, -1, axis)
        middle = [slice(1, -1) if axis == other else slice(None) for other in range(3)]
        counts = ((below + 2 * padded + above) / 4)[tuple(middle)]
    return np.asarray(counts.ravel() / weight.sum() + 2e-4)


def _paint(outlines: FloatArray, nuclei: Int32Array) -> Int32Array:
    """Cell numbers inside the outlines, (rows, columns) int32; overlaps go to the nearer nucleus."""
    cells = np.zeros(nuclei.shape, np.int32)
    nearest = _nearest(nuclei)[1] if len(outlines) > 1 else None
    for number, outline in enumerate(outlines, 1):
        filled = np.zeros(nuclei.shape, np.uint8)
        cv2.fillPoly(filled, [np.round(outline).astype(np.int32)], 1)
        take = filled > 0
        if nearest is not None:
            take &= (cells == 0) | (nearest == number)
        cells[take] = number
    cells[nuclei > 0] = nuclei[nuclei > 0]
    return cells


def _enlarge(numbers: Int32Array, shape: tuple[int, int]) -> Int32Array:
    size = (shape[1], shape[0])
    return np.asarray(cv2.resize(numbers, size, interpolation=cv2.INTER_NEAREST_EXACT), np.int32)
