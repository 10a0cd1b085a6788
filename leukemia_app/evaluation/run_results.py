"""What a run left behind, as plain data: for its report, its page and its comparison."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from leukemia_app.bundles.spec import Figure, Spec
from leukemia_app.evaluation import metrics
from leukemia_app.evaluation.baseline_row import Baseline
from leukemia_app.evaluation.calibration import without_temperature
from leukemia_app.evaluation.learning import Course, Epoch, course
from leukemia_app.evaluation.measures import Answers, Measured
from leukemia_app.imaging.picture import FloatArray


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """One picture that was kept back, and what the model said of it."""

    number: int
    """Its place in the answers."""
    file: str
    label: str
    """What the data set says."""
    predicted: str
    probability: float
    """Of the predicted label, 0 to 1."""
    label_probability: float
    """Of the data set's label, 0 to 1."""
    referred: bool
    reason: str
    """Why it was referred; empty where it was not, or where the run did not keep it."""
    group: str

    @property
    def is_right(self) -> bool:
        """Whether the model agrees with the data set."""
        return self.label == self.predicted


@dataclass(frozen=True, kw_only=True)
class PartSize:
    """How much stands in one part of the split."""

    pictures: int
    groups: int | None
    by_label: Mapping[str, int]
    """Pictures of each label; empty where the run did not keep them."""


@dataclass(frozen=True, kw_only=True)
class RunResults:
    """Everything that a report of a run says, gathered from its folder."""

    id: str
    state: str
    """As the run's status: done, stopped, failed and the others."""
    reason: str
    """Why it ended, where it is not done."""
    config: Mapping[str, Any]
    """The run's configuration as plain values."""
    labels: tuple[str, ...]
    part: str
    """Which pictures the answers are of, in words: the test part, or a fold."""
    level: str
    """What was kept on one side of the split: patient, run or image."""
    spec: Spec | None
    """Of the bundle that the run made; None where it made none."""
    epochs: tuple[Epoch, ...]
    answers: Answers | None
    """Of the pictures kept back, as the bundle is served, else as the network answers."""
    measured: Measured | None
    """The figures of `answers`."""
    figures: tuple[Figure, ...]
    """As the bundle's card has them."""
    baselines: tuple[Baseline, ...]
    parts: Mapping[str, PartSize]
    torn_groups: tuple[str, ...] | None
    """Groups with pictures in two parts; None where the parts are not known."""
    seen_in_training: int | None
    """Test pictures left out because their very pixels were learned from."""
    leak: Mapping[str, Any] | None
    """The measured leak, as the data check writes it."""
    left_out: tuple[str, ...]
    """One sentence for each file that was not used."""
    seconds: Mapping[str, float]
    """Time of each phase, pauses taken out."""
    notes: tuple[str, ...]
    """What could not be gathered, and why."""
    corrected: str = ""
    """Which labels were changed by hand after a model was seen, and what that does to the figures;
    empty where none was."""

    @cached_property
    def temperature(self) -> float:
        """What the logits were divided by; 1 where nothing was fitted."""
        return 1.0 if self.spec is None else self.spec.temperature

    @cached_property
    def course(self) -> Course:
        """What the learning curves say."""
        return course(self.epochs)

    @cached_property
    def is_done(self) -> bool:
        """Whether the run came to its end."""
        return self.state == "done"

    @cached_property
    def confusion(self) -> np.ndarray:
        """Counts, (n_classes, n_classes) int64: rows are the data set's labels."""
        n = len(self.labels)
        if self.answers is None:
            return np.zeros((n, n), np.int64)
        return metrics.confusion(self.answers.true, self.answers.predicted, n)

    @cached_property
    def probabilities_before(self) -> FloatArray | None:
        """The answers' probabilities before temperature scaling; None without a temperature."""
        if self.answers is None or self.spec is None:
            return None
        return without_temperature(self.answers.probabilities, self.temperature)

    @cached_property
    def predictions(self) -> tuple[Prediction, ...]:
        """The answers one by one, the most wrong first: the data set's label least probable."""
        if self.answers is None:
            return ()
        found = [self._prediction(self.answers, number) for number in range(len(self.answers.true))]
        return tuple(sorted(found, key=lambda item: (item.is_right, item.label_probability)))

    @cached_property
    def cells(self) -> Mapping[tuple[str, str], tuple[Prediction, ...]]:
        """Predictions by (label, predicted), the most wrong first."""
        found: dict[tuple[str, str], list[Prediction]] = {}
        for item in self.predictions:
            found.setdefault((item.label, item.predicted), []).append(item)
        return {cell: tuple(items) for cell, items in found.items()}

    def _prediction(self, answers: Answers, number: int) -> Prediction:
        true, predicted = int(answers.true[number]), int(answers.predicted[number])
        return Prediction(
            number=number,
            file=answers.files[number] if answers.files else f"picture {number + 1}",
            label=self.labels[true],
            predicted=self.labels[predicted],
            probability=float(answers.probabilities[number, predicted]),
            label_probability=float(answers.probabilities[number, true]),
            referred=bool(answers.referred[number]),
            reason=answers.reasons[number] if answers.reasons else "",
            group=answers.groups[number],
        )
