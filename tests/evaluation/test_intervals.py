"""Intervals against numbers worked by hand, and what must hold for every count and group."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leukemia_app.evaluation.intervals import (
    bootstrap_interval,
    each_once,
    group_draws,
    pictures_to_halve,
    resample,
    wilson_interval,
)

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


PICTURES = st.lists(
    st.tuples(st.sampled_from("ABCDEF"), st.sampled_from(["all", "hem"])), min_size=1, max_size=30
)


@given(PICTURES, st.integers(0, 99))
def test_a_sample_holds_whole_groups_and_as_many_as_there_are(pictures, seed):
    groups, labels = zip(*pictures, strict=True)
    sizes = {group: groups.count(group) for group in groups}
    for rows in group_draws(groups, labels, 5, seed):
        drawn = [groups[row] for row in rows]
        # Every picture of a drawn group is there, equally often.
        times = {group: [list(rows).count(row) for row in range(len(groups))
                         if groups[row] == group] for group in set(drawn)}  # fmt: skip
        assert all(len(set(counts)) == 1 for counts in times.values())
        assert sum(drawn.count(group) // sizes[group] for group in set(drawn)) == len(sizes)


def test_a_sample_keeps_the_number_of_groups_of_each_class():
    # Three groups of class x and two of class y; group c has one picture of y, but mostly x.
    groups = ["a", "a", "b", "c", "c", "c", "d", "e", "e"]
    labels = ["x", "x", "x", "x", "x", "y", "y", "y", "y"]
    for rows in group_draws(groups, labels, 50, 0):
        drawn = [groups[row] for row in rows]
        times = {group: drawn.count(group) // groups.count(group) for group in set(drawn)}
        assert sum(times.get(group, 0) for group in "abc") == 3
        assert sum(times.get(group, 0) for group in "de") == 2


def test_single_pictures_come_near_the_binomial_interval():
    # 70 of 100 right: 0.7 ± 1.96 * sqrt(0.7 * 0.3 / 100) = 0.610 to 0.790. All in one class, so
    # that nothing but the pictures is drawn.
    right = np.array([1] * 70 + [0] * 30)
    ends = bootstrap_interval(
        lambda rows: float(right[rows].mean()), [str(row) for row in range(100)], ["x"] * 100, 4000
    )
    assert ends == pytest.approx((0.610, 0.790), abs=0.011)


def test_pictures_of_one_group_count_as_one():
    # Ten groups of ten alike: as uncertain as ten pictures, 0.7 ± 1.96 * sqrt(0.7 * 0.3 / 10).
    right = np.repeat([1] * 7 + [0] * 3, 10)
    groups = [str(row // 10) for row in range(100)]
    ends = bootstrap_interval(lambda rows: float(right[rows].mean()), groups, ["x"] * 100, 4000)
    assert ends == pytest.approx((0.416, 0.984), abs=0.05)


def test_the_same_seed_gives_the_same_interval():
    def interval(seed: int) -> tuple[float, float] | None:
        values = np.arange(12.0)
        return bootstrap_interval(
            lambda rows: float(values[rows].mean()), list("abcdefghijkl"), ["x"] * 12, 200, seed
        )

    assert interval(1) == interval(1) != interval(2)


@pytest.mark.parametrize(
    ("groups", "labels"),
    [("", ""), ("aaaa", "xxxx"), ("aabb", "xxyy"), ("abcc", "xxyy")],
    ids=["nothing", "one group", "one group a class", "one group of a class"],
)
def test_what_cannot_vary_has_no_interval(groups, labels):
    assert bootstrap_interval(lambda rows: 0.5, list(groups), list(labels)) is None


def test_a_figure_that_is_mostly_undefined_has_no_interval():
    def often_undefined(rows: np.ndarray) -> float | None:
        return None if 0 in rows else 0.5

    def once_undefined(rows: np.ndarray) -> float | None:
        return None if (rows == rows[0]).all() else 0.5

    groups, labels = list("abcdef"), ["x"] * 6
    assert bootstrap_interval(often_undefined, groups, labels) is None
    # All six draws alike: 1 in 6^5.
    assert bootstrap_interval(once_undefined, groups, labels) == (0.5, 0.5)


LISTS = st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 1)), min_size=2, max_size=20)


@given(LISTS)
def test_samples_as_counts_are_the_samples_of_pictures(rows: list[tuple[str, int]]):
    groups, strata = zip(*rows, strict=True)
    values = np.arange(len(rows), dtype=np.float64)[:, None] ** [1, 2]
    counted = resample(groups, strata, n_draws=20, seed=3)
    drawn = [values[numbers].sum(0) for numbers in group_draws(groups, strata, 20, 3)]
    assert counted.sums(values) == pytest.approx(np.stack(drawn))


@given(LISTS)
def test_the_interval_of_counts_is_that_of_pictures(rows: list[tuple[str, int]]):
    groups, strata = zip(*rows, strict=True)
    values = np.arange(len(rows), dtype=np.float64)
    counted = resample(groups, strata, n_draws=50)
    found = counted.interval(counted.sums(values) / counted.sums(np.ones(len(rows))))
    expected = bootstrap_interval(lambda chosen: values[chosen].mean(), groups, strata, 50)
    assert (found is None) == (expected is None)
    assert found is None or found == pytest.approx(expected)


def test_an_interval_needs_a_figure_of_nearly_every_sample():
    draws = resample(["a", "b"], [0, 0], n_draws=20)
    values = np.arange(20.0)
    values[:1] = np.nan
    # 19 of 20 are known, a twentieth is not: still enough; of 18 it is not
    assert draws.interval(values) is not None
    values[:2] = np.nan
    assert draws.interval(values) is None


def test_each_once_sums_every_picture_once():
    assert each_once(3).sums(np.array([1.0, 2, 4])).tolist() == [7]
    assert each_once(3).interval(np.array([1.0])) is None
