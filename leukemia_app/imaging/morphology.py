"""Measure segmented white cells: size, nucleus, stain; no network.

Every definition, threshold and source is written out in docs/method.md, "Morphology".
"""

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from leukemia_app.imaging.picture import BoolArray, FloatArray, UInt8Array
from leukemia_app.imaging.segment import Segmentation

Points = NDArray[np.float32]
Window = tuple[slice, slice]

SMOOTHING = np.array([1, 6, 15, 20, 15, 6, 1], np.float32) / 64
"""Weights of an outline point's neighbours: without them a digital disc has a rim 5 % too long."""

NECK = 0.75
"""Two lobes are joined by a neck narrower than this part of the narrower lobe."""
SPECK = 1 / 3
"""A piece or lobe narrower than this part of the widest one is a speck, not a lobe."""
WIDTH_LEVELS = 50
"""Steps in which widths are compared, as parts of the widest: 2 % each."""

SCANT = 0.7
ABUNDANT = 0.5
"""N:C from which the cytoplasm is scant, and under which it is abundant."""
ROUND = 0.85
INDENTED = 0.92
"""Roundness from which a nucleus is round, and solidity under which it is indented."""

GREY_CHROMA = 10.0
HUES = ((30, "pink"), (90, "orange"), (200, "green"), (305, "blue"), (335, "violet"), (360, "pink"))
"""CIELAB hue angle up to which a word holds, in degrees; under GREY_CHROMA all is grey."""

LIGHT_QUANTILE = 0.95
DARKEST_LIGHT = 128
"""A background darker than this is no light: masked or empty pictures are measured from 255."""


@dataclass(frozen=True, kw_only=True)
class Stain:
    """How much light a part of the cell holds back, and the word for its colour."""

    optical_density: tuple[float, float, float]
    """Mean of -log10(value / background) for red, green and blue; 0 is as clear as the glass."""
    hue: str
    """`violet`, `blue`, `pink`, `orange`, `green` or `grey`, of that mean seen on white."""


@dataclass(frozen=True, kw_only=True)
class CellMeasures:
    """Measures of one cell; what cannot be measured is None, never 0."""

    number: int
    """The cell's number in the segmentation."""
    area_px: int
    """Pixels of the cell, nucleus included."""
    diameter_px: float
    """Diameter of the disc of the same area, in pixels."""
    diameter_um: float | None
    """The same in micrometres; None where the scale is not known."""
    nucleus_area_px: int
    """Pixels of the nucleus; 0 where none was found."""
    nc_ratio: float | None
    """N:C as nucleus area / cell area, 0 to 1; None without a nucleus."""
    roundness: float
    """4π area / perimeter² of the cell: 1 for a disc, π/4 for a square."""
    nucleus_roundness: float | None
    """The same for the nucleus, all its pieces together."""
    solidity: float | None
    """Area of the nucleus / area of its convex hull: 1 without any dent."""
    lobes: int | None
    """Parts of the nucleus joined by narrow necks or not at all."""
    nucleus_stain: Stain | None
    """Stain of the nucleus; None without one."""
    cytoplasm_stain: Stain | None
    """Stain of the cell outside the nucleus; None where the nucleus fills the cell."""
    border: bool
    """Whether the cell touches the picture's edge: its area is then a lower bound."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON, in the order of the fields."""
        return asdict(self)


def measure_cells(
    pixels: UInt8Array, segmentation: Segmentation, um_per_px: float | None = None
) -> tuple[CellMeasures, ...]:
    """Measures of every cell, in the order of their numbers; numbers without pixels are left out.

    `pixels` is (rows, columns, 3) uint8 RGB, the picture that was segmented; `um_per_px` is the
    side of one pixel in micrometres, where known.

    Raises:
        ValueError: picture and segmentation differ in size, or the scale is not positive.
    """
    if pixels.shape[:2] != segmentation.cells.shape:
        raise ValueError(
            f"the picture is {pixels.shape[:2]}, its segmentation {segmentation.cells.shape}."
        )
    if um_per_px is not None and not 0 < um_per_px < math.inf:
        raise ValueError(f"um_per_px is {um_per_px}; use a number above 0, or None.")
    pixels = np.ascontiguousarray(pixels)  # OpenCV refuses mirrored views
    density = _density_table(_background(pixels, segmentation.cells == 0))
    return tuple(
        _measure(pixels, segmentation, number, window, density, um_per_px)
        for number, window in cell_windows(segmentation)
    )


def describe(measures: CellMeasures) -> tuple[str, ...]:
    """The measures in a haematologist's words, one phrase each, with their numbers."""
    phrases = [_size_words(measures)]
    if measures.nc_ratio is None or measures.lobes is None:
        phrases.append("no nucleus found")
    else:
        phrases.append(
            f"{_cytoplasm_word(measures.nc_ratio)} cytoplasm (N:C {measures.nc_ratio:.2f})"
        )
        phrases.append(
            f"{_nucleus_word(measures)} nucleus, "
            f"{measures.lobes} lobe{'s' if measures.lobes > 1 else ''}"
        )
    stains = (("nucleus", measures.nucleus_stain), ("cytoplasm", measures.cytoplasm_stain))
    if named := [f"{part} {stain.hue}" for part, stain in stains if stain is not None]:
        phrases.append(", ".join(named))
    if measures.border:
        phrases.append("cut by the picture's edge: size is a lower bound")
    return tuple(phrases)


