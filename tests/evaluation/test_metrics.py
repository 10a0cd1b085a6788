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
