"""Maps laid over pictures, with numbers worked by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leukemia_app.bundles.heat import lay_over, seen_part, turned_back
from leukemia_app.imaging.picture import Picture
from leukemia_app.imaging.prepare import Box, prepare, views
from leukemia_app.imaging.recipe import Recipe

WHOLE = Box(top=0, left=0, bottom=4, right=8)


def test_a_map_as_large_as_the_picture_is_only_divided_by_its_peak():
    cam = np.array([[0, 1], [2, 4]], np.float32)
    heat = lay_over(cam, Box(top=0, left=0, bottom=2, right=2), "stretch", (2, 2))
    assert heat.tolist() == [[0, 0.25], [0.5, 1]]


def test_stretch_interpolates_between_the_centres_of_the_places():
    # 2 places over 8 columns have centres at 2 and 6; column c has its centre at c + 0.5, so
    # weight of the right place: 0, 0, 0.125, 0.375, 0.625, 0.875, 1, 1
    heat = lay_over(np.array([[0, 3]], np.float32), WHOLE, "stretch", (4, 8))
    assert heat == pytest.approx(np.tile([0, 0, 0.125, 0.375, 0.625, 0.875, 1, 1], (4, 1)))


def test_crop_leaves_the_unseen_sides_cold():
    # 4 x 8 cropped to its central square: columns 2 to 5
    heat = lay_over(np.ones((2, 2), np.float32), WHOLE, "crop", (4, 8))
    assert heat[0].tolist() == [0, 0, 1, 1, 1, 1, 0, 0]


def test_pad_drops_what_lay_on_the_black_border():
    # 4 x 8 in a square of 8: the picture is rows 2 to 5, so of 8 map rows only 2 to 5 are seen
    cam = np.repeat(np.arange(8, dtype=np.float32)[:, None], 8, axis=1)
    heat = lay_over(cam, WHOLE, "pad", (4, 8))
    assert heat[:, 0] == pytest.approx(np.array([2, 3, 4, 5]) / 7)


def test_a_box_beyond_the_picture_keeps_its_scale():
    # places of 2 x 2 px in a box of 4 x 4 that hangs out by 2 at the top left
    cam = np.array([[9, 9], [9, 0]], np.float32)
    box = Box(top=-2, left=-2, bottom=2, right=2)
    heat = lay_over(cam, box, "stretch", (3, 3))
    # pixel 0 has its centre 2.5 of 4 into the box: 0.75 of the way to the second place; pixel 1
    # lies beyond its centre. Cold weight 0.75 * 0.75 = 0.5625
    assert heat[0, 0] == pytest.approx(1 - 0.5625)
    assert heat[1, 1] == 0
    assert heat[2].tolist() == [0, 0, 0]


def test_a_map_without_heat_stays_cold():
    assert not lay_over(np.zeros((3, 3), np.float32), WHOLE, "stretch", (4, 8)).any()


@pytest.mark.parametrize("fit", ["stretch", "pad", "crop"])
@pytest.mark.parametrize("shape", [(31, 46), (46, 31), (40, 40)])
def test_heat_lies_where_prepare_took_the_pixels_from(fit: str, shape: tuple[int, int]):
    # a bright spot in the picture is found in the network input, and laid back on itself
    pixels = np.zeros((*shape, 3), np.uint8)
    row, column = shape[0] // 2 - 6, shape[1] // 2 + 5
    pixels[row - 2 : row + 3, column - 2 : column + 3] = 255
    recipe = Recipe(input="cell", side_px=128, fit=fit)
    prepared = prepare(Picture(pixels=pixels, name="spot"), recipe)
    cam = prepared.pixels[..., 0].astype(np.float32)
    heat = lay_over(cam, prepared.box, fit, shape)
    hot_rows, hot_columns = np.nonzero(heat > 0.9)
    assert hot_rows.mean() == pytest.approx(row, abs=0.6)
    assert hot_columns.mean() == pytest.approx(column, abs=0.6)


def test_the_seen_part_never_leaves_the_picture():
    box = Box(top=-3, left=2, bottom=9, right=14)
    assert seen_part(box, "stretch", (6, 10)) == Box(top=0, left=2, bottom=6, right=10)


def test_the_seen_part_of_a_crop_is_its_square():
    assert seen_part(WHOLE, "crop", (4, 8)) == Box(top=0, left=2, bottom=4, right=6)
    assert seen_part(WHOLE, "pad", (4, 8)) == WHOLE


@given(count=st.sampled_from([1, 2, 4, 8]), seed=st.integers(0, 99))
def test_views_turned_back_are_all_the_same(count, seed):
    tensor = np.random.default_rng(seed).random((5, 5, 3), np.float32)
    maps = views(tensor, count)[..., 0]
    assert (turned_back(maps) == tensor[..., 0]).all()
