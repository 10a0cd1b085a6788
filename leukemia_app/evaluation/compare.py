"""Several models on the same labelled pictures: figures, differences, and whether they are real."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations
from typing import Any

import numpy as np

from leukemia_app.bundles.spec import Spec
from leukemia_app.errors import SettingError
from leukemia_app.evaluation import metrics, words
from leukemia_app.evaluation.ask import (
    PLAIN,
    Asked,
    Condition,
    Reader,
    Sample,
    ask,
    groups_learned_from,
)
from leukemia_app.evaluation.evaluate import disturbed
from leukemia_app.evaluation.label_map import LabelMap
from leukemia_app.evaluation.measures import (
    FIGURES,
    Answers,
    Interval,
    Measured,
    draws_of,
    measure,
)
from leukemia_app.evaluation.paired import McNemar, difference, disagreement, holm, mcnemar
from leukemia_app.evaluation.results import harmless

LEAST, MOST = 2, 6
"""Models that are compared at once: more columns nobody can hold beside each other."""
SHOWN = ("accuracy", "balanced_accuracy", "macro_f1", "auroc", "sensitivity_at_95_specificity",
         "ece", "brier", "refer_rate", "error_among_answered")  # fmt: skip
"""Figures of the table, in its order."""
LESS_IS_BETTER = frozenset({"ece", "brier", "refer_rate", "error_among_answered"})
DIFFERED = ("accuracy", "balanced_accuracy", "macro_f1", "auroc")
"""Figures whose difference is measured, picture by picture."""


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What a model takes: milliseconds a picture, bytes on disk, megabytes in memory."""

    ms: float | None
    size_bytes: int
    memory_mb: float


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """One of the models that are compared, with what it takes."""

    reader: Reader
    size_bytes: int
    memory_mb: float


@dataclass(frozen=True, kw_only=True)
class LabelledSet:
    """Pictures whose classes are known, to be passed through more than once."""

    samples: Callable[[], Iterable[Sample]]
    """Gives them from the beginning each time it is called."""
    n: int
    """How many there are, unreadable ones too."""
    split: Mapping[str, str]
    """Part and level."""
    unreadable: Sequence[str] = ()
    """A sentence for each that cannot be read; it may grow while they are passed through."""
    unmapped: Mapping[str, int] = field(default_factory=dict)
    """Pictures left out by label, where no model has an answer for it."""


