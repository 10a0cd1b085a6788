"""Every figure of a set of answers with its interval, from one bootstrap over groups."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from leukemia_app.evaluation import metrics
from leukemia_app.evaluation.intervals import Resampled, each_once, resample
from leukemia_app.imaging.picture import FloatArray

CHUNK = 50
"""Samples whose pictures are ranked at a time: memory stays small on thousands of pictures."""


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A figure and the ends of its 95 % interval; None where it is not defined."""

    value: float | None
    low: float | None
    high: float | None


ROUNDING = 1e-9
"""Samples that are no further apart agree."""
UNDEFINED = Interval(value=None, low=None, high=None)


@dataclass(frozen=True, kw_only=True)
class Answers:
    """What a model said of n pictures.

    `true` and `predicted` are (n,) int64 class numbers, `probabilities` (n, n_classes) float32,
    `referred` (n,) bool, `groups` n names, `files` n names, or none where they are not known.
    """

    true: NDArray[np.int64]
    predicted: NDArray[np.int64]
    probabilities: FloatArray
    referred: NDArray[np.bool_]
    groups: tuple[str, ...]
    files: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    """Why each picture was referred, in a sentence; empty for one that was not."""

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return int(self.probabilities.shape[1])


@dataclass(frozen=True, kw_only=True)
class Measured:
    """All figures of one set of answers."""

    overall: Mapping[str, Interval]
    per_class: Mapping[str, Mapping[str, Interval]]
    """Figure by label and name; one class against the rest."""


Samples = NDArray[np.float64]
"""One value a bootstrap sample, or a row of one a class; NaN where it is not defined."""


class Sampled:
    """Answers under bootstrap samples, with what several figures need computed once."""

    def __init__(self, answers: Answers, draws: Resampled) -> None:
        self.answers = answers
        self.draws = draws

    @cached_property
    def counts(self) -> NDArray[np.float64]:
        """Confusion counts of each sample, (n_samples, n_classes, n_classes)."""
        answers, n = self.answers, self.answers.n_classes
        cell = np.zeros((len(answers.true), n * n))
        cell[np.arange(len(answers.true)), answers.true * n + answers.predicted] = 1
        return self.draws.sums(cell).reshape(-1, n, n)

    @cached_property
    def rankings(self) -> NDArray[np.float64]:
        """What `metrics.ranking` gives of each class, (3, n_samples, n_classes)."""
        answers = self.answers
        parts = []
        for at in range(0, len(self.draws.counts), CHUNK):
            weights = self.draws.counts[at : at + CHUNK][:, self.draws.group_of]
            ranked = [
                metrics.ranking(answers.true == label, answers.probabilities[:, label], weights)
                for label in range(answers.n_classes)
            ]
            parts.append(np.stack([np.stack(figures) for figures in ranked], axis=-1))
        return np.concatenate(parts, axis=1)

    def mean(self, values: NDArray[np.floating], chosen: NDArray[np.bool_]) -> Samples:
        """Mean over the chosen pictures of each sample."""
        sums = self.draws.sums(np.stack([values * chosen, chosen], axis=1).astype(np.float64))
        undefined = np.full(len(sums), np.nan)
        means: Samples = np.divide(sums[:, 0], sums[:, 1], out=undefined, where=sums[:, 1] > 0)
        return means


Figure = Callable[[Sampled], Samples]


def _auroc(given: Sampled) -> Samples:
    # The two classes of one answer rank alike, up to rounding.
    first = 1 if given.answers.n_classes == 2 else 0
    mean: Samples = given.rankings[0][:, first:].mean(1)
    return mean


def _sensitivity_at_specificity(given: Sampled) -> Samples:
    first = 1 if given.answers.n_classes == 2 else 0
    mean: Samples = given.rankings[2][:, first:].mean(1)
    return mean


def _calibration_error(given: Sampled) -> Samples:
    answers = given.answers
    top = answers.probabilities.max(1).astype(np.float64)
    gaps = np.zeros((len(top), metrics.N_BINS))
    right = answers.probabilities.argmax(1) == answers.true
    gaps[np.arange(len(top)), metrics.bins_of(top)] = right - top
    n = given.draws.sums(np.ones(len(top)))
    return np.asarray(np.abs(given.draws.sums(gaps)).sum(1) / n)


def _brier(given: Sampled) -> Samples:
    errors = metrics.squared_errors(given.answers.true, given.answers.probabilities)
    return given.mean(errors, np.ones(len(errors), bool))


