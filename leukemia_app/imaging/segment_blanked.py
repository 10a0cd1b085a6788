"""Cells in pictures whose background was made black by an earlier segmentation."""

import cv2
import numpy as np

from leukemia_app.imaging.picture import BoolArray, FloatArray, Int32Array, UInt8Array
from leukemia_app.imaging.segment_density import FLOOR, GREY, PURPLE, stain_density
from leukemia_app.imaging.segment_nuclei import FAINTEST, is_coloured, otsu_threshold

WHITE = 255
"""Stands in for the background, which is not in the picture."""
FRAME_SHARE = 0.6
"""A picture is blanked where more of its frame than this is black; padding takes two sides."""
SMALL_SHARE = 0.1
"""Pieces under this share of the largest are scraps of the earlier segmentation."""
SMOOTHING_SHARE = 0.01
PALE = 0.5
"""Cytoplasm is seen where the paler side of Otsu's cut has less than this part of the darker
side's stain: 0.46 or less in 319 of 320 white cells of all kinds. In 281 of 300 lymphoid ones of
cnmc it has more: there the cut parts dark chromatin from light."""
RED_PASSES = (-1.2, 1.0, 0.2)
"""Weights of red, green, blue density that tell a nucleus from the bluish rim round it; light and
dark chromatin are alike in them, and blending with black changes nothing, as their sum is 0."""
NUCLEAR_SHARE = 0.82
"""Where the nucleus fills nearly all, it has more than this part of the cells' median of that."""
BAY_SHARE = 0.05
TONGUE_SHARE = 0.08
"""In such cells, bays and tongues of the nucleus narrower than twice this are smoothed away; in
diameters of the largest cell."""


def is_blanked(valid: BoolArray) -> bool:
    """Whether the background of a picture is black; `valid` is False on black at the frame."""
    frame = np.concatenate([valid[0], valid[-1], valid[1:-1, 0], valid[1:-1, -1]])
    return bool((~frame).mean() > FRAME_SHARE)


def blanked_cells(pixels: UInt8Array, valid: BoolArray) -> tuple[Int32Array, BoolArray]:
    """Each piece that is not black as a cell, (rows, columns) int32, and its nucleus, bool."""
    opened = cv2.morphologyEx(valid.astype(np.uint8), cv2.MORPH_OPEN, _disc(2))
    _, pieces, stats, _ = cv2.connectedComponentsWithStats(opened, connectivity=4)
    areas = stats[:, cv2.CC_STAT_AREA].copy()
    areas[0] = 0
    kept = (areas > 0) & (areas >= SMALL_SHARE * areas.max())
    cells = np.where(kept, np.cumsum(kept), 0)[pieces].astype(np.int32)
    if not kept.any():
        return cells, cells > 0
    diameter_px = 2 * float(np.sqrt(areas.max() / np.pi))
    return cells, _nuclei(pixels, cells > 0, diameter_px)


def _nuclei(pixels: UInt8Array, inside: BoolArray, diameter_px: float) -> BoolArray:
    """Nuclei of the cells, (rows, columns) bool."""
    density = np.log((WHITE + FLOOR) / (pixels.astype(np.float32) + FLOOR))
    coloured = is_coloured(density[inside])
    stain = _smooth(stain_density(density, PURPLE if coloured else GREY), inside)
    cut = otsu_threshold(stain[inside])
    if _shows_cytoplasm(stain[inside], cut):
        return _filled(inside & (stain > cut), bay_px=0, tongue_px=2) & inside
    dark = stain > FAINTEST
    if coloured:
        stain = _smooth(stain_density(density, RED_PASSES), inside)
    dark &= stain > NUCLEAR_SHARE * np.median(stain[inside])
    bay_px, tongue_px = (round(share * diameter_px) for share in (BAY_SHARE, TONGUE_SHARE))
    return _filled(inside & dark, bay_px=bay_px, tongue_px=max(tongue_px, 2)) & inside


def _shows_cytoplasm(stain: FloatArray, cut: float) -> bool:
    """Whether the stain on both sides of the cut differs as nucleus and cytoplasm do."""
    is_dark = stain > cut
    return bool(is_dark.any() and stain[~is_dark].mean() < PALE * stain[is_dark].mean())


def _filled(mask: BoolArray, *, bay_px: int, tongue_px: int) -> BoolArray:
    """The mask without holes, without bays and tongues of up to twice those widths."""
    margin = bay_px + 1  # closing would else stick to the frame
    whole = np.pad(mask, margin).astype(np.uint8)
    if bay_px:
        whole = cv2.morphologyEx(whole, cv2.MORPH_CLOSE, _disc(bay_px))
    outlines, _ = cv2.findContours(whole, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(whole, outlines, -1, 1, cv2.FILLED)
    whole = whole[margin:-margin, margin:-margin]
    return np.asarray(cv2.morphologyEx(whole, cv2.MORPH_OPEN, _disc(tongue_px)) > 0)


def _disc(radius_px: int) -> UInt8Array:
    side_px = 2 * radius_px + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side_px, side_px)))


def _smooth(stain: FloatArray, inside: BoolArray) -> FloatArray:
    """The stain averaged over neighbours inside the cells, (rows, columns) float32."""
    sigma = max(SMOOTHING_SHARE * max(inside.shape), 0.8)
    weight = inside.astype(np.float32)
    summed = cv2.GaussianBlur(stain * weight, (0, 0), sigma)
    return np.asarray(summed / np.maximum(cv2.GaussianBlur(weight, (0, 0), sigma), 1e-3))
