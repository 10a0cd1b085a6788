"""Curves against points worked by hand, and against scikit-learn's."""

import numpy as np
import pytest
import sklearn.metrics
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from leukemia_app.evaluation.curves import (
    coverage_risk,
    precision_recall_curve,
    reliability,
    roc_curve,
)
from leukemia_app.evaluation.metrics import auroc, average_precision, expected_calibration_error

POSITIVE = np.array([True, True, False, True, False])
SCORES = np.array([0.9, 0.7, 0.7, 0.4, 0.1])


def test_roc_curve_of_five_pictures():
    # .9: one of three found, none of two wrongly; .7: a tie, two found, one wrongly; .4: three;
    # .1: all
    curve = roc_curve(POSITIVE, SCORES)
    assert curve.y.tolist() == pytest.approx([0, 1 / 3, 2 / 3, 1, 1])
    assert curve.x.tolist() == pytest.approx([0, 0, 1 / 2, 1 / 2, 1])
    assert curve.thresholds.tolist() == [np.inf, 0.9, 0.7, 0.4, 0.1]


def test_precision_recall_curve_of_five_pictures():
    # called 1, 3, 4, 5; of the class 1, 2, 3, 3
    curve = precision_recall_curve(POSITIVE, SCORES)
    assert curve.x.tolist() == pytest.approx([1 / 3, 2 / 3, 1, 1])
    assert curve.y.tolist() == pytest.approx([1, 2 / 3, 3 / 4, 3 / 5])


@pytest.mark.parametrize("positive", [np.ones(3, bool), np.zeros(3, bool)])
def test_a_roc_curve_needs_both_sides(positive: np.ndarray):
    with pytest.raises(ValueError, match="of the class and of the rest"):
        roc_curve(positive, np.arange(3.0))


def test_a_precision_recall_curve_needs_the_class():
    with pytest.raises(ValueError, match="needs pictures of the class"):
        precision_recall_curve(np.zeros(3, bool), np.arange(3.0))


SIDES = arrays(bool, 30).filter(lambda side: side.any() and not side.all())


@given(SIDES, arrays(np.float32, 30, elements=st.sampled_from(np.linspace(0, 1, 8, dtype="f4"))))
def test_the_areas_are_those_of_scikit_learn(positive: np.ndarray, scores: np.ndarray):
    curve = roc_curve(positive, scores)
    area = sklearn.metrics.roc_auc_score(positive, scores)
    assert np.trapezoid(curve.y, curve.x) == pytest.approx(area)
    assert auroc(positive.astype(int), scores) == pytest.approx(area)
    steps = precision_recall_curve(positive, scores)
    precision = sklearn.metrics.average_precision_score(positive, scores)
    assert (np.diff(steps.x, prepend=0) * steps.y).sum() == pytest.approx(precision)
    assert average_precision(positive.astype(int), scores) == pytest.approx(precision)


def test_reliability_of_four_answers_in_ten_bins():
    # Bin 0.6: two of .65, one right; bin 0.9: two of .95, both right.
    probabilities = np.array([[0.65, 0.35], [0.65, 0.35], [0.95, 0.05], [0.95, 0.05]], np.float32)
    low, high = reliability(np.array([0, 1, 0, 0]), probabilities, n_bins=10)
    assert (low.low, low.high, low.n, low.right) == (0.6, 0.7, 2, 0.5)
    assert low.top == pytest.approx(0.65)
    assert (high.n, high.right) == (2, 1)


@given(st.integers(0, 2**32 - 1))
def test_the_calibration_error_is_the_weighed_gap_of_the_bins(seed: int):
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet(np.ones(3), 40).astype(np.float32)
    true = rng.integers(0, 3, 40)
    bins = reliability(true, probabilities)
    assert sum(each.n for each in bins) == 40
    gaps = sum(each.n * abs(each.right - each.top) for each in bins) / 40
    assert expected_calibration_error(true, probabilities) == pytest.approx(gaps)


TRUE = np.array([0, 0, 0, 1, 1])
PREDICTED = np.array([0, 0, 1, 1, 0])
TOPS = np.array([0.9, 0.8, 0.6, 0.7, 0.6], np.float32)
PROBABILITIES = np.where(
    np.eye(2)[PREDICTED] == 1, TOPS[:, None], 1 - TOPS[:, None]
).astype(np.float32)  # fmt: skip


def test_coverage_and_risk_of_five_answers():
    none, fifth, two_fifths, most = coverage_risk(
        TRUE, PREDICTED, PROBABILITIES, [0, 0.2, 0.4, 0.8]
    )
    # everything answered: the third and the fifth are wrong
    assert (none.n_answered, none.n_wrong, none.risk) == ((3, 2), (1, 1), 2 / 5)
    # the two least sure share 0.6: one fifth cannot be referred without the other
    assert (fifth.coverage, fifth.risk) == (1, 2 / 5)
    assert (two_fifths.n_answered, two_fifths.n_wrong) == ((2, 1), (0, 0))
    assert two_fifths.threshold == pytest.approx(0.7)
    assert two_fifths.coverage == pytest.approx(3 / 5)
    # only the first is left, of class 0
    assert (most.risk, most.class_risk(0), most.class_risk(1)) == (0, 0, None)


@given(st.integers(0, 2**32 - 1))
def test_no_more_is_referred_than_was_asked(seed: int):
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet(np.ones(3), 20).round(1).astype(np.float32)
    true, predicted = rng.integers(0, 3, (2, 20))
    shares = [0, 0.05, 0.29, 0.5, 0.95]
    for asked in coverage_risk(true, predicted, probabilities, shares):
        assert 1 - asked.coverage <= asked.referred + 1e-9


@pytest.mark.parametrize("share", [-0.1, 1.0])
def test_everything_cannot_be_referred(share: float):
    with pytest.raises(ValueError, match="use 0 up to under 1"):
        coverage_risk(TRUE, PREDICTED, PROBABILITIES, [share])
