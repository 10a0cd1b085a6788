"""Several runs beside each other: may their figures be compared, and by how much they differ."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import PurePath
from typing import Any

import numpy as np

from leukemia_app.errors import RunError
from leukemia_app.evaluation import words
from leukemia_app.evaluation.measures import UNDEFINED, Answers, Interval, draws_of
from leukemia_app.evaluation.paired import difference
from leukemia_app.evaluation.run_results import RunResults

LEAST, MOST = 2, 6
"""Runs that are compared at once: more curves nobody can tell apart."""
SHOWN = ("accuracy", "balanced_accuracy", "macro_f1", "auroc", "ece", "brier", "refer_rate",
         "error_among_answered")  # fmt: skip
"""Figures that stand beside each other."""
DIFFERED = ("accuracy", "balanced_accuracy", "macro_f1", "auroc")
"""Figures whose difference is measured, picture by picture."""
APART = frozenset({"id", "about", "format_version", "data", "groups", "labels", "group_level",
                   "figures_from", "external", "outside"})  # fmt: skip
"""Of a configuration: what names the run, and what stands elsewhere in the comparison."""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Runs by name, the first of which the others are held against."""

    runs: Mapping[str, RunResults]

    def __post_init__(self) -> None:
        """Refuse one run, and more than can be told apart."""
        if not LEAST <= len(self.runs) <= MOST:
            raise RunError(
                f"A comparison takes {LEAST} to {MOST} runs, and these are {len(self.runs)}."
            )

    @cached_property
    def is_same_split(self) -> bool:
        """Whether all were scored on the same pictures, with the same labels and groups."""
        rows = [_rows(results) for results in self.runs.values()]
        kinds = {(frozenset(results.labels), results.level) for results in self.runs.values()}
        return rows[0] is not None and all(each == rows[0] for each in rows) and len(kinds) == 1

    @cached_property
    def verdict(self) -> str:
        """Whether the figures may be held against each other, and whose labels were changed."""
        corrected = [f"{name}: {results.corrected}" for name, results in self.runs.items()
                     if results.corrected]  # fmt: skip
        return " ".join((self._ranking, *corrected))

    @property
    def _ranking(self) -> str:
        open_ = [name for name, results in self.runs.items() if results.answers is None]
        if open_:
            return (f"{words.together(open_)} {'has' if len(open_) == 1 else 'have'} no figures of "
                    "pictures kept back yet, so the runs cannot be compared by them.")  # fmt: skip
        first = next(iter(self.runs.values()))
        if self.is_same_split:
            folders = {results.config.get("data") for results in self.runs.values()}
            return (
                f"All were scored on the same {_size(first)}, split "
                f"{words.split_level(first.level)}."
                + (" Their data sets lie in different folders; that the pictures are the same, "
                   "their names say." if len(folders) > 1 else "")
            )  # fmt: skip
        sizes = "; ".join(
            f"{name}: {_size(results)}, {words.split_level(results.level)}"
            for name, results in self.runs.items()
        )
        return (f"They were scored on different pictures ({sizes}). Do not rank them by these "
                "figures: a difference may be the split’s, not the network’s.")  # fmt: skip

    @cached_property
    def differences(self) -> Mapping[str, tuple[Interval, ...]]:
        """By figure: what each other run has above the first on the same pictures.

        Empty where the pictures are not the same. 95 % intervals of the difference come from one
        bootstrap over groups for both, so that what makes a picture hard for both cancels out.
        """
        if not self.is_same_split:
            return {}
        first, *others = self.runs.values()
        return {
            name: tuple(_difference(name, first, other) for other in others) for name in DIFFERED
        }

    @cached_property
    def settings(self) -> Mapping[str, tuple[Any, ...]]:
        """Settings that differ, by their name in the configuration, one value a run."""
        flat = [_flat(results.config) for results in self.runs.values()]
        names = dict.fromkeys(name for each in flat for name in each)
        values = {name: tuple(each.get(name) for each in flat) for name in names}
        return {name: each for name, each in values.items() if any(v != each[0] for v in each)}

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "same_split": self.is_same_split,
            "verdict": self.verdict,
            "runs": [_plain(name, results) for name, results in self.runs.items()],
            "differences": {
                figure: {name: vars(each) for name, each in zip(list(self.runs)[1:], found,
                                                                strict=True)}
                for figure, found in self.differences.items()
            },
            "settings": {name: dict(zip(self.runs, values, strict=True))
                         for name, values in self.settings.items()},
        }  # fmt: skip


