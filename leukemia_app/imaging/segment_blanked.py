"""Cells in pictures whose background was made black by an earlier segmentation."""

import cv2
import numpy as np

from leukemia_app.imaging.picture import BoolArray, FloatArray, Int32Array, UInt8Array
from leukemia_app.imaging.segment_density import FLOOR, PURPLE, stain_density
from leukemia_app.imaging.segment_nuclei import otsu_threshold

WHITE = 255
"""Stands in for the background, which is not in the picture."""
FRAME_SHARE = 0.6
"""A picture is blanked where more of its frame than this is black; padding takes two sides."""
SMALL_SHARE = 0.1
"""Pieces under this share of the largest are scraps of the earlier segmentation."""
SMOOTHING_SHARE = 0.01


def is_blanked(valid: BoolArray) -> bool:
    """Whether the background of a picture is black; `valid` is False on black at the frame."""
    frame = np.concatenate([valid[0], valid[-1], valid[1:-1, 0], valid[1:-1, -1]])
    return bool((~frame).mean() > FRAME_SHARE)


def blanked_cells(pixels: UInt8Array, valid: BoolArray) -> tuple[Int32Array, BoolArray]:
    """Each piece that is not black as a cell, (rows, columns) int32, and its nucleus, bool."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
    opened = cv2.morphologyEx(valid.astype(np.uint8), cv2.MORPH_OPEN, kernel)
    _, pieces, stats, _ = cv2.connectedComponentsWithStats(opened, connectivity=4)
    areas = stats[:, cv2.CC_STAT_AREA].copy()
    areas[0] = 0
    kept = (areas > 0) & (areas >= SMALL_SHARE * areas.max())
    cells = np.where(kept, np.cumsum(kept), 0)[pieces].astype(np.int32)
    if not kept.any():
        return cells, cells > 0
    inside = cells > 0
    purple = _smooth_purple(pixels, inside)
    dark = inside & (purple > otsu_threshold(purple[inside]))
    outlines, _ = cv2.findContours(dark.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled = np.zeros(dark.shape, np.uint8)
    cv2.drawContours(filled, outlines, -1, 1, cv2.FILLED)
    nucleus = cv2.morphologyEx(filled, cv2.MORPH_OPEN, kernel) > 0
    return cells, np.asarray(nucleus & inside)


def _smooth_purple(pixels: UInt8Array, inside: BoolArray) -> FloatArray:
    """Nuclear stain averaged over neighbours inside the cells, (rows, columns) float32."""
    density = np.log((WHITE + FLOOR) / (pixels.astype(np.float32) + FLOOR))
    sigma = max(SMOOTHING_SHARE * max(inside.shape), 0.8)
    weight = inside.astype(np.float32)
    purple = cv2.GaussianBlur(stain_density(density, PURPLE) * weight, (0, 0), sigma)
    return np.asarray(purple / np.maximum(cv2.GaussianBlur(weight, (0, 0), sigma), 1e-3))
