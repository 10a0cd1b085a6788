"""Results of a run that never was: twelve answers of three classes, made by hand."""

from typing import Any

import numpy as np

from leukemia_app.bundles.spec import Figure
from leukemia_app.evaluation.baseline_row import Baseline
from leukemia_app.evaluation.learning import Epoch
from leukemia_app.evaluation.measures import UNDEFINED, Answers, Interval, measure
from leukemia_app.evaluation.run_results import PartSize, RunResults

LABELS = ("Benign", "Early", "Pre <b>")
"""The third has signs that HTML would take for its own."""
TRUE = (0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2)
PREDICTED = (0, 0, 0, 1, 1, 1, 1, 1, 2, 2, 0, 0)
"""One Benign called Early, two of the third called Benign."""
TOPS = (0.9, 0.8, 0.7, 0.6, 0.9, 0.9, 0.8, 0.7, 0.9, 0.8, 0.95, 0.5)


def answers_of() -> Answers:
    """Twelve answers; the rest of each probability is shared by the other two classes."""
    tops = np.array(TOPS, np.float32)
    probabilities = np.repeat(((1 - tops) / 2)[:, None], 3, axis=1)
    probabilities[np.arange(12), PREDICTED] = tops
    return Answers(
        true=np.array(TRUE), predicted=np.array(PREDICTED), probabilities=probabilities,
        referred=tops < 0.65, groups=tuple(f"patient-{number // 2}" for number in range(12)),
        files=tuple(f"{LABELS[label]}/{number}.png" for number, label in enumerate(TRUE)),
        reasons=tuple("Too unsure." if top < 0.65 else "" for top in TOPS),
    )  # fmt: skip


def figure_of(name: str, value: float, **more: Any) -> Figure:
    """A figure of a card on the test part."""
    values: dict[str, Any] = {
        "name": name, "value": value, "low": value - 0.1, "high": value + 0.1, "part": "test",
        "n": 12, "n_groups": 6, "group_level": "patient", "kind": "control", "note": "linear",
    }  # fmt: skip
    return Figure(**(values | more))


def baseline_of(name: str, note: str = "") -> Baseline:
    """A classical model's row; without figures where it was left out."""
    figure = UNDEFINED if note else Interval(value=0.5, low=0.25, high=0.75)
    return Baseline(
        name=name, features="pixels", accuracy=figure, balanced_accuracy=figure, auroc=figure,
        macro_f1=figure, seconds=None if note else 1.25, note=note,
    )  # fmt: skip


EPOCHS = (
    Epoch(phase="head", number=1, loss=1.0, accuracy=0.4),
    Epoch(phase="network", number=1, loss=0.9, val_loss=0.7, accuracy=0.6, val_accuracy=0.5),
    Epoch(phase="network", number=2, loss=0.6, val_loss=0.5, accuracy=0.7, val_accuracy=0.65),
    Epoch(phase="network", number=3, loss=0.4, val_loss=0.6, accuracy=0.8, val_accuracy=0.6),
    Epoch(phase="network", number=4, loss=0.2, val_loss=0.7, accuracy=0.9, val_accuracy=0.55),
)


def results_of(**changes: Any) -> RunResults:
    """A run that is done, with everything that a report can show but a bundle."""
    answers = answers_of()
    values: dict[str, Any] = {
        "id": "made", "state": "done", "reason": "",
        "config": {
            "id": "made", "backbone": "mobilenet", "head": "plain", "seed": 3, "patience": 4,
            "data": "/nowhere", "head_epochs": 1, "tune_epochs": 4, "tune_rate": 8e-05,
            "recipe": {"input": "field", "side_px": 64, "colour": "rgb", "fit": "stretch",
                       "interpolation": "area", "scaling": "signed_unit"},
            "start": "file:/secret/place/weights.h5", "balance": "class", "batch_size": 8,
            "augment": {"flip": True, "zoom": 0.1, "shear": 0.0},
            "about": {"title": "Made <i>up</i>", "summary": "Tells three apart.",
                      "intended_use": "Tests.", "not_for": "Anything else.",
                      "data": {"name": "drawn"}, "limits": "Not real."},
        },
        "labels": LABELS, "part": "the test part", "level": "patient", "spec": None,
        "epochs": EPOCHS, "answers": answers, "measured": measure(answers, LABELS, 50),
        "figures": (
            figure_of("macro-F1, colour histogram alone", 0.72),
            figure_of("macro-F1, cell area alone", 0.4),
            figure_of("macro-F1, stain shift, strength 2", 0.6, kind="robustness", note=""),
            figure_of("macro-F1, grey, strength 5", 0.3, kind="robustness", note=""),
            figure_of("referred", 0.9, kind="scope", part="healthy: pictures that no label fits"),
            figure_of("accuracy", 0.5, kind="result", part="elsewhere", group_level="image"),
        ),
        "baselines": (baseline_of("svc"), baseline_of("xgboost", "XGBoost is not installed.")),
        "parts": {
            "training": PartSize(pictures=40, groups=9, by_label={"Benign": 20, "Early": 20}),
            "test": PartSize(pictures=12, groups=6, by_label={"Benign": 4, "Early": 4}),
        },
        "torn_groups": (), "seen_in_training": 0, "leak": None,
        "left_out": ("broken.png cannot be read.",), "seconds": {"head": 10.0, "fine-tuning": 300},
        "notes": ("A note.",),
    }  # fmt: skip
    return RunResults(**(values | changes))


def unfinished(**changes: Any) -> RunResults:
    """A run that was stopped before its first epoch ended."""
    nothing: dict[str, Any] = {
        "state": "stopped", "reason": "Somebody stopped it.", "epochs": (), "answers": None,
        "measured": None, "figures": (), "baselines": (), "parts": {}, "torn_groups": None,
        "seen_in_training": None, "left_out": (), "seconds": {},
    }  # fmt: skip
    return results_of(**(nothing | changes))
