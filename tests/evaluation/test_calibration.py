"""Temperature and thresholds against numbers worked by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leukemia_app.bundles.decision import to_probabilities
from leukemia_app.evaluation.calibration import (
    choose_positive_threshold,
    choose_threshold,
    fit_temperature,
    without_temperature,
)


def two_sided(top: list[float], wrong: list[bool]) -> tuple[np.ndarray, np.ndarray]:
    """True classes and probabilities (n, 2) of answers for class 0, wrong where said."""
    probabilities = np.array([[value, 1 - value] for value in top], np.float32)
    return np.array(wrong, np.int64), probabilities


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_the_temperature_recovers_a_known_scaling(temperature):
    # Classes drawn from softmax(logits); the network then shouts by 1/temperature too loud.
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (6000, 3))
    chances = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    true = (rng.random(6000)[:, None] > chances.cumsum(1)).sum(1)
    # Classes are as frequent as one another here, so that weighing them changes nothing.
    found = fit_temperature(true, (logits * temperature).astype(np.float32))
    assert found == pytest.approx(temperature, rel=0.06)


def test_the_temperature_of_one_output_is_that_of_two():
    rng = np.random.default_rng(1)
    single = rng.normal(0, 3, (400, 1)).astype(np.float32)
    true = (rng.random(400) < 1 / (1 + np.exp(-single[:, 0] / 2))).astype(np.int64)
    double = np.concatenate([np.zeros_like(single), single], axis=1)
    assert fit_temperature(true, single) == pytest.approx(fit_temperature(true, double), rel=1e-3)


def test_logits_that_are_never_wrong_get_the_least_temperature():
    # Every division by less lowers the loss: the bound of 0.2 is where it ends.
    logits = np.array([[4, 0], [0, 4]] * 5, np.float32)
    assert fit_temperature(np.array([0, 1] * 5), logits) == pytest.approx(0.2, abs=0.01)


def test_the_threshold_of_ten_answers():
    # By falling probability, x wrong:  .99 .97 .95 .9 .88x .85 .8 .7x .6x .55x
    # share wrong of those answered:      0   0   0   0  1/5 1/6 1/7 2/8 3/9 4/10
    true, probabilities = two_sided(
        [0.55, 0.99, 0.8, 0.97, 0.6, 0.95, 0.9, 0.7, 0.88, 0.85],
        [True, False, False, False, True, False, False, True, True, False],
    )
    # 1/7 = 0.143 is the last within 0.15, 2/8 the last within 0.25, none but 4/10 within 0.4
    assert choose_threshold(true, probabilities, 0.15) == pytest.approx(0.8)
    assert choose_threshold(true, probabilities, 0.25) == pytest.approx(0.7)
    assert choose_threshold(true, probabilities, 0.4) == 0
    # Without a mistake only the first four would be answered; half must be: five.
    assert choose_threshold(true, probabilities, 0) == pytest.approx(0.88)
    assert choose_threshold(true, probabilities, 0, most_referred=0.6) == pytest.approx(0.9)


def test_nothing_is_referred_where_nothing_is_wrong():
    true, probabilities = two_sided([0.51, 0.7, 0.9], [False] * 3)
    assert choose_threshold(true, probabilities, 0.0) == 0


def test_a_threshold_cannot_part_answers_of_the_same_probability():
    true, probabilities = two_sided(
        [0.9, 0.9, 0.9, 0.8, 0.8, 0.8], [False, False, False, False, True, True]
    )
    # Three at 0.9 are right; from 0.8 on 2/6 are wrong, whichever of them is counted first.
    assert choose_threshold(true, probabilities, 0.2) == pytest.approx(0.9)
    assert choose_threshold(true, probabilities, 0.4) == 0


def test_the_threshold_counts_the_answers_that_are_served():
    # Two classes with the cut for class 1 at 0.3: an answer of 1 at (0.6, 0.4) is right or wrong
    # as such, although class 0 is the more probable one.
    probabilities = np.array([[0.9, 0.1], [0.8, 0.2], [0.6, 0.4], [0.55, 0.45]], np.float32)
    true = np.array([0, 0, 1, 1])
    served = (probabilities[:, 1] >= 0.3).astype(np.int64)
    assert choose_threshold(true, probabilities, 0.0, predicted=served) == 0
    assert choose_threshold(true, probabilities, 0.0) == pytest.approx(0.8)


@given(
    st.lists(st.tuples(st.integers(50, 100), st.booleans()), min_size=1, max_size=30),
    st.sampled_from([0.0, 0.02, 0.1, 0.3]),
)
def test_answers_from_the_threshold_on_keep_the_error_or_are_half_of_all(rows, error):
    true, probabilities = two_sided([top / 100 for top, _ in rows], [wrong for _, wrong in rows])
    threshold = choose_threshold(true, probabilities, error)
    answered = probabilities.max(1) >= np.float32(threshold)
    assert answered.any()
    wrong_of_answered = (true[answered] != probabilities[answered].argmax(1)).mean()
    half = np.sort(probabilities.max(1))[::-1][int(np.ceil(len(rows) / 2)) - 1]
    assert wrong_of_answered <= error or answered.sum() == (probabilities.max(1) >= half).sum()


def test_the_positive_threshold_by_hand():
    # Class 1 scores .9 .8 .6 .3 .2: four of five are at or above .3, all above .2.
    true = np.array([1, 0, 1, 1, 0, 1, 1])
    scores = np.array([0.9, 0.7, 0.8, 0.6, 0.1, 0.3, 0.2])
    assert choose_positive_threshold(true, scores, 0.8) == 0.3
    assert choose_positive_threshold(true, scores, 0.81) == 0.2
    assert choose_positive_threshold(true, scores, 1.0) == 0.2
    assert choose_positive_threshold(true, scores, 0.1) == 0.9


def test_rounding_does_not_lower_the_positive_threshold():
    # 0.55 * 20 is 11.000000000000002 in floating point, and eleven of twenty are 0.55.
    scores = np.arange(20, 0, -1) / 20
    assert choose_positive_threshold(np.ones(20, int), scores, 0.55) == pytest.approx(10 / 20)


@given(st.lists(st.integers(0, 100), min_size=1, max_size=40), st.floats(0.01, 1))
def test_the_positive_threshold_keeps_its_sensitivity(values, sensitivity):
    scores = np.array(values) / 100
    threshold = choose_positive_threshold(np.ones(len(scores), int), scores, sensitivity)
    assert (scores >= threshold).mean() >= sensitivity - 1e-9


@pytest.mark.parametrize("temperature", [0.4, 1, 3])
def test_a_temperature_can_be_taken_out_again(temperature: float):
    logits = np.random.default_rng(1).normal(0, 4, (20, 3)).astype(np.float32)
    divided = to_probabilities(logits, temperature)
    expected = to_probabilities(logits, 1)
    assert without_temperature(divided, temperature) == pytest.approx(expected, abs=1e-5)


def test_a_probability_of_nothing_stays_nothing():
    found = without_temperature(np.array([[1, 0]], np.float32), 2)
    assert found == pytest.approx(np.array([[1, 0]]))
