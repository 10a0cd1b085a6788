"""The usual notebook recipe, and the two traps it falls into."""

import cv2
import numpy as np

from leukemia_app.imaging.segment import segment
from leukemia_app.imaging.segment_clahe_otsu import clahe_otsu_mask


def disc(background: int, cell: int) -> tuple[np.ndarray, np.ndarray]:
    truth = cv2.circle(np.zeros((96, 96), np.uint8), (48, 48), 20, 1, -1) > 0
    return np.repeat(np.where(truth, cell, background)[..., None], 3, axis=2).astype(
        np.uint8
    ), truth


def share(found: np.ndarray, truth: np.ndarray) -> float:
    return float((found == truth).mean())


def test_the_dark_side_is_the_cell_on_a_bright_background():
    pixels, truth = disc(background=230, cell=90)
    assert share(clahe_otsu_mask(pixels), truth) > 0.98


def test_the_bright_side_is_the_cell_on_a_black_background():
    pixels, truth = disc(background=0, cell=90)
    assert share(clahe_otsu_mask(pixels), truth) > 0.98


def test_a_background_that_jpeg_left_nearly_black_is_still_black():
    pixels, truth = disc(background=0, cell=90)
    noise = np.random.default_rng(0).integers(0, 12, pixels.shape, np.uint8)
    assert share(clahe_otsu_mask(pixels + noise), truth) > 0.97


def test_black_padding_is_no_cell():
    pixels, _ = disc(background=230, cell=90)
    pixels[:, :12] = 0
    assert not clahe_otsu_mask(pixels)[:, :12].any()


def test_all_that_is_dark_is_one_cell_without_a_nucleus():
    pixels, _ = disc(background=230, cell=90)
    pixels[2:8, 2:8] = 90
    found = segment(pixels, "clahe_otsu")
    assert (found.count, found.main, found.nucleus.any()) == (1, 1, False)
    assert found.cells[4, 4] == found.cells[48, 48] == 1
