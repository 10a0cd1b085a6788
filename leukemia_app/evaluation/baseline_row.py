"""A classical model's row in a report, as plain data: what a page needs without scikit-learn."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from leukemia_app.evaluation.measures import Interval

SMALL_PX = 32
"""Side of the downsized pictures whose pixels the classical models see: 3,072 numbers each."""
FIGURES = ("accuracy", "balanced_accuracy", "auroc", "macro_f1")

TITLES: Mapping[str, str] = {
    "svc": "SVC (RBF kernel)",
    "xgboost": "XGBClassifier",
    "lda": "LinearDiscriminantAnalysis",
    "ridge_cv": "RidgeClassifierCV",
    "ridge": "RidgeClassifier",
}
"""The name of each baseline as a report shows it, by its name in a configuration."""
INPUTS: Mapping[str, str] = {
    "pixels": f"pixels at {SMALL_PX} × {SMALL_PX}",
    "frozen": "frozen features",
}


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """One classical model's figures; undefined where it was left out, for the reason in `note`."""

    name: str
    features: str
    """`pixels` or `frozen`."""
    accuracy: Interval
    balanced_accuracy: Interval
    auroc: Interval
    macro_f1: Interval
    seconds: float | None
    """To learn and to answer."""
    note: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {name: vars(value) if isinstance(value, Interval) else value
                for name, value in vars(self).items()}  # fmt: skip

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Baseline":
        """What `to_dict` described.

        Raises:
            TypeError: a key is unknown or missing.
        """
        ends = {name: Interval(**values[name]) for name in FIGURES if name in values}
        return cls(**{**values, **ends})
