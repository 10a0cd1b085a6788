import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leukemia_app.imaging import prepare as prepare_module
from leukemia_app.imaging.picture import Picture
from leukemia_app.imaging.prepare import Box, prepare, resize, scale, views
from leukemia_app.imaging.recipe import Recipe
from leukemia_app.imaging.segment import Segmentation
from tests.strategies import pictures, recipes

PLAIN = Recipe(input="cell", side_px=32)
CROPPED = Recipe(input="cell", side_px=32, segmentation="stain", crop_margin=0.25)
RANGES = {"none": (0, 255), "signed_unit": (-1, 1), "caffe": (-123.68, 151.061)}


def picture_of(rows: int, columns: int) -> Picture:
    """Noise in which every pixel differs from its neighbours."""
    noise = np.random.default_rng(5).integers(0, 256, (rows, columns, 3), dtype=np.uint8)
    return Picture(pixels=noise, name="noise.png")


@pytest.fixture
def cell_at(monkeypatch):
    """Let segmentation find one cell, in the given rows and columns, or none."""

    def found(rows: slice | None = None, columns: slice | None = None) -> None:
        def segment(pixels, method):
            cells = np.zeros(pixels.shape[:2], np.int32)
            if rows is not None:
                cells[rows, columns] = 1
            return Segmentation(
                cells=cells, nucleus=cells > 0, main=int(cells.max()), method=method
            )

        monkeypatch.setattr(prepare_module, "segment", segment)

    return found


# What holds for every recipe


@settings(deadline=None, max_examples=40)
@given(pictures(), recipes())
def test_recipe_leaves_its_input_untouched(picture, recipe):
    before = picture.pixels.copy()
    prepare(picture, recipe)
    assert np.array_equal(picture.pixels, before)


@settings(deadline=None, max_examples=40)
@given(pictures(), recipes())
def test_network_input_has_the_shape_and_range_of_the_recipe(picture, recipe):
    prepared = prepare(picture, recipe)
    shape = (recipe.side_px, recipe.side_px, 3)
    assert prepared.pixels.shape == prepared.tensor.shape == shape
    assert (prepared.pixels.dtype, prepared.tensor.dtype) == (np.uint8, np.float32)
    assert prepared.tensor.flags.c_contiguous
    low, high = RANGES[recipe.scaling]
    assert prepared.tensor.min() >= np.float32(low)
    assert prepared.tensor.max() <= np.float32(high)


@settings(deadline=None, max_examples=40)
@given(pictures(), recipes())
def test_same_picture_and_recipe_give_the_same_tensor(picture, recipe):
    assert np.array_equal(prepare(picture, recipe).tensor, prepare(picture, recipe).tensor)


@settings(deadline=None, max_examples=40)
@given(pictures(), recipes())
def test_stages_begin_with_the_picture_and_end_with_the_input(picture, recipe):
    prepared = prepare(picture, recipe)
    assert prepared.stages[0].pixels is picture.pixels
    assert prepared.stages[-1].pixels is prepared.pixels
    assert len({stage.name for stage in prepared.stages}) == len(prepared.stages)


def test_picture_of_the_right_size_passes_unchanged():
    picture = picture_of(32, 32)
    assert np.array_equal(prepare(picture, PLAIN).pixels, picture.pixels)


# Scaling


def test_signed_unit_scaling():
    # 0 / 127.5 - 1 = -1; 51 / 127.5 - 1 = -.6; 255 / 127.5 - 1 = 1
    assert scale(np.array([0, 51, 255], np.uint8), "signed_unit") == pytest.approx([-1, -0.6, 1])


def test_caffe_scaling_swaps_the_channels_and_takes_the_mean_off():
    # RGB 10, 20, 30 -> BGR 30 - 103.939, 20 - 116.779, 10 - 123.68
    values = scale(np.array([[[10, 20, 30]]], np.uint8), "caffe")
    assert values[0, 0] == pytest.approx([-73.939, -96.779, -113.68], abs=1e-4)


def test_no_scaling_keeps_the_values():
    assert scale(np.array([0, 51, 255], np.uint8), "none").tolist() == [0, 51, 255]


# Resizing


def test_area_resize_of_4x4_takes_the_mean_of_each_quarter():
    # Quarters: (0+4+8+12)/4 = 6, (20+20+20+60)/4 = 30, (1+1+1+1)/4 = 1, (100+200+0+100)/4 = 100
    grey = np.array([[0, 4, 20, 20], [8, 12, 20, 60], [1, 1, 100, 200], [1, 1, 0, 100]], np.uint8)
    small = resize(np.repeat(grey[..., None], 3, axis=2), 2, "area")
    assert small[..., 0].tolist() == [[6, 30], [1, 100]]


def test_bilinear_shrinking_by_three_takes_the_middle_of_each_nine():
    middles = np.zeros((6, 6, 3), np.uint8)
    middles[1::3, 1::3] = 200
    assert (resize(middles, 2, "bilinear") == 200).all()
    assert (resize(middles, 2, "area") == 22).all()  # 200 / 9 = 22.2