def _refer_rate(given: Sampled) -> Samples:
    referred = given.answers.referred
    return given.mean(referred.astype(np.float64), np.ones(len(referred), bool))


def _answered_error(given: Sampled) -> Samples:
    wrong = given.answers.true != given.answers.predicted
    return given.mean(wrong.astype(np.float64), ~given.answers.referred)


def _by_counts(formula: Callable[[NDArray[np.float64]], Samples]) -> Figure:
    return lambda given: formula(given.counts)


FIGURES: Mapping[str, Figure] = {
    "accuracy": _by_counts(metrics.accuracy_of),
    "balanced_accuracy": _by_counts(metrics.balanced_accuracy_of),
    "macro_f1": _by_counts(metrics.macro_f1_of),
    "weighted_f1": _by_counts(metrics.weighted_f1_of),
    "auroc": _auroc,
    "sensitivity_at_95_specificity": _sensitivity_at_specificity,
    "ece": _calibration_error,
    "brier": _brier,
    "refer_rate": _refer_rate,
    "error_among_answered": _answered_error,
}
NAMES: Mapping[str, str] = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "macro_f1": "macro-F1",
    "weighted_f1": "weighted F1",
    "auroc": "AUROC",
    "sensitivity_at_95_specificity": "sensitivity at 95 % specificity",
    "ece": "expected calibration error",
    "brier": "Brier score",
    "refer_rate": "referred",
    "error_among_answered": "errors among answered",
}
"""Each of `FIGURES` as a card and a report call it."""
CLASS_FIGURES: Mapping[str, Figure] = {
    "sensitivity": _by_counts(metrics.class_sensitivity),
    "specificity": _by_counts(metrics.class_specificity),
    "prevalence": _by_counts(metrics.prevalence),
    "positive_predictive_value": _by_counts(metrics.class_ppv),
    "negative_predictive_value": _by_counts(metrics.class_npv),
    "f1": _by_counts(metrics.class_f1),
    "auroc": lambda given: given.rankings[0],
    "average_precision": lambda given: given.rankings[1],
    "sensitivity_at_95_specificity": lambda given: given.rankings[2],
}
"""Positive predictive value is also called precision; sensitivity, recall."""


def draws_of(answers: Answers, n_draws: int = 1000, seed: int = 0) -> Resampled:
    """Bootstrap samples of the answers' groups within classes."""
    return resample(answers.groups, answers.true.tolist(), n_draws, seed)


def measure(
    answers: Answers, labels: Sequence[str], n_draws: int = 1000, seed: int = 0
) -> Measured:
    """All of `FIGURES` and, for each label, of `CLASS_FIGURES`, on the same samples."""
    if not len(answers.true):
        return Measured(
            overall=dict.fromkeys(FIGURES, UNDEFINED),
            per_class={label: dict.fromkeys(CLASS_FIGURES, UNDEFINED) for label in labels},
        )
    once = Sampled(answers, each_once(len(answers.true)))
    many = Sampled(answers, draws_of(answers, n_draws, seed))
    columns = {name: _class_intervals(each, once, many) for name, each in CLASS_FIGURES.items()}
    return Measured(
        overall={
            name: interval_of(float(each(once)[0]), each(many), many.draws)
            for name, each in FIGURES.items()
        },
        per_class={
            label: {name: column[number] for name, column in columns.items()}
            for number, label in enumerate(labels)
        },
    )


def figure_interval(answers: Answers, name: str, draws: Resampled) -> Interval:
    """One of `FIGURES` with its interval from samples made before, of one picture or more."""
    (value,) = FIGURES[name](Sampled(answers, each_once(len(answers.true))))
    return interval_of(float(value), FIGURES[name](Sampled(answers, draws)), draws)


def _class_intervals(figure: Figure, once: Sampled, many: Sampled) -> list[Interval]:
    (values,) = figure(once)
    sampled = figure(many)
    return [
        interval_of(float(value), sampled[:, label], many.draws)
        for label, value in enumerate(values)
    ]


def interval_of(value: float, sampled: Samples, draws: Resampled) -> Interval:
    """A figure with the interval of its samples; NaN stands for undefined."""
    ends = draws.interval(sampled)
    # Samples that all agree, as where no answer was wrong, say nothing of what was not seen.
    low, high = ends if ends and ends[1] - ends[0] > ROUNDING else (None, None)
    return Interval(value=None if np.isnan(value) else value, low=low, high=high)
