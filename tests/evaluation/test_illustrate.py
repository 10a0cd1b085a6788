"""The pictures of a report: outlined cells, the map, the main cell in words."""

import io

import numpy as np
from PIL import Image

from leukemia_app.bundles.predictor import Examination, Explanation
from leukemia_app.evaluation import words
from leukemia_app.evaluation.illustrate import illustrate, illustrate_small
from leukemia_app.evaluation.results import Unread
from leukemia_app.imaging.morphology import measure_cells
from leukemia_app.imaging.picture import Picture
from leukemia_app.imaging.prepare import prepare
from leukemia_app.imaging.recipe import Recipe
from leukemia_app.imaging.segment import Segmentation
from tests.readings import reading_of

SIDE_PX = 64


def examined(*, has_cell: bool = True, has_map: bool = True) -> tuple[Picture, Examination]:
    """A bright picture with one dark square cell in its middle."""
    pixels = np.full((SIDE_PX, SIDE_PX, 3), 220, np.uint8)
    cells = np.zeros((SIDE_PX, SIDE_PX), np.int32)
    if has_cell:
        pixels[20:44, 20:44] = (120, 70, 160)
        cells[20:44, 20:44] = 1
    found = Segmentation(cells=cells, nucleus=cells > 0, main=int(has_cell), method="drawn")
    picture = Picture(pixels=pixels, name="drawn.png")
    heat = np.full((SIDE_PX, SIDE_PX), 0.5, np.float32)
    explanation = Explanation(label="Pro", heat=heat, share_inside_cells=0.25)
    return picture, Examination(
        reading=reading_of(),
        prepared=prepare(picture, Recipe(input="field", side_px=32)),
        segmentation=found,
        measures=measure_cells(pixels, found),
        explanation=explanation if has_map else None,
    )


def opened(png: bytes | None) -> np.ndarray:
    assert png is not None
    return np.asarray(Image.open(io.BytesIO(png)))


def test_cells_are_outlined_and_described():
    shown = illustrate(*examined())
    plain = illustrate(*examined(has_cell=False))
    assert len(np.unique(opened(shown.outlined).reshape(-1, 3), axis=0)) > 2
    assert len(np.unique(opened(plain.outlined).reshape(-1, 3), axis=0)) == 1
    assert shown.phrases
    assert plain.phrases == ()


def test_the_map_says_for_which_class_and_how_much_lies_in_the_cells():
    shown = illustrate(*examined())
    assert shown.mapped is not None
    assert shown.map_words.startswith(f"Map for Pro. {words.map_share('Pro', 0.25)}")
    assert words.MAP_HINT in shown.map_words


def test_without_a_map_the_report_says_so():
    shown = illustrate(*examined(has_map=False))
    assert shown.mapped is None
    assert shown.map_words == words.NO_MAP


def test_one_of_many_is_shown_small():
    picture = Picture(pixels=np.zeros((300, 200, 3), np.uint8), name="a.png")
    # the longest side, 300, becomes 96: 200 / 300 * 96 = 64
    assert opened(illustrate_small(reading_of(), picture).thumbnail).shape == (96, 64, 3)


def test_a_file_that_was_not_read_has_no_picture():
    failure = Unread(file="a.png", kind="image", message="a.png is empty.")
    shown = illustrate_small(failure, None)
    assert shown.result is failure
    assert shown.thumbnail is None
