"""Optical density against the local background: the measure in which stain adds up."""

import cv2
import numpy as np

from leukemia_app.imaging.picture import BoolArray, FloatArray, UInt8Array

BLACK_BELOW = 20
"""Brightest channel of padding and of blanked fields; JPEG keeps them near black, not black."""
FLOOR = 8
"""Added to intensities before the logarithm, so that noise in the dark stays small."""
TOP_DENSITY = 3.0
SPREAD = 2.0
"""Widths of the background's peak at which likeness has fallen to half."""
NARROWEST = 0.012
WIDEST = 0.05
"""Bounds of that width, in density: noise of a clean and of a dirty film."""
PURPLE = (-0.35, 1.0, -0.8)
"""Weights of red, green, blue density that find nuclei: they take green light above all, red
cells blue light as well, and the grey-blue red cells of poor stains as much red as green."""
NUCLEAR = (0.25, 1.0, -1.2)
"""Weights that tell a nucleus from the granules and the cytoplasm beside it."""
GREY = (0.3, 0.4, 0.3)
"""Weights for pictures without colour."""


def black_surround(pixels: UInt8Array) -> BoolArray:
    """Near-black regions that reach the frame, (rows, columns) bool: padding or a blanked field."""
    red, green, blue = cv2.split(pixels)  # NumPy is far slower over an axis as short as that
    dark = (cv2.max(cv2.max(red, green), blue) < BLACK_BELOW).astype(np.uint8)
    ringed = cv2.copyMakeBorder(dark, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=1)
    _, regions = cv2.connectedComponents(ringed, connectivity=4)
    return np.asarray((regions == regions[0, 0])[1:-1, 1:-1])


def optical_density(pixels: UInt8Array, valid: BoolArray) -> FloatArray:
    """Natural-log density of red, green, blue against the background, about 0 to 3.

    (rows, columns, 3) float32, 0 where not `valid`. The background is a second-degree surface
    through the bright pixels, so uneven light and colour casts go.
    Source: Ruifrok & Johnston 2001 (density); asymmetric least squares after Eilers & Boelens 2005.
    """
    light = np.log(pixels.astype(np.float32) + FLOOR)
    density = background_light(pixels, valid) - light
    density = cv2.GaussianBlur(density, (0, 0), 0.8)
    density = np.clip(density, -0.2, TOP_DENSITY)
    density[~valid] = 0
    return np.asarray(density, np.float32)


def background_light(pixels: UInt8Array, valid: BoolArray) -> FloatArray:
    """Log of what an empty place of the film would show, (rows, columns, 3) float32."""
    rows, columns = valid.shape
    step = max(1, max(rows, columns) // 64)
    size = (max(8, columns // step), max(8, rows // step))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    kept = cv2.resize(valid.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0.98
    if kept.sum() < 16:
        kept = np.ones(kept.shape, bool)
    light = np.log(small.astype(np.float64) + FLOOR)[kept]  # (points, 3)
    terms = _terms(*kept.shape)[kept]  # (points, 6)
    surface = (_terms(*kept.shape) @ _upper_surface(terms, light)).astype(np.float32)
    return np.asarray(cv2.resize(surface, (columns, rows), interpolation=cv2.INTER_LINEAR))


def background_likeness(density: FloatArray, valid: BoolArray) -> FloatArray:
    """How well each pixel fits empty background, (rows, columns) float32, 0 to 1.

    The width of the background's peak is measured on its bright side, where no stain is.
    """
    squares = np.zeros(valid.shape, np.float32)
    for channel in range(3):
        mode, width = _background_peak(density[..., channel][valid])
        squares += ((density[..., channel] - mode) / width) ** 2
    return np.asarray(np.clip(1.5 - np.sqrt(squares / 3) / SPREAD, 0, 1), np.float32)


def _background_peak(values: FloatArray) -> tuple[float, float]:
    """Place and width of the background's peak in the densities of one channel."""
    counts, edges = np.histogram(values, 120, (-0.2, 1.0))
    counts = np.convolve(counts, (1, 2, 3, 2, 1), "same")
    peak = int(counts[:40].argmax())  # densities up to 0.2: denser peaks are cells
    mode = float(edges[peak] + edges[peak + 1]) / 2
    bright = np.minimum(mode - values[values < mode], 0.2)
    width = float(np.sqrt(np.mean(bright**2))) if bright.size > 50 else 0.04
    return mode, min(max(width, NARROWEST), WIDEST)


def stain_density(density: FloatArray, weights: tuple[float, float, float]) -> FloatArray:
    """One stain's share of the density by its channel `weights`, (rows, columns) float32."""
    return np.asarray(density @ np.array(weights, np.float32), np.float32)


def _upper_surface(terms: FloatArray, light: FloatArray) -> FloatArray:
    """Coefficients (6, 3) of the surface that the bright points lie on."""
    brightness = light.mean(axis=1)
    weight = np.where(brightness >= np.quantile(brightness, 0.6), 1, 0.02)
    ridge = np.diag([0, 0.02, 0.02, 0.05, 0.05, 0.05]) * len(terms)
    for _ in range(12):
        weighted = terms * weight[:, None]
        surface = np.linalg.solve(weighted.T @ terms + ridge * weight.mean(), weighted.T @ light)
        over = light - terms @ surface
        over = (over[:, 0] + over[:, 1] + over[:, 2]) / 3
        # Glints lie above the background and must not lift it.
        weight = np.where(over > -0.03, np.exp(-np.maximum(over - 0.1, 0) / 0.1), 0.02)
    return np.asarray(surface)


def _terms(rows: int, columns: int) -> FloatArray:
    """1, x, y, x², xy, y² at each pixel, x and y from -1 to 1; (rows, columns, 6)."""
    row, column = np.mgrid[0:rows, 0:columns]
    y, x = row / rows * 2 - 1, column / columns * 2 - 1
    return np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=-1)
