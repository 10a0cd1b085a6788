"""An attribution map laid over the picture it explains. Pure."""

import numpy as np

from leukemia_app.imaging.picture import FloatArray
from leukemia_app.imaging.prepare import Box


def seen_part(box: Box, fit: str, shape: tuple[int, int]) -> Box:
    """The pixels of a picture of that shape that the network saw; never reaches outside."""
    square = _square(box, fit)
    return Box(
        top=max(square.top, box.top, 0),
        left=max(square.left, box.left, 0),
        bottom=min(square.bottom, box.bottom, shape[0]),
        right=min(square.right, box.right, shape[1]),
    )


def lay_over(cam: FloatArray, box: Box, fit: str, shape: tuple[int, int]) -> FloatArray:
    """The map in picture pixels, (rows, columns) float32, 0 to 1, and 0 outside what was seen.

    `cam` is (map rows, map columns), 0 or more; it is divided by its largest value and
    interpolated bilinearly between the centres of its places. `shape` is the picture's.
    """
    heat = np.zeros(shape, np.float32)
    peak = float(cam.max(initial=0))
    if peak <= 0:
        return heat
    square, seen = _square(box, fit), seen_part(box, fit, shape)
    down = _weights(seen.top, seen.bottom, square.top, square.bottom, cam.shape[0])
    across = _weights(seen.left, seen.right, square.left, square.right, cam.shape[1])
    laid = down @ (cam / peak) @ across.T
    heat[seen.top : seen.bottom, seen.left : seen.right] = np.clip(laid, 0, 1)
    return heat


def turned_back(maps: FloatArray) -> FloatArray:
    """Maps of a tensor's views, each turned and mirrored back; undoes `prepare.views`.

    `maps` is (n_views, rows, columns) with as many rows as columns where views are turned.
    """
    count = len(maps)
    quarter_turns = {1: (0,), 2: (0, 2)}.get(count, (0, 1, 2, 3))
    upright = [view[:, ::-1] if number >= 4 else view for number, view in enumerate(maps)]
    turns = quarter_turns * (2 if count == 8 else 1)
    return np.stack([np.rot90(view, -turn) for view, turn in zip(upright, turns, strict=True)])


def _square(box: Box, fit: str) -> Box:
    """The part that became the square input, as `prepare` fits it; it may reach outside."""
    rows, columns = box.bottom - box.top, box.right - box.left
    if fit == "stretch":
        return box
    if fit == "crop":
        side = min(rows, columns)
        top, left = box.top + (rows - side) // 2, box.left + (columns - side) // 2
    else:
        side = max(rows, columns)
        top, left = box.top - (side - rows) // 2, box.left - (side - columns) // 2
    return Box(top=top, left=left, bottom=top + side, right=left + side)


def _weights(first: int, stop: int, start: int, end: int, n_places: int) -> FloatArray:
    """Bilinear weights (stop - first, n_places) of the places between `start` and `end`.

    Before the first centre and after the last one, the nearest place counts alone.
    """
    at = (np.arange(first, stop) + 0.5 - start) / (end - start) * n_places - 0.5
    at = np.clip(at, 0, n_places - 1)
    apart = np.abs(at[:, None] - np.arange(n_places))
    weights: FloatArray = np.maximum(1 - apart, 0).astype(np.float32)
    return weights
