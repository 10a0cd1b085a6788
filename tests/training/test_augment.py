"""Disturbed copies: the same for the same generator, and nothing that was not asked for."""

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leukemia_app.errors import RunError
from leukemia_app.training.augment import RANGES, Augment, augment

SIDE_PX = 32
NOTHING = Augment(
    rotation_degrees=0, flip=False, zoom=0, shear=0, shift=0, stain_gain_sd=0, stain_offset_sd=0,
    stain_probability=0, grey_probability=0, brightness=0, blur_sigma_px=0, jpeg_quality=0,
    noise_sd=0, bar_probability=0, cutout=0,
)  # fmt: skip


def picture() -> np.ndarray:
    """Every pixel another colour than its neighbours, so that any move shows."""
    pixels = np.random.default_rng(0).integers(40, 240, (SIDE_PX, SIDE_PX, 3)).astype(np.uint8)
    pixels.setflags(write=False)
    return pixels


def copies(how: Augment, n: int) -> list[np.ndarray]:
    return [augment(picture(), how, np.random.default_rng(seed)) for seed in range(n)]


@given(st.integers(0, 2**32 - 1))
def test_with_everything_off_the_copy_is_the_picture(seed):
    made = augment(picture(), NOTHING, np.random.default_rng(seed))
    np.testing.assert_array_equal(made, picture())


