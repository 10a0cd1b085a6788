"""One run from its configuration to a scored bundle; each phase goes on from what is on disk."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from leukemia_app.bundles.store import write_figures
from leukemia_app.bundles.weights import round_weights
from leukemia_app.data.manifest import Manifest
from leukemia_app.errors import RunError
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
from leukemia_app.training.pixels import PixelCache, pictures_of, targets
from leukemia_app.training.run_folder import RunFolder
from leukemia_app.training.scoring import frozen_features, predictor_of, score
from leukemia_app.training.start import load_start
from leukemia_app.training.state import load_weights, save_weights, seed_states

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
    """Bring the run from where it is to its end; a run that is done stays as it is.

    Raises:
        AppError: something the person can mend is wrong with data or settings.
        Stopped: somebody asked for an end.
    """
    if folder.status()["state"] == "done":
        return
    config = folder.config()
    keras.utils.set_random_seed(config.seed)
    _enter(folder, "preparing")
    loaded = _load(config, folder)
    network = _started_network(config)
    if config.frozen_normalisation:
        freeze_normalisation(network.backbone)
    _train(network, loaded, folder)
    makes_bundle = not config.folds and config.split == "given"
    if makes_bundle:
        # What the decision is fitted on must be the network that is served.
        round_weights(network)
    _enter(folder, "evaluating")
    logits = _predict(network, loaded, folder)
    if makes_bundle:
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

    _check_places(config)
    manifest, cache = pictures_of(config, folder.path.parent / "cache", progress)
    for problem in cache.problems:
        folder.add_event("left out", reason=problem)
    parts = choose_parts(cache.rows, config)
    numbers = targets(cache.rows, config.labels)
    groups = np.array([cache.rows[row].group for row in parts.learn])
    chances = np.zeros(len(numbers))
    chances[parts.learn] = draw_chances(numbers[parts.learn], groups, config.balance)
    data = TrainingSet(
        pixels=cache.pixels, targets=numbers, chances=chances, learn=parts.learn, check=parts.check
    )
    return Loaded(config=config, manifest=manifest, cache=cache, parts=parts, data=data)


def _check_places(config: RunConfig) -> None:
    """Refuse folders that only the last phase looks into, before hours of training."""
    for name, place in (("outside", config.outside), *config.external.items()):
        if place is not None and not Path(place).is_dir():
            raise RunError(f"{place} ({name}) is not a folder; give the folder of its pictures.")


def _started_network(config: RunConfig) -> Network:
    try:
        network = build_network(
            config.backbone,
            config.head,
            side_px=config.recipe.side_px,
            n_outputs=config.n_outputs,
            head_arguments=config.head_arguments,
        )
    except (TypeError, ValueError) as error:
        raise RunError(
            f"{config.backbone} with the head {config.head} cannot be built for "
            f"{config.recipe.side_px} px and head_arguments {dict(config.head_arguments)} "
            f"({error})."
        ) from error
    load_start(network, config.start)
    return network


def _train(network: Network, loaded: Loaded, folder: RunFolder) -> None:
    """Leave the network with the weights that are kept."""
    config = loaded.config
    if config.head_epochs:
        _train_head(network, loaded, folder)
    _enter(folder, "fine-tuning")
    best = fine_tune(
        network, config, loaded.data, folder.path, folder.add_event, folder.should_stop
    )
    assign(network.model, best)


def _train_head(network: Network, loaded: Loaded, folder: RunFolder) -> None:
    """Leave the head as training on frozen features left it, random states included."""
    weights, states = folder.path / "best" / "head.npz", folder.path / "best" / "head_random.npz"
    if not weights.exists():
        _enter(folder, "features")
        train_head(
            network, loaded.config, loaded.data, folder.path, folder.add_event, folder.should_stop
        )
        # First: where there are weights, a run goes on with the states that belong to them.
        save_weights(states, [np.asarray(state) for state in seed_states(network.head)])
        save_weights(weights, [np.asarray(value) for value in network.head.weights])
        return
    assign(network.head, load_weights(weights))
    if states.exists():
        for state, value in zip(seed_states(network.head), load_weights(states), strict=True):
            state.assign(value)


def _predict(network: Network, loaded: Loaded, folder: RunFolder) -> FloatArray:
    """Write logits of the kept-back parts to the report, and return those of the validation."""
    recipe, data, parts = loaded.config.recipe, loaded.data, loaded.parts
    logits = {"check": np.zeros((0, loaded.config.n_outputs), np.float32)}
    found: dict[str, NDArray[Any]] = {}
    for name, rows in (("check", parts.check), ("test", parts.test)):
        if len(rows):
            logits[name] = logits_of(network.model, data.pixels, rows, recipe)
            found[f"{name}_rows"] = rows
            found[f"{name}_logits"] = logits[name]
            found[f"{name}_targets"] = data.targets[rows]
    report = folder.path / "report"
    report.mkdir(exist_ok=True)
    np.savez(report / "draft.npz", allow_pickle=False, **found)
    (report / "draft.npz").replace(report / "predictions.npz")
    return logits["check"]


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
