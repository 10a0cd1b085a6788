"""Classical models on the same split: what a network has to be better than."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import RidgeClassifier, RidgeClassifierCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from leukemia_app.evaluation.baseline_row import FIGURES, SMALL_PX, TITLES, Baseline
from leukemia_app.evaluation.measures import Answers, draws_of, figure_interval
from leukemia_app.imaging.picture import FloatArray, UInt8Array

RIDGE_STRENGTHS = tuple(10.0**power for power in range(-2, 6))
N_COMPONENTS = 200
"""Principal components that the discriminant analysis sees."""
TREES: Mapping[str, Any] = {
    "n_estimators": 100, "max_bin": 64, "colsample_bytree": 0.3, "n_jobs": 2, "random_state": 0,
}  # fmt: skip
"""As many trees as XGBoost takes by itself; bins and a third of the values a tree for speed."""

MISSING_XGBOOST = (
    "XGBoost is not installed, so this baseline was left out. Install it with "
    "`pip install -r requirements-train-extra.txt` and run again."
)


class MissingBaseline(Exception):
    """A baseline needs a package that is not installed; the text says which and how."""


def small_pixels(pixels: Iterable[UInt8Array]) -> FloatArray:
    """Prepared pictures (side, side, 3) uint8 at 32 × 32 px, flat: (n, 3072) float32, 0 to 1."""
    small = [
        cv2.resize(np.ascontiguousarray(each), (SMALL_PX, SMALL_PX), interpolation=cv2.INTER_AREA)
        for each in pixels
    ]
    flat: FloatArray = np.stack(small).reshape(len(small), -1).astype(np.float32) / np.float32(255)
    return flat


def fit_baseline(
    name: str,
    learn: FloatArray,
    targets: NDArray[np.int64],
    test: FloatArray,
    clock: Callable[[], float] = time.perf_counter,
) -> tuple[FloatArray, float]:
    """Scores (n_test, n_classes) float32 of the test pictures, the highest its answer, and seconds.

    `learn` is (n_learn, n_values), `targets` (n_learn,) class numbers from 0 without a gap, `test`
    (n_test, n_values). Probabilities where the model has them (xgboost, lda), else decision
    scores. Every class weighs the same.

    Raises:
        ValueError: the name is unknown.
        MissingBaseline: its package is not installed.
    """
    model, weighed_by_picture = _model(name, learn, targets)
    begun = clock()
    # In single precision the equations of the ridge are nearly singular.
    wide, wide_test = learn.astype(np.float64), test.astype(np.float64)
    if weighed_by_picture:
        counts = np.bincount(targets)
        model.fit(wide, targets, sample_weight=len(targets) / len(counts) / counts[targets])
    else:
        model.fit(wide, targets)
    scores = (
        model.predict_proba(wide_test) if hasattr(model, "predict_proba")
        else model.decision_function(wide_test)
    )  # fmt: skip
    seconds = clock() - begun
    # One decision score of two classes speaks for the second.
    both = np.stack([-scores, scores], axis=1) if scores.ndim == 1 else scores
    return both.astype(np.float32), seconds


def _model(name: str, learn: FloatArray, targets: NDArray[np.int64]) -> tuple[Any, bool]:
    """A model to be fitted, and whether its classes are weighed picture by picture."""
    n_classes = int(targets.max()) + 1
    if name == "svc":
        return make_pipeline(StandardScaler(), SVC(class_weight="balanced")), False
    if name == "lda":
        # More values than pictures have no covariance to invert: components come first, and the
        # covariance is shrunk. Source: Belhumeur, Hespanha & Kriegman 1997, Eigenfaces vs.
        # Fisherfaces; Ledoit & Wolf 2004.
        components = PCA(min(N_COMPONENTS, *learn.shape), svd_solver="randomized", random_state=0)
        analysis = LinearDiscriminantAnalysis(
            solver="lsqr", shrinkage="auto", priors=np.full(n_classes, 1 / n_classes)
        )
        return make_pipeline(StandardScaler(), components, analysis), False
    if name == "ridge_cv":
        ridge = RidgeClassifierCV(alphas=RIDGE_STRENGTHS, class_weight="balanced")
        return make_pipeline(StandardScaler(), ridge), False
    if name == "ridge":
        return make_pipeline(StandardScaler(), RidgeClassifier(class_weight="balanced")), False
    if name == "xgboost":
        return _trees()(**TREES), True
    raise ValueError(f"baseline {name!r} is unknown; use one of {', '.join(TITLES)}.")


def _trees() -> Any:
    try:
        from xgboost import XGBClassifier
    # Beside a missing package, a missing OpenMP library: XGBoostError is a ValueError.
    except (ImportError, OSError, ValueError) as error:
        raise MissingBaseline(MISSING_XGBOOST) from error
    return XGBClassifier


def measure_baseline(
    name: str,
    features: str,
    learn: tuple[FloatArray, NDArray[np.int64]],
    test: tuple[FloatArray, NDArray[np.int64]],
    groups: Sequence[str],
) -> Baseline:
    """Fit one baseline and score it; intervals from a bootstrap over the test pictures' groups.

    `learn` and `test` are values (n, n_values) with class numbers (n,).

    Raises:
        ValueError: the name is unknown.
        MissingBaseline: its package is not installed.
    """
    scores, seconds = fit_baseline(name, *learn, test[0])
    answers = Answers(
        true=test[1], predicted=scores.argmax(1), probabilities=scores,
        referred=np.zeros(len(scores), bool), groups=tuple(groups),
    )  # fmt: skip
    draws = draws_of(answers)
    found: dict[str, Any] = {figure: figure_interval(answers, figure, draws) for figure in FIGURES}
    return Baseline(name=name, features=features, seconds=seconds, **found)
