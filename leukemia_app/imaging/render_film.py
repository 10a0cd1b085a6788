"""The film on the slide as stacked absorbing layers, and the camera that photographs it."""

from dataclasses import dataclass

import cv2
import numpy as np

from leukemia_app.imaging.picture import BoolArray, FloatArray, Int32Array, UInt8Array
from leukemia_app.imaging.render_looks import Look
from leukemia_app.imaging.render_shapes import grain

Span = tuple[slice, slice]
Point = tuple[float, float]
"""y and x on the slide, in micrometres."""
Circle = tuple[Point, float]
"""Middle and radius, in micrometres."""


@dataclass(frozen=True, kw_only=True)
class Film:
    """What lies on the slide, on a grid finer than the picture; painters add to its arrays.

    `density` is (rows, columns, 3) float32 optical density in red, green and blue; `thickness`
    (rows, columns) float32, for refraction; `red` (rows, columns) float32 the red cells in units
    of the thickest part of one; `cells` and `nucleus` are the truth so far.
    """

    density: FloatArray
    thickness: FloatArray
    red: FloatArray
    cells: Int32Array
    nucleus: BoolArray
    px_per_um: float
    """Grid points a micrometre."""
    finer: int
    """Grid points a picture pixel, odd, so that one lies in each pixel's middle."""

    @classmethod
    def empty(cls, rows_px: int, columns_px: int, px_per_um: float) -> "Film":
        """Clean glass for a picture of that size; `px_per_um` counts picture pixels."""
        finer = 3 if px_per_um < 5 else 1
        shape = (rows_px * finer, columns_px * finer)
        return cls(
            density=np.zeros((*shape, 3), np.float32),
            thickness=np.zeros(shape, np.float32),
            red=np.zeros(shape, np.float32),
            cells=np.zeros(shape, np.int32),
            nucleus=np.zeros(shape, np.bool_),
            px_per_um=px_per_um * finer,
            finer=finer,
        )

    @property
    def size_um(self) -> tuple[float, float]:
        """Height and width in micrometres."""
        rows, columns = self.cells.shape
        return rows / self.px_per_um, columns / self.px_per_um

    def around(
        self, centre_um: Point, reach_um: float
    ) -> tuple[Span, FloatArray, FloatArray] | None:
        """The grid within `reach_um` of a point: where, and y and x from it in micrometres.

        None where no grid point is near.
        """
        spans, axes = [], []
        for centre, side in zip(centre_um, self.cells.shape, strict=True):
            first = max(0, int(np.floor((centre - reach_um) * self.px_per_um)))
            last = min(side, int(np.ceil((centre + reach_um) * self.px_per_um)))
            if last <= first:
                return None
            spans.append(slice(first, last))
            axes.append((np.arange(first, last) + 0.5) / self.px_per_um - centre)
        y, x = np.meshgrid(axes[0].astype(np.float32), axes[1].astype(np.float32), indexing="ij")
        return (spans[0], spans[1]), y, x

    def truth(self) -> tuple[Int32Array, BoolArray]:
        """Cells and nucleus at the middle of each picture pixel, cells numbered without a gap."""
        middle = slice(self.finer // 2, None, self.finer)
        cells, nucleus = self.cells[middle, middle], self.nucleus[middle, middle].copy()
        seen = np.unique(cells[cells > 0])
        numbers = np.zeros(int(self.cells.max()) + 1, np.int32)
        numbers[seen] = np.arange(1, len(seen) + 1)
        return numbers[cells], nucleus


def photograph(film: Film, look: Look, rng: np.random.Generator) -> UInt8Array:
    """The film as a camera sees it, (rows, columns, 3) uint8 RGB.

    Light falls off by 10 to the minus the summed densities (Beer and Lambert), bends at edges
    out of focus and is blurred by the lens; the camera sharpens it and adds noise.
    Source of the bending: the transport of intensity equation, Teague 1983.
    """
    rows, columns = (side // film.finer for side in film.cells.shape)
    seen = _through_lens(_transmitted(film, look), film, look, rng)
    seen = cv2.resize(seen, (columns, rows), interpolation=cv2.INTER_AREA)
    seen += np.float32(look.sharpen) * (seen - cv2.GaussianBlur(seen, (0, 0), 0.9))
    seen = seen * _lamp(rows, columns, look, rng)
    shot = rng.standard_normal(seen.shape, dtype=np.float32) * np.sqrt(np.maximum(seen, 1) / 255)
    seen = seen + np.float32(look.noise) * cv2.GaussianBlur(shot, (0, 0), 0.45)
    seen = seen + np.float32(look.noise / 4) * rng.standard_normal(seen.shape, dtype=np.float32)
    result: UInt8Array = np.clip(np.rint(seen), 0, 255).astype(np.uint8)
    return result


def _transmitted(film: Film, look: Look) -> FloatArray:
    """Share of the light that the film lets through, (rows, columns, 3) float32."""
    red = film.red[..., None] * np.array(look.red_cell, np.float32)
    light: FloatArray = np.power(np.float32(10), -(film.density + red))
    if look.refraction:
        sigma = 0.35 * film.px_per_um
        smooth = cv2.GaussianBlur(film.thickness + film.red, (0, 0), sigma)
        bend = cv2.Laplacian(smooth, cv2.CV_32F, ksize=3) * np.float32(film.px_per_um**2)
        light *= np.clip(1 + np.float32(look.refraction / 4) * bend, 0.6, 1.4)[..., None]
    return light


def _through_lens(
    light: FloatArray, film: Film, look: Look, rng: np.random.Generator
) -> FloatArray:
    """Light after the lens: red and blue lie a little aside, and blue is the least sharp."""
    sigma = max(0.1, float(np.hypot(look.blur_um * film.px_per_um, look.blur_px * film.finer)))
    turn = float(rng.uniform(0, 2 * np.pi))
    aside = look.fringe_um * film.px_per_um
    planes = []
    for plane, (wider, side) in enumerate(((1.05, -aside), (0.95, 0.0), (1.2, aside))):
        move = np.array([[1, 0, side * np.cos(turn)], [0, 1, side * np.sin(turn)]])
        blurred = cv2.GaussianBlur(light[..., plane].copy(), (0, 0), sigma * wider)
        size = blurred.shape[::-1]
        planes.append(cv2.warpAffine(blurred, move, size, borderMode=cv2.BORDER_REFLECT))
    seen: FloatArray = cv2.merge(planes)
    return seen


def _lamp(rows: int, columns: int, look: Look, rng: np.random.Generator) -> FloatArray:
    """Light that reaches each pixel, (rows, columns, 3) float32: brightest off the middle."""
    peak_y, peak_x = rng.uniform(0.3, 0.7, 2)
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float32)
    away = ((y / rows - peak_y) ** 2 + (x / columns - peak_x) ** 2) / np.float32(
        max(peak_y, 1 - peak_y) ** 2 + max(peak_x, 1 - peak_x) ** 2
    )
    cloud = grain((rows, columns), max(rows, columns) / 4, rng) * np.float32(look.uneven * 0.08)
    fall = 1 - np.float32(look.uneven) * away + cloud
    # The edge of the lamp's field is a little bluer than its middle.
    cool = np.stack([fall, fall, fall + np.float32(look.uneven * 0.3) * away], axis=-1)
    lamp: FloatArray = np.maximum(cool, 0) * np.array(look.light, np.float32)
    return lamp
