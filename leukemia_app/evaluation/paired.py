"""Two models on the same pictures: by how much they differ, and whether chance would do it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import comb

import numpy as np

from leukemia_app.evaluation.intervals import Resampled, each_once
from leukemia_app.evaluation.measures import FIGURES, Answers, Interval, Sampled, interval_of

DIGITS = 12
"""Decimals of a difference: what is less is rounding, and would look like one."""


def difference(name: str, first: Answers, other: Answers, draws: Resampled) -> Interval:
    """What `other` has above `first` in one of `measures.FIGURES`, on the same pictures.

    The 95 % interval is of the difference in each sample, so that what makes a picture hard for
    both cancels out; where all samples agree there is none.
    """
    made = FIGURES[name]
    (value,), sampled = (
        np.round(made(Sampled(other, each)) - made(Sampled(first, each)), DIGITS) + 0.0
        for each in (each_once(len(first.true)), draws)
    )
    return interval_of(float(value), sampled, draws)


@dataclass(frozen=True, kw_only=True)
class McNemar:
    """On how many pictures only one of two models is right, and how likely that is by chance."""

    only_first: int
    only_other: int

    @property
    def p(self) -> float:
        """Two-sided, exact: the chance of a split as uneven as this, or more, of fair coins.

        It takes pictures as independent, which pictures of one patient are not.
        Source: McNemar 1947, Psychometrika 12, 153; exact form, Fay 2010, Biostatistics 11, 373.
        """
        n, k = self.only_first + self.only_other, min(self.only_first, self.only_other)
        tail = sum(comb(n, each) for each in range(k + 1))
        # Whole numbers until the end: 2 ** n is no float for thousands of pictures.
        chance: float = 2 * tail / 2**n
        return min(1.0, chance)


def mcnemar(first: Answers, other: Answers) -> McNemar:
    """McNemar's test of two models' right answers on the same pictures, referred or not."""
    right, other_right = first.predicted == first.true, other.predicted == other.true
    return McNemar(
        only_first=int((right & ~other_right).sum()), only_other=int((other_right & ~right).sum())
    )


def holm(chances: Sequence[float]) -> tuple[float, ...]:
    """The chances of several tests, raised so that all of them together err as one would.

    Source: Holm 1979, Scandinavian Journal of Statistics 6, 65.
    """
    order = np.argsort(chances, kind="stable")
    raised: dict[int, float] = {}
    most = 0.0
    for rank, place in enumerate(order.tolist()):
        most = max(most, min(1.0, (len(chances) - rank) * chances[place]))
        raised[place] = most
    return tuple(raised[place] for place in range(len(chances)))


def disagreement(probabilities: Mapping[str, np.ndarray]) -> np.ndarray:
    """How far apart the two models farthest apart are on each picture, (n,) from 0 to 1.

    The distance of two models is the probability that one would have to move to agree with the
    other (total variation). Each of `probabilities` is (n, n_labels).
    """
    stacked = np.stack(list(probabilities.values())).astype(np.float64)
    apart = 0.5 * np.abs(stacked[:, None] - stacked[None]).sum(-1)
    found: np.ndarray = apart.max((0, 1))
    return found
