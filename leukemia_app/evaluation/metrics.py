"""How good predictions are: figures as the field defines them.

Figures of answers come from their confusion counts, `(..., n_classes, n_classes)` with true
classes in rows: one matrix or one for each of many samples. NaN stands for what is not defined.
"""

import numpy as np
from numpy.typing import NDArray

from leukemia_app.imaging.picture import FloatArray

Targets = NDArray[np.int64]
Counts = NDArray[np.int64] | NDArray[np.float64]
Values = NDArray[np.float64]


def balanced_log_loss(true: Targets, logits: FloatArray) -> float:
    """Mean over classes of the mean -log probability of the true class; 0 is best.

    `true` is (n_images,) class numbers, `logits` (n_images, n_classes), or (n_images, 1) for two
    classes where it speaks for class 1. Classes without a picture do not count.
    """
    if logits.shape[1] == 1:
        signed = np.where(true == 1, -logits[:, 0], logits[:, 0]).astype(np.float64)
        losses = np.logaddexp(0, signed)
    else:
        wide = logits.astype(np.float64)
        losses = np.logaddexp.reduce(wide, axis=1) - wide[np.arange(len(true)), true]
    return float(np.mean([losses[true == label].mean() for label in np.unique(true)]))


def confusion(true: Targets, predicted: Targets, n_classes: int) -> NDArray[np.int64]:
    """Counts, (n_classes, n_classes) int64: rows are true classes, columns predicted ones."""
    counts = np.zeros((n_classes, n_classes), np.int64)
    np.add.at(counts, (true, predicted), 1)
    return counts


def _hits(counts: Counts) -> Values:
    hits: Values = np.diagonal(counts, axis1=-2, axis2=-1).astype(np.float64)
    return hits


def _share(part: Values | Counts, whole: Values | Counts) -> Values:
    """Part by whole; NaN where there is no whole."""
    part, whole = np.broadcast_arrays(part, whole)
    shares: Values = np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole > 0)
    return shares


def class_sensitivity(counts: Counts) -> Values:
    """Share of each class's pictures that were called so, (..., n_classes); also called recall."""
    return _share(_hits(counts), counts.sum(-1))


def class_specificity(counts: Counts) -> Values:
    """Share of the other classes' pictures that were not called so, (..., n_classes)."""
    others = counts.sum((-2, -1))[..., None] - counts.sum(-1)
    return _share(others - (counts.sum(-2) - _hits(counts)), others)


def class_ppv(counts: Counts) -> Values:
    """Share of the pictures called so that are of the class, (..., n_classes).

    The positive predictive value, also called precision. It holds for the prevalence of the
    pictures counted.
    """
    return _share(_hits(counts), counts.sum(-2))


def class_npv(counts: Counts) -> Values:
    """Share of the pictures not called so that are of another class, (..., n_classes).

    The negative predictive value. It holds for the prevalence of the pictures counted.
    """
    missed = counts.sum(-1) - _hits(counts)
    not_called = counts.sum((-2, -1))[..., None] - counts.sum(-2)
    return _share(not_called - missed, not_called)


def class_f1(counts: Counts) -> Values:
    """2 TP / (2 TP + FP + FN) of each class, (..., n_classes); NaN for a class without picture."""
    support = counts.sum(-1)
    f1 = _share(2 * _hits(counts), counts.sum(-2) + support)
    return np.where(support > 0, f1, np.nan)


def prevalence(counts: Counts) -> Values:
    """Each class's share of the pictures, (..., n_classes)."""
    return _share(counts.sum(-1), counts.sum((-2, -1))[..., None])


def accuracy_of(counts: Counts) -> Values:
    """Share of right answers, (...)."""
    return _share(_hits(counts).sum(-1), counts.sum((-2, -1)))


def balanced_accuracy_of(counts: Counts) -> Values:
    """Mean of the classes' sensitivities, (...); NaN where a class has no picture."""
    mean: Values = class_sensitivity(counts).mean(-1)
    return mean


def macro_f1_of(counts: Counts) -> Values:
    """Mean of the classes' F1, (...); NaN where a class has no picture."""
    mean: Values = class_f1(counts).mean(-1)
    return mean


def weighted_f1_of(counts: Counts) -> Values:
    """Mean of the classes' F1, each by its share of the pictures, (...)."""
    weighed: Values = np.where(counts.sum(-1) > 0, class_f1(counts) * prevalence(counts), 0).sum(-1)
    return np.where(counts.sum((-2, -1)) > 0, weighed, np.nan)


def accuracy(true: Targets, predicted: Targets, n_classes: int) -> float | None:
    """Share of right answers; None without pictures."""
    return _known(accuracy_of(confusion(true, predicted, n_classes)))


def balanced_accuracy(true: Targets, predicted: Targets, n_classes: int) -> float | None:
    """Mean of the classes' sensitivities; None where a class has no picture."""
    return _known(balanced_accuracy_of(confusion(true, predicted, n_classes)))


def macro_f1(true: Targets, predicted: Targets, n_classes: int) -> float | None:
    """Mean of the classes' F1; None where a class has no picture."""
    return _known(macro_f1_of(confusion(true, predicted, n_classes)))


def _known(value: Values) -> float | None:
    return None if np.isnan(value) else float(value)


