"""Figures of resampled answers: the same whichever way they are computed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leukemia_app.evaluation import measures, metrics
from leukemia_app.evaluation.intervals import bootstrap_interval, each_once
from leukemia_app.evaluation.measures import (
    CLASS_FIGURES,
    FIGURES,
    NAMES,
    Answers,
    Interval,
    Sampled,
    draws_of,
    figure_interval,
    measure,
)


def answers_of(seed: int, n: int = 24, n_classes: int = 3) -> Answers:
    """Answers whose every class has pictures of two groups."""
    rng = np.random.default_rng(seed)
    true = np.concatenate([np.repeat(np.arange(n_classes), 2), rng.integers(0, n_classes, n)])
    probabilities = rng.dirichlet(np.ones(n_classes), len(true)).astype(np.float32)
    groups = [f"{label}-{number % 3}" for number, label in enumerate(true)]
    return Answers(
        true=true, predicted=probabilities.argmax(1), probabilities=probabilities,
        referred=probabilities.max(1) < 0.5, groups=tuple(groups),
    )  # fmt: skip


PLAIN = {
    "accuracy": lambda a, rows: metrics.accuracy(a.true[rows], a.predicted[rows], 3),
    "balanced_accuracy": lambda a, rows: metrics.balanced_accuracy(
        a.true[rows], a.predicted[rows], 3
    ),
    "macro_f1": lambda a, rows: metrics.macro_f1(a.true[rows], a.predicted[rows], 3),
    "auroc": lambda a, rows: metrics.macro_auroc(a.true[rows], a.probabilities[rows]),
    "ece": lambda a, rows: metrics.expected_calibration_error(a.true[rows], a.probabilities[rows]),
    "brier": lambda a, rows: metrics.brier(a.true[rows], a.probabilities[rows]),
    "refer_rate": lambda a, rows: float(a.referred[rows].mean()),
}
"""The same figures, picture by picture."""


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1), st.sampled_from(sorted(PLAIN)))
def test_an_interval_is_that_of_repeated_pictures(seed: int, name: str):
    answers = answers_of(seed)
    found = figure_interval(answers, name, draws_of(answers, 40))
    ends = bootstrap_interval(
        lambda rows: PLAIN[name](answers, rows), answers.groups, answers.true.tolist(), 40
    )
    assert found.value == pytest.approx(PLAIN[name](answers, np.arange(len(answers.true))))
    expected = ends if ends and ends[0] < ends[1] else None
    if expected is None:
        assert found.low is None or found.high - found.low < 1e-9
    else:
        assert (found.low, found.high) == pytest.approx(expected)


def test_ranking_in_pieces_is_ranking_at_once(monkeypatch: pytest.MonkeyPatch):
    answers = answers_of(1)
    draws = draws_of(answers, 9)
    whole = Sampled(answers, draws).rankings
    monkeypatch.setattr(measures, "CHUNK", 4)
    assert Sampled(answers, draws).rankings == pytest.approx(whole)


def test_of_two_classes_one_curve_says_all():
    answers = answers_of(2, n_classes=2)
    found = measure(answers, "ab", 20)
    assert found.overall["auroc"].value == pytest.approx(found.per_class["b"]["auroc"].value)
    # the first class ranks by the complement: the same pairs
    assert found.per_class["a"]["auroc"].value == pytest.approx(found.overall["auroc"].value)
    first, second = found.per_class["a"], found.per_class["b"]
    assert first["sensitivity"] == second["specificity"]


def test_errors_count_among_the_answered_only():
    # four pictures, the second and fourth wrong; the fourth is referred: 1 of 3
    answers = Answers(
        true=np.array([0, 0, 1, 1]), predicted=np.array([0, 1, 1, 0]),
        probabilities=np.full((4, 2), 0.5, np.float32),
        referred=np.array([False, False, False, True]), groups=("a", "b", "c", "d"),
    )  # fmt: skip
    found = measure(answers, "xy", 50).overall
    assert found["error_among_answered"].value == pytest.approx(1 / 3)
    assert found["refer_rate"].value == 0.25


def test_nothing_is_defined_without_pictures():
    none = Answers(true=np.zeros(0, np.int64), predicted=np.zeros(0, np.int64),
                   probabilities=np.zeros((0, 2), np.float32), referred=np.zeros(0, bool),
                   groups=())  # fmt: skip
    found = measure(none, "ab")
    undefined = Interval(value=None, low=None, high=None)
    assert set(found.overall.values()) == {undefined}
    assert set(found.per_class) == {"a", "b"}
    assert set(found.per_class["a"]) == set(CLASS_FIGURES)


def test_every_figure_has_a_name():
    assert set(NAMES) == set(FIGURES)


@given(st.permutations([0, 1, 2]))
def test_the_order_of_the_classes_does_not_matter(order: list[int]):
    answers = answers_of(3)
    place = np.argsort(order)
    turned = Answers(**{**vars(answers), "true": place[answers.true],
                        "predicted": place[answers.predicted],
                        "probabilities": answers.probabilities[:, order]})  # fmt: skip
    once = each_once(len(answers.true))
    for name, figure in FIGURES.items():
        first, second = (figure(Sampled(each, once)) for each in (answers, turned))
        assert first == pytest.approx(second), name
    for name, figure in CLASS_FIGURES.items():
        first, second = (figure(Sampled(each, once)) for each in (answers, turned))
        assert first[:, order] == pytest.approx(second), name
