"""White cells drawn in code: what is found, what is not, and in which stains."""

from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy

from leukemia_app.evaluation.dice import dice
from leukemia_app.imaging.render import draw
from leukemia_app.imaging.segment import Segmentation, segment

BACKGROUND, RED_CELL = (235, 225, 215), (215, 150, 145)
CYTOPLASM, NUCLEUS = (185, 170, 215), (90, 40, 120)

Point = tuple[int, int]


def film(side: int = 128) -> np.ndarray:
    return np.full((side, side, 3), BACKGROUND, np.uint8)


def put(pixels: np.ndarray, centre: Point, radius: int, colour: tuple[int, int, int]) -> None:
    cv2.circle(pixels, centre, radius, colour, -1)


def white_cell(pixels: np.ndarray, centre: Point, radius: int = 24, nucleus: int = 15) -> None:
    put(pixels, centre, radius, CYTOPLASM)
    put(pixels, centre, nucleus, NUCLEUS)


def disc(shape: tuple[int, ...], centre: Point, radius: int) -> np.ndarray:
    return np.asarray(cv2.circle(np.zeros(shape[:2], np.uint8), centre, radius, 1, -1) > 0)


def found_in(pixels: np.ndarray) -> Segmentation:
    return segment(cv2.GaussianBlur(pixels, (0, 0), 1), "stain")


def main_of(found: Segmentation) -> np.ndarray:
    return (found.cells == found.main) & (found.cells > 0)


def test_cell_and_nucleus_of_one_white_cell():
    pixels = film()
    white_cell(pixels, (64, 60))
    found = found_in(pixels)
    assert found.count == 1
    assert dice(main_of(found), disc(pixels.shape, (64, 60), 24)) > 0.95
    assert dice(found.nucleus, disc(pixels.shape, (64, 60), 15)) > 0.95


def test_red_cells_are_no_part_of_the_cell_they_touch():
    pixels = film()
    for centre in ((24, 30), (64, 20), (104, 64), (30, 104), (100, 110), (66, 104)):
        put(pixels, centre, 18, RED_CELL)
    white_cell(pixels, (64, 64))
    found = found_in(pixels)
    assert found.count == 1
    assert dice(main_of(found), disc(pixels.shape, (64, 64), 24)) > 0.93


def test_touching_white_cells_are_parted():
    pixels = film()
    white_cell(pixels, (44, 64), radius=19, nucleus=17)
    white_cell(pixels, (82, 64), radius=19, nucleus=17)
    found = found_in(pixels)
    assert found.count == 2
    assert found.cells[64, 40] != found.cells[64, 86]


def test_lobes_in_one_cell_stay_one_cell():
    pixels = film()
    put(pixels, (64, 64), 30, CYTOPLASM)
    for centre in ((52, 52), (78, 58), (60, 78)):
        put(pixels, centre, 8, NUCLEUS)
    found = found_in(pixels)
    assert found.count == 1
    assert dice(main_of(found), disc(pixels.shape, (64, 64), 30)) > 0.93
    assert cv2.connectedComponents(found.nucleus.astype(np.uint8))[0] - 1 == 3


def test_a_hole_in_the_nucleus_is_cell():
    pixels = film()
    white_cell(pixels, (64, 64))
    put(pixels, (64, 64), 3, CYTOPLASM)
    found = found_in(pixels)
    assert found.cells[64, 64] == found.main


def test_a_colour_cast_and_a_light_gradient_change_little():
    pixels = film()
    white_cell(pixels, (64, 64))
    light = np.linspace(0.6, 1, 128)[None, :, None] * np.array([1.0, 0.95, 0.6])
    cast = (pixels * light).astype(np.uint8)
    assert dice(main_of(found_in(cast)), disc(pixels.shape, (64, 64), 24)) > 0.93


def test_black_padding_is_no_cell():
    pixels = film()
    white_cell(pixels, (64, 64))
    pixels[:20] = 0
    found = found_in(pixels)
    assert found.count == 1
    assert not found.cells[:20].any()


def test_the_piece_on_black_is_the_cell():
    pixels = np.zeros((120, 120, 3), np.uint8)
    white_cell(pixels, (60, 60), radius=30, nucleus=22)
    noise = np.random.default_rng(1).integers(0, 10, pixels.shape, np.uint8)
    found = segment(pixels + noise, "stain")
    assert found.count == 1
    assert dice(main_of(found), disc(pixels.shape, (60, 60), 30)) > 0.97
    assert dice(found.nucleus, disc(pixels.shape, (60, 60), 22)) > 0.93


def test_a_grey_picture_shows_its_dark_nucleus():
    pixels = film()
    white_cell(pixels, (64, 64))
    grey = np.repeat(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
    assert dice(found_in(grey).nucleus, disc(pixels.shape, (64, 64), 15)) > 0.9


def test_red_cells_alone_are_no_white_cell():
    pixels = film()
    for centre in ((30, 30), (90, 40), (60, 95)):
        put(pixels, centre, 18, RED_CELL)
    assert found_in(pixels).count == 0


@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 255, 255), (90, 40, 120)])
def test_an_empty_picture_has_no_cell(colour: tuple[int, int, int]):
    found = segment(np.full((40, 50, 3), colour, np.uint8), "stain")
    assert (found.count, found.main) == (0, 0)
    assert not found.nucleus.any()


def test_masks_of_a_large_picture_have_its_size():
    pixels = film(1200)
    white_cell(pixels, (600, 500), radius=200, nucleus=130)
    found = found_in(pixels[:1000])
    assert found.cells.shape == found.nucleus.shape == (1000, 1200)
    assert dice(main_of(found), disc((1000, 1200), (600, 500), 200)) > 0.95


def test_the_same_picture_gives_the_same_masks_in_every_thread():
    pixels = draw("neutrophil", 3).pixels
    with ThreadPoolExecutor(4) as pool:
        masks = list(pool.map(lambda _: segment(pixels, "stain").cells.tobytes(), range(8)))
    assert len(set(masks)) == 1


@pytest.mark.parametrize("label", ["lymphocyte", "monocyte", "neutrophil", "eosinophil", "all"])
def test_drawn_cells_are_found(label: str):
    drawing = draw(label, 7)
    found = segment(drawing.pixels, "stain")
    assert dice(main_of(found), drawing.cells > 0) > 0.9


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_cells_of_drawn_fields_are_counted(seed: int):
    drawing = draw("Early", seed)
    found = segment(drawing.pixels, "stain")
    assert dice(found.cells > 0, drawing.cells > 0) > 0.75
    assert found.count == pytest.approx(drawing.cells.max(), rel=0.4)


@settings(max_examples=40, deadline=None)
@given(st_numpy.arrays(np.uint8, st.tuples(st.integers(1, 40), st.integers(1, 40), st.just(3))))
def test_any_picture_gives_masks_that_hold_together(pixels: np.ndarray):
    before = pixels.copy()
    found = segment(pixels, "stain")
    assert (pixels == before).all()
    assert found.cells.shape == found.nucleus.shape == pixels.shape[:2]
    assert found.cells.dtype == np.int32
    assert not (found.nucleus & (found.cells == 0)).any()
    assert 0 <= found.main <= found.count
    assert set(np.unique(found.cells)) - {0} == set(range(1, found.count + 1))
