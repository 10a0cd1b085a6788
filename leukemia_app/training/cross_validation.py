"""Figures of several runs together: folds pooled, and the same network on a random split."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from leukemia_app.bundles.decision import to_probabilities
from leukemia_app.bundles.spec import Figure
from leukemia_app.data.manifest import Row
from leukemia_app.errors import RunError
from leukemia_app.evaluation.controls import cell_area, linear_probabilities
from leukemia_app.evaluation.evaluate import Answers, Interval, figure, interval
from leukemia_app.evaluation.measures import NAMES
from leukemia_app.evaluation.metrics import macro_auroc
from leukemia_app.imaging.decode import read_picture
from leukemia_app.imaging.picture import FloatArray
from leukemia_app.imaging.segment import segment
from leukemia_app.training.config import RunConfig
from leukemia_app.training.parts import choose_parts
from leukemia_app.training.pixels import pictures_of
from leukemia_app.training.run_folder import RunFolder

OTHERS = ("macro_f1", "balanced_accuracy", "accuracy")
"""Figures told after AUROC."""


def fold_figures(folders: Sequence[RunFolder]) -> list[Figure]:
    """AUROC of all folds' kept-back pictures together, beside cell size alone on the same folds.

    The difference is bootstrapped in pairs: both are scored on the same drawn groups. Then the
    figures of `OTHERS`.
    """
    config = folders[0].config()
    rows = _rows(config, folders[0])
    found = [_kept_back(folder) for folder in folders]
    order = np.concatenate([numbers for numbers, _ in found])
    logits = np.concatenate([values for _, values in found])
    answers = _answers(config, [rows[row] for row in order], logits)
    sizes = _size_alone(config, rows)[order]
    control = _with(answers, sizes)
    each = ", ".join(
        f"{_auroc(_answers(config, [rows[row] for row in numbers], values)):.3f}"
        for numbers, values in found
    )
    part = f"{config.folds}-fold cross-validation by {config.group_level}, pooled"

    def gain(given: Answers, chosen: NDArray[np.int64]) -> float | None:
        ours = macro_auroc(given.true[chosen], given.probabilities[chosen])
        theirs = macro_auroc(given.true[chosen], sizes[chosen])
        return None if ours is None or theirs is None else ours - theirs

    return [
        _figure("AUROC", figure(answers, "auroc"), answers, config, part, "result",
                f"folds: {each}; by train --folds {config.folds}"),
        _figure("AUROC, cell area alone", figure(control, "auroc"), answers, config, part,
                "control", "logistic regression, same folds"),
        _figure("AUROC above cell area alone", interval(answers, gain), answers, config, part,
                "result", "paired bootstrap"),
        *_others(answers, config, part, "result", f"by train --folds {config.folds}"),
    ]  # fmt: skip


def image_split_figures(folder: RunFolder) -> list[Figure]:
    """AUROC and `OTHERS` of the same network on a random image split: what leakage buys."""
    config = folder.config()
    rows = _rows(config, folder)
    numbers, logits = _kept_back(folder)
    answers = _answers(config, [rows[row] for row in numbers], logits)
    part, note = "random image split", "image-level, optimistic: the same patients on both sides"
    return [
        _figure("AUROC", figure(answers, "auroc"), answers, config, part, "control", note),
        *_others(answers, config, part, "control", note),
    ]


def _others(answers: Answers, config: RunConfig, part: str, kind: str, note: str) -> list[Figure]:
    return [
        _figure(NAMES[name], figure(answers, name), answers, config, part, kind, note)
        for name in OTHERS
    ]


def _rows(config: RunConfig, folder: RunFolder) -> tuple[Row, ...]:
    _, cache = pictures_of(config, folder.path.parent / "cache")
    return cache.rows


def _kept_back(folder: RunFolder) -> tuple[NDArray[np.int64], FloatArray]:
    path = folder.path / "report" / "predictions.npz"
    if not path.exists():
        raise RunError(f"{folder.path.name} has no predictions; let the run end first.")
    with np.load(path, allow_pickle=False) as arrays:
        return arrays["test_rows"], arrays["test_logits"]


def _answers(config: RunConfig, rows: Sequence[Row], logits: FloatArray) -> Answers:
    probabilities = to_probabilities(logits, 1)
    return Answers(
        true=np.array([config.labels.index(row.label) for row in rows]),
        predicted=probabilities.argmax(1),
        probabilities=probabilities,
        referred=np.zeros(len(rows), bool),
        groups=tuple(row.group for row in rows),
    )


def _with(answers: Answers, probabilities: FloatArray) -> Answers:
    return Answers(
        true=answers.true,
        predicted=probabilities.argmax(1),
        probabilities=probabilities,
        referred=answers.referred,
        groups=answers.groups,
    )


def _auroc(answers: Answers) -> float:
    value = macro_auroc(answers.true, answers.probabilities)
    return float("nan") if value is None else value


def _size_alone(config: RunConfig, rows: Sequence[Row]) -> FloatArray:
    """Probabilities (n_rows, n_classes) by cell area, each fold's by the other folds' pictures."""
    areas = np.zeros((len(rows), 1), np.float32)
    true = np.array([config.labels.index(row.label) for row in rows])
    result = np.zeros((len(rows), len(config.labels)), np.float32)
    known = [number for number, row in enumerate(rows) if row.part != "test"]
    for number in known:
        pixels = read_picture(Path(config.data) / rows[number].file).pixels
        areas[number] = cell_area(segment(pixels, "stain"))
    for fold in range(config.folds):
        values = config.to_dict() | {"fold": fold}
        parts = choose_parts(rows, RunConfig.from_dict(values))
        result[parts.test] = linear_probabilities(
            areas[parts.learn], true[parts.learn], areas[parts.test]
        )
    return result


def _figure(
    name: str, ends: Interval, answers: Answers, config: RunConfig, part: str, kind: str, note: str
) -> Figure:
    return Figure(
        name=name, value=ends.value, low=ends.low, high=ends.high, part=part,
        n=len(answers.true), n_groups=len(set(answers.groups)), group_level=config.group_level,
        kind=kind, note=note,
    )  # fmt: skip
