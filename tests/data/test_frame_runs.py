import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leukemia_app.data.runs import LEAST_RUNS, N_LOOK, SHORTEST_RUN, look_of, runs_of


def sequence(*levels, length=30, seed=0, noise=0.3):
    """Looks of runs of `length` pictures each, around one level a run, three values each."""
    rng = np.random.default_rng(seed)
    means = np.repeat(np.array(levels, float), length)
    return (means[:, None] + rng.normal(0, noise, (len(means), 3))).astype(np.float32)


def test_runs_are_cut_where_the_look_changes():
    runs = runs_of(sequence(0, 5, 1, 6, 2, 7, 3))
    assert runs is not None
    assert runs.tolist() == np.repeat(np.arange(7), 30).tolist()


def test_frames_that_alternate_between_two_looks_stay_in_one_run():
    # Each field was taken twice, bright and dark: neighbours differ more than the runs do.
    looks = sequence(0, 5, 1, 6, 2, 7, 3)
    looks[::2] += 9
    runs = runs_of(looks)
    assert runs is not None
    cuts = np.flatnonzero(np.diff(runs)) + 1
    assert np.abs(cuts - np.arange(30, 210, 30)).max() <= 2


def test_an_order_that_says_nothing_gives_no_runs():
    assert runs_of(np.random.default_rng(0).permutation(sequence(0, 5, 1, 6, 2, 7))) is None
    assert runs_of(np.random.default_rng(1).normal(size=(400, 5)).astype(np.float32)) is None


@pytest.mark.parametrize("n", [0, 1, 2 * SHORTEST_RUN - 1])
def test_too_few_pictures_give_no_runs(n):
    assert runs_of(sequence(0, 9)[:n]) is None


def test_pictures_that_all_look_the_same_give_no_runs():
    assert runs_of(np.ones((100, 4), np.float32)) is None


def test_an_even_drift_is_still_cut_into_enough_runs_for_a_split():
    runs = runs_of(np.linspace(0, 1, 200, dtype=np.float32)[:, None])
    assert runs is not None
    assert runs.max() + 1 >= LEAST_RUNS


@given(st.lists(st.integers(0, 9), min_size=1, max_size=12), st.integers(0, 99))
def test_runs_are_contiguous_and_not_too_short(levels, seed):
    runs = runs_of(sequence(*levels, length=12, seed=seed, noise=1))
    if runs is not None:
        assert set(np.diff(runs)) <= {0, 1}
        assert runs[0] == 0
        assert np.bincount(runs).min() >= SHORTEST_RUN


def test_a_look_tells_colour_and_sharpness():
    rng = np.random.default_rng(0)
    sharp = rng.integers(0, 256, (90, 70, 3), np.uint8)
    flat = np.full((90, 70, 3), 128, np.uint8)
    assert look_of(sharp).shape == (N_LOOK,)
    assert look_of(sharp).dtype == np.float32
    assert look_of(flat)[-2:].tolist() == [0, 0]
    assert (look_of(sharp)[-2:] > 5).all()
    # Mid grey: lightness 0.5 of 255 in OpenCV's Lab is 137 and both colour axes are 128.
    np.testing.assert_allclose(look_of(flat)[9:12], [137, 128, 128], atol=1)
