"""How well two masks agree: the Dice coefficient and its interval over pictures. Pure."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass

import numpy as np

from leukemia_app.evaluation.intervals import bootstrap_interval
from leukemia_app.imaging.picture import BoolArray


@dataclass(frozen=True, kw_only=True)
class DiceReport:
    """Dice over several pictures, each counted alike."""

    value: float
    """Mean over the pictures, 0 to 1."""
    low: float | None
    """Lower end of the 95 % bootstrap interval over pictures; None for a single picture."""
    high: float | None
    """Upper end of that interval."""
    median: float
    n: int
    """How many pictures."""

    def to_dict(self) -> dict[str, float | int | None]:
        """Plain values for JSON."""
        return asdict(self)


def dice(found: BoolArray, truth: BoolArray) -> float:
    """Twice the common area by the sum of both areas: 0 no pixel in common, 1 the same mask.

    Two empty masks agree: 1. Both are (rows, columns) bool.
    Source: Dice 1945, Ecology 26, 297–302.

    >>> dice(np.array([[True, True, False]]), np.array([[False, True, False]]))  # 2·1 / (2 + 1)
    0.666...

    Raises:
        ValueError: the masks have not the same shape.
    """
    if found.shape != truth.shape:
        raise ValueError(f"masks are {found.shape} and {truth.shape}; compare masks of one size.")
    both = int(np.count_nonzero(found)) + int(np.count_nonzero(truth))
    return 1.0 if both == 0 else 2 * int(np.count_nonzero(found & truth)) / both


def dice_report(pairs: Iterable[tuple[BoolArray, BoolArray]]) -> DiceReport:
    """Dice of found and true masks, a pair a picture.

    Raises:
        ValueError: there is no pair, or the masks of one differ in shape.
    """
    return summary([dice(found, truth) for found, truth in pairs])


def summary(values: list[float], n_draws: int = 1000, seed: int = 0) -> DiceReport:
    """Mean, interval and median of the Dice values of pictures.

    Raises:
        ValueError: there is no value.
    """
    if not values:
        raise ValueError("there is no picture to average over; compare at least one.")
    known = np.array(values)
    pictures = [str(number) for number in range(len(values))]
    ends = bootstrap_interval(
        lambda rows: float(known[rows].mean()), pictures, [0] * len(values), n_draws, seed
    )
    low, high = ends or (None, None)
    return DiceReport(
        value=float(known.mean()),
        low=low,
        high=high,
        median=float(np.median(known)),
        n=len(values),
    )
