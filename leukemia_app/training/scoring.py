"""Score a run's bundle as it is served, and write its figures into it."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from leukemia_app.bundles.device import find_device
from leukemia_app.bundles.library import Library
from leukemia_app.bundles.predictor import Predictor
from leukemia_app.bundles.spec import Figure
from leukemia_app.data.manifest import Manifest, Row, pictures_in, read_manifest
from leukemia_app.errors import ImageError, RunError
from leukemia_app.evaluation.controls import (
    cell_area,
    cells_alone,
    colour_histogram,
    linear_probabilities,
    without_cells,
)
from leukemia_app.evaluation.corruptions import QUOTED_STRENGTH
from leukemia_app.evaluation.evaluate import Answers, Evaluation, Sample, evaluate, figure
from leukemia_app.evaluation.intervals import wilson_interval
from leukemia_app.evaluation.measures import NAMES
from leukemia_app.imaging.decode import read_picture
from leukemia_app.imaging.picture import FloatArray, Picture
from leukemia_app.imaging.prepare import prepare
from leukemia_app.imaging.segment import Segmentation, segment
from leukemia_app.training.config import RunConfig
from leukemia_app.training.events import Report
from leukemia_app.training.run_data import Loaded

QUOTED = tuple(QUOTED_STRENGTH.items())


def predictor_of(folder: Path, id: str) -> Predictor:
    """The bundle in `folder`, served on the CPU as users would have it."""
    return Library([("run", folder)], find_device("cpu"), 2000, 2).predictor(id)


def samples(
    manifest: Manifest, rows: Sequence[Row], on_problem: Callable[[str], None]
) -> Iterator[Sample]:
    """Pictures of these rows one after another; `on_problem` gets a sentence for each other."""
    for row in rows:
        try:
            picture = read_picture(manifest.path(row))
        except ImageError as error:
            on_problem(str(error))
            continue
        yield Sample(picture=picture, label=row.label, group=row.group, file=row.file)


def score_test(
    predictor: Predictor, loaded: Loaded, report: Report, *, in_short: bool = False
) -> Evaluation:
    """The test part as it is served; in short: without disturbed copies."""
    config, test = loaded.config, [loaded.cache.rows[row] for row in loaded.parts.test]
    corruptions = () if in_short else QUOTED
    each = 1 + len(corruptions)
    return evaluate(
        predictor,
        samples(loaded.manifest, test, lambda reason: report("left out", reason=reason)),
        split={"part": "test", "level": _level(config)},
        corruptions=corruptions,
        progress=lambda done: report("evaluate", done=done // each, total=len(test)),
    )


def _level(config: RunConfig) -> str:
    return "image" if config.split == "image" else config.group_level


def score(
    predictor: Predictor,
    loaded: Loaded,
    found: Evaluation,
    features: Callable[[Sequence[Picture]], FloatArray],
    report: Report,
) -> tuple[Figure, ...]:
    """Every figure of the card: of `found`, the test part, and of what stands beside it.

    `features` gives frozen features (n, n_features) of the start's backbone, for the controls.
    """
    config, level = loaded.config, _level(loaded.config)
    main = "auroc" if config.n_outputs == 1 else "macro_f1"
    figures = list(result_figures(found, "test", level))
    figures += _threshold_figures(found, level, predictor.spec.positive_threshold)
    figures += _disturbed_figures(found, main, level)
    figures += _control_figures(loaded, features, main, level)
    if config.outside:
        figures.append(_outside_figure(predictor, Path(config.outside)))
    for name, folder in config.external.items():
        other = read_manifest(Path(folder))
        known = [row for row in other.rows if row.label in config.labels]
        there = evaluate(
            predictor,
            samples(other, known, lambda reason: report("left out", reason=reason)),
            split={"part": name, "level": "image"},
        )
        figures += result_figures(there, name, "image")
    for path in config.figures_from:
        figures += _figures_of(Path(path))
    return tuple(figures)


def _figures_of(path: Path) -> list[Figure]:
    try:
        return [Figure(**values) for values in json.loads(path.read_text("utf-8"))]
    except (OSError, ValueError, TypeError) as error:
        raise RunError(
            f"{path} (figures_from) holds no figures ({error}). Let the runs that write it end "
            "first, then start this one again."
        ) from error


def result_figures(found: Evaluation, part: str, level: str) -> list[Figure]:
    """The plain figures of an evaluation as a card holds them."""
    return [
        _figure(NAMES[name], found.answers, vars(value), part, level, "result")
        for name, value in found.metrics.items()
    ]


def _figure(
    name: str, answers: Answers, ends: Mapping[str, float | None], part: str, level: str,
    kind: str, note: str = "",
) -> Figure:  # fmt: skip
    return Figure(
        name=name, value=ends["value"], low=ends["low"], high=ends["high"], part=part,
        n=len(answers.true), n_groups=len(set(answers.groups)), group_level=level, kind=kind,
        note=note,
    )  # fmt: skip


def _threshold_figures(found: Evaluation, level: str, threshold: float | None) -> list[Figure]:
    if len(found.labels) != 2:
        return []
    second = found.per_class[found.labels[1]]
    where = (
        "probability 0.5" if threshold is None else "the threshold chosen on the validation part"
    )
    note = f"for {found.labels[1]}, at {where}"
    share = second["prevalence"].value
    held = note if share is None else f"{note}; prevalence {share:.3f}"
    return [
        _figure(name.replace("_", " "), found.answers, vars(second[name]), "test", level, "result",
                held if name.endswith("value") else note)
        for name in ("sensitivity", "specificity", "positive_predictive_value",
                     "negative_predictive_value")
    ]  # fmt: skip


def _disturbed_figures(found: Evaluation, main: str, level: str) -> list[Figure]:
    figures = []
    for name, (row,) in found.corruptions.items():
        words = f"{name.replace('_', ' ')}, strength {row['strength']}"
        figures.append(
            _figure(f"{NAMES[main]}, {words}", found.answers, row[main], "test", level,
                    "robustness")
        )  # fmt: skip
        if name == "stain_shift":
            figures.append(
                _figure(f"referred, {words}", found.answers, row["refer_rate"], "test", level,
                        "scope")
            )  # fmt: skip
    return figures


def _outside_figure(predictor: Predictor, folder: Path) -> Figure:
    referred = []
    for path in pictures_in(folder):
        (reading,) = predictor.read([read_picture(path)])
        referred.append(reading.decision.kind == "refer")
    low, high = wilson_interval(sum(referred), len(referred))
    return Figure(
        name="referred", value=float(np.mean(referred)), low=low, high=high,
        part=f"{folder.name}: pictures that no label fits", n=len(referred),
        n_groups=len(referred), group_level="image", kind="scope", note="should be referred",
    )  # fmt: skip


def _control_figures(
    loaded: Loaded, features: Callable[[Sequence[Picture]], FloatArray], main: str, level: str
) -> list[Figure]:
    config, manifest, parts = loaded.config, loaded.manifest, loaded.parts
    rows = loaded.cache.rows
    figures = []
    labels = list(config.labels)
    wanted = np.concatenate([parts.learn, parts.test])
    values = control_values(config.controls, manifest, [rows[row] for row in wanted], features)
    true = np.array([labels.index(rows[row].label) for row in wanted])
    n_learn = len(parts.learn)
    for name, table in values.items():
        probabilities = linear_probabilities(table[:n_learn], true[:n_learn], table[n_learn:])
        answers = Answers(
            true=true[n_learn:], predicted=probabilities.argmax(1), probabilities=probabilities,
            referred=np.zeros(len(parts.test), bool),
            groups=tuple(rows[row].group for row in parts.test),
        )  # fmt: skip
        figures.append(
            _figure(f"{NAMES[main]}, {CONTROLS[name]}", answers, vars(figure(answers, main)),
                    "test", level, "control", "logistic regression")
        )  # fmt: skip
    return figures


CONTROLS: Mapping[str, str] = {
    "colour": "colour histogram alone",
    "size": "cell area alone",
    "background": "background alone, cells blanked (frozen features)",
    "cells": "cells alone, background blanked (frozen features)",
}


def control_values(
    names: Sequence[str],
    manifest: Manifest,
    rows: Sequence[Row],
    features: Callable[[Sequence[Picture]], FloatArray],
) -> dict[str, FloatArray]:
    """What each control may see of each row's picture, (n_rows, n_values) float32 by name."""
    found: dict[str, list[FloatArray]] = {name: [] for name in names}
    for row in rows:
        picture = read_picture(manifest.path(row))
        cells = segment(picture.pixels, "stain") if set(names) - {"colour"} else None
        for name in names:
            found[name].append(_control_value(name, picture, cells, features))
    return {name: np.stack(values) for name, values in found.items()}


def _control_value(
    name: str,
    picture: Picture,
    cells: Segmentation | None,
    features: Callable[[Sequence[Picture]], FloatArray],
) -> FloatArray:
    if name == "colour" or cells is None:
        return colour_histogram(picture.pixels)
    if name == "size":
        return cell_area(cells)
    changed = without_cells if name == "background" else cells_alone
    seen = features([Picture(pixels=changed(picture.pixels, cells), name=picture.name)])
    first: FloatArray = seen[0]
    return first


def frozen_features(
    average: Callable[[FloatArray], FloatArray], config: RunConfig
) -> Callable[[Sequence[Picture]], FloatArray]:
    """Features of pictures prepared by the run's recipe, by an averaged backbone."""

    def features(pictures: Sequence[Picture]) -> FloatArray:
        return average(np.stack([prepare(item, config.recipe).tensor for item in pictures]))

    return features