@given(st.integers(0, 2**32 - 1))
def test_the_same_generator_gives_the_same_copy_of_the_same_kind(seed):
    pixels = picture()
    first, again = (augment(pixels, Augment(), np.random.default_rng(seed)) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert (first.shape, first.dtype) == (pixels.shape, np.uint8)
    np.testing.assert_array_equal(pixels, picture())


def test_another_generator_gives_another_copy():
    first, other = copies(Augment(), 2)
    assert (first != other).any()


def test_flips_leave_half_of_the_copies_as_they_are():
    made = copies(replace(NOTHING, flip=True), 400)
    kept = sum(np.array_equal(copy, picture()) for copy in made)
    mirrored = sum(np.array_equal(copy, picture()[:, ::-1]) for copy in made)
    assert kept + mirrored == 400
    # 200 ± 4 standard deviations of 10
    assert 160 < kept < 240


def test_a_black_border_is_black_and_no_border_is_the_mirrored_picture():
    # A turn by up to 180° brings the outside into the corners.
    turned = replace(NOTHING, rotation_degrees=180)
    assert any((copy == 0).all(axis=2).any() for copy in copies(
        replace(turned, black_border=True), 5))  # fmt: skip
    assert all(copy.min() >= 40 for copy in copies(turned, 20))


def test_a_turned_picture_keeps_its_middle():
    pixels = np.full((33, 33, 3), 200, np.uint8)
    pixels[16, 16] = (10, 20, 30)
    for seed in range(10):
        made = augment(pixels, replace(NOTHING, rotation_degrees=180), np.random.default_rng(seed))
        assert np.abs(made[16, 16].astype(int) - (10, 20, 30)).max() <= 2


def test_contrast_moves_greys_from_their_mean_and_keeps_it():
    # Half of 100 and half of 140: mean 120, distance 20; a factor in 0.5 to 2 gives 10 to 40.
    pixels = np.full((SIDE_PX, SIDE_PX, 3), 100, np.uint8)
    pixels[:16] = 140
    log_2 = 0.6931
    apart = set()
    for seed in range(30):
        made = augment(pixels, replace(NOTHING, contrast=log_2), np.random.default_rng(seed))
        low, high = int(made.min()), int(made.max())
        assert abs(low + high - 240) <= 1
        assert 10 <= (high - low) / 2 <= 40
        apart.add(high - low)
    assert min(apart) < 40 < max(apart), "less and more"


def test_contrast_leaves_a_black_background_black():
    pixels = picture().copy()
    pixels[:8] = 0
    for seed in range(10):
        made = augment(pixels, replace(NOTHING, contrast=1), np.random.default_rng(seed))
        assert not made[:8].any()


def test_a_configuration_from_before_contrast_disturbs_as_it_did():
    kept = {name: value for name, value in Augment().to_dict().items() if name != "contrast"}
    assert Augment.from_dict(kept) == Augment()
    assert Augment().contrast == 0


def test_grey_copies_have_three_equal_channels():
    for copy in copies(replace(NOTHING, grey_probability=1), 3):
        assert (copy == copy[..., :1]).all()


def test_light_stays_within_its_factor():
    # exp(0.2) = 1.22 at most darker, exp(0.1) = 1.105 at most lighter; 240 * 1.105 is cut off.
    pixels = np.full((SIDE_PX, SIDE_PX, 3), 100, np.uint8)
    values = [
        int(augment(pixels, replace(NOTHING, brightness=0.2), np.random.default_rng(seed))[0, 0, 0])
        for seed in range(200)
    ]
    assert 81 <= min(values) < 86
    assert 108 <= max(values) <= 111


def test_a_shift_moves_by_no_more_than_its_part():
    # 0.25 of 32 is 8 pixels: the dot in the middle stays within 8 of it.
    pixels = np.zeros((SIDE_PX, SIDE_PX, 3), np.uint8)
    pixels[15:17, 15:17] = 255
    for seed in range(30):
        made = augment(pixels, replace(NOTHING, shift=0.25, black_border=True),
                       np.random.default_rng(seed))  # fmt: skip
        row, column = (values.mean() for values in np.nonzero(made[..., 0] > 60))
        assert abs(row - 15.5) <= 9
        assert abs(column - 15.5) <= 9


def test_a_cut_square_is_as_large_as_asked_for_and_in_the_median_colour():
    # Half of 32: 16 by 16 pixels in about half the copies.
    pixels = np.full((SIDE_PX, SIDE_PX, 3), (9, 8, 7), np.uint8)
    pixels[::5, ::3] = 200
    changed = [
        int((augment(pixels, replace(NOTHING, cutout=0.5), np.random.default_rng(seed)) != pixels)
            .any(axis=2).sum())
        for seed in range(60)
    ]  # fmt: skip
    holes = [count for count in changed if count]
    assert 15 <= len(holes) <= 45
    # Dots that a square of 16 by 16 covers: 3 or 4 rows of 5 or 6.
    assert all(15 <= count <= 24 for count in holes)


def test_a_cut_as_large_as_the_picture_is_possible():
    made = copies(replace(NOTHING, cutout=1), 10)
    assert any(len(np.unique(copy.reshape(-1, 3), axis=0)) == 1 for copy in made)


@pytest.mark.parametrize(
    "changes",
    [{"stain_probability": 1, "stain_gain_sd": 0.3}, {"noise_sd": 8}, {"blur_sigma_px": 12},
     {"jpeg_quality": 5}, {"zoom": 0.3}, {"shear": 0.4}, {"bar_probability": 1}],
    ids=lambda changes: next(iter(changes)),
)  # fmt: skip
def test_each_step_changes_some_copy_by_itself(changes):
    made = copies(replace(NOTHING, **changes), 12)
    assert any((copy != picture()).any() for copy in made)


def test_the_smallest_strengths_are_possible():
    copies(replace(NOTHING, noise_sd=1, blur_sigma_px=0.3, jpeg_quality=1), 12)
    copies(replace(NOTHING, jpeg_quality=89), 12)


@given(st.builds(
    Augment, cutout=st.floats(0, 1), zoom=st.floats(0, 1), stain_gain_sd=st.floats(0, 2),
    flip=st.booleans(), jpeg_quality=st.integers(0, 89),
))  # fmt: skip
def test_settings_come_back_from_their_dictionary(how):
    assert Augment.from_dict(how.to_dict()) == how


def test_every_number_has_a_range():
    numbers = {item.name for item in fields(Augment) if item.type in (int, float)}
    assert set(RANGES) == numbers


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"cutout": 1.5}, r"augment.cutout is 1.5; use 0 to 1"),
     ({"rotation_degrees": 360}, r"augment.rotation_degrees is 360; use 0 to 180"),
     ({"jpeg_quality": 90}, r"augment.jpeg_quality is 90; use 0 to 89"),
     ({"jpeg_quality": 20.5}, r"augment.jpeg_quality is 20.5; use a whole number"),
     ({"flip": "yes"}, r"augment.flip is 'yes'; use true or false"),
     ({"noise_sd": 0.5}, r"augment.noise_sd is 0.5; use 0 for none, or 1 and more"),
     ({"blur_sigma_px": 0.1}, r"augment.blur_sigma_px is 0.1; use 0 for none, or 0.3 and more"),
     ({"grey_probability": 20}, r"augment.grey_probability is 20; use 0 to 1"),
     ({"brightness": float("inf")}, r"augment.brightness is inf; use a number")],
)  # fmt: skip
def test_a_strength_that_cannot_be_used_is_refused_by_name(changes, message):
    with pytest.raises(RunError, match=message):
        Augment(**changes)


def test_an_unknown_step_is_refused_by_name():
    with pytest.raises(RunError, match="augment has unknown keys: mixup"):
        Augment.from_dict({"mixup": 0.2})
