"""Fit the statistics that tell how unlike the training pictures a picture is."""

import numpy as np

from leukemia_app.bundles.scope import Scope
from leukemia_app.imaging.picture import FloatArray

LEAST_VARIANCE = 1e-4
"""Least variance of a direction, as a part of the mean variance of the features: where training
pictures hardly differ, rounding must not count as distance."""


def fit_scope(features: FloatArray, n_directions: int = 64) -> Scope:
    """A Gaussian of training features, (n_images, n_features) float32, of two pictures or more."""
    wide = features.astype(np.float64)
    mean = wide.mean(0)
    n_directions = min(n_directions, len(wide) - 1, wide.shape[1])
    _, strengths, directions = np.linalg.svd(wide - mean, full_matrices=False)
    variance = strengths**2 / (len(wide) - 1)
    n_rest = wide.shape[1] - n_directions
    rest = variance[n_directions:].sum() / n_rest if n_rest else variance[-1]
    least = max(LEAST_VARIANCE * variance.sum() / wide.shape[1], 1e-12)
    return Scope(
        mean=mean.astype(np.float32),
        directions=directions[:n_directions].T.astype(np.float32),
        spread=np.sqrt(np.maximum(variance[:n_directions], least)).astype(np.float32),
        rest=float(np.sqrt(max(rest, least))),
    )


def choose_limit(scores: FloatArray, percentile: float = 99) -> float:
    """The score that this per cent of the validation pictures stays under."""
    return float(np.percentile(scores, percentile))