@dataclass(frozen=True, kw_only=True)
class Compared:
    """One model's part in a comparison."""

    spec: Spec
    answers: Answers
    """Of the common labels, on pictures that none of the models learned from."""
    measured: Measured
    disturbed: Mapping[str, Sequence[Mapping[str, Any]]]
    """Figures by corruption, a row a strength."""
    cost: Cost
    seen: int
    """Pictures left out that this very model had learned from."""

    def figure(self, name: str) -> Interval:
        """One of `SHOWN`."""
        return self.measured.overall[name]


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two of the models against each other."""

    first: str
    other: str
    counts: McNemar
    p_holm: float
    """McNemar's chance, raised for the number of pairs."""
    differences: Mapping[str, Interval]
    """What the other has above the first, by figure."""

    def told_apart(self) -> tuple[str, ...]:
        """Figures whose interval of the difference leaves out none at all."""
        return tuple(
            name for name, each in self.differences.items()
            if each.low is not None and each.high is not None and (each.low > 0 or each.high < 0)
        )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """All of it; `to_dict` is what the command line prints."""

    labels: LabelMap
    models: Mapping[str, Compared]
    """By id, in the order they were chosen."""
    split: Mapping[str, str]
    """Part and level of the pictures."""
    n_left_out: int
    unreadable: tuple[str, ...]
    """A sentence for each picture that could not be read."""
    unmapped: Mapping[str, int]
    """Pictures left out by label, where no model has an answer for it."""

    @property
    def n(self) -> int:
        """Pictures that were scored."""
        return len(self._any.answers.true)

    @property
    def n_groups(self) -> int:
        """Groups of those pictures."""
        return len(set(self._any.answers.groups))

    @property
    def _any(self) -> Compared:
        return next(iter(self.models.values()))

    @cached_property
    def pairs(self) -> tuple[Pair, ...]:
        """Every two of the models, in order."""
        if not self.n:
            return ()
        draws = draws_of(self._any.answers)
        both = list(combinations(self.models, 2))
        tests = [mcnemar(self.models[a].answers, self.models[b].answers) for a, b in both]
        return tuple(
            Pair(
                first=a, other=b, counts=counts, p_holm=raised,
                differences={
                    name: difference(name, self.models[a].answers, self.models[b].answers, draws)
                    for name in DIFFERED
                },
            )
            for (a, b), counts, raised in zip(
                both, tests, holm([each.p for each in tests]), strict=True
            )
        )  # fmt: skip

    @cached_property
    def best(self) -> Mapping[str, frozenset[str]]:
        """By figure: the models whose interval reaches the best value, and the best itself."""
        found = {}
        for name in SHOWN:
            sign = -1 if name in LESS_IS_BETTER else 1
            figures = {id: each.figure(name) for id, each in self.models.items()}
            known = {id: each for id, each in figures.items() if each.value is not None}
            best = max((sign * each.value for each in known.values() if each.value is not None),
                       default=0.0)  # fmt: skip
            found[name] = frozenset(id for id, each in known.items() if _reach(each, sign) >= best)
        return found

    @cached_property
    def disagreements(self) -> tuple[tuple[int, float], ...]:
        """Number of each picture and how far the models are apart on it, the farthest first."""
        if not self.n:
            return ()
        apart = disagreement({id: each.answers.probabilities for id, each in self.models.items()})
        order = np.argsort(-apart, kind="stable")
        return tuple((int(place), float(apart[place])) for place in order)

    @property
    def held_to(self) -> str:
        """The figure that disturbances are judged by: a set without every class has no macro-F1."""
        found = [model.figure("macro_f1").value for model in self.models.values()]
        return "accuracy" if None in found else "macro_f1"

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "labels": {common: list(each) for common, each in self.labels.members.items()},
            "split": dict(self.split), "n": self.n, "n_groups": self.n_groups,
            "left_out": {"seen_in_training": self.n_left_out,
                         "unreadable": len(self.unreadable), "other_labels": dict(self.unmapped)},
            "models": [self._model(id, each) for id, each in self.models.items()],
            "pairs": [
                {"first": each.first, "other": each.other,
                 "only_first_right": each.counts.only_first,
                 "only_other_right": each.counts.only_other,
                 "mcnemar_p": each.counts.p, "mcnemar_p_holm": each.p_holm,
                 "differences": {name: vars(value) for name, value in each.differences.items()}}
                for each in self.pairs
            ],
            "disagreements": [
                {"file": self._any.answers.files[place], "apart": apart,
                 "label": self.labels.labels[int(self._any.answers.true[place])],
                 "said": {id: self._said(each.answers, place) for id, each in self.models.items()}}
                for place, apart in self.disagreements[:MOST_LISTED] if apart > 0
            ],
        }  # fmt: skip

    def _model(self, id: str, model: Compared) -> dict[str, Any]:
        counts = metrics.confusion(
            model.answers.true, model.answers.predicted, len(self.labels.labels)
        )
        return {
            "id": id, "input": model.spec.recipe.input,
            "metrics": {name: vars(model.figure(name)) for name in FIGURES},
            "per_class": {label: {name: vars(value) for name, value in figures.items()}
                          for label, figures in model.measured.per_class.items()},
            "confusion": {"labels": list(self.labels.labels), "counts": counts.tolist()},
            "corruptions": {name: list(rows) for name, rows in model.disturbed.items()},
            "seen_in_training": model.seen, **vars(model.cost),
        }  # fmt: skip

    def _said(self, answers: Answers, place: int) -> dict[str, Any]:
        return {
            "decision": "refer" if answers.referred[place] else "label",
            "label": self.labels.labels[int(answers.predicted[place])],
            "probabilities": dict(
                zip(self.labels.labels, map(float, answers.probabilities[place]), strict=True)
            ),
        }


MOST_LISTED = 100


def check_candidates(ids: Sequence[str]) -> None:
    """Refuse one model, one twice, and more than can be held beside each other.

    Raises:
        SettingError: it is so.
    """
    if twice := [id for id in ids if ids.count(id) > 1]:
        raise SettingError(f"{twice[0]} is named twice; a model is compared with others.")
    if not LEAST <= len(ids) <= MOST:
        raise SettingError(
            f"A comparison takes {LEAST} to {MOST} models, and {len(ids)} "
            f"{'is' if len(ids) == 1 else 'are'} named."
        )


