"""One run from its configuration to a scored bundle; each phase goes on from what is on disk."""

import os
from dataclasses import dataclass, replace
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from leukemia_app.bundles.store import write_figures
from leukemia_app.data.duplicates import near_duplicate_groups
from leukemia_app.data.manifest import Manifest, read_manifest
from leukemia_app.imaging.picture import FloatArray
from leukemia_app.networks.build import Network, build_network, freeze_normalisation
from leukemia_app.training.bundling import build_bundle, fit_decision
from leukemia_app.training.config import RunConfig
from leukemia_app.training.engine import (
    TrainingSet,
    assign,
    draw_chances,
    fine_tune,
    logits_of,
    train_head,
)
from leukemia_app.training.parts import Parts, choose_parts
from leukemia_app.training.pixels import PixelCache, cache_pixels, targets
from leukemia_app.training.run_folder import RunFolder
from leukemia_app.training.scoring import frozen_features, predictor_of, score
from leukemia_app.training.start import load_start
from leukemia_app.training.state import load_weights, save_weights

PREPARE_EVERY = 100
"""Pictures between two events of the preparing phase."""


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """Everything a run works on."""

    config: RunConfig
    manifest: Manifest
    cache: PixelCache
    parts: Parts
    data: TrainingSet


def carry_out(folder: RunFolder) -> None:
    """Bring the run from where it is to its end.

    Raises:
        AppError: something the person can mend is wrong with data or settings.
        Stopped: somebody asked for an end.
    """
    config = folder.config()
    keras.utils.set_random_seed(config.seed)
    _enter(folder, "preparing")
    loaded = _load(config, folder)
    network = _started_network(config)
    if config.frozen_normalisation:
        freeze_normalisation(network.backbone)
    _train(network, loaded, folder)
    _enter(folder, "evaluating")
    logits = _predict(network, loaded, folder)
    if not config.folds and config.split == "given":
        _enter(folder, "bundling")
        bundle = folder.path / "bundle"
        if not bundle.exists():
            fitted = fit_decision(network, config, loaded.data, logits)
            build_bundle(bundle, network, config, fitted, loaded.cache, loaded.parts)
        _enter(folder, "evaluating")
        _score(bundle, loaded, folder)
    folder.set_state("done")


def _enter(folder: RunFolder, state: str) -> None:
    folder.set_state(state, pid=os.getpid())


def _load(config: RunConfig, folder: RunFolder) -> Loaded:
    def progress(done: int, total: int) -> None:
        if done % PREPARE_EVERY == 0 or done == total:
            folder.add_event("prepare", done=done, total=total)

    manifest = read_manifest(
        Path(config.data), Path(config.groups) if config.groups else None, config.group_level
    )
    cache = cache_pixels(manifest, config.recipe, folder.path.parent / "cache", progress)
    for problem in cache.problems:
        folder.add_event("left out", reason=problem)
    if config.groups is None:
        cache = _grouped_by_likeness(cache)
    parts = choose_parts(cache.rows, config)
    numbers = targets(cache.rows, config.labels)
    groups = np.array([cache.rows[row].group for row in parts.learn])
    chances = np.zeros(len(numbers))
    chances[parts.learn] = draw_chances(numbers[parts.learn], groups, config.balance)
    data = TrainingSet(
        pixels=cache.pixels, targets=numbers, chances=chances, learn=parts.learn, check=parts.check
    )
    return Loaded(config=config, manifest=manifest, cache=cache, parts=parts, data=data)


def _grouped_by_likeness(cache: PixelCache) -> PixelCache:
    """The cache with near duplicates in one group: all that can be known without a table."""
    numbers = near_duplicate_groups(cache.pixels)
    rows = [
        replace(row, group=cache.rows[number].file)
        for row, number in zip(cache.rows, numbers, strict=True)
    ]
    return replace(cache, rows=tuple(rows))


def _started_network(config: RunConfig) -> Network:
    network = build_network(
        config.backbone,
        config.head,
        side_px=config.recipe.side_px,
        n_outputs=config.n_outputs,
        head_arguments=config.head_arguments,
    )
    load_start(network, config.start)
    return network


def _train(network: Network, loaded: Loaded, folder: RunFolder) -> None:
    """Leave the network with the weights that are kept."""
    config, head_file = loaded.config, folder.path / "best" / "head.npz"
    if config.head_epochs:
        if not head_file.exists():
            _enter(folder, "features")
            train_head(network, config, loaded.data, folder.path, folder.add_event)
            save_weights(head_file, [np.asarray(value) for value in network.head.weights])
        assign(network.head, load_weights(head_file))
    _enter(folder, "fine-tuning")
    best = fine_tune(
        network, config, loaded.data, folder.path, folder.add_event, folder.should_stop
    )
    assign(network.model, best)


def _predict(network: Network, loaded: Loaded, folder: RunFolder) -> FloatArray:
    """Write logits of the kept-back parts to the report, and return those of the validation."""
    recipe, data = loaded.config.recipe, loaded.data
    found: dict[str, NDArray[np.generic]] = {}
    for name, rows in (("check", loaded.parts.check), ("test", loaded.parts.test)):
        if len(rows):
            found[f"{name}_rows"] = rows
            found[f"{name}_logits"] = logits_of(network.model, data.pixels, rows, recipe)
            found[f"{name}_targets"] = data.targets[rows]
    (folder.path / "report").mkdir(exist_ok=True)
    np.savez(folder.path / "report" / "predictions.npz", **found)  # type: ignore[arg-type]
    return found.get("check_logits", np.zeros((0, loaded.config.n_outputs), np.float32))


def _score(bundle: Path, loaded: Loaded, folder: RunFolder) -> None:
    config = loaded.config
    frozen = _started_network(config).backbone
    average = keras.Sequential([frozen, keras.layers.GlobalAveragePooling2D()])
    figures = score(
        predictor_of(bundle, config.id),
        config,
        loaded.manifest,
        loaded.cache.rows,
        loaded.parts,
        frozen_features(average.predict_on_batch, config),
        folder.add_event,
    )
    write_figures(bundle, figures)
