import numpy as np
import pytest
import sklearn.metrics
from hypothesis import given
from hypothesis import strategies as st

from leukemia_app.evaluation import metrics

TRUE = np.array([0, 0, 0, 1, 1, 2])
PREDICTED = np.array([0, 0, 1, 1, 1, 0])


def test_confusion_counts_true_rows_and_predicted_columns():
    assert metrics.confusion(TRUE, PREDICTED, 3).tolist() == [[2, 1, 0], [0, 2, 0], [1, 0, 0]]


def test_accuracies_of_six_answers():
    assert metrics.accuracy(TRUE, PREDICTED, 3) == pytest.approx(4 / 6)
    # sensitivities 2/3, 2/2, 0/1
    assert metrics.balanced_accuracy(TRUE, PREDICTED, 3) == pytest.approx(5 / 9)


def test_macro_f1_of_six_answers():
    # F1 = 2 TP / (row + column): 4/6, 4/5, 0
    assert metrics.macro_f1(TRUE, PREDICTED, 3) == pytest.approx((4 / 6 + 4 / 5) / 3)


def test_figures_without_a_class_are_not_defined():
    assert metrics.macro_f1(TRUE, PREDICTED, 4) is None
    assert metrics.balanced_accuracy(TRUE, PREDICTED, 4) is None
    assert metrics.auroc(np.ones(3, int), np.arange(3.0)) is None
    assert metrics.accuracy(TRUE[:0], PREDICTED[:0], 3) is None
    assert metrics.brier(TRUE[:0], np.zeros((0, 3), np.float32)) is None
    assert metrics.expected_calibration_error(TRUE[:0], np.zeros((0, 3), np.float32)) is None


def test_auroc_counts_ties_by_half():
    # pairs (positive, negative): .8>.3, .8>.5, .5>.3, .5=.5 -> 3.5 of 4
    assert metrics.auroc(np.array([1, 1, 0, 0]), np.array([0.8, 0.5, 0.3, 0.5])) == 3.5 / 4


def test_brier_of_two_answers():
    # (0.2² + 0.2²) and (0.6² + 0.6²), mean (0.08 + 0.72) / 2
    probabilities = np.array([[0.8, 0.2], [0.6, 0.4]], np.float32)
    assert metrics.brier(np.array([0, 1]), probabilities) == pytest.approx(0.4)


def test_calibration_error_of_four_answers_in_two_bins():
    # 10 bins. Bin 0.6: tops .65 .65, one right: |0.5 - 0.65| * 2/4; bin 0.9: .95 .95, both right.
    probabilities = np.array([[0.65, 0.35], [0.65, 0.35], [0.95, 0.05], [0.95, 0.05]], np.float32)
    error = metrics.expected_calibration_error(np.array([0, 1, 0, 0]), probabilities, n_bins=10)
    assert error == pytest.approx(0.15 * 0.5 + 0.05 * 0.5, abs=1e-6)


def test_log_loss_weighs_classes_alike():
    # class 0: -log(1/2) three times; class 1: -log(1/(1+e^-2)); mean over the two classes
    logits = np.array([[0, 0], [0, 0], [0, 0], [0, 2]], np.float32)
    expected = (np.log(2) + np.log1p(np.exp(-2))) / 2
    assert metrics.balanced_log_loss(np.array([0, 0, 0, 1]), logits) == pytest.approx(expected)


def test_log_loss_of_one_output_equals_that_of_two():
    true = np.array([0, 1, 1])
    single = np.array([[0.3], [-1.2], [2.0]], np.float32)
    double = np.concatenate([np.zeros_like(single), single], axis=1)
    assert metrics.balanced_log_loss(true, single) == pytest.approx(
        metrics.balanced_log_loss(true, double)
    )


@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=40),
    st.integers(0, 999),
)
def test_figures_agree_with_scikit_learn(pairs, seed):
    true, predicted = (np.array(column) for column in zip(*pairs, strict=True))
    present = set(true.tolist()) == {0, 1, 2}
    ours = metrics.macro_f1(true, predicted, 3)
    assert (ours is not None) == present
    if present:
        assert ours == pytest.approx(
            sklearn.metrics.f1_score(true, predicted, average="macro", zero_division=0)
        )
        scores = np.random.default_rng(seed).integers(0, 5, (len(true), 3)) + 1.0
        scores /= scores.sum(1, keepdims=True)
        assert metrics.macro_auroc(true, scores) == pytest.approx(
            sklearn.metrics.roc_auc_score(true, scores, multi_class="ovr", average="macro")
        )


COUNTS = np.array([[2, 1, 0], [0, 2, 0], [1, 0, 0]])
"""Of TRUE and PREDICTED."""


def test_weighted_f1_of_six_answers():
    # F1 4/6, 4/5, 0 of 3, 2 and 1 pictures
    assert metrics.weighted_f1_of(COUNTS) == pytest.approx((3 * 4 / 6 + 2 * 4 / 5) / 6)


