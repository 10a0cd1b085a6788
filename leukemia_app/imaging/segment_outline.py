"""Closed outlines round given centres: the cheapest way through polar samples."""

from dataclasses import dataclass

import cv2
import numpy as np

from leukemia_app.imaging.picture import FloatArray, Int32Array

AT_ONCE = 256
"""Outlines found together; OpenCV samples at most 32,767 rows, and a row is a ray."""
RAYS = 64
STEPS = 48
LARGEST_JUMP = 2
"""Steps that the radius may change from one ray to the next."""
JUMP_COST = 0.12
REGION_WEIGHT = 12.0
EDGE_WEIGHT = 0.35
FAR_COST = 0.5
FAR_FROM = 1.7
"""In radii of the nucleus; from here on each pixel costs."""
OUTSIDE_VALUE = -0.3
"""Evidence beyond the frame: rather no cell."""


@dataclass(frozen=True, kw_only=True)
class Seeds:
    """Where outlines start: one nucleus each."""

    centres: FloatArray
    """(n, 2), column and row of the middle of the nucleus's convex hull."""
    radii: FloatArray
    """(n,), radius of a circle with the hull's area."""
    reach: FloatArray
    """(n,), greatest radius an outline may have."""


def cheapest_outlines(
    evidence: FloatArray, edges: FloatArray, nuclei: Int32Array, seeds: Seeds
) -> FloatArray:
    """The best star-shaped outline round each seed, (n, RAYS, 2) float32 of column and row.

    `evidence` is (rows, columns), positive where a pixel looks like cell; `edges` is
    (rows, columns), 0 to 1; number i + 1 in `nuclei` belongs to seed i, others' nuclei are
    outside. Dynamic programming over radii, ray by ray, finds the least sum of region, edge and
    smoothness costs, so the result has no randomness.
    Source: after Amini, Weymouth, Jain 1990, IEEE PAMI 12, 855–867.
    """
    numbers = np.arange(len(seeds.radii), dtype=np.int32)
    batches = [numbers[start : start + AT_ONCE] for start in range(0, len(numbers), AT_ONCE)]
    return np.concatenate([_outlines(evidence, edges, nuclei, seeds, batch) for batch in batches])


def _outlines(
    evidence: FloatArray, edges: FloatArray, nuclei: Int32Array, seeds: Seeds, chosen: Int32Array
) -> FloatArray:
    """The outlines of the `chosen` seeds, (len(chosen), RAYS, 2)."""
    centres, radii, reach = seeds.centres[chosen], seeds.radii[chosen], seeds.reach[chosen]
    angles = np.arange(RAYS) * (2 * np.pi / RAYS)
    shares = (np.arange(STEPS) + 1) / STEPS
    radius = reach[:, None] * shares  # (n, steps)
    x = centres[:, 0, None, None] + np.cos(angles)[:, None] * radius[:, None, :]
    y = centres[:, 1, None, None] + np.sin(angles)[:, None] * radius[:, None, :]
    inside = _sample(evidence, x, y, cv2.INTER_LINEAR, OUTSIDE_VALUE)
    edge = _sample(edges, x, y, cv2.INTER_LINEAR, 0)
    owner = _sample(nuclei.astype(np.float32), x, y, cv2.INTER_NEAREST, 0)
    inside[(owner > 0) & (owner != chosen[:, None, None] + 1)] = -1.5
    far = np.clip(radius / radii[:, None] - FAR_FROM, 0, 2) * FAR_COST
    inside -= far[:, None, :].astype(np.float32)
    weight = shares / shares.mean() * (REGION_WEIGHT / STEPS)
    cost = -np.cumsum(inside * weight, axis=2) - EDGE_WEIGHT * edge  # (n, rays, steps)
    distance = reach[:, None] * shares[_closed_path(cost)]  # (n, rays)
    column = centres[:, 0, None] + np.cos(angles) * distance
    row = centres[:, 1, None] + np.sin(angles) * distance
    return np.stack([column, row], axis=-1).astype(np.float32)


def _sample(
    values: FloatArray, x: FloatArray, y: FloatArray, how: int, beyond: float
) -> FloatArray:
    """Values at (n, rays, steps) places."""
    flat = (-1, x.shape[-1])
    taken = cv2.remap(
        values,
        x.reshape(flat).astype(np.float32),
        y.reshape(flat).astype(np.float32),
        how,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=beyond,
    )
    return np.asarray(taken.reshape(x.shape), np.float32)


def _closed_path(cost: FloatArray) -> Int32Array:
    """One step a ray, (n, rays): the cheapest path, taken from the middle of one and a half turns.

    The path is free where it starts and ends; both ends are thrown away, so what stays closes.
    """
    count, rays, steps = cost.shape
    order = np.arange(rays + rays // 2) % rays
    by_ray = np.ascontiguousarray(cost.transpose(1, 2, 0))  # (rays, steps, n)
    # Least cost of all ways to each step, with a margin that no way comes from.
    total = np.full((len(order), steps + 2 * LARGEST_JUMP, count), 1e9, cost.dtype)
    inner = slice(LARGEST_JUMP, LARGEST_JUMP + steps)
    total[0, inner] = by_ray[order[0]]
    least, there = np.empty((2, steps, count), cost.dtype)
    for turn, ray in enumerate(order[1:], 1):
        before = total[turn - 1]
        least[:] = before[inner]
        for jump in range(1, LARGEST_JUMP + 1):
            below, above = (before[LARGEST_JUMP + way :][:steps] for way in (-jump, jump))
            np.minimum(below, above, out=there)
            there += JUMP_COST * jump
            np.minimum(least, there, out=least)
        np.add(least, by_ray[ray], out=total[turn, inner])
    return _way_back(total, order)


def _way_back(total: FloatArray, order: Int32Array) -> Int32Array:
    """Steps of the cheapest way, (n, rays); `total` is (turns, margin + steps + margin, n)."""
    rays, count = int(order.max()) + 1, total.shape[2]
    jumps = np.arange(-LARGEST_JUMP, LARGEST_JUMP + 1)[:, None]
    price = JUMP_COST * np.abs(jumps)
    quarter, cells = rays // 4, np.arange(count)
    closed = np.zeros((count, rays), np.int32)
    here = total[-1, LARGEST_JUMP:-LARGEST_JUMP].argmin(axis=0) + LARGEST_JUMP
    for turn in range(len(order) - 1, quarter - 1, -1):
        if turn < quarter + rays:
            closed[:, order[turn]] = here - LARGEST_JUMP
        best = (total[turn - 1][here + jumps, cells] + price).argmin(axis=0)
        here = here + best - LARGEST_JUMP
    return closed