def test_enlarging_is_bilinear_whatever_the_recipe():
    # Centres of the new pixels lie at -.25, .25, .75 and 1.25 of 0 and 80: 0, 20, 60, 80.
    columns = np.repeat(np.array([[[0], [80]]] * 2, np.uint8), 3, axis=2)
    for interpolation in ("area", "bilinear"):
        assert resize(columns, 4, interpolation)[0, :, 0].tolist() == [0, 20, 60, 80]


# Boxes


def test_window_keeps_the_central_square():
    # The shorter side is 60: 60 * .5 = 30; (100 - 30) / 2 = 35, (60 - 30) / 2 = 15
    prepared = prepare(picture_of(100, 60), dataclasses.replace(PLAIN, window=0.5))
    assert prepared.box == Box(top=35, left=15, bottom=65, right=45)


def test_window_cuts_just_what_its_box_says():
    picture = picture_of(64, 64)
    prepared = prepare(picture, dataclasses.replace(PLAIN, window=0.5))
    assert np.array_equal(prepared.pixels, picture.pixels[16:48, 16:48])


def test_whole_picture_is_its_own_box():
    assert prepare(picture_of(40, 50), PLAIN).box == Box(top=0, left=0, bottom=40, right=50)


def test_crop_is_a_square_round_the_cell_with_its_margin(cell_at):
    # Rows 10..19, columns 20..39: the longer side is 20, with margins 20 * 1.5 = 30;
    # top (10 + 20 - 30) / 2 = 0, left (20 + 40 - 30) / 2 = 15
    cell_at(slice(10, 20), slice(20, 40))
    prepared = prepare(picture_of(60, 60), CROPPED)
    assert prepared.box == Box(top=0, left=15, bottom=30, right=45)


def test_crop_beyond_the_picture_repeats_its_edge(cell_at):
    # Rows and columns 0..31 with a margin of a half: 64 a side from -16; 32 after the resize.
    cell_at(slice(0, 32), slice(0, 32))
    pixels = np.full((48, 48, 3), 50, np.uint8)
    pixels[0] = 250
    recipe = dataclasses.replace(CROPPED, crop_margin=0.5)
    prepared = prepare(Picture(pixels=pixels, name="edge.png"), recipe)
    assert prepared.box == Box(top=-16, left=-16, bottom=48, right=48)
    assert (prepared.pixels[:8] == 250).all()  # 16 rows repeat the first, halved to 8
    assert (prepared.pixels[9:] == 50).all()


def test_box_too_large_to_be_filled_is_shrunk_before_it_is_padded(cell_at, monkeypatch):
    # As above, a box of 64 a side, but 32 x 32 pixels allowed: the 48 rows inside become 24, the 16
    # above them 8. Two rows of 250 become one, so the network sees what it would have seen.
    cell_at(slice(0, 32), slice(0, 32))
    pixels = np.full((48, 48, 3), 50, np.uint8)
    pixels[:2] = 250
    picture = Picture(pixels=pixels, name="edge.png")
    recipe = dataclasses.replace(CROPPED, crop_margin=0.5)
    whole = prepare(picture, recipe)
    monkeypatch.setattr(prepare_module, "MAX_PADDED_PIXELS", 32 * 32)
    bounded = prepare(picture, recipe)
    assert [stage.pixels.shape[:2] for stage in whole.stages if stage.name == "cropped"] == [
        (64, 64)
    ]
    assert [stage.pixels.shape[:2] for stage in bounded.stages if stage.name == "cropped"] == [
        (32, 32)
    ]
    assert bounded.box == whole.box == Box(top=-16, left=-16, bottom=48, right=48)
    assert np.array_equal(bounded.pixels, whole.pixels)


