"""Wilson intervals against numbers worked by hand, and what must hold for every count."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leukemia_app.evaluation.intervals import pictures_to_halve, wilson_interval

COUNTS = st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


def test_wilson_interval_for_45_of_50():
    # p=.9, z²=3.8415: centre (.9+.038415)/1.07683=.8715;
    # half 1.95996·√(.0018+.000384)/1.07683=.0851
    assert wilson_interval(45, 50) == pytest.approx((0.7864, 0.9565), abs=1e-4)


def test_three_of_twenty_is_five_to_thirty_six_per_cent():
    # p=.15: centre (.15+.09604)/1.19207=.2064; half 1.95996·√(.006375+.0024009)/1.19207=.1540
    assert wilson_interval(3, 20) == pytest.approx((0.0524, 0.3604), abs=1e-4)


def test_none_of_ten_starts_at_zero_and_ends_at_the_rule():
    # p=0: centre=half=(z²/2n)/(1+z²/n)=.192075/1.38415=.13877, so 0 to .27753
    low, high = wilson_interval(0, 10)
    assert low == 0
    assert high == pytest.approx(0.27753, abs=1e-5)


def test_halving_three_of_twenty_takes_63_more():
    # half width .1540, so .0770 is asked for; at 82: 1.95996·√(.0015549+.0001428)/1.04685=.07714,
    # still too wide; at 83: 1.95996·√(.0015361+.0001394)/1.04628=.07668; 83 - 20 = 63
    assert pictures_to_halve(3, 20) == 63


@given(COUNTS)
def test_the_interval_holds_its_estimate(count: tuple[int, int]):
    k, n = count
    low, high = wilson_interval(k, n)
    assert 0 <= low <= k / n <= high <= 1


@given(COUNTS)
def test_a_share_and_its_rest_mirror_each_other(count: tuple[int, int]):
    k, n = count
    low, high = wilson_interval(k, n)
    assert wilson_interval(n - k, n) == pytest.approx((1 - high, 1 - low), abs=1e-12)


@given(st.integers(1, 400))
def test_the_pictures_asked_for_halve_the_width_and_one_fewer_do_not(n: int):
    # a share of 0 stays exactly 0 with more pictures, so the width can be checked to the picture
    more = pictures_to_halve(0, n)
    wide, narrow = wilson_interval(0, n)[1], wilson_interval(0, n + more)[1]
    assert narrow <= wide / 2 < wilson_interval(0, n + more - 1)[1]


def test_a_higher_level_is_wider():
    assert wilson_interval(5, 9, 0.99)[1] > wilson_interval(5, 9, 0.95)[1]


@pytest.mark.parametrize(("k", "n"), [(0, 0), (-1, 5), (6, 5)])
def test_a_count_that_is_no_share_is_refused(k: int, n: int):
    with pytest.raises(ValueError, match=f"{k} of {n} is no share"):
        wilson_interval(k, n)
    with pytest.raises(ValueError, match="is no share"):
        pictures_to_halve(k, n)


def test_a_level_outside_its_range_is_refused():
    with pytest.raises(ValueError, match="level is 95"):
        wilson_interval(1, 2, 95)
