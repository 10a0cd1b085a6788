"""Curves behind the figures: trade-offs over thresholds, calibration, coverage against risk."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leukemia_app.evaluation.metrics import N_BINS, bins_of
from leukemia_app.imaging.picture import FloatArray

Values = NDArray[np.float64]
Targets = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Curve:
    """Points of a curve in drawing order, (n_points,) each."""

    x: Values
    y: Values
    thresholds: Values
    """Score from which on a picture counts as called; infinite where none is."""


def roc_curve(positive: NDArray[np.bool_], scores: NDArray[np.floating]) -> Curve:
    """Sensitivity (y) against 1 - specificity (x) over every threshold, from (0, 0) to (1, 1).

    `positive` is (n_images,), `scores` (n_images,): one class against the rest.

    Raises:
        ValueError: one of the sides has no picture.
    """
    if positive.all() or not positive.any():
        raise ValueError("a ROC curve needs pictures of the class and of the rest.")
    found, wrongly, thresholds = _called(positive, scores)
    return Curve(
        x=np.append(0, wrongly / wrongly[-1]),
        y=np.append(0, found / found[-1]),
        thresholds=np.append(np.inf, thresholds),
    )


def precision_recall_curve(positive: NDArray[np.bool_], scores: NDArray[np.floating]) -> Curve:
    """Precision (y) against recall (x) over every threshold, from the highest on.

    Raises:
        ValueError: no picture is of the class.
    """
    if not positive.any():
        raise ValueError("a precision-recall curve needs pictures of the class.")
    found, wrongly, thresholds = _called(positive, scores)
    return Curve(x=found / found[-1], y=found / (found + wrongly), thresholds=thresholds)


def _called(
    positive: NDArray[np.bool_], scores: NDArray[np.floating]
) -> tuple[Values, Values, Values]:
    """Pictures of the class and of the rest at or above each distinct score, highest first."""
    order = np.argsort(-scores, kind="stable")
    ends = np.flatnonzero(np.diff(scores[order], append=-np.inf))
    found = np.cumsum(positive[order])[ends].astype(np.float64)
    return found, ends + 1 - found, scores[order][ends].astype(np.float64)


@dataclass(frozen=True, kw_only=True)
class Bin:
    """Pictures whose top probability lies in one of equally wide bins."""

    low: float
    high: float
    n: int
    top: float
    """Mean top probability."""
    right: float
    """Share of right answers."""


def reliability(true: Targets, probabilities: FloatArray, n_bins: int = N_BINS) -> tuple[Bin, ...]:
    """Top probability against accuracy in the bins that hold a picture, lowest first.

    Source: Guo et al. 2017, arXiv 1706.04599, section 2.
    """
    top = probabilities.max(1).astype(np.float64)
    right = probabilities.argmax(1) == true
    numbers = bins_of(top, n_bins)
    return tuple(
        Bin(
            low=number / n_bins, high=(number + 1) / n_bins, n=int((numbers == number).sum()),
            top=float(top[numbers == number].mean()), right=float(right[numbers == number].mean()),
        )
        for number in np.unique(numbers).tolist()
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """What is left to answer, and how often wrongly, when the least sure pictures are referred."""

    referred: float
    """Share of pictures that was asked to be referred at most, 0 to 1."""
    threshold: float
    """Top probability from which a picture is answered."""
    n_answered: tuple[int, ...]
    """Answered pictures of each true class."""
    n_wrong: tuple[int, ...]
    """Wrong answers among them."""
    n_pictures: int

    @property
    def coverage(self) -> float:
        """Share of pictures answered."""
        return sum(self.n_answered) / self.n_pictures

    @property
    def risk(self) -> float | None:
        """Share of wrong answers among the answered; None where nothing is answered."""
        return _share(sum(self.n_wrong), sum(self.n_answered))

    def class_risk(self, label: int) -> float | None:
        """Share of wrong answers among the answered pictures of this true class."""
        return _share(self.n_wrong[label], self.n_answered[label])


def coverage_risk(
    true: Targets, predicted: Targets, probabilities: FloatArray, shares: Sequence[float]
) -> tuple[Coverage, ...]:
    """Referring at most these shares of the pictures, 0 up to under 1, least sure first.

    Pictures of one top probability are parted by no threshold: they are answered together.
    Source: El-Yaniv & Wiener 2010, JMLR 11, 1605 (risk-coverage).

    Raises:
        ValueError: there is no picture, or a share is under 0, or 1 or more.
    """
    if not len(true) or not all(0 <= share < 1 for share in shares):
        raise ValueError(f"{len(true)} pictures, shares {list(shares)}; use 0 up to under 1.")
    top = probabilities.max(1).astype(np.float64)
    in_order = np.sort(top)
    found = []
    for share in shares:
        # 0.29 * 100 is a little under 29 in floating point.
        threshold = in_order[int(share * len(top) + 1e-9)]
        answered = top >= threshold
        wrong = answered & (true != predicted)
        n_classes = probabilities.shape[1]
        found.append(
            Coverage(
                referred=share,
                threshold=float(threshold),
                n_answered=tuple(np.bincount(true[answered], minlength=n_classes).tolist()),
                n_wrong=tuple(np.bincount(true[wrong], minlength=n_classes).tolist()),
                n_pictures=len(top),
            )
        )
    return tuple(found)


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
