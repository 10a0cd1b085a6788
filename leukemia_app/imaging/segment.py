"""Find white cells and their nuclei, by named methods."""

from dataclasses import dataclass

import numpy as np

from leukemia_app.errors import RecipeError
from leukemia_app.imaging.picture import BoolArray, Int32Array, UInt8Array
from leukemia_app.imaging.segment_clahe_otsu import clahe_otsu_mask
from leukemia_app.imaging.segment_stain import stain_cells

METHODS = ("none", "clahe_otsu", "stain")
NUCLEUS_METHODS = ("stain",)
"""Methods that tell nucleus from cytoplasm."""
CYTOPLASM_VALUE = 128
NUCLEUS_VALUE = 255
ROWS_AT_ONCE = 64
"""Places of pixels are listed for so many rows together: of a whole field they fill the memory."""


@dataclass(frozen=True, kw_only=True)
class Segmentation:
    """White cells and nuclei of one picture.

    `cells` is (rows, columns) int32: 0 background, 1..count one number a cell, nucleus included.
    `nucleus` is (rows, columns) bool, and lies inside the cells.
    """

    cells: Int32Array
    nucleus: BoolArray
    main: int
    """Number of the cell the picture is about: the large one nearest the centre; 0 if none."""
    method: str
    remarks: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        """How many cells were found."""
        return int(self.cells.max(initial=0))


def segment(pixels: UInt8Array, method: str) -> Segmentation:
    """Cells and nuclei found by `method` (`clahe_otsu`, `stain`) in (rows, columns, 3) uint8 RGB.

    `none` finds nothing and says so by an empty segmentation. The same pixels always give the
    same masks, in any thread.

    Raises:
        RecipeError: no method has that name.
    """
    # One value seen everywhere: empty masks of thousands of pictures should not be written.
    cells = np.broadcast_to(np.zeros((), np.int32), pixels.shape[:2])
    nucleus = np.broadcast_to(np.zeros((), bool), pixels.shape[:2])
    if method == "none":
        return Segmentation(cells=cells, nucleus=nucleus, main=0, method=method)
    if method == "clahe_otsu":
        cells = clahe_otsu_mask(pixels).astype(np.int32)
    elif method == "stain":
        cells, nucleus = stain_cells(pixels)
    else:
        raise RecipeError(f"segmentation method is {method!r}; use one of {', '.join(METHODS)}.")
    return Segmentation(cells=cells, nucleus=nucleus, main=main_cell(cells), method=method)


def main_cell(cells: Int32Array) -> int:
    """Number of the large cell nearest the centre; 0 if there is none.

    Each cell scores its area times exp(-(d / 0.25)²), d the distance of its centroid from the
    centre of the picture as a part of the picture's sides.
    """
    rows, columns = cells.shape
    n_numbers = int(cells.max(initial=0)) + 1
    areas, row_sums, column_sums = np.zeros((3, n_numbers))
    for top in range(0, rows, ROWS_AT_ONCE):
        part = cells[top : top + ROWS_AT_ONCE]
        row, column = np.nonzero(part)
        numbers = part[row, column]
        areas += np.bincount(numbers, minlength=n_numbers)
        row_sums += np.bincount(numbers, row + top, n_numbers)
        column_sums += np.bincount(numbers, column, n_numbers)
    if not areas.any():
        return 0
    known = np.maximum(areas, 1)
    away_rows = row_sums / known / rows - 0.5
    away_columns = column_sums / known / columns - 0.5
    away = (away_rows**2 + away_columns**2) / 0.25**2
    return int(np.argmax(areas * np.exp(-away)))


def to_mask(segmentation: Segmentation) -> UInt8Array:
    """(rows, columns) uint8: 0 background, 128 cytoplasm, 255 nucleus, over all cells."""
    mask = np.zeros(segmentation.cells.shape, np.uint8)
    mask[segmentation.cells > 0] = CYTOPLASM_VALUE
    mask[segmentation.nucleus] = NUCLEUS_VALUE
    return mask