def outlines(mask: BoolArray) -> list[Points]:
    """Smooth outer outlines of the mask's pieces, each (n_points, 2) x and y of pixel centres."""
    found, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    reach = len(SMOOTHING) // 2
    smooth = []
    for contour in found:
        points = contour.reshape(-1, 2)
        around = points[np.arange(-reach, len(points) + reach) % len(points)].astype(np.float32)
        smooth.append(
            np.stack([np.convolve(line, SMOOTHING, mode="valid") for line in around.T], axis=1)
        )
    return smooth


def area_and_perimeter(mask: BoolArray) -> tuple[float, float]:
    """Area and perimeter within the outer outlines of the mask, holes filled, in pixels.

    The smooth outlines run through pixel centres, so each is widened by half a pixel:
    area + length / 2 + π/4, and length + π. Discs of 15 pixels' radius or more come out within
    0.5 % on average; a square of 80 pixels 1 % short, its corners being rounded.

    Source: Steiner's formula for parallel bodies. Smoothed, because the chain of pixels itself
    stays too long however fine the picture is: Coeurjolly & Klette (2004), IEEE PAMI 26, 252-258.
    """
    area = length = 0.0
    for points in outlines(mask):
        along = float(cv2.arcLength(points, closed=True))
        area += float(cv2.contourArea(points)) + along / 2 + math.pi / 4
        length += along + math.pi
    return area, length


def roundness(mask: BoolArray) -> float:
    """4π area / perimeter² of the mask: 1 for a disc, less for any other shape.

    The mask holds at least one pixel; its holes are filled, its pieces are taken together.

    Source: Cox (1927), Journal of Paleontology 1, 179-183; area and perimeter as above, of one
    and the same outline, so that it never passes 1.
    """
    area, length = area_and_perimeter(mask)
    return 4 * math.pi * area / length**2


def solidity(mask: BoolArray) -> float:
    """Pixels of the mask / pixels whose centres its convex hull holds, in (0, 1].

    The mask holds at least one pixel; a digitally convex one has exactly 1, whatever its size.
    The hull's pixels are counted by Pick's theorem, area + edge points / 2 + 1.

    Source: Kim & Rosenfeld (1982), IEEE PAMI 4, 149-153, for digital convexity.
    """
    # The first and the last pixel of every row: all that a hull can touch. Round all pixels of a
    # net across 8,000 x 8,000, a file of 0.9 MB, it took most of a minute.
    rows = np.flatnonzero(mask.any(axis=1))
    first = mask[rows].argmax(axis=1)
    last = mask.shape[1] - 1 - mask[rows, ::-1].argmax(axis=1)
    ends = np.stack([np.concatenate([first, last]), np.concatenate([rows, rows])], axis=1)
    hull = cv2.convexHull(ends.astype(np.int32)).reshape(-1, 2)  # (n_corners, 2)
    steps = np.abs(np.roll(hull, -1, axis=0) - hull)
    on_edge = int(np.gcd(steps[:, 0], steps[:, 1]).sum())
    return int(np.count_nonzero(mask)) / (float(cv2.contourArea(hull)) + on_edge / 2 + 1)


def count_lobes(mask: BoolArray) -> int:
    """Lobes of a nucleus; a piece that stands apart is one or more, unless it is a speck.

    A lobe is a peak of the half width (the distance to the outside) that is cut off from every
    higher peak by a neck narrower than `NECK` times its own width. The mask holds at least one
    pixel.
    """
    padded = np.pad(mask.astype(np.uint8), 1)
    width = cv2.distanceTransform(padded, cv2.DIST_L2, cv2.DIST_MASK_PRECISE) - 0.5
    widest = float(width.max())
    summit = (cv2.dilate(width, np.ones((3, 3), np.uint8)) == width) & (width >= SPECK * widest)
    rows, columns = np.nonzero(summit)
    # Few levels, so that a ragged mask with a summit at every pixel costs no more than others.
    levels = np.floor(width[rows, columns] / widest * WIDTH_LEVELS).astype(np.int64)
    lobes = 0
    for level in np.unique(levels)[::-1].tolist():
        wide = (width >= NECK * widest * level / WIDTH_LEVELS).astype(np.uint8)
        n_parts, parts = cv2.connectedComponents(wide, connectivity=8)
        part_of = parts[rows, columns]
        has_new_summit = np.zeros(n_parts, np.bool_)
        has_new_summit[part_of[levels == level]] = True
        has_new_summit[part_of[levels > level]] = False
        lobes += int(np.count_nonzero(has_new_summit))
    return lobes


