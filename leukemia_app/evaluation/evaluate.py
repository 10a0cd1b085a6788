"""Score a model on labelled pictures, as it is served: same decode, recipe, decision."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leukemia_app.evaluation import metrics
from leukemia_app.evaluation.ask import PLAIN, Condition, Reader, ask
from leukemia_app.evaluation.ask import Sample as Sample
from leukemia_app.evaluation.intervals import bootstrap_interval
from leukemia_app.evaluation.label_map import LabelMap
from leukemia_app.evaluation.measures import (
    UNDEFINED,
    draws_of,
    figure_interval,
    measure,
)
from leukemia_app.evaluation.measures import Answers as Answers
from leukemia_app.evaluation.measures import Interval as Interval

DISTURBED_FIGURES = ("accuracy", "macro_f1", "auroc", "refer_rate")


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

    @property
    def held_to(self) -> str:
        """The figure that disturbances are judged by: a set without every class has no macro-F1."""
        return "accuracy" if self.metrics["macro_f1"].value is None else "macro_f1"

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
    counted. `split` says part and group level. `progress` is told the pictures and disturbed copies
    done.
    """
    labels = reader.spec.label_names
    same = LabelMap(members={label: (label,) for label in labels}, is_stated=False)
    asked = ask({reader.spec.id: reader}, samples, same, corruptions=corruptions, progress=progress)
    found = asked.answers[reader.spec.id]
    plain = found[PLAIN]
    measured = measure(plain, labels)
    return Evaluation(
        model=reader.spec.id,
        split=split,
        labels=labels,
        answers=plain,
        metrics=measured.overall,
        per_class=measured.per_class,
        corruptions=disturbed(found, corruptions),
        left_out={"seen_in_training": asked.n_left_out},
    )


def disturbed(
    found: Mapping[Condition, Answers], corruptions: Sequence[Condition]
) -> dict[str, Sequence[Mapping[str, Any]]]:
    """`DISTURBED_FIGURES` of the answers under each condition, by corruption, a row a strength."""
    plain = found[PLAIN]
    # The pictures are the same under every disturbance, and so are the samples of them.
    draws = draws_of(plain) if corruptions and len(plain.true) else None
    made: dict[str, list[Mapping[str, Any]]] = {}
    for name, strength in corruptions:
        figures = {
            each: vars(UNDEFINED if draws is None
                       else figure_interval(found[name, strength], each, draws))
            for each in DISTURBED_FIGURES
        }  # fmt: skip
        made.setdefault(name, []).append({"strength": strength, **figures})
    return dict(made)


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
