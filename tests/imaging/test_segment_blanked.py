"""Cells on black, drawn in code: one nucleus that nearly fills its cell, lobes, no nucleus."""

import cv2
import numpy as np
import pytest

from leukemia_app.evaluation.dice import dice
from leukemia_app.imaging.morphology import CellMeasures, measure_cells
from leukemia_app.imaging.render import draw
from leukemia_app.imaging.segment import Segmentation, segment

SIDE, MIDDLE, RADIUS = 200, (100, 100), 70
CYTOPLASM, NUCLEUS, RED_CELL = (90, 60, 135), (80, 30, 85), (215, 150, 145)
PALE_CYTOPLASM = (185, 170, 215)


def disc(centre: tuple[int, int], radius: int) -> np.ndarray:
    return cv2.circle(np.zeros((SIDE, SIDE), np.uint8), centre, radius, 1, -1) > 0


def on_black(cytoplasm: tuple[int, int, int], nucleus: np.ndarray) -> np.ndarray:
    pixels = np.zeros((SIDE, SIDE, 3), np.uint8)
    pixels[disc(MIDDLE, RADIUS)] = cytoplasm
    pixels[nucleus] = NUCLEUS
    return pixels


def mottled(pixels: np.ndarray, where: np.ndarray, seed: int) -> np.ndarray:
    """Chromatin: every channel of those pixels from 0.6 to 1.7 times as bright, in soft patches."""
    patches = np.random.default_rng(seed).normal(0, 1, where.shape).astype(np.float32)
    patches = cv2.GaussianBlur(patches, (0, 0), 6)
    factor = np.clip(np.exp(patches * (0.3 / patches.std())), 0.6, 1.7)
    brighter = np.clip(pixels * factor[..., None], 0, 255).astype(np.uint8)
    return np.where(where[..., None], brighter, pixels)


def measured(pixels: np.ndarray) -> tuple[Segmentation, CellMeasures]:
    found = segment(pixels, "stain")
    (measures,) = measure_cells(pixels, found)
    return found, measures


@pytest.mark.parametrize("seed", range(6))
def test_a_mottled_nucleus_that_nearly_fills_its_cell_is_one_round_lobe(seed: int):
    # radius 64.5 of 70: (64.5 / 70)² = 0.85 of the cell's area
    nucleus = disc(MIDDLE, 64) | disc((101, 101), 64)
    found, measures = measured(mottled(on_black(CYTOPLASM, nucleus), nucleus, seed))
    assert measures.lobes == 1
    assert measures.nucleus_roundness > 0.85
    assert measures.nc_ratio == pytest.approx(0.85, abs=0.06)
    assert dice(found.nucleus, nucleus) > 0.95


def test_a_pale_bay_at_the_rim_of_a_full_nucleus_is_chromatin_not_cytoplasm():
    nucleus = disc(MIDDLE, 64)
    pixels = on_black(CYTOPLASM, nucleus)
    bay = disc((150, 100), 22) & nucleus
    pixels[bay] = (130, 57, 125)  # brighter and redder: red over green 2.3, 2.7 in the nucleus
    found, measures = measured(pixels)
    assert found.nucleus[bay].mean() > 0.9
    assert measures.solidity > 0.95


@pytest.mark.parametrize("label", ["all", "hem"])
@pytest.mark.parametrize("seed", [0, 3, 7])
def test_drawn_lymphocytes_on_black_have_the_nucleus_they_were_drawn_with(label: str, seed: int):
    drawing = draw(label, seed)
    found, measures = measured(drawing.pixels)
    assert measures.lobes == 1
    assert dice(found.nucleus, drawing.nucleus) > 0.93


def test_lobes_in_pale_cytoplasm_stay_apart():
    lobes = disc((70, 80), 18) | disc((130, 85), 18) | disc((100, 135), 18)
    found, measures = measured(on_black(PALE_CYTOPLASM, lobes))
    assert measures.lobes == 3
    assert dice(found.nucleus, lobes) > 0.95


def test_a_grey_cell_on_black_shows_its_dark_nucleus():
    nucleus = disc(MIDDLE, 50)
    pixels = on_black(PALE_CYTOPLASM, nucleus)
    grey = np.repeat(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
    assert dice(measured(grey)[0].nucleus, nucleus) > 0.95


def test_an_even_red_cell_on_black_has_no_nucleus():
    found, measures = measured(on_black(RED_CELL, np.zeros((SIDE, SIDE), bool)))
    assert not found.nucleus.any()
    assert measures.nc_ratio is None


@pytest.mark.filterwarnings("error")
def test_a_picture_of_one_dark_colour_on_black_is_segmented_without_a_warning():
    found = segment(on_black(NUCLEUS, np.zeros((SIDE, SIDE), bool)), "stain")
    assert found.count == 1