def hue_word(optical_density: tuple[float, float, float]) -> str:
    """The word for the colour of this red, green and blue optical density on a white background.

    Source: hue angle and chroma of CIE 15 (CIELAB, D65); the words' limits are ours.
    """
    colour = np.power(10, -np.array(optical_density, np.float32)).reshape(1, 1, 3)
    _, a, b = cv2.cvtColor(colour, cv2.COLOR_RGB2LAB)[0, 0].tolist()
    if math.hypot(a, b) < GREY_CHROMA:
        return "grey"
    angle = math.degrees(math.atan2(b, a)) % 360
    return next(word for limit, word in HUES if angle <= limit)


def cell_windows(segmentation: Segmentation) -> Iterator[tuple[int, Window]]:
    """Each cell's number and the rows and columns that it spans."""
    cells = segmentation.cells
    n_rows, n_columns = cells.shape
    in_row = np.zeros((n_rows, segmentation.count + 1), np.bool_)
    in_column = np.zeros((n_columns, segmentation.count + 1), np.bool_)
    across = np.arange(n_columns)
    for row, numbers in enumerate(cells):  # row by row: indices of a whole field fill the memory
        in_row[row, numbers] = True
        in_column[across, numbers] = True
    for number in np.flatnonzero(in_row.any(axis=0)).tolist():
        if number:
            rows, columns = np.flatnonzero(in_row[:, number]), np.flatnonzero(in_column[:, number])
            top, left, bottom, right = rows[0], columns[0], rows[-1] + 1, columns[-1] + 1
            yield number, (slice(int(top), int(bottom)), slice(int(left), int(right)))


def _measure(
    pixels: UInt8Array,
    segmentation: Segmentation,
    number: int,
    window: Window,
    density: FloatArray,
    um_per_px: float | None,
) -> CellMeasures:
    cell = segmentation.cells[window] == number
    nucleus = segmentation.nucleus[window] & cell
    area, nucleus_area = int(np.count_nonzero(cell)), int(np.count_nonzero(nucleus))
    diameter_px = 2 * math.sqrt(area / math.pi)
    return CellMeasures(
        number=number,
        area_px=area,
        diameter_px=diameter_px,
        diameter_um=None if um_per_px is None else diameter_px * um_per_px,
        nucleus_area_px=nucleus_area,
        nc_ratio=nucleus_area / area if nucleus_area else None,
        roundness=roundness(cell),
        nucleus_roundness=roundness(nucleus) if nucleus_area else None,
        solidity=solidity(nucleus) if nucleus_area else None,
        lobes=count_lobes(nucleus) if nucleus_area else None,
        nucleus_stain=_stain(pixels[window], nucleus, density),
        cytoplasm_stain=_stain(pixels[window], cell & ~nucleus, density),
        border=any(
            side.start == 0 or side.stop == length
            for side, length in zip(window, pixels.shape[:2], strict=True)
        ),
    )


def _background(pixels: UInt8Array, outside: BoolArray) -> FloatArray:
    """The light that passes the empty glass, (3,) float32 RGB above 0; 255 where none is seen."""
    below = np.cumsum(_histograms(pixels, outside), axis=1)  # (3, 256)
    light = [int(np.searchsorted(channel, LIGHT_QUANTILE * channel[-1])) for channel in below]
    clear = sum(light) / 3 >= DARKEST_LIGHT
    return np.maximum(np.array(light if clear else (255, 255, 255), np.float32), 1)


def _density_table(background: FloatArray) -> FloatArray:
    """Optical density of every value, (3, 256) float32; black counts as 1, having no logarithm."""
    values = np.maximum(np.arange(256, dtype=np.float32), 1)
    return -np.log10(values / background[:, None])


def _histograms(pixels: UInt8Array, mask: BoolArray) -> NDArray[np.float64]:
    """How many pixels of the mask have each value, (3, 256), one row for red, green and blue."""
    chosen = mask.astype(np.uint8)
    counts = [cv2.calcHist([pixels], [c], chosen, [256], [0, 256]).ravel() for c in range(3)]
    return np.array(counts, np.float64)


def _stain(pixels: UInt8Array, mask: BoolArray, density: FloatArray) -> Stain | None:
    """Mean stain of the masked pixels; None of no pixels."""
    counts = _histograms(pixels, mask)
    total = counts[0].sum()
    if not total:
        return None
    red, green, blue = np.maximum((counts * density).sum(axis=1) / total, 0).tolist()
    return Stain(optical_density=(red, green, blue), hue=hue_word((red, green, blue)))


def _size_words(measures: CellMeasures) -> str:
    if measures.diameter_um is not None:
        return f"diameter {measures.diameter_um:.1f} µm"
    return f"diameter {measures.diameter_px:.0f} px"


def _cytoplasm_word(nc_ratio: float) -> str:
    if nc_ratio >= SCANT:
        return "scant"
    return "moderate" if nc_ratio >= ABUNDANT else "abundant"


def _nucleus_word(measures: CellMeasures) -> str:
    lobes, solid, round_ = measures.lobes, measures.solidity, measures.nucleus_roundness
    if lobes is not None and lobes > 1:
        return "lobed"
    if solid is not None and solid < INDENTED:
        return "indented"
    return "round" if round_ is not None and round_ >= ROUND else "oval or irregular"
