"""Disturbances of known strength: numbers by hand, and what must hold for every one of them."""

import numpy as np
import pytest

from leukemia_app.evaluation.corruptions import (
    CORRUPTIONS,
    QUOTED_STRENGTH,
    compress_jpeg,
    corrupt,
    mask_bar,
    shift_stain,
)
from leukemia_app.imaging.render import draw
from leukemia_app.imaging.segment import segment

RANDOM = ("stain_shift", "motion_blur", "stain_deposit", "bubble", "noise")
"""Those that draw something; all others give one result a strength."""


def cell_on_ground(rows: int = 224, columns: int = 250) -> np.ndarray:
    """A violet disc with a fine grain on pink, so that every disturbance changes something."""
    row, column = np.mgrid[:rows, :columns]
    inside = np.hypot(row - rows / 2, column - columns / 2.5) < rows / 4
    pixels = np.where(inside[..., None], (110, 60, 150), (226, 200, 214))
    grain = np.random.default_rng(0).integers(-5, 6, (rows, columns, 1))
    return (pixels + grain).astype(np.uint8)


def flat(value: int, side: int = 20) -> np.ndarray:
    return np.full((side, side, 3), value, np.uint8)


def mean_change(name: str, strength: int) -> float:
    """Mean change in grey levels; over several draws where there is something to draw."""
    pixels = cell_on_ground()
    changes = [
        np.abs(corrupt(pixels, name, strength, np.random.default_rng(seed)) - pixels.astype(float))
        for seed in range(12 if name in RANDOM else 1)
    ]
    return float(np.mean(changes))


@pytest.mark.parametrize("name", CORRUPTIONS)
@pytest.mark.parametrize("strength", [1, 5])
def test_every_disturbance_gives_a_changed_copy_of_the_same_kind(name, strength):
    pixels = cell_on_ground()
    before = pixels.copy()
    pixels.setflags(write=False)
    made = corrupt(pixels, name, strength, np.random.default_rng(3))
    assert (made.shape, made.dtype) == (pixels.shape, np.uint8)
    assert not np.shares_memory(made, pixels)
    np.testing.assert_array_equal(pixels, before)
    assert (made != before).any()


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_a_stronger_disturbance_changes_more(name):
    # A turn by 90° of this picture may come nearer to it again; it must only grow up to 45°.
    changes = [mean_change(name, strength) for strength in ((1, 2, 3) if name == "rotation"
               else (1, 2, 3, 4, 5))]  # fmt: skip
    assert changes == sorted(changes)
    assert changes[0] < changes[-1]


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_the_same_generator_gives_the_same_copy(name):
    first, again = (corrupt(cell_on_ground(), name, 3, np.random.default_rng(8)) for _ in range(2))
    np.testing.assert_array_equal(first, again)


@pytest.mark.parametrize("name", RANDOM)
def test_another_generator_gives_another_copy(name):
    first, other = (
        corrupt(cell_on_ground(), name, 3, np.random.default_rng(seed)) for seed in (1, 2)
    )
    assert (first != other).any()


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_the_smallest_picture_that_is_decoded_can_be_disturbed(name):
    made = corrupt(cell_on_ground(16, 16), name, 5, np.random.default_rng(0))
    assert made.shape == (16, 16, 3)


def test_a_stain_without_gain_or_offset_is_the_picture():
    every_level = np.arange(256, dtype=np.uint8).reshape(16, 16, 1).repeat(3, axis=2)
    same = shift_stain(every_level, np.ones(3, np.float32), np.zeros(3, np.float32))
    assert np.abs(same.astype(int) - every_level).max() <= 1


def test_a_stain_twice_as_dense():
    # 63: density -log10(64 / 256) = log10 4; twice that is log10 16, and 256 / 16 - 1 = 15.
    # 127: log10 2 twice is log10 4, and 256 / 4 - 1 = 63. Green keeps its 63.
    pixels = flat(63, 4)
    pixels[..., 2] = 127
    made = shift_stain(pixels, np.array([2, 1, 2], np.float32), np.zeros(3, np.float32))
    assert made[0, 0].tolist() == [15, 63, 63]


def test_an_offset_of_the_stain_dims_by_its_power_of_ten():
    # 199: density log10(256 / 200); log10 2 more halves the 200, and 200 / 2 - 1 = 99.
    made = shift_stain(flat(199, 4), np.ones(3, np.float32), np.full(3, np.log10(2), np.float32))
    assert made[0, 0].tolist() == [99, 99, 99]


def test_black_background_takes_no_stain():
    made = shift_stain(flat(0, 4), np.full(3, 0.5, np.float32), np.full(3, -0.5, np.float32))
    assert made.max() == 0


def test_dimming_at_its_quoted_strength_keeps_seven_tenths():
    # 100 * 0.7 = 70; 201 * 0.7 = 140.7
    rng = np.random.default_rng(0)
    assert corrupt(flat(100), "dimming", 2, rng)[0, 0].tolist() == [70, 70, 70]
    assert corrupt(flat(201), "dimming", 2, rng)[0, 0].tolist() == [141, 141, 141]


def test_more_light_stops_at_white():
    # 100 * 1.4 = 140; 200 * 1.4 = 280, which is cut off
    rng = np.random.default_rng(0)
    assert corrupt(flat(100), "brightness_up", 5, rng).max() == 140
    assert corrupt(flat(200), "brightness_up", 5, rng).min() == 255


