"""Draw on pictures: outlines of cells and nuclei, where a score reacts, sizes for the screen."""

import cv2
import numpy as np

from leukemia_app.imaging.morphology import Points, Window, cell_windows, outlines
from leukemia_app.imaging.picture import BoolArray, FloatArray, UInt8Array
from leukemia_app.imaging.segment import Segmentation

CELL_COLOUR = (91, 75, 154)
"""The page's accent, a Giemsa violet; its white halo shows it on dark and violet grounds too."""
HALO_COLOUR = (255, 255, 255)
NUCLEUS_COLOUR = (230, 159, 0)
"""Orange of Okabe & Ito (2008): apart from violet and blue also without red or green vision."""

LINE_PER_SIDE = 1 / 400
"""Line width as a part of the longest side: about 1 px on a cell image, 3 px on a large field."""
SUBPIXEL_BITS = 4


def outline(pixels: UInt8Array, segmentation: Segmentation) -> UInt8Array:
    """The picture with every cell and nucleus outlined, uint8 RGB of the same size.

    Cells are violet with a white halo, the main one stronger; nuclei are orange. `pixels` is
    (rows, columns, 3) uint8 RGB and stays unchanged. It may be the segmented picture at another
    size, as from `fit_for_screen`: outlines are scaled with it, and lines stay thin.
    """
    drawn = np.ascontiguousarray(pixels).copy()
    thin = _line_width(max(pixels.shape[:2]))
    rows, columns = segmentation.cells.shape
    scale = np.array((pixels.shape[1] / columns, pixels.shape[0] / rows), np.float32)
    windows = list(cell_windows(segmentation))
    drawn_cells = [
        (_placed(segmentation.cells[window] == number, window, scale), number)
        for number, window in windows
    ]
    for colour, around in ((HALO_COLOUR, thin + 1), (CELL_COLOUR, 0)):
        for lines, number in drawn_cells:
            line = thin + 2 if number == segmentation.main else thin
            _draw(drawn, lines, colour, line + around)
    for number, window in windows:
        nucleus = segmentation.nucleus[window] & (segmentation.cells[window] == number)
        _draw(drawn, _placed(nucleus, window, scale), NUCLEUS_COLOUR, thin)
    return drawn


def heat_overlay(pixels: UInt8Array, heat: FloatArray, strength: float) -> UInt8Array:
    """The picture under a viridis map of the heat, uint8 RGB of the same size.

    `heat` is (rows, columns) float32, 0 to 1, of any size; it is stretched over the picture.
    Each pixel is covered by strength times heat: where the heat is 0, and everywhere at strength
    0, the picture stays as it is; heat 1 at strength 1 is plain yellow.

    Source: viridis of Smith & van der Walt (2015), even in lightness and safe without red or
    green vision.

    Raises:
        ValueError: heat or strength leave 0 to 1.
    """
    if not 0 <= strength <= 1:
        raise ValueError(f"strength is {strength}; use 0 to 1.")
    rows, columns = pixels.shape[:2]
    level = _stretched(heat, rows, columns)
    colours = cv2.applyColorMap(np.rint(level * 255).astype(np.uint8), cv2.COLORMAP_VIRIDIS)
    cover = (np.float32(strength) * level)[..., None]
    blend = pixels + cover * (colours[..., ::-1].astype(np.float32) - pixels)
    covered: UInt8Array = np.rint(blend).astype(np.uint8)
    return covered


def share_inside(heat: FloatArray, mask: BoolArray) -> float | None:
    """Part of the heat that lies inside the mask, 0 to 1; None where there is no heat at all.

    `heat` is (rows, columns) float32, 0 to 1, and is stretched to the mask's size.

    Raises:
        ValueError: heat leaves 0 to 1.
    """
    level = _stretched(heat, *mask.shape).astype(np.float64)
    total = float(level.sum())
    return float(level[mask].sum()) / total if total else None


def thumbnail(pixels: UInt8Array, longest_px: int) -> UInt8Array:
    """The picture with its longest side at most `longest_px`, by averaging; never enlarged."""
    rows, columns = pixels.shape[:2]
    shrink = longest_px / max(rows, columns)
    if shrink >= 1:
        return pixels
    size = (max(1, round(columns * shrink)), max(1, round(rows * shrink)))
    small: UInt8Array = cv2.resize(np.ascontiguousarray(pixels), size, interpolation=cv2.INTER_AREA)
    return small


def fit_for_screen(pixels: UInt8Array, max_px: int) -> UInt8Array:
    """The picture with its longest side at most `max_px`, small ones enlarged 2, 3, 4 … times.

    Lines drawn on an enlarged cell image are thin and smooth, where the browser would blur them.
    """
    times = max_px // max(pixels.shape[:2])
    if times < 2:
        return thumbnail(pixels, max_px)
    size = (pixels.shape[1] * times, pixels.shape[0] * times)
    large: UInt8Array = cv2.resize(
        np.ascontiguousarray(pixels), size, interpolation=cv2.INTER_CUBIC
    )
    return large


def _line_width(longest_px: int) -> int:
    """Width of a thin line, in pixels; odd, so that it lies evenly on the outline."""
    return 1 + 2 * round(max(0, longest_px * LINE_PER_SIDE - 1) / 2)


def _placed(mask: BoolArray, window: Window, scale: Points) -> list[Points]:
    """Outlines of the mask in that window, in pixels of the drawn picture."""
    corner = np.array([window[1].start, window[0].start], np.float32)
    half = np.float32(0.5)
    return [(points + corner + half) * scale - half for points in outlines(mask)]


def _draw(drawn: UInt8Array, lines: list[Points], colour: tuple[int, int, int], width: int) -> None:
    fixed = [np.rint(line * 2**SUBPIXEL_BITS).astype(np.int32)[:, None] for line in lines]
    # Measured: OpenCV's smooth lines come out 1 wider than asked for at 2, and 2 wider from 3 on.
    asked = {1: 1, 3: 2}.get(width, width - 2)
    cv2.polylines(drawn, fixed, True, colour, asked, cv2.LINE_AA, SUBPIXEL_BITS)


def _stretched(heat: FloatArray, rows: int, columns: int) -> FloatArray:
    if not (heat.min() >= 0 and heat.max() <= 1):  # so written, NaN is refused too
        raise ValueError(f"heat runs from {heat.min()} to {heat.max()}; scale it to 0 to 1.")
    if heat.shape == (rows, columns):
        return heat
    level: FloatArray = cv2.resize(heat, (columns, rows), interpolation=cv2.INTER_LINEAR)
    return level
