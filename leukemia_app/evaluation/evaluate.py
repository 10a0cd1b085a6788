"""Score a model on labelled pictures, as it is served: same decode, recipe, decision."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from leukemia_app.bundles.reading import Reading
from leukemia_app.bundles.spec import SEEN_DIGITS, Spec
from leukemia_app.evaluation import metrics
from leukemia_app.evaluation.corruptions import corrupt
from leukemia_app.evaluation.intervals import bootstrap_interval
from leukemia_app.evaluation.measures import (
    UNDEFINED,
    draws_of,
    figure_interval,
    measure,
)
from leukemia_app.evaluation.measures import Answers as Answers
from leukemia_app.evaluation.measures import Interval as Interval
from leukemia_app.imaging.picture import Picture, pixels_digest

CHUNK = 32
DISTURBED_FIGURES = ("macro_f1", "auroc", "refer_rate")


class Reader(Protocol):
    """What is scored: `bundles.predictor.Predictor`."""

    @property
    def spec(self) -> Spec:
        """What the model says of itself."""

    def read(self, pictures: Sequence[Picture], *, measure: bool = True) -> list[Reading]:
        """One reading a picture, in order."""


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A picture whose class and group are known."""

    picture: Picture
    label: str
    group: str
    file: str = ""
    """Path below the data folder; the picture's own name where it is empty."""


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """Figures of one model on one set; `to_dict` is what the command line prints."""

    model: str
    split: Mapping[str, str]
    labels: tuple[str, ...]
    answers: Answers
    metrics: Mapping[str, Interval]
    per_class: Mapping[str, Mapping[str, Interval]]
    corruptions: Mapping[str, Sequence[Mapping[str, Any]]]
    left_out: Mapping[str, int]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        plain = {name: vars(figure) for name, figure in self.metrics.items()}
        counts = metrics.confusion(self.answers.true, self.answers.predicted, len(self.labels))
        return {
            "model": self.model,
            "n": len(self.answers.true),
            "n_groups": len(set(self.answers.groups)),
            "split": dict(self.split),
            "metrics": plain,
            "per_class": {
                label: {name: vars(figure) for name, figure in figures.items()}
                for label, figures in self.per_class.items()
            },
            "confusion": {"labels": list(self.labels), "counts": counts.tolist()},
            "corruptions": {name: list(rows) for name, rows in self.corruptions.items()},
            "left_out": dict(self.left_out),
        }


def evaluate(
    reader: Reader,
    samples: Iterable[Sample],
    *,
    split: Mapping[str, str],
    corruptions: Sequence[tuple[str, int]] = (),
    progress: Callable[[int], None] = lambda done: None,
) -> Evaluation:
    """Figures with intervals over groups, plain and under each (corruption, strength).

    Pictures pass through once, a few at a time; those the model learned from are left out and
    counted. `split` says part and group level.
    """
    conditions = [("", 0), *corruptions]
    fresh = _Fresh(samples=samples, seen=frozenset(reader.spec.seen))
    found = _answers(reader, fresh, conditions, progress)
    plain = found["", 0]
    labels = reader.spec.label_names
    measured = measure(plain, labels)
    disturbed: dict[str, list[Mapping[str, Any]]] = {}
    # The pictures are the same under every disturbance, and so are the samples of them.
    draws = draws_of(plain) if corruptions and len(plain.true) else None
    for name, strength in corruptions:
        answers = found[name, strength]
        figures = {
            each: vars(UNDEFINED if draws is None else figure_interval(answers, each, draws))
            for each in DISTURBED_FIGURES
        }
        disturbed.setdefault(name, []).append({"strength": strength, **figures})
    return Evaluation(
        model=reader.spec.id,
        split=split,
        labels=labels,
        answers=plain,
        metrics=measured.overall,
        per_class=measured.per_class,
        corruptions=disturbed,
        left_out={"seen_in_training": fresh.n_left_out},
    )


@dataclass(kw_only=True)
class _Fresh:
    """Samples that the model did not learn from, and how many it did."""

    samples: Iterable[Sample]
    seen: frozenset[str]
    n_left_out: int = 0

    def __iter__(self) -> Iterator[Sample]:
        for sample in self.samples:
            if pixels_digest(sample.picture)[:SEEN_DIGITS] in self.seen:
                self.n_left_out += 1
            else:
                yield sample


def figure(answers: Answers, name: str, n_draws: int = 1000, seed: int = 0) -> Interval:
    """One of `FIGURES` with its interval from a bootstrap over groups within classes."""
    if not len(answers.true):
        return UNDEFINED
    return figure_interval(answers, name, draws_of(answers, n_draws, seed))


def interval(
    answers: Answers, statistic: "Statistic", n_draws: int = 1000, seed: int = 0
) -> Interval:
    """A statistic of the answers with its interval from a bootstrap over groups within classes."""
    everything = np.arange(len(answers.true))
    if not len(everything):
        return UNDEFINED
    ends = bootstrap_interval(
        lambda rows: statistic(answers, rows), answers.groups, answers.true.tolist(), n_draws, seed
    )
    # Samples that all agree, as where no answer was wrong, say nothing of what was not seen.
    low, high = ends if ends and ends[0] < ends[1] else (None, None)
    return Interval(value=statistic(answers, everything), low=low, high=high)


Statistic = Callable[[Answers, NDArray[np.int64]], float | None]


def _answers(
    reader: Reader,
    samples: Iterable[Sample],
    conditions: Sequence[tuple[str, int]],
    progress: Callable[[int], None],
) -> dict[tuple[str, int], Answers]:
    labels = reader.spec.label_names
    readings: dict[tuple[str, int], list[Reading]] = {condition: [] for condition in conditions}
    true: list[int] = []
    groups: list[str] = []
    files: list[str] = []
    for chunk in _chunks(samples):
        for condition in conditions:
            pictures = [
                _disturbed(sample.picture, *condition, seed=len(true) + place)
                for place, sample in enumerate(chunk)
            ]
            readings[condition] += reader.read(pictures, measure=False)
        true += [labels.index(sample.label) for sample in chunk]
        groups += [sample.group for sample in chunk]
        files += [sample.file or sample.picture.name for sample in chunk]
        progress(len(true))
    return {
        condition: Answers(
            true=np.array(true, np.int64),
            predicted=np.array([labels.index(item.decision.label) for item in items], np.int64),
            probabilities=np.array(
                [[item.probabilities[label] for label in labels] for item in items], np.float32
            ).reshape(len(items), len(labels)),
            referred=np.array([item.decision.kind == "refer" for item in items], bool),
            groups=tuple(groups),
            files=tuple(files),
            reasons=tuple(" ".join(item.decision.reasons) for item in items),
        )
        for condition, items in readings.items()
    }


def _chunks(samples: Iterable[Sample]) -> Iterator[list[Sample]]:
    rest = iter(samples)
    while chunk := list(islice(rest, CHUNK)):
        yield chunk


def _disturbed(picture: Picture, name: str, strength: int, seed: int) -> Picture:
    if not name:
        return picture
    rng = np.random.default_rng([seed, strength])
    return Picture(
        pixels=corrupt(picture.pixels, name, strength, rng), name=picture.name,
        source=picture.source,
    )  # fmt: skip