def figure(results: RunResults, name: str) -> Interval:
    """One of `SHOWN`; undefined where the run has none."""
    return UNDEFINED if results.measured is None else results.measured.overall.get(name, UNDEFINED)


def is_told_apart(difference: Interval) -> bool:
    """Whether its interval leaves out no difference at all."""
    low, high = difference.low, difference.high
    return low is not None and high is not None and (low > 0 or high < 0)


def seconds(results: RunResults) -> float:
    """Time that the run took, pauses taken out."""
    return sum(results.seconds.values())


def data_name(results: RunResults) -> str:
    """What its data set's folder is called."""
    path = PurePath(str(results.config.get("data", "")))
    return path.parent.name if path.name == "pictures" else path.name


def _rows(results: RunResults) -> frozenset[tuple[str, str, str]] | None:
    """File, label and group of each scored picture; None where that is not known."""
    answers = results.answers
    if answers is None or not answers.files:
        return None
    labels = (results.labels[int(number)] for number in answers.true)
    return frozenset(zip(answers.files, labels, answers.groups, strict=True))


def _size(results: RunResults) -> str:
    if results.answers is None:
        return "none"
    n, n_groups = len(results.answers.true), len(set(results.answers.groups))
    if results.level == "image":
        return f"{n:,} test pictures"
    noun = words.group_word(results.level)
    return f"{n:,} test pictures of {n_groups:,} {noun}{'' if n_groups == 1 else 's'}"


def _difference(name: str, first: RunResults, other: RunResults) -> Interval:
    ours, theirs = first.answers, _aligned(other, first)
    if ours is None or theirs is None:
        return UNDEFINED
    return difference(name, ours, theirs, draws_of(ours))


def _aligned(other: RunResults, first: RunResults) -> Answers | None:
    """The other's answers in the order of the first's pictures and labels."""
    ours, theirs = first.answers, other.answers
    if ours is None or theirs is None:
        return None
    place = {file: number for number, file in enumerate(theirs.files)}
    rows = np.array([place[file] for file in ours.files])
    columns = [other.labels.index(label) for label in first.labels]
    renamed = np.array([first.labels.index(label) for label in other.labels])
    return replace(
        theirs, true=ours.true, predicted=renamed[theirs.predicted[rows]],
        probabilities=theirs.probabilities[rows][:, columns], referred=theirs.referred[rows],
        groups=ours.groups, files=ours.files, reasons=(),
    )  # fmt: skip


def _flat(config: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in config.items():
        if not before and name in APART:
            continue
        if isinstance(value, Mapping):
            found |= _flat(value, f"{before}{name}.")
        else:
            found[before + name] = list(value) if isinstance(value, tuple) else value
    if "start" in found and not before:
        # The folder of a bundle says nothing but where it lies.
        kind, colon, place = str(found["start"]).partition(":")
        found["start"] = f"{kind}{colon}{PurePath(place).name}"
    return found


def _plain(name: str, results: RunResults) -> dict[str, Any]:
    answers = results.answers
    return {
        "id": name, "state": results.state, "labels": list(results.labels),
        "data": results.config.get("data"), "split_level": results.level, "part": results.part,
        "n_test": None if answers is None else len(answers.true),
        "n_test_groups": None if answers is None else len(set(answers.groups)),
        "figures": {each: vars(figure(results, each)) for each in SHOWN},
        "seconds": dict(results.seconds),
        "epochs": [vars(epoch) for epoch in results.epochs],
    }  # fmt: skip
