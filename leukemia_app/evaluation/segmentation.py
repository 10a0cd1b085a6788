"""Segmentation methods against masks drawn by people: Dice of whole cell and nucleus."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from leukemia_app.errors import DatasetError, ImageError
from leukemia_app.evaluation.dice import DiceReport, dice, summary
from leukemia_app.imaging.decode import read_picture
from leukemia_app.imaging.picture import BoolArray, UInt8Array
from leukemia_app.imaging.segment import (
    CYTOPLASM_VALUE,
    NUCLEUS_METHODS,
    NUCLEUS_VALUE,
    Segmentation,
    segment,
)

CELL_FROM = CYTOPLASM_VALUE // 2
NUCLEUS_FROM = (CYTOPLASM_VALUE + NUCLEUS_VALUE) // 2
"""Values between 0, 128 and 255 belong to the nearest: some masks were smoothed."""
REGION_SHARE = 0.05
"""Marked regions under this part of the largest are slips of the hand."""


@dataclass(frozen=True, kw_only=True)
class MaskedPicture:
    """One picture against its mask."""

    file: str
    cell: float
    """Dice of the whole cell."""
    nucleus: float | None
    """Dice of the nucleus; None where the mask marks none, or the method finds none."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"file": self.file, "cell": self.cell, "nucleus": self.nucleus}


@dataclass(frozen=True, kw_only=True)
class LeftOut:
    """A picture that could not be compared, and why."""

    file: str
    reason: str

    def to_dict(self) -> dict[str, str]:
        """Plain values for JSON."""
        return {"file": self.file, "reason": self.reason}


@dataclass(frozen=True, kw_only=True)
class MaskReport:
    """A method against masks: every picture, and the figures over them."""

    method: str
    cell: DiceReport
    nucleus: DiceReport | None
    """None where no mask marks a nucleus, or the method finds none."""
    pictures: tuple[MaskedPicture, ...]
    left_out: tuple[LeftOut, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "method": self.method,
            "cell": self.cell.to_dict(),
            "nucleus": None if self.nucleus is None else self.nucleus.to_dict(),
            "pictures": [picture.to_dict() for picture in self.pictures],
            "left_out": [left.to_dict() for left in self.left_out],
        }


def compare_masks(
    picture_paths: Sequence[Path], masks_dir: Path, method: str, threads: int = 1
) -> MaskReport:
    """What `method` finds against `<stem>_mask.png` in `masks_dir`, in the order of the pictures.

    In a mask 0 is background, 128 cytoplasm and 255 nucleus; one without 128 or without 255
    marks whole cells only. A mask with one region is of one cell, so the main cell is compared;
    with several regions all found cells are. Masks among the paths are passed over.

    Raises:
        DatasetError: no picture could be compared.
        RecipeError: no method has that name.
    """
    pictures = [path for path in picture_paths if not path.stem.endswith("_mask")]
    with ThreadPoolExecutor(threads) as pool:
        results = list(pool.map(partial(_compared, masks_dir=masks_dir, method=method), pictures))
    compared = tuple(result for result in results if isinstance(result, MaskedPicture))
    left_out = tuple(result for result in results if isinstance(result, LeftOut))
    if not compared:
        first = f" ({left_out[0].file}: {left_out[0].reason})" if left_out else ""
        raise DatasetError(
            f"{masks_dir} has no mask for any of {len(pictures)} pictures{first}. A mask of "
            "cell.jpg is called cell_mask.png and has the picture's size."
        )
    nuclei = [picture.nucleus for picture in compared if picture.nucleus is not None]
    return MaskReport(
        method=method,
        cell=summary([picture.cell for picture in compared]),
        nucleus=summary(nuclei) if nuclei else None,
        pictures=compared,
        left_out=left_out,
    )


def _compared(path: Path, masks_dir: Path, method: str) -> MaskedPicture | LeftOut:
    mask_path = masks_dir / f"{path.stem}_mask.png"
    if not mask_path.is_file():
        return LeftOut(file=str(path), reason=f"{mask_path.name} is not in {masks_dir}.")
    try:
        pixels = read_picture(path).pixels
        mask = read_picture(mask_path).pixels[..., 0]
    except ImageError as error:
        return LeftOut(file=str(path), reason=str(error))
    if mask.shape != pixels.shape[:2]:
        sizes = " and ".join(
            f"{columns} × {rows}" for rows, columns in (mask.shape, pixels.shape[:2])
        )
        return LeftOut(
            file=str(path), reason=f"{mask_path.name} and the picture are {sizes} pixels."
        )
    return _scored(str(path), segment(pixels, method), mask)


def _scored(file: str, found: Segmentation, mask: UInt8Array) -> MaskedPicture:
    truth, nucleus = mask >= CELL_FROM, mask >= NUCLEUS_FROM
    meant = found.cells > 0 if _n_regions(truth) > 1 else _main(found)
    marks_nucleus = nucleus.any() and (truth & ~nucleus).any()
    return MaskedPicture(
        file=file,
        cell=dice(meant, truth),
        nucleus=dice(found.nucleus & meant, nucleus)
        if marks_nucleus and found.method in NUCLEUS_METHODS
        else None,
    )


def _main(found: Segmentation) -> BoolArray:
    return np.asarray((found.cells == found.main) & (found.cells > 0))


def _n_regions(truth: BoolArray) -> int:
    """How many separate regions a mask marks, slips apart."""
    _, _, stats, _ = cv2.connectedComponentsWithStats(truth.astype(np.uint8))
    areas = stats[1:, cv2.CC_STAT_AREA]
    return int((areas >= REGION_SHARE * areas.max(initial=1)).sum())