def compare(
    candidates: Mapping[str, Candidate],
    pictures: LabelledSet,
    labels: LabelMap,
    *,
    corruptions: Sequence[Condition] = (),
    progress: Callable[[int], None] = lambda done: None,
) -> Comparison:
    """Every model on the same pictures, those left out that one of them learned from.

    The pictures are passed through twice where groups are known, so that a group of which one
    picture was learned from is left out whole. `progress` is told the pictures and disturbed copies
    done: none on the first pass, and all of them once only the figures are left to be made.

    Raises:
        SettingError: the models are too few or too many, or one's labels are not in the map.
    """
    check_candidates(list(candidates))
    readers = {id: each.reader for id, each in candidates.items()}
    known = frozenset[str]()
    if pictures.split.get("level") != "image":
        known = groups_learned_from(readers, _looked_at(pictures.samples(), progress))
    asked = ask(
        readers, pictures.samples(), labels,
        corruptions=corruptions, known_groups=known, progress=progress,
    )  # fmt: skip
    progress(pictures.n * (1 + len(corruptions)))
    return compared(candidates, asked, pictures, labels, corruptions=corruptions)


def _looked_at(samples: Iterable[Sample], progress: Callable[[int], None]) -> Iterator[Sample]:
    for sample in samples:
        progress(0)
        yield sample


def compared(
    candidates: Mapping[str, Candidate], asked: Asked, pictures: LabelledSet, labels: LabelMap,
    *, corruptions: Sequence[Condition] = (),
) -> Comparison:  # fmt: skip
    """The comparison that these answers make; of one model it has figures and no pairs.

    Raises:
        SettingError: a model's labels are not in the map.
    """
    for id, each in candidates.items():
        labels.check(each.reader.spec.label_names, id)
    return Comparison(
        labels=labels,
        models={
            id: Compared(
                spec=each.reader.spec, answers=asked.answers[id][PLAIN],
                measured=measure(asked.answers[id][PLAIN], labels.labels),
                disturbed=disturbed(asked.answers[id], corruptions),
                cost=Cost(ms=asked.ms[id], size_bytes=each.size_bytes, memory_mb=each.memory_mb),
                seen=asked.seen[id],
            )
            for id, each in candidates.items()
        },
        split=pictures.split, n_left_out=asked.n_left_out,
        unreadable=tuple(dict.fromkeys(pictures.unreadable)), unmapped=pictures.unmapped,
    )  # fmt: skip


def _reach(figure: Interval, sign: int) -> float:
    """The better end of the interval, or the value without one; higher is better."""
    end = figure.high if sign > 0 else figure.low
    value = figure.value if end is None else end
    return -np.inf if value is None else sign * value


def answers_csv(comparison: Comparison) -> str:
    """One row a picture and model: what it said, and why it referred."""
    common = comparison.labels.labels
    rows: list[Sequence[object]] = [
        ("file", "group", "label", "model", "decision", "top class",
         *(f"probability {label}" for label in common), "reasons")
    ]  # fmt: skip
    for id, model in comparison.models.items():
        answers = model.answers
        rows += [
            (answers.files[place], answers.groups[place], common[int(answers.true[place])], id,
             "refer" if answers.referred[place] else "label",
             common[int(answers.predicted[place])],
             *(f"{value:.6f}" for value in answers.probabilities[place]), answers.reasons[place])
            for place in range(len(answers.true))
        ]  # fmt: skip
    return _csv(rows)


def figures_csv(comparison: Comparison) -> str:
    """One row a model and figure, with its interval and its split; then a row a disturbance."""
    where = (comparison.n, comparison.n_groups, comparison.split.get("part", ""),
             words.split_level(comparison.split.get("level", "image")))  # fmt: skip
    rows: list[Sequence[object]] = [
        ("model", "figure", "value", "low", "high", "disturbance", "strength", "pictures", "groups",
         "part", "split")
    ]  # fmt: skip
    for id, model in comparison.models.items():
        for name in FIGURES:
            each = model.figure(name)
            rows.append((id, name, each.value, each.low, each.high, "", "", *where))
        for corruption, strengths in model.disturbed.items():
            for row in strengths:
                rows += [
                    (id, name, value["value"], value["low"], value["high"], corruption,
                     row["strength"], *where)
                    for name, value in row.items() if name != "strength"
                ]  # fmt: skip
    return _csv(rows)


def _csv(rows: Iterable[Sequence[object]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(map(harmless, row) for row in rows)
    return text.getvalue()
