"""Two models on the same pictures: tests by hand and beside SciPy's."""

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from leukemia_app.evaluation.measures import FIGURES, Answers, draws_of
from leukemia_app.evaluation.paired import McNemar, difference, disagreement, holm, mcnemar


def answers(predicted: list[int], true: list[int], groups: str) -> Answers:
    said = np.array(predicted, np.int64)
    return Answers(true=np.array(true, np.int64), predicted=said,
                   probabilities=np.eye(2, dtype=np.float32)[said],
                   referred=np.zeros(len(said), bool), groups=tuple(groups))  # fmt: skip


def test_mcnemar_counts_the_pictures_on_which_one_alone_is_right():
    true = [0, 0, 0, 1, 1, 1]
    first, other = answers([0, 0, 1, 1, 0, 0], true, "abcdef"), answers([0, 1, 1, 1, 1, 1], true,
                                                                        "abcdef")  # fmt: skip
    found = mcnemar(first, other)
    assert (found.only_first, found.only_other) == (1, 2)
    # three coins, at most one head on either side: all eight ways
    assert found.p == 1.0


def test_mcnemars_chance_of_an_uneven_split():
    # two sides of one way for none and eight for one, of 256
    assert McNemar(only_first=1, only_other=7).p == pytest.approx(18 / 256)
    assert McNemar(only_first=0, only_other=0).p == 1.0
    assert McNemar(only_first=2000, only_other=1).p < 1e-300


@given(st.integers(0, 60), st.integers(0, 60))
def test_mcnemar_is_the_binomial_test(first: int, other: int):
    if first + other:
        expected = scipy.stats.binomtest(first, first + other).pvalue
        assert McNemar(only_first=first, only_other=other).p == pytest.approx(expected)


def test_holm_raises_by_the_tests_that_are_left():
    # .01 * 3, .03 * 2, .04 * 1 but not under the one before
    assert holm([0.04, 0.01, 0.03]) == pytest.approx((0.06, 0.03, 0.06))
    assert holm([0.9, 0.8]) == (1.0, 1.0)
    assert holm([]) == ()


def test_a_difference_is_of_the_same_samples():
    true = [0, 0, 1, 1]
    first, other = answers([1, 0, 1, 1], true, "abcd"), answers([0, 0, 1, 1], true, "abcd")
    found = difference("accuracy", first, other, draws_of(first))
    assert found.value == pytest.approx(1 / 4)
    # samples draw a twice, once or never: the other has 2/4, 1/4 or 0 above
    assert (found.low, found.high) == (0.0, 0.5)


def test_a_difference_on_which_all_samples_agree_has_no_interval():
    true = [0, 0, 1, 1]
    right, first, wrong = (answers(said, true, "abcd") for said in
                           ([0, 0, 1, 1], [0, 1, 1, 1], [1, 1, 0, 0]))  # fmt: skip
    same = difference("accuracy", first, first, draws_of(first))
    assert (same.value, same.low, same.high) == (0, None, None)
    all_wrong = difference("accuracy", right, wrong, draws_of(right))
    assert (all_wrong.value, all_wrong.low, all_wrong.high) == (-1, None, None)


def test_rounding_is_no_difference(monkeypatch):
    noise = np.linspace(-1e-16, 1e-16, 1000)
    figure = iter([np.array([0.3]), np.array([0.1 + 0.2]), noise, -noise])
    monkeypatch.setitem(FIGURES, "accuracy", lambda given: next(figure))
    given = answers([0, 0, 1, 1], [0, 0, 1, 1], "abcd")
    found = difference("accuracy", given, given, draws_of(given))
    assert (found.value, found.low, found.high) == (0, None, None)
    assert not np.signbit(found.value)


def test_the_two_farthest_apart_say_how_far_models_disagree():
    found = disagreement({
        "a": np.array([[0.9, 0.1], [0.5, 0.5]]), "b": np.array([[0.8, 0.2], [0.5, 0.5]]),
        "c": np.array([[0.2, 0.8], [0.5, 0.5]]),
    })  # fmt: skip
    assert found == pytest.approx([0.7, 0.0])
