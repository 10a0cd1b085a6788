"""Drawing on pictures: outlines, heat, sizes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from leukemia_app.imaging.overlay import (
    CELL_COLOUR,
    NUCLEUS_COLOUR,
    fit_for_screen,
    heat_overlay,
    outline,
    share_inside,
    thumbnail,
)
from leukemia_app.imaging.segment import Segmentation

pictures = arrays(np.uint8, (12, 9, 3))
heats = arrays(np.float32, (4, 3), elements=st.floats(0, 1, width=32))


def two_cells(side: int = 100) -> Segmentation:
    """Two square cells, the right one with a nucleus and the main one."""
    unit = side // 100
    cells, nucleus = np.zeros((side, side), np.int32), np.zeros((side, side), bool)
    cells[30 * unit : 70 * unit, 10 * unit : 40 * unit] = 1
    cells[30 * unit : 70 * unit, 50 * unit : 90 * unit] = 2
    nucleus[40 * unit : 60 * unit, 60 * unit : 80 * unit] = True
    return Segmentation(cells=cells, nucleus=nucleus, main=2, method="drawn")


def black(side: int = 100) -> np.ndarray:
    return np.zeros((side, side, 3), np.uint8)


def violet(pixels: np.ndarray) -> np.ndarray:
    """Where a cell's line lies: mostly CELL_COLOUR, blended with what is under its soft rim."""
    return np.abs(pixels - np.array(CELL_COLOUR, int)).max(axis=-1) < 40


# Outlines


def test_cells_and_nuclei_have_their_colours_on_their_edges():
    drawn = outline(black(), two_cells())
    assert violet(drawn[50])[[10, 50]].all()
    assert np.abs(drawn[50, 60] - np.array(NUCLEUS_COLOUR, int)).max() <= 45


def test_a_white_halo_lies_on_both_sides_of_a_cell_line():
    row = outline(black(), two_cells())[50]
    assert (row[[9, 11]] > 128).all()  # beside the thin line of cell 1, at column 10


def test_inside_and_outside_stay_as_they_were():
    pixels = np.full((100, 100, 3), 77, np.uint8)
    drawn = outline(pixels, two_cells())
    for row, column in ((5, 5), (50, 25), (50, 70), (50, 55)):
        assert (drawn[row, column] == 77).all()


def test_the_main_cell_has_the_stronger_line():
    line = violet(outline(black(), two_cells())[50])
    assert line[5:15].sum() == 1
    assert line[45:55].sum() == 3


def test_lines_grow_with_the_picture():
    # cell 1 begins at column 10 of 100, 120 of 1200: 1 px, 1200/400 = 3 px
    thin = violet(outline(black(100), two_cells(100))[50])[5:15]
    wide = violet(outline(black(1200), two_cells(1200))[600])[110:130]
    assert (thin.sum(), wide.sum()) == (1, 3)


def test_an_enlarged_picture_gets_the_same_outlines_in_its_own_pixels():
    # pixel 50 of 100 has its centre at 50.5·3 - .5 = 151 of 300
    line = np.flatnonzero(violet(outline(black(300), two_cells(100))[150])[140:162]) + 140
    assert line.tolist() == [150, 151, 152]


def test_outlining_leaves_the_picture_alone_and_takes_locked_ones():
    pixels = black()
    pixels.setflags(write=False)
    drawn = outline(pixels, two_cells())
    assert drawn is not pixels
    assert drawn.shape == pixels.shape
    assert drawn.dtype == np.uint8
    assert not pixels.any()


def test_without_cells_nothing_is_drawn():
    nothing = np.zeros((9, 12), np.int32)
    pixels = np.arange(9 * 12 * 3, dtype=np.uint8).reshape(9, 12, 3)
    empty = Segmentation(cells=nothing, nucleus=nothing > 0, main=0, method="drawn")
    assert np.array_equal(outline(pixels, empty), pixels)


def test_a_cell_of_one_pixel_at_the_corner_is_drawn():
    cells = np.zeros((50, 50), np.int32)
    cells[0, 0] = 1
    tiny = Segmentation(cells=cells, nucleus=cells > 0, main=1, method="drawn")
    assert outline(black(50), tiny)[0, 0].any()


# Heat


@settings(deadline=None)
@given(pixels=pictures, heat=heats)
def test_strength_zero_is_exactly_the_picture(pixels, heat):
    assert np.array_equal(heat_overlay(pixels, heat, 0), pixels)