def test_weighted_f1_goes_without_a_class_that_has_no_picture():
    # class 1 has none: F1 of class 0 is 2*3/(3+4) by all four pictures
    assert metrics.weighted_f1_of(np.array([[3, 1], [0, 0]])) == pytest.approx(6 / 7)
    assert np.isnan(metrics.macro_f1_of(np.array([[3, 1], [0, 0]])))
    assert np.isnan(metrics.weighted_f1_of(np.zeros((2, 2), int)))


def test_predictive_values_and_prevalence_of_six_answers():
    # called: 3, 3, 0 pictures, of the class 2, 2, 0
    assert metrics.class_ppv(COUNTS)[:2] == pytest.approx([2 / 3, 2 / 3])
    assert np.isnan(metrics.class_ppv(COUNTS)[2])
    # not called: 3, 3, 6 pictures, of which 1, 0 and 1 are of the class
    assert metrics.class_npv(COUNTS) == pytest.approx([2 / 3, 1, 5 / 6])
    assert metrics.prevalence(COUNTS) == pytest.approx([3 / 6, 2 / 6, 1 / 6])


def test_sensitivity_and_specificity_of_six_answers():
    assert metrics.class_sensitivity(COUNTS) == pytest.approx([2 / 3, 1, 0])
    # of the 3, 4, 5 others 1, 1, 0 are called so
    assert metrics.class_specificity(COUNTS) == pytest.approx([2 / 3, 3 / 4, 1])


def test_predictive_values_at_another_prevalence():
    # of 1000, 10 have it: 9 found, 1 missed; of 990 others 891 spared, 99 called: 9/108, 891/892
    assert metrics.ppv_at(0.9, 0.9, 0.01) == pytest.approx(9 / 108)
    assert metrics.npv_at(0.9, 0.9, 0.01) == pytest.approx(891 / 892)
    assert metrics.ppv_at(0, 1, 0.5) is None
    assert metrics.npv_at(1, 0, 0.5) is None


def test_predictive_values_at_the_own_prevalence_are_those_counted():
    sensitivity, specificity = 2 / 3, 2 / 3
    assert metrics.ppv_at(sensitivity, specificity, 0.5) == pytest.approx(2 / 3)


def test_average_precision_of_four_pictures():
    # ranked 1 0 1 0: precision 1/1 at the first, 2/3 at the second found
    found = metrics.average_precision(np.array([1, 0, 1, 0]), np.array([0.9, 0.8, 0.7, 0.1]))
    assert found == pytest.approx((1 + 2 / 3) / 2)
    assert metrics.average_precision(np.zeros(2, int), np.array([0.1, 0.2])) is None


def test_sensitivity_at_a_specificity_of_95_percent():
    # 20 of the rest, so one of them may be called: ranked 1 0 1 1 0 …, the second 0 stops it
    positive = np.array([True, False, True, True, False, True, *[False] * 18])
    scores = np.linspace(1, 0, len(positive))
    once = np.ones((1, len(positive)))
    assert metrics.ranking(positive, scores, once)[2][0] == pytest.approx(3 / 4)
    # of 19 not even one may be
    assert metrics.ranking(positive[:-1], scores[:-1], once[:, :-1])[2][0] == pytest.approx(1 / 4)
    assert np.isnan(metrics.ranking(np.ones(3, bool), scores[:3], once[:, :3])[2][0])
    assert np.isnan(metrics.ranking(np.zeros(3, bool), scores[:3], once[:, :3])[2][0])


@given(
    st.lists(st.tuples(st.booleans(), st.integers(0, 5), st.integers(0, 3)), min_size=2,
             max_size=25)
)  # fmt: skip
def test_weights_rank_as_repeated_pictures_do(rows):
    positive, scores, times = (np.array(column) for column in zip(*rows, strict=True))
    weighed = metrics.ranking(positive, scores / 5, times[None].astype(float))
    repeated = np.repeat(np.arange(len(rows)), times)
    for value, plain in zip(weighed[:2], (metrics.auroc, metrics.average_precision), strict=True):
        expected = plain(positive[repeated].astype(int), scores[repeated] / 5)
        assert value[0] == pytest.approx(np.nan if expected is None else expected, nan_ok=True)


@given(st.integers(0, 2**32 - 1))
def test_figures_of_counts_are_those_of_scikit_learn(seed: int):
    rng = np.random.default_rng(seed)
    true = np.concatenate([np.arange(3), rng.integers(0, 3, 20)])
    predicted = np.concatenate([np.arange(3), rng.integers(0, 3, 20)])
    counts = metrics.confusion(true, predicted, 3)
    precision, recall, f1, _ = sklearn.metrics.precision_recall_fscore_support(true, predicted)
    assert metrics.class_ppv(counts) == pytest.approx(precision)
    assert metrics.class_sensitivity(counts) == pytest.approx(recall)
    assert metrics.class_f1(counts) == pytest.approx(f1)
    weighted = sklearn.metrics.f1_score(true, predicted, average="weighted")
    assert metrics.weighted_f1_of(counts) == pytest.approx(weighted)
