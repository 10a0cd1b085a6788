"""Probabilities that mean what they say, and the one under which a model should not answer."""

import numpy as np
from numpy.typing import NDArray

from leukemia_app.evaluation.metrics import balanced_log_loss
from leukemia_app.imaging.picture import FloatArray

TEMPERATURES = (0.2, 10.0)


def fit_temperature(true: NDArray[np.int64], logits: FloatArray) -> float:
    """The number that divides logits so that the balanced log loss is least.

    `logits` is (n_images, n_outputs) of pictures the network did not learn from.
    Source: Guo et al. 2017, arXiv 1706.04599.
    """
    # Only fitting needs SciPy: a page that shows a report goes without it.
    from scipy.optimize import minimize_scalar

    low, high = np.log(TEMPERATURES)
    found = minimize_scalar(
        lambda log_t: balanced_log_loss(true, logits / np.float32(np.exp(log_t))),
        bounds=(low, high), method="bounded",
    )  # fmt: skip
    return float(np.exp(found.x))


def choose_threshold(
    true: NDArray[np.int64],
    probabilities: FloatArray,
    error: float,
    *,
    predicted: NDArray[np.int64] | None = None,
    most_referred: float = 0.5,
) -> float:
    """Lowest top probability from which at most `error` of the answers are wrong.

    At most `most_referred` of the pictures lie under it: a model that cannot keep the error
    refers that many and no more. `probabilities` is (n_images, n_classes); `predicted` are the
    answers, (n_images,), where they are not the most probable classes.
    """
    top = probabilities.max(1)
    wrong = (probabilities.argmax(1) if predicted is None else predicted) != true
    order = np.argsort(-top, kind="stable")
    share_wrong = np.cumsum(wrong[order]) / np.arange(1, len(order) + 1)
    # A threshold cannot part pictures of the same probability: only the last of them counts.
    is_last = np.append(np.diff(top[order]) != 0, True)
    fits = np.flatnonzero((share_wrong <= error) & is_last)
    n_answered = int(fits[-1]) + 1 if len(fits) else 0
    n_answered = max(n_answered, int(np.ceil(len(order) * (1 - most_referred))))
    if n_answered == len(order):
        return 0.0
    return float(top[order[n_answered - 1]])


def choose_positive_threshold(
    true: NDArray[np.int64], scores: NDArray[np.floating], sensitivity: float
) -> float:
    """Highest score of class 1 at which at least `sensitivity` of class 1 lies at or above."""
    positive = np.sort(scores[true == 1])[::-1]
    # 0.55 * 20 is a little over 11 in floating point.
    n_needed = max(1, int(np.ceil(sensitivity * len(positive) - 1e-9)))
    return float(positive[n_needed - 1])


def without_temperature(probabilities: FloatArray, temperature: float) -> FloatArray:
    """The probabilities as they were before the logits were divided, (n_images, n_classes).

    `softmax(temperature * log p)` undoes `softmax(logits / temperature)`.
    """
    # A probability too small for its type must not become a logarithm of nothing.
    least = np.finfo(np.float32).tiny
    logits = np.log(np.maximum(probabilities.astype(np.float64), least)) * temperature
    weights = np.exp(logits - logits.max(1, keepdims=True))
    before: FloatArray = (weights / weights.sum(1, keepdims=True)).astype(np.float32)
    return before
