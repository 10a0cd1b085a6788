"""How good predictions are: figures as the field defines them."""

import numpy as np
from numpy.typing import NDArray

from leukemia_app.imaging.picture import FloatArray

Targets = NDArray[np.int64]


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


def accuracy(true: Targets, predicted: Targets, n_classes: int) -> float | None:
    """Share of right answers; None without pictures."""
    return float((true == predicted).mean()) if len(true) else None


def balanced_accuracy(true: Targets, predicted: Targets, n_classes: int) -> float | None:
    """Mean of the classes' sensitivities; None where a class has no picture."""
    counts = confusion(true, predicted, n_classes)
    support = counts.sum(1)
    return float((np.diag(counts) / support).mean()) if (support > 0).all() else None


def macro_f1(true: Targets, predicted: Targets, n_classes: int) -> float | None:
    """Mean over classes of 2 TP / (2 TP + FP + FN); None where a class has no picture."""
    counts = confusion(true, predicted, n_classes)
    if (counts.sum(1) == 0).any():
        return None
    hits = np.diag(counts)
    return float((2 * hits / (counts.sum(0) + counts.sum(1))).mean())


def auroc(true: Targets, scores: NDArray[np.floating]) -> float | None:
    """Chance that a picture of class 1 scores above one of class 0, ties by half.

    None where one of the classes is absent. Source: Mann & Whitney 1947, by ranks.
    """
    positive = true == 1
    n_positive, n_negative = int(positive.sum()), int((~positive).sum())
    if not n_positive or not n_negative:
        return None
    _, place, count = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(count) - (count - 1) / 2)[place]
    above = ranks[positive].sum() - n_positive * (n_positive + 1) / 2
    return float(above / (n_positive * n_negative))


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


def brier(true: Targets, probabilities: FloatArray) -> float | None:
    """Mean squared distance of the probabilities from the truth, summed over classes; 0 to 2."""
    if not len(true):
        return None
    truth = np.eye(probabilities.shape[1])[true]
    return float(((probabilities - truth) ** 2).sum(1).mean())


def expected_calibration_error(
    true: Targets, probabilities: FloatArray, n_bins: int = 15
) -> float | None:
    """Mean distance between top probability and accuracy in equally wide bins, by their size.

    Source: Guo et al. 2017, arXiv 1706.04599, equation 3.
    """
    if not len(true):
        return None
    top = probabilities.max(1)
    right = probabilities.argmax(1) == true
    bins = np.minimum((top * n_bins).astype(int), n_bins - 1)
    gaps = [
        abs(right[bins == number].mean() - top[bins == number].mean()) * (bins == number).mean()
        for number in np.unique(bins)
    ]
    return float(np.sum(gaps))
