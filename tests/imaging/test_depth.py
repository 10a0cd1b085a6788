import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leukemia_app.imaging.depth import windowed


def test_window_of_few_values_reaches_from_the_least_to_the_greatest():
    # 3 values: no thousandth is a whole value, so 1000 -> 0, 3000 -> 255, 2000 -> 127.5 -> 128
    shown, low, high = windowed(np.array([1000, 2000, 3000], np.uint16))
    assert (low, high) == (1000, 3000)
    assert shown.tolist() == [0, 128, 255]


def test_window_leaves_out_a_thousandth_at_each_end():
    # 0..9999 once each: 10 values lie below the 0.1 percentile, 10 above the 99.9.
    shown, low, high = windowed(np.arange(10_000, dtype=np.uint16))
    assert (low, high) == (10, 9_989)
    assert (shown[:11] == 0).all()
    assert (shown[9_989:] == 255).all()
    # 5000: (5000 - 10) * 255 / 9979 = 127.51
    assert shown[5_000] == 128


def test_hot_pixels_do_not_darken_the_rest():
    values = np.arange(10_000, dtype=np.uint16) % 4_096
    values[:5] = 65_535
    _, _, high = windowed(values)
    assert high < 4_096


def test_window_is_one_for_all_channels():
    # Red 0..200 and blue 0..100: blue stays half as bright.
    values = np.zeros((101, 1, 3), np.uint16)
    values[:, 0, 0], values[:, 0, 2] = np.arange(101) * 2, np.arange(101)
    shown, _, _ = windowed(values)
    assert shown[100, 0].tolist() == [255, 0, 128]


def test_nearly_constant_picture_is_spread_between_its_extremes():
    # One value in 10,000 differs, which both percentiles miss.
    values = np.full(10_000, 500, np.uint16)
    values[0] = 600
    shown, low, high = windowed(values)
    assert (low, high) == (500, 600)
    assert shown[:2].tolist() == [255, 0]


@pytest.mark.parametrize(("value", "shown"), [(0, 0), (32_768, 128), (65_535, 255)])
def test_constant_picture_keeps_its_part_of_the_range(value, shown):
    assert (windowed(np.full((4, 4), value, np.uint16))[0] == shown).all()


def test_strips_are_counted_together():
    # More values than one strip: the percentiles still hold for all of them.
    values = np.repeat(np.arange(1_000, dtype=np.uint16), 2_000)
    assert windowed(values)[1:] == (1, 998)


@settings(deadline=None)
@given(st.lists(st.integers(0, 65_535), min_size=1, max_size=50))
def test_window_never_changes_an_order(values):
    shown, _, _ = windowed(np.array(values, np.uint16))
    assert (np.diff(shown[np.argsort(values, kind="stable")].astype(int)) >= 0).all()
