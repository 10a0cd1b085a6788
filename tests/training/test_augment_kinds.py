"""Each kind of disturbance alone: switched off, switched on, and as a strip of pictures."""

from dataclasses import fields, replace

import cv2
import numpy as np
import pytest

from leukemia_app.training.augment import Augment, augment
from leukemia_app.training.augment_kinds import (
    KINDS,
    SHOWN,
    TILE_PX,
    USUAL,
    alone,
    disturbed,
    is_on,
    nothing,
    strip,
    strips,
)


def picture(side_px: int = 64) -> np.ndarray:
    """Every pixel another colour than its neighbours, so that any disturbance shows."""
    pixels = np.random.default_rng(1).integers(40, 240, (side_px, side_px, 3)).astype(np.uint8)
    pixels.setflags(write=False)
    return pixels


def test_every_strength_belongs_to_one_kind_and_has_a_usual_value():
    names = [name for group in KINDS.values() for name in group]
    assert len(names) == len(set(names))
    assert {*names, "black_border"} == {item.name for item in fields(Augment)}
    assert set(USUAL) == set(names)


def test_with_every_kind_off_the_copy_is_the_picture():
    assert not any(is_on(nothing(), kind) for kind in KINDS)
    for seed in range(20):
        made = augment(picture(), nothing(), np.random.default_rng(seed))
        np.testing.assert_array_equal(made, picture())


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_alone_is_on_and_no_other_is(kind):
    made = alone(Augment(), kind)
    assert [other for other in KINDS if is_on(made, other)] == [kind]
    assert [other for other in KINDS if is_on(alone(nothing(), kind), other)] == [kind]


def test_a_kind_alone_is_as_strong_as_it_was_and_as_usual_where_it_was_off():
    assert alone(Augment(rotation_degrees=20), "rotation").rotation_degrees == 20
    assert alone(Augment(rotation_degrees=0), "rotation").rotation_degrees == 180
    assert alone(Augment(cutout=0), "cutout").cutout == USUAL["cutout"]
    assert alone(Augment(black_border=True), "zoom").black_border


def test_a_share_of_pictures_becomes_all_so_that_a_strip_shows_it():
    made = alone(Augment(stain_probability=0.1, stain_gain_sd=0.5), "stain")
    assert (made.stain_probability, made.stain_gain_sd) == (1, 0.5)
    assert alone(Augment(), "grey").grey_probability == 1


@pytest.mark.parametrize("kind", KINDS)
def test_every_copy_differs_from_the_picture(kind):
    made = list(disturbed(picture(), alone(Augment(), kind)))
    assert len(made) == SHOWN
    assert all((copy != picture()).any() for copy in made)


def test_a_picture_that_cannot_be_disturbed_is_shown_as_often():
    flat = np.full((32, 32, 3), 120, np.uint8)
    made = list(disturbed(flat, alone(Augment(), "flip")))
    assert len(made) == SHOWN
    assert all((copy == flat).all() for copy in made)


def test_a_strip_shows_the_picture_first_and_is_the_same_again():
    smooth = cv2.GaussianBlur(picture(200), (0, 0), 12)
    file = strip(smooth, replace(Augment(), cutout=0.3), "cutout")
    assert file == strip(smooth, replace(Augment(), cutout=0.3), "cutout")
    shown = cv2.imdecode(np.frombuffer(file, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    assert shown.shape == (TILE_PX, (SHOWN + 1) * TILE_PX, 3)
    small = cv2.resize(smooth, (TILE_PX, TILE_PX), interpolation=cv2.INTER_AREA)
    # JPEG of quality 90 on smooth colours
    assert np.abs(shown[:, :TILE_PX].astype(int) - small).mean() < 3


def test_what_only_pixels_tell_is_shown_as_large_as_it_is():
    pixels = np.full((192, 192, 3), 60, np.uint8)
    pixels[48:144, 48:144] = 200  # the middle 96 px
    shown = {
        kind: cv2.imdecode(
            np.frombuffer(strip(pixels, Augment(), kind), np.uint8), cv2.IMREAD_COLOR
        )[:, :TILE_PX]
        for kind in ("blur", "rotation")
    }
    assert shown["blur"].min() > 190
    assert shown["rotation"].min() < 70


def test_there_is_a_strip_of_every_kind():
    assert set(strips(picture(32), Augment())) == set(KINDS)