@given(st.integers(1, 300), st.integers(0, 59), st.integers(0, 59))
def test_no_padded_box_passes_the_bound(side, row, column):
    # A box round any pixel of a picture of 60 x 60; it reaches outside from 61 on at the latest.
    box = Box(top=row - side // 2, left=column, bottom=row - side // 2 + side, right=column + side)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(prepare_module, "MAX_PADDED_PIXELS", 40 * 40)
        rows, columns = prepare_module._cut(np.zeros((60, 60, 3), np.uint8), box).shape[:2]
    assert rows == columns
    assert rows == side or (rows in (39, 40) and side > 40)


def test_box_inside_the_picture_is_never_shrunk(cell_at, monkeypatch):
    monkeypatch.setattr(prepare_module, "MAX_PADDED_PIXELS", 16)
    cell_at(slice(20, 40), slice(20, 40))
    picture = picture_of(60, 60)
    prepared = prepare(picture, CROPPED)
    assert np.array_equal(prepared.stages[-2].pixels, picture.pixels[15:45, 15:45])


def test_background_outside_the_cells_becomes_black(cell_at):
    cell_at(slice(8, 24), slice(8, 24))
    recipe = Recipe(input="cell", side_px=32, segmentation="stain", blank_background=True)
    picture = Picture(pixels=np.full((32, 32, 3), 200, np.uint8), name="cell.png")
    pixels = prepare(picture, recipe).pixels
    assert (pixels[8:24, 8:24] == 200).all()
    assert pixels.sum() == 16 * 16 * 3 * 200


# When no cell is found


def test_missing_cell_leaves_the_whole_picture_and_says_so(cell_at):
    cell_at()
    prepared = prepare(picture_of(40, 50), CROPPED)
    assert prepared.box == Box(top=0, left=0, bottom=40, right=50)
    assert prepared.remarks == ("No cell was found, so the whole picture was used.",)


def test_missing_cell_leaves_the_window_and_says_so(cell_at):
    cell_at()
    prepared = prepare(picture_of(40, 40), dataclasses.replace(CROPPED, window=0.5))
    assert prepared.box == Box(top=10, left=10, bottom=30, right=30)
    assert prepared.remarks == ("No cell was found, so the middle of the picture was used.",)


def test_missing_cell_leaves_the_background_and_says_so(cell_at):
    cell_at()
    recipe = Recipe(input="cell", side_px=32, segmentation="stain", blank_background=True)
    picture = picture_of(32, 32)
    prepared = prepare(picture, recipe)
    assert np.array_equal(prepared.pixels, picture.pixels)
    assert prepared.remarks == ("No cell was found, so the background was not made black.",)


# Fitting, colour, noise


def wide() -> Picture:
    """32 x 64: the left half 40, the right half 200."""
    pixels = np.full((32, 64, 3), 40, np.uint8)
    pixels[:, 32:] = 200
    return Picture(pixels=pixels, name="wide.png")


def test_padding_puts_black_above_and_below():
    # 64 x 64 with 16 rows of black on either side, halved: 8 rows of 32.
    pixels = prepare(wide(), dataclasses.replace(PLAIN, fit="pad")).pixels
    assert (pixels[:8] == 0).all()
    assert (pixels[24:] == 0).all()
    assert (pixels[8:24, :16] == 40).all()
    assert (pixels[8:24, 16:] == 200).all()


def test_cropping_to_a_square_keeps_the_middle():
    # Columns 16..47 of 64: half and half, at the stored scale.
    pixels = prepare(wide(), dataclasses.replace(PLAIN, fit="crop")).pixels
    assert (pixels[:, :16] == 40).all()
    assert (pixels[:, 16:] == 200).all()


def test_stretching_keeps_everything():
    pixels = prepare(wide(), PLAIN).pixels
    assert (pixels[:, :15] == 40).all()
    assert (pixels[:, 17:] == 200).all()


def test_grey_is_luminance_in_three_channels():
    # .299 * 255 = 76.2
    red = Picture(pixels=np.full((32, 32, 3), (255, 0, 0), np.uint8), name="red.png")
    assert (prepare(red, dataclasses.replace(PLAIN, colour="grey")).pixels == 76).all()


@pytest.mark.parametrize("denoise", ["median", "bilateral"])
def test_denoising_is_shown_as_a_stage(denoise):
    prepared = prepare(picture_of(32, 32), dataclasses.replace(PLAIN, denoise=denoise))
    assert [stage.name for stage in prepared.stages] == ["picture", "denoised", "network input"]
    assert not np.array_equal(prepared.stages[1].pixels, prepared.stages[0].pixels)


def test_median_takes_a_hot_pixel_away():
    pixels = np.full((32, 32, 3), 80, np.uint8)
    pixels[10, 10] = 255
    picture = Picture(pixels=pixels, name="hot.png")
    assert (prepare(picture, dataclasses.replace(PLAIN, denoise="median")).pixels == 80).all()


# Views

CORNERS = np.array([[1, 2], [3, 4]], np.float32)[..., None]  # (2, 2, 1)


def seen(count: int) -> list[list[float]]:
    return [view.ravel().tolist() for view in views(CORNERS, count)]


def test_first_view_is_the_tensor_itself():
    assert seen(1) == [[1, 2, 3, 4]]


def test_two_views_add_the_half_turn():
    assert seen(2) == [[1, 2, 3, 4], [4, 3, 2, 1]]


def test_four_views_are_the_quarter_turns():
    # 1 2 / 3 4 turned to the left: 2 4 / 1 3, then 4 3 / 2 1, then 3 1 / 4 2
    assert seen(4) == [[1, 2, 3, 4], [2, 4, 1, 3], [4, 3, 2, 1], [3, 1, 4, 2]]


def test_eight_views_add_the_mirror_pictures_of_the_turns():
    # 1 2 / 3 4 mirrored: 2 1 / 4 3; 2 4 / 1 3 mirrored: 4 2 / 3 1; and so on
    assert seen(8)[4:] == [[2, 1, 4, 3], [4, 2, 3, 1], [3, 4, 1, 2], [1, 3, 2, 4]]


@settings(deadline=None)
@given(st.sampled_from([4, 8]), st.integers(0, 3))
def test_views_of_a_turned_tensor_are_the_same_views(count, turns):
    turned = {tuple(view.ravel()) for view in views(np.rot90(CORNERS, turns), count)}
    assert turned == {tuple(view.ravel()) for view in views(CORNERS, count)}
