"""Layers over a picture: lines that follow the masks, heat that equals the drawn overlay."""

import cv2
import numpy as np
import pytest

from leukemia_app.imaging.layers import contours, heat_layer
from leukemia_app.imaging.overlay import heat_overlay
from leukemia_app.imaging.segment import Segmentation


def segmentation_of(cells: np.ndarray, nucleus: np.ndarray | None = None, main: int = 1):
    cells = cells.astype(np.int32)
    nucleus = np.zeros(cells.shape, bool) if nucleus is None else nucleus
    return Segmentation(cells=cells, nucleus=nucleus, main=main, method="stain")


def disc(side: int, row: int, column: int, radius: int) -> np.ndarray:
    drawn = np.zeros((side, side), np.uint8)
    cv2.circle(drawn, (column, row), radius, 1, -1)
    return drawn > 0


def test_a_line_encloses_its_cell():
    cell = disc(100, row=40, column=60, radius=20)
    found = contours(segmentation_of(cell))
    assert (found.rows, found.columns, found.count) == (100, 100, 1)
    (line,) = found.main
    # centres of the outermost pixels, so half a pixel short of the disc of radius 20.5
    assert line[:, 0].min() == pytest.approx(40.5, abs=0.6)
    assert line[:, 0].max() == pytest.approx(80.5, abs=0.6)
    assert line[:, 1].min() == pytest.approx(20.5, abs=0.6)
    area = cv2.contourArea(line.astype(np.float32))
    assert area == pytest.approx(cell.sum(), rel=0.06)


def test_the_main_cell_is_apart_from_the_others():
    cells = disc(100, 30, 30, 12) * 1 + disc(100, 70, 70, 15) * 2
    found = contours(segmentation_of(cells, main=2))
    assert found.main[0][:, 0].mean() == pytest.approx(70, abs=2)
    assert found.others[0][:, 0].mean() == pytest.approx(30, abs=2)


def test_touching_cells_keep_the_line_between_them():
    cells = np.zeros((40, 40), int)
    cells[10:30, 5:20], cells[10:30, 20:35] = 1, 2
    found = contours(segmentation_of(cells))
    assert found.main[0][:, 0].max() < 20.1
    assert found.others[0][:, 0].min() > 19.9


def test_nuclei_have_lines_of_their_own():
    cell, nucleus = disc(80, 40, 40, 25), disc(80, 40, 40, 12)
    (line,) = contours(segmentation_of(cell, nucleus)).nuclei
    assert np.ptp(line[:, 0]) == pytest.approx(24, abs=1.5)


def test_nothing_found_is_nothing_drawn():
    found = contours(segmentation_of(np.zeros((20, 30)), main=0))
    assert (found.count, found.main, found.others, found.nuclei) == (0, (), (), ())
    assert (found.rows, found.columns) == (20, 30)


@pytest.mark.parametrize("strength", [0.0, 0.45, 1.0])
def test_the_layer_at_an_opacity_is_the_overlay_at_that_strength(strength: float):
    rng = np.random.default_rng(4)
    picture = rng.integers(0, 256, (32, 48, 3), np.uint8)
    heat = cv2.resize(rng.random((4, 6), np.float32), (48, 32))
    layer = heat_layer(heat).astype(np.float32)  # (32, 48, 4)
    cover = strength * layer[..., 3:] / 255
    laid = picture + cover * (layer[..., :3] - picture)
    # heat in 256 steps here and there, opacity in 256 steps here only
    assert np.abs(laid - heat_overlay(picture, heat, strength)).max() <= 2


def test_a_large_map_is_shrunk_and_a_small_one_kept():
    assert heat_layer(np.zeros((500, 1000), np.float32)).shape == (128, 256, 4)
    assert heat_layer(np.zeros((20, 30), np.float32)).shape == (20, 30, 4)


def test_where_there_is_no_heat_the_layer_is_clear():
    assert (heat_layer(np.zeros((8, 8), np.float32))[..., 3] == 0).all()
    assert (heat_layer(np.ones((8, 8), np.float32))[..., 3] == 255).all()
