"""Several models' readings of one picture: what they agree on, and where they are farthest apart.

Pure; nothing is scored, as nobody says what the picture shows.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Any

import numpy as np

from leukemia_app.bundles.reading import Reading
from leukemia_app.bundles.spec import Spec
from leukemia_app.evaluation import words
from leukemia_app.evaluation.ask import in_common
from leukemia_app.evaluation.label_map import LabelMap
from leukemia_app.imaging.picture import FloatArray


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What one model says, in the common labels."""

    reading: Reading
    probabilities: FloatArray
    """(n_common,) float32."""
    top: str
    """The common label of its answer, also where it refers."""

    @property
    def refers(self) -> bool:
        """Whether it leaves the picture to an expert."""
        return self.reading.decision.kind == "refer"


@dataclass(frozen=True, kw_only=True)
class Apart:
    """The two models farthest apart on a picture."""

    first: str
    other: str
    distance: float
    """Probability that one would have to move to agree with the other, 0 to 1."""
    label: str
    """The common label on which they differ most."""


@dataclass(frozen=True, kw_only=True)
class SideBySide:
    """The readings of one picture by model, each beside its model's labels."""

    labels: LabelMap
    answers: Mapping[str, Answer]

    @classmethod
    def of(
        cls, labels: LabelMap, readings: Mapping[str, Reading], specs: Mapping[str, Spec]
    ) -> "SideBySide":
        """The readings in the common labels; `readings` and `specs` are by model."""
        answers = {}
        for id, reading in readings.items():
            probabilities, (top,) = in_common([reading], specs[id].label_names, labels)
            answers[id] = Answer(
                reading=reading, probabilities=probabilities[0], top=labels.labels[top]
            )
        return cls(labels=labels, answers=answers)

    @property
    def same_top(self) -> bool:
        """Whether all name the same top class."""
        return len({each.top for each in self.answers.values()}) == 1

    @cached_property
    def apart(self) -> Apart | None:
        """The two farthest apart; None of one model."""
        found = [
            (0.5 * float(np.abs(gap).sum()), a, b, self.labels.labels[int(np.abs(gap).argmax())])
            for a, b in combinations(self.answers, 2)
            for gap in [self.answers[a].probabilities - self.answers[b].probabilities]
        ]
        if not found:
            return None
        distance, first, other, label = max(found, key=lambda each: each[0])
        return Apart(first=first, other=other, distance=distance, label=label)

    def sentences(self) -> tuple[str, ...]:
        """Agreement, referrals, and the largest disagreement, in words."""
        said = [self._agreement(), *self._thresholds(), self._referrals()]
        apart = self.apart
        if apart is not None and apart.distance >= 0.005:
            place = self.labels.labels.index(apart.label)
            chances = [
                words.percent(float(self.answers[id].probabilities[place]))
                for id in (apart.first, apart.other)
            ]
            who = "They differ most on"
            if len(self.answers) > 2:
                who = f"Farthest apart are {apart.first} and {apart.other}, most of all on"
            said.append(f"{who} “{apart.label}”: {chances[0]} against {chances[1]}.")
        return tuple(filter(None, said))

    def _agreement(self) -> str:
        by_top: dict[str, list[str]] = {}
        for id, answer in self.answers.items():
            by_top.setdefault(answer.top, []).append(id)
        if len(by_top) == 1:
            n = len(self.answers)
            everyone = "Both models name" if n == 2 else f"All {n} models name"
            return f"{everyone} “{next(iter(by_top))}” as the top class."
        parts = "; ".join(f"“{top}” by {words.together(ids)}" for top, ids in by_top.items())
        return f"The models name different top classes: {parts}."

    def _thresholds(self) -> list[str]:
        """Of models whose answer is not the likelier class, as it has a threshold of its own."""
        said = []
        for id, answer in self.answers.items():
            likelier = self.labels.labels[int(answer.probabilities.argmax())]
            if likelier != answer.top:
                chance = words.percent(float(answer.probabilities.max()))
                said.append(
                    f"{id} gives “{likelier}” {chance}, less than it needs to answer so; that "
                    f"leaves “{answer.top}”."
                )
        return said

    def _referrals(self) -> str:
        referring = [id for id, answer in self.answers.items() if answer.refers]
        if not referring:
            return ""
        if len(referring) == len(self.answers):
            return "All of them refer to an expert."
        verb = "refers" if len(referring) == 1 else "refer"
        rest = (
            "the other answers" if len(self.answers) - len(referring) == 1 else "the others answer"
        )
        return f"{words.together(referring)} {verb} to an expert; {rest}."

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON: what each said, in its own labels and in the common ones."""
        return {
            "same_top": self.same_top,
            "apart": None if self.apart is None else vars(self.apart),
            "models": {
                id: answer.reading.to_dict()
                | {
                    "common": {
                        "top": answer.top,
                        "probabilities": dict(
                            zip(self.labels.labels, map(float, answer.probabilities), strict=True)
                        ),
                    }
                }
                for id, answer in self.answers.items()
            },
        }