@settings(deadline=None)
@given(pixels=pictures, strength=st.floats(0, 1))
def test_where_there_is_no_heat_the_picture_stays(pixels, strength):
    cold = np.zeros((4, 3), np.float32)
    assert np.array_equal(heat_overlay(pixels, cold, strength), pixels)


def test_full_heat_at_full_strength_is_the_yellow_end_of_viridis():
    covered = heat_overlay(black(10), np.ones((2, 2), np.float32), 1)
    assert (covered == (253, 231, 37)).all()  # viridis(1.0) in matplotlib, times 255


def test_half_the_strength_covers_by_half():
    covered = heat_overlay(np.full((10, 10, 3), 101, np.uint8), np.ones((2, 2), np.float32), 0.5)
    # halves between 101 and 253, 231, 37: 177, 166, 69
    assert (covered == (177, 166, 69)).all()


def test_heat_lands_where_it_lies():
    heat = np.zeros((7, 7), np.float32)
    heat[1, 5] = 1
    changed = heat_overlay(black(70), heat, 1).sum(axis=2)
    row, column = np.unravel_index(changed.argmax(), changed.shape)
    assert (row // 10, column // 10) == (1, 5)


def test_heat_overlay_leaves_picture_and_heat_alone():
    pixels, heat = black(10), np.full((3, 3), 0.5, np.float32)
    pixels.setflags(write=False)
    heat.setflags(write=False)
    assert heat_overlay(pixels, heat, 0.7).dtype == np.uint8
    assert not pixels.any()


@pytest.mark.parametrize("strength", [-0.1, 1.1, float("nan")])
def test_a_strength_outside_its_range_is_refused(strength):
    with pytest.raises(ValueError, match=r"strength is .*; use 0 to 1"):
        heat_overlay(black(4), np.zeros((2, 2), np.float32), strength)


@pytest.mark.parametrize("value", [-0.5, 1.5, np.nan])
def test_heat_outside_its_range_is_refused(value):
    heat = np.full((2, 2), value, np.float32)
    with pytest.raises(ValueError, match="scale it to 0 to 1"):
        heat_overlay(black(4), heat, 0.5)
    with pytest.raises(ValueError, match="scale it to 0 to 1"):
        share_inside(heat, np.ones((4, 4), bool))


@settings(deadline=None)
@given(mask=arrays(np.bool_, (8, 6)), level=st.floats(0.0625, 1, width=32))
def test_the_share_of_even_heat_is_the_share_of_the_area(mask, level):
    even = np.full((4, 3), level, np.float32)
    assert share_inside(even, mask) == pytest.approx(mask.mean(), abs=1e-5)


def test_share_by_hand():
    heat = np.array([[1, 0.5], [0.25, 0.25]], np.float32)
    assert share_inside(heat, np.array([[True, False], [True, False]])) == 1.25 / 2


@settings(deadline=None)
@given(heat=heats)
def test_shares_of_a_mask_and_its_rest_are_one_together(heat):
    mask = np.zeros((4, 3), bool)
    mask[:2] = True
    inside, outside = share_inside(heat, mask), share_inside(heat, ~mask)
    if not heat.any():
        assert inside is outside is None
    else:
        assert inside + outside == pytest.approx(1)


def test_the_share_of_no_heat_is_not_defined():
    assert share_inside(np.zeros((4, 4), np.float32), np.ones((4, 4), bool)) is None


# Sizes


@pytest.mark.parametrize(
    ("rows", "columns", "shape"),
    [(100, 200, (25, 50, 3)), (200, 100, (50, 25, 3)), (50, 50, (50, 50, 3)), (1, 900, (1, 50, 3))],
)
def test_a_thumbnail_fits_and_keeps_its_shape(rows, columns, shape):
    assert thumbnail(np.zeros((rows, columns, 3), np.uint8), 50).shape == shape


def test_a_thumbnail_averages_and_never_enlarges():
    pixels = np.zeros((4, 4, 3), np.uint8)
    pixels[::2] = 100
    assert (thumbnail(pixels, 2) == 50).all()
    assert np.array_equal(thumbnail(pixels, 9), pixels)


@pytest.mark.parametrize(
    ("side", "fitted"), [(128, 512), (300, 600), (301, 301), (600, 600), (1200, 600)]
)
def test_for_the_screen_small_pictures_grow_in_whole_steps(side, fitted):
    assert fit_for_screen(black(side), 600).shape == (fitted, fitted, 3)


def test_an_enlarged_picture_keeps_its_colours():
    assert (fit_for_screen(np.full((20, 30, 3), 91, np.uint8), 100) == 91).all()
