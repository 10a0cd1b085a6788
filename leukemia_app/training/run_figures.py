"""The figures of a run: of its bundle as it is served, and of what stands beside it."""

from pathlib import Path

import keras
import numpy as np

from leukemia_app.bundles.spec import Figure
from leukemia_app.bundles.store import read_spec, write_figures
from leukemia_app.training.adapt import before_and_after
from leukemia_app.training.baselines import run_baselines
from leukemia_app.training.batches import logits_of
from leukemia_app.training.config import RunConfig
from leukemia_app.training.events import Report
from leukemia_app.training.results import checked_controls, save_evaluation
from leukemia_app.training.run_data import Loaded
from leukemia_app.training.run_folder import RunFolder
from leukemia_app.training.run_network import started_network
from leukemia_app.training.scoring import (
    frozen_features,
    predictor_of,
    result_figures,
    score,
    score_test,
)

PREDICTIONS = "report/predictions.npz"
"""Logits of the kept-back parts, with their rows and targets."""


def score_run(loaded: Loaded, folder: RunFolder, report: Report, *, in_short: bool) -> None:
    """Measure the run's bundle as it is served, and write the figures into it.

    In short: those of the test part alone, without disturbances. A run that measures no controls
    of its own has those of the data check.
    """
    config, bundle = loaded.config, folder.path / "bundle"
    predictor = predictor_of(bundle, config.id)
    found = score_test(predictor, loaded, report, in_short=in_short)
    save_evaluation(folder, found)
    if in_short:
        figures = tuple(result_figures(found, "test", config.group_level))
    else:
        features = frozen_features(_frozen_average(config).predict_on_batch, config)
        figures = score(predictor, loaded, found, features, report)
    if not any(figure.kind == "control" for figure in figures):
        figures += checked_controls(config)
    if config.keep_head and _start_reads_alike(config):
        figures += _gains(loaded, folder)
    write_figures(bundle, figures)


def _start_reads_alike(config: RunConfig) -> bool:
    """Whether the bundle was made for pictures as they are here; else it has no fair "before"."""
    return read_spec(Path(config.start.removeprefix("bundle:"))).recipe == config.recipe


def _gains(loaded: Loaded, folder: RunFolder) -> tuple[Figure, ...]:
    """What the bundle that was adapted says of the test part, and what adapting gained."""
    config, test = loaded.config, loaded.parts.test
    start = started_network(config).model
    before = logits_of(start, loaded.data.pixels, test, config.recipe)
    with np.load(folder.path / PREDICTIONS, allow_pickle=False) as saved:
        after = saved["test_logits"]
    spec = read_spec(Path(config.start.removeprefix("bundle:")))
    rows = [loaded.cache.rows[row] for row in test]
    return before_and_after(config, rows, before, after, start_id=spec.id)


def _frozen_average(config: RunConfig) -> keras.Model:
    """What the start's backbone sees, (n, channels), before it learned anything of these data."""
    frozen = started_network(config).backbone
    return keras.Sequential([frozen, keras.layers.GlobalAveragePooling2D()])


def score_baselines(loaded: Loaded, folder: RunFolder) -> None:
    """Fit the classical models that the configuration names, and write their figures."""
    data, config = loaded.data, loaded.config
    average = _frozen_average(config)
    run_baselines(
        folder, config.baselines, loaded.cache, loaded.parts, data.targets,
        lambda rows: logits_of(average, data.pixels, rows, config.recipe),
    )  # fmt: skip
