"""Dark regions by CLAHE and Otsu's threshold: the usual notebook recipe, its two traps mended."""

import cv2
import numpy as np

from leukemia_app.imaging.picture import BoolArray, UInt8Array
from leukemia_app.imaging.segment_density import black_surround

CLIP_LIMIT = 2.0
TILES = (8, 8)


def clahe_otsu_mask(pixels: UInt8Array) -> BoolArray:
    """Everything darker than Otsu's threshold after CLAHE, (rows, columns) bool.

    Red cells are as dark as cytoplasm in grey, so they are part of it. Black that reaches the
    frame is never cell: where it fills most of the frame, the bright side is the cell.
    Source: Zuiderveld 1994 (CLAHE); Otsu 1979.
    """
    grey = cv2.createCLAHE(CLIP_LIMIT, TILES).apply(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY))
    _, dark = cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY_INV + cv2.THRESH_OTSU)
    surround = black_surround(pixels)
    frame = np.concatenate([surround[0], surround[-1], surround[:, 0], surround[:, -1]])
    cell = dark == 0 if frame.mean() > 0.5 else dark > 0
    return np.asarray(cell & ~surround)
