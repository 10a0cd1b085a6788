"""A drawn data set in which no two pictures are alike, for what looks for copies."""

from pathlib import Path

import cv2
import numpy as np

from leukemia_app.imaging.decode import encode_png
from leukemia_app.imaging.picture import UInt8Array
from tests.tiny_runs import draw_set, drawn_cell


def draw_varied_set(folder: Path) -> Path:
    """The set of `draw_set`, each cell among red ones; its table of groups comes back."""
    table = draw_set(folder)
    for number, path in enumerate(sorted(folder.rglob("*.png"))):
        path.write_bytes(encode_png(_among_others(int(path.parent.name == "blast"), number)))
    return table


def _among_others(label: int, seed: int) -> UInt8Array:
    rng = np.random.default_rng(seed)
    pixels = np.full((96, 96, 3), (232, 208, 216), np.uint8)
    for _ in range(14):
        centre = tuple(int(place) for place in rng.integers(0, 96, 2))
        cv2.circle(pixels, centre, int(rng.integers(5, 10)), (214, 150, 160), -1, cv2.LINE_AA)
    pixels[24:72, 24:72] = drawn_cell(label, seed)
    return pixels
