"""Outlines and textures of drawn cells, in micrometres on a grid of points.

An outline is a depth: (rows, columns) float32, how many micrometres a point lies inside; negative
outside. Depths are joined and cut like solids, and turned into coverage at the end.
"""

from collections.abc import Sequence

import cv2
import numpy as np

from leukemia_app.imaging.picture import FloatArray


def waves(
    rng: np.random.Generator, first: int, last: int, strength: float
) -> tuple[tuple[int, float, float], ...]:
    """Random terms (order, amplitude, phase) of a radius; long waves are the strongest."""
    return tuple(
        (order, float(rng.normal(0, strength * (first / order) ** 1.7)), float(rng.uniform(0, 6.3)))
        for order in range(first, last + 1)
    )


def star(
    y: FloatArray, x: FloatArray, radius_um: float, terms: Sequence[tuple[int, float, float]] = ()
) -> FloatArray:
    """Depth of a closed curve round the origin whose radius is a short Fourier series."""
    angle = np.arctan2(y, x)
    edge = np.full_like(y, radius_um)
    for order, amplitude, phase in terms:
        edge += np.float32(radius_um * amplitude) * np.cos(order * angle + np.float32(phase))
    return edge - np.hypot(y, x)


def capsule(
    y: FloatArray, x: FloatArray, ends: Sequence[tuple[float, float]], half_um: float
) -> FloatArray:
    """Depth of a thread of half width `half_um` between two (y, x) points."""
    (y0, x0), (y1, x1) = ends
    dy, dx = y1 - y0, x1 - x0
    along = np.clip(((y - y0) * dy + (x - x0) * dx) / max(dy * dy + dx * dx, 1e-6), 0, 1)
    return np.float32(half_um) - np.hypot(y - y0 - along * dy, x - x0 - along * dx)


def join(first: FloatArray, second: FloatArray, soft_um: float) -> FloatArray:
    """Depth of the union, its inner corners rounded over `soft_um`.

    Source: the polynomial smooth minimum of Inigo Quilez, Smooth minimum (2013).
    """
    blend = np.maximum(soft_um - np.abs(first - second), 0) / np.float32(soft_um)
    joined: FloatArray = np.maximum(first, second) + blend * blend * np.float32(soft_um / 4)
    return joined


def cut(first: FloatArray, second: FloatArray, soft_um: float) -> FloatArray:
    """Depth of `first` without `second`, corners rounded over `soft_um`."""
    return -join(-first, second, soft_um)


def coverage(depth: FloatArray, soft_um: float) -> FloatArray:
    """Share of a point that is covered, 0 to 1: a smooth step, a half at depth 0."""
    step = np.clip(depth / np.float32(soft_um) + np.float32(0.5), 0, 1)
    share: FloatArray = step * step * (3 - 2 * step)
    return share


def grain(shape: tuple[int, int], sigma_px: float, rng: np.random.Generator) -> FloatArray:
    """Smooth random texture, (rows, columns) float32, mean 0 and standard deviation about 1.

    White noise blurred by a Gaussian; wide blurs are made on a coarse grid, to be quick.
    """
    coarse = max(1, int(sigma_px / 2))
    rows, columns = (-(-side // coarse) + 1 for side in shape)
    white = rng.standard_normal((rows, columns), dtype=np.float32)
    sigma = max(sigma_px / coarse, 0.3)
    smooth = cv2.GaussianBlur(white, (0, 0), sigma, borderType=cv2.BORDER_REFLECT_101)
    smooth *= np.float32(max(2 * np.sqrt(np.pi) * sigma, 1.0))
    if coarse > 1:
        size = (columns * coarse, rows * coarse)
        smooth = cv2.resize(smooth, size, interpolation=cv2.INTER_CUBIC)
    result: FloatArray = smooth[: shape[0], : shape[1]]
    return result


def spots(
    room: FloatArray, per_um2: float, radius_um: float, px_per_um: float, rng: np.random.Generator
) -> FloatArray:
    """Random round spots, (rows, columns) float32 from 0, about 1 in the middle of each.

    `room` is 0 to 1: how likely a spot is at each point.
    """
    radius_px = radius_um * px_per_um
    chance = room * np.float32(per_um2 / px_per_um**2)
    hits = (rng.random(room.shape, dtype=np.float32) < chance).astype(np.float32)
    hits *= rng.uniform(0.6, 1.3, room.shape).astype(np.float32)
    reach = max(1, int(np.ceil(radius_px + 1)))
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1].astype(np.float32)
    disc = np.clip(np.float32(radius_px + 0.5) - np.hypot(y, x), 0, 1)
    laid = cv2.filter2D(hits, cv2.CV_32F, disc, borderType=cv2.BORDER_CONSTANT)
    result: FloatArray = 1.5 * (1 - np.exp(-laid))
    return result