def ppv_at(sensitivity: float, specificity: float, share: float) -> float | None:
    """Positive predictive value where the class has this share of the pictures, 0 to 1.

    None where nothing would be called so. Source: Bayes' rule; Altman & Bland 1994, BMJ 309, 102.
    """
    called = sensitivity * share + (1 - specificity) * (1 - share)
    return sensitivity * share / called if called else None


def npv_at(sensitivity: float, specificity: float, share: float) -> float | None:
    """Negative predictive value where the class has this share of the pictures, 0 to 1.

    None where everything would be called so. Source: as `ppv_at`.
    """
    not_called = (1 - sensitivity) * share + specificity * (1 - share)
    return specificity * (1 - share) / not_called if not_called else None


def auroc(true: Targets, scores: NDArray[np.floating]) -> float | None:
    """Chance that a picture of class 1 scores above one of class 0, ties by half.

    None where one of the classes is absent. Source: Mann & Whitney 1947.
    """
    return _known(ranking(true == 1, scores, np.ones((1, len(true))))[0][0])


def average_precision(true: Targets, scores: NDArray[np.floating]) -> float | None:
    """Precision at each threshold, weighed by the recall it adds; None without class 1.

    Source: Boyd, Eng & Page 2013, Area under the precision-recall curve (no interpolation).
    """
    return _known(ranking(true == 1, scores, np.ones((1, len(true))))[1][0])


FIXED_SPECIFICITY = 0.95
"""At which sensitivity is quoted beside the figures that need no threshold."""


def ranking(
    positive: NDArray[np.bool_], scores: NDArray[np.floating], weights: Values
) -> tuple[Values, Values, Values]:
    """AUROC, average precision, and sensitivity at `FIXED_SPECIFICITY`, (n_samples,) each.

    `positive` and `scores` are (n_images,), `weights` (n_samples, n_images) how often each image
    stands in each sample. The last is that of the lowest threshold whose specificity, on these very
    pictures, is still as high.
    """
    order = np.argsort(-scores, kind="stable")
    # Pictures of one score stand or fall together: only the last of them is a threshold.
    ends = np.flatnonzero(np.diff(scores[order], append=-np.inf))
    if not len(ends):
        none = np.full(len(weights), np.nan)
        return none, none, none
    drawn = weights[:, order]
    called = np.cumsum(drawn, 1)[:, ends]
    found = np.cumsum(drawn * positive[order], 1)[:, ends]
    wrongly = called - found
    more_found, more_wrongly = (
        np.diff(found, prepend=0, axis=1),
        np.diff(wrongly, prepend=0, axis=1),
    )
    above = (more_wrongly * (found - more_found / 2)).sum(1)
    # A sample may hold none of the pictures called first: they weigh nothing then.
    precision = found / np.maximum(called, 1)
    # A twentieth of 20 is a little over 1 in floating point, or under.
    few = wrongly <= (1 - FIXED_SPECIFICITY) * wrongly[:, -1:] + 1e-9
    first = np.where(few, found, 0).max(1)
    return (
        _share(above, found[:, -1] * wrongly[:, -1]),
        _share((precision * more_found).sum(1), found[:, -1]),
        np.where(wrongly[:, -1] > 0, _share(first, found[:, -1]), np.nan),
    )


def macro_auroc(true: Targets, probabilities: FloatArray) -> float | None:
    """Mean over classes of one against the rest; for two classes the plain AUROC of the second."""
    if probabilities.shape[1] == 2:
        return auroc(true, probabilities[:, 1])
    each = [
        auroc((true == label).astype(np.int64), probabilities[:, label])
        for label in range(probabilities.shape[1])
    ]
    known = [value for value in each if value is not None]
    return float(np.mean(known)) if len(known) == len(each) else None


def squared_errors(true: Targets, probabilities: FloatArray) -> Values:
    """Squared distance of each picture's probabilities from the truth, (n_images,), 0 to 2."""
    truth = np.eye(probabilities.shape[1])[true]
    errors: Values = ((probabilities - truth) ** 2).sum(1)
    return errors


def brier(true: Targets, probabilities: FloatArray) -> float | None:
    """Mean squared distance of the probabilities from the truth, summed over classes; 0 to 2."""
    return float(squared_errors(true, probabilities).mean()) if len(true) else None


N_BINS = 15
"""Equally wide bins of the calibration error and of the reliability curve."""


def bins_of(top: NDArray[np.floating], n_bins: int = N_BINS) -> NDArray[np.int64]:
    """Number of the equally wide bin of each top probability, (n_images,)."""
    return np.minimum((top * n_bins).astype(np.int64), n_bins - 1)


def expected_calibration_error(
    true: Targets, probabilities: FloatArray, n_bins: int = N_BINS
) -> float | None:
    """Mean distance between top probability and accuracy in equally wide bins, by their size.

    Source: Guo et al. 2017, arXiv 1706.04599, equation 3.
    """
    if not len(true):
        return None
    gap = np.zeros(n_bins)
    top = probabilities.max(1).astype(np.float64)
    np.add.at(gap, bins_of(top, n_bins), (probabilities.argmax(1) == true) - top)
    return float(np.abs(gap).sum() / len(true))
