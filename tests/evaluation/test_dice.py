"""Dice of masks drawn by hand, and its interval over pictures."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra import numpy as st_numpy

from leukemia_app.evaluation.dice import dice, dice_report, summary

masks = st_numpy.arrays(bool, (4, 5))


def mask(*rows: str) -> np.ndarray:
    return np.array([[sign == "#" for sign in row] for row in rows])


def test_dice_of_masks_that_share_two_of_three_and_four_pixels():
    # common 2, areas 3 and 4: 2·2 / (3 + 4) = 4/7
    assert dice(mask("##.", "#.."), mask("##.", ".##")) == pytest.approx(4 / 7)


def test_dice_of_two_empty_masks_is_1():
    assert dice(mask("..", ".."), mask("..", "..")) == 1


def test_dice_with_one_empty_mask_is_0():
    assert dice(mask("#.", ".."), mask("..", "..")) == 0


def test_dice_refuses_masks_of_two_sizes():
    with pytest.raises(ValueError, match=r"\(1, 2\) and \(2, 1\); compare masks of one size"):
        dice(mask("##"), mask("#", "#"))


@given(masks, masks)
def test_dice_does_not_care_which_mask_comes_first(first: np.ndarray, second: np.ndarray):
    assert dice(first, second) == dice(second, first)


@given(masks, masks)
def test_dice_is_1_for_equal_masks_only(first: np.ndarray, second: np.ndarray):
    value = dice(first, second)
    assert 0 <= value <= 1
    assert (value == 1) == bool((first == second).all())


def test_report_averages_pictures_and_not_pixels():
    # 1 pixel alike: 1; 4 pixels, none alike: 0. Pixels pooled would give 2·1 / (5 + 1)
    pairs = [(mask("#..."), mask("#...")), (mask("####"), mask("...."))]
    report = dice_report(pairs)
    assert (report.value, report.median, report.n) == (0.5, 0.5, 2)


def test_interval_of_pictures_all_alike_has_no_width():
    report = summary([0.8] * 10)
    assert (report.low, report.high) == pytest.approx((0.8, 0.8))


def test_interval_is_the_normal_one_for_many_pictures():
    # half 0, half 1: standard error √(0.25/400) = 0.025, so about 0.5 ± 1.96·0.025 = 0.451 to 0.549
    report = summary([0.0, 1.0] * 200)
    assert (report.low, report.high) == pytest.approx((0.451, 0.549), abs=0.006)


def test_one_picture_has_no_interval():
    report = summary([0.7])
    assert report.to_dict() == {"value": 0.7, "low": None, "high": None, "median": 0.7, "n": 1}


def test_report_refuses_to_average_over_nothing():
    with pytest.raises(ValueError, match="no picture to average over; compare at least one"):
        dice_report([])
