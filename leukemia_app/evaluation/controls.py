"""What a class could be told by without any morphology: colour, size, background."""

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from leukemia_app.imaging.picture import FloatArray, UInt8Array
from leukemia_app.imaging.segment import Segmentation

BINS = 16


def colour_histogram(pixels: UInt8Array) -> FloatArray:
    """Share of pixels in 16 equal bins of each channel, (48,) float32: colour, nothing else."""
    counts = [np.bincount(pixels[..., channel].ravel() // BINS, minlength=BINS)
              for channel in range(3)]  # fmt: skip
    return (np.concatenate(counts) / pixels[..., 0].size).astype(np.float32)


def cell_area(segmentation: Segmentation) -> FloatArray:
    """Area of the main cell as a part of the picture, (1,) float32; 0 where none was found."""
    main = segmentation.cells == segmentation.main
    return np.array([main.mean() if segmentation.main else 0], np.float32)


def without_cells(pixels: UInt8Array, segmentation: Segmentation) -> UInt8Array:
    """The background alone: cells in the background's median colour."""
    inside = segmentation.cells > 0
    blanked = pixels.copy()
    outside = pixels[~inside] if not inside.all() else pixels.reshape(-1, 3)
    blanked[inside] = np.median(outside, axis=0).astype(np.uint8)
    return blanked


def cells_alone(pixels: UInt8Array, segmentation: Segmentation) -> UInt8Array:
    """The cells alone: everything else black."""
    return np.where((segmentation.cells > 0)[..., None], pixels, 0).astype(np.uint8)


def linear_probabilities(
    learn: FloatArray, targets: NDArray[np.int64], score: FloatArray
) -> FloatArray:
    """Probabilities of a balanced logistic regression, (n_score, n_classes) float32.

    `learn` is (n_learn, n_features), `score` (n_score, n_features).
    """
    model = make_pipeline(
        StandardScaler(), LogisticRegression(C=0.1, class_weight="balanced", max_iter=2000)
    )
    model.fit(learn, targets)
    probabilities: FloatArray = model.predict_proba(score).astype(np.float32)
    return probabilities
