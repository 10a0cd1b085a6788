"""What a page lays over a picture: outlines as lines, the heat as a translucent picture."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from leukemia_app.imaging.morphology import cell_windows
from leukemia_app.imaging.picture import BoolArray, FloatArray, UInt8Array
from leukemia_app.imaging.segment import Segmentation

Line = NDArray[np.float64]

TOLERANCE = 1 / 1500
"""How far a line may lie from the outline, as a part of the picture's longest side."""


@dataclass(frozen=True, kw_only=True)
class Contours:
    """Closed lines round cells and nuclei of a picture of `rows` x `columns` pixels.

    Each line is (n_points, 2) float64, x and y from the picture's upper left corner.
    """

    rows: int
    columns: int
    count: int
    """Cells found; a cell in pieces has several lines."""
    main: tuple[Line, ...]
    """The cell the picture is about."""
    others: tuple[Line, ...]
    nuclei: tuple[Line, ...]


def contours(segmentation: Segmentation) -> Contours:
    """The outer outlines of every cell and nucleus."""
    rows, columns = segmentation.cells.shape
    tolerance = max(rows, columns) * TOLERANCE
    main: list[Line] = []
    others: list[Line] = []
    nuclei: list[Line] = []
    for number, window in cell_windows(segmentation):
        cell = segmentation.cells[window] == number
        found = main if number == segmentation.main else others
        found.extend(_lines(cell, window, tolerance))
        nuclei.extend(_lines(segmentation.nucleus[window] & cell, window, tolerance))
    return Contours(
        rows=rows,
        columns=columns,
        count=segmentation.count,
        main=tuple(main),
        others=tuple(others),
        nuclei=tuple(nuclei),
    )


def heat_layer(heat: FloatArray, longest_px: int = 256) -> UInt8Array:
    """The heat as a viridis picture as opaque as it is hot, (rows, columns, 4) uint8 RGBA.

    Laid over a picture at an opacity, it is `heat_overlay` at that strength. `heat` is
    (rows, columns) float32, 0 to 1; it is shrunk to `longest_px`, as it is smooth.
    """
    rows, columns = heat.shape
    shrink = min(1, longest_px / max(rows, columns))
    size = (max(1, round(columns * shrink)), max(1, round(rows * shrink)))
    level = np.rint(cv2.resize(heat, size, interpolation=cv2.INTER_AREA) * 255).astype(np.uint8)
    colours = cv2.applyColorMap(level, cv2.COLORMAP_VIRIDIS)[..., ::-1]
    return np.dstack([colours, level])


def _lines(mask: BoolArray, window: tuple[slice, slice], tolerance: float) -> list[Line]:
    found, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    corner = np.array([window[1].start, window[0].start])
    lines = []
    for contour in found:
        points = contour.reshape(-1, 2) + corner + 0.5
        smooth = (np.roll(points, 1, axis=0) + 2 * points + np.roll(points, -1, axis=0)) / 4
        line = cv2.approxPolyDP(smooth.astype(np.float32), tolerance, closed=True)
        if len(line) > 2:
            lines.append(line.reshape(-1, 2).astype(np.float64))
    return lines