def test_grey_at_full_strength_is_luminance():
    # Rec. 601: 0.299 * 200 + 0.587 * 100 + 0.114 * 50 = 124.2
    pixels = flat(0)
    pixels[:] = (200, 100, 50)
    rng = np.random.default_rng(0)
    assert corrupt(pixels, "grey", 5, rng)[3, 3].tolist() == [124, 124, 124]
    # A fifth of the way there: 200 - 0.2 * 76 = 184.8, 100 + 0.2 * 24 = 104.8, 50 + 14.8 = 64.8
    assert corrupt(pixels, "grey", 1, rng)[3, 3].tolist() == [185, 105, 65]


def test_contrast_pulls_away_from_the_mean_of_the_picture():
    # Half 100, half 140: mean 120. Twice the distance gives 80 and 160, half of it 110 and 130.
    pixels = flat(100)
    pixels[:10] = 140
    rng = np.random.default_rng(0)
    assert np.unique(corrupt(pixels, "contrast_up", 5, rng)).tolist() == [80, 160]
    assert np.unique(corrupt(pixels, "contrast_down", 5, rng)).tolist() == [110, 130]


def test_saturation_leaves_grey_alone_and_pulls_colours_from_it():
    rng = np.random.default_rng(0)
    np.testing.assert_array_equal(corrupt(flat(90), "saturation", 5, rng), flat(90))
    # Luminance of (120, 100, 100) is 100 + 0.299 * 20 = 105.98, so 106; 2 * 120 - 106 = 134 and
    # 2 * 100 - 106 = 94.
    pixels = flat(100)
    pixels[..., 0] = 120
    assert corrupt(pixels, "saturation", 5, rng)[0, 0].tolist() == [134, 94, 94]


def test_the_masked_bar_is_the_bottom_right_corner_in_the_median_colour():
    # 50 rows, 100 columns, part 0.14: the last round(7) rows and round(28) columns.
    pixels = np.full((50, 100, 3), (230, 210, 220), np.uint8)
    pixels[45:, 90:] = (255, 0, 0)
    made = corrupt(pixels, "bar_masking", 2, np.random.default_rng(0))
    assert (made == (230, 210, 220)).all()
    pixels[:] = np.arange(100, dtype=np.uint8)[None, :, None]
    changed = np.argwhere((mask_bar(pixels, 0.14) != pixels).any(axis=2))
    assert changed.min(0).tolist() == [43, 72]
    assert changed.max(0).tolist() == [49, 99]


def test_a_blanked_background_is_its_median_and_the_cells_stay():
    pixels = draw("Early", 1, side_px=160).pixels
    cells = segment(pixels, "stain").cells > 0
    assert 0.01 < cells.mean() < 0.9
    made = corrupt(pixels, "background_blanking", 5, np.random.default_rng(0))
    np.testing.assert_array_equal(made[cells], pixels[cells])
    median = np.median(pixels[~cells], axis=0)
    assert np.abs(made[~cells] - median).max() <= 0.5
    fifth = corrupt(pixels, "background_blanking", 1, np.random.default_rng(0))
    by_hand = 0.8 * pixels[~cells] + 0.2 * median
    assert np.abs(fifth[~cells] - by_hand).max() <= 0.5


def test_blur_keeps_an_even_picture_and_the_sum_of_a_dot():
    rng = np.random.default_rng(0)
    for name in ("blur", "defocus_blur", "motion_blur"):
        np.testing.assert_array_equal(corrupt(flat(77, 64), name, 5, rng), flat(77, 64))


def test_lengths_follow_the_size_of_the_picture():
    # Strength 5 has a sigma of 3 px at 224: at 448 it is 6, so the same edge gets twice as wide.
    def width(side: int) -> int:
        edge = np.zeros((side, side, 3), np.uint8)
        edge[:, side // 2 :] = 200
        row = corrupt(edge, "blur", 5, np.random.default_rng(0))[side // 2, :, 0]
        return int(((row > 10) & (row < 190)).sum())

    assert width(448) == pytest.approx(2 * width(224), abs=2)


def test_pixelate_leaves_few_colours():
    # A ramp of 64 columns at a quarter: 16 columns of 4 each, (0 + 1 + 2 + 3) / 4 = 1.5, …
    ramp = np.arange(64, dtype=np.uint8)[None, :, None].repeat(64, 0).repeat(3, 2)
    made = corrupt(ramp, "pixelate", 5, np.random.default_rng(0))
    assert len(np.unique(made)) == 16
    assert made[0, :4, 0].tolist() == [2, 2, 2, 2]


def test_jpeg_keeps_a_flat_colour_and_loses_grain():
    assert np.abs(compress_jpeg(flat(128, 32), 20).astype(int) - 128).max() <= 1
    fine, coarse = (
        np.abs(compress_jpeg(cell_on_ground(), quality).astype(int) - cell_on_ground()).mean()
        for quality in (90, 10)
    )
    assert fine < coarse / 2


def test_cards_quote_disturbances_that_exist_at_strengths_that_exist():
    assert set(QUOTED_STRENGTH) <= set(CORRUPTIONS)
    assert all(1 <= strength <= 5 for strength in QUOTED_STRENGTH.values())


def test_an_unknown_disturbance_is_refused_by_name():
    with pytest.raises(ValueError, match="corruption is 'fog'; use one of stain_shift, grey"):
        corrupt(flat(1), "fog", 1, np.random.default_rng(0))


@pytest.mark.parametrize("strength", [0, 6, 2.5])
def test_a_strength_outside_one_to_five_is_refused(strength):
    with pytest.raises(ValueError, match=f"strength is {strength}; use 1 to 5"):
        corrupt(flat(1), "blur", strength, np.random.default_rng(0))
