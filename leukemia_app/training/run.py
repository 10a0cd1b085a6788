"""One run from its configuration to a scored bundle; each phase goes on from what is on disk."""

import os
import shutil
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from leukemia_app.bundles.device import compute_exactly, gpu_names
from leukemia_app.bundles.weights import round_weights
from leukemia_app.data.corrections import changes_words
from leukemia_app.errors import RunError
from leukemia_app.imaging.picture import FloatArray
from leukemia_app.networks.build import Network
from leukemia_app.training.batches import assign, logits_of
from leukemia_app.training.bundling import build_bundle, fit_decision
from leukemia_app.training.config import RunConfig
from leukemia_app.training.engine import (
    BEST,
    HEAD_BEST,
    Training,
    features_of,
    fine_tune,
    train_head,
)
from leukemia_app.training.events import Report, seldom
from leukemia_app.training.memory import feel_pulse
from leukemia_app.training.precision import FLOAT32, policy_here
from leukemia_app.training.report import write_report
from leukemia_app.training.run_data import Loaded, load_run
from leukemia_app.training.run_figures import PREDICTIONS, score_baselines, score_run
from leukemia_app.training.run_folder import RunFolder
from leukemia_app.training.run_network import STATISTICS, best_network, network_to_train, take_best
from leukemia_app.training.stain_statistics import take_statistics
from leukemia_app.training.state import load_weights, save_weights

TRAINED = "best/trained"
"""There once the training has ended: what is on disk of its phases is of no more use."""
EARLY = "early"
"""There while the bundle is that of a training which was stopped."""


def carry_out(folder: RunFolder, *, finish: bool = False) -> None:
    """Bring the run from where it is to its end; a run that is done stays as it is.

    With `finish` nothing more is trained: the best so far becomes a bundle, with the figures of
    the test part and the controls of the data check, and the run stays stopped. It may be resumed
    all the same.

    Raises:
        AppError: something the person can mend is wrong with data or settings, or there is
            nothing yet to make a bundle of.
        Stopped: somebody asked for an end.
    """
    if folder.status()["state"] == "done":
        return
    config = folder.config()
    if finish:
        _require_learned(config, folder)
    keras.utils.set_random_seed(config.seed)
    _enter(folder, "finishing" if finish else "preparing")
    report = _reporter(folder)
    loaded = load_run(config, folder, report)
    network = best_network(config, folder) if finish else _trained(loaded, folder, report)
    if _makes_bundle(config):
        # What the decision is fitted on must be the network that is served.
        round_weights(network)
    if gpu_names():
        compute_exactly()
    _enter(folder, "evaluating")
    logits = _predict(network, loaded, folder)
    if _makes_bundle(config):
        _enter(folder, "bundling")
        _bundle(network, loaded, folder, logits, finish)
        _enter(folder, "evaluating")
        score_run(loaded, folder, report, in_short=finish)
    if finish:
        write_report(folder, state="stopped")
        folder.set_state("stopped", has_bundle=True)
        return
    if config.baselines:
        score_baselines(loaded, folder)
    write_report(folder, state="done")
    for name in ("features", "state"):
        shutil.rmtree(folder.path / name, ignore_errors=True)
    folder.set_state("done")


def _makes_bundle(config: RunConfig) -> bool:
    return not config.folds and config.split == "given"


def _require_learned(config: RunConfig, folder: RunFolder) -> None:
    if not _makes_bundle(config):
        raise RunError("A fold or a random image split is for its figures alone: resume the run.")
    if not any((folder.path / name).exists() for name in (BEST, HEAD_BEST)):
        raise RunError("Not one epoch was finished, so nothing has been learned. Resume the run.")


def _enter(folder: RunFolder, state: str) -> None:
    folder.set_state(state, pid=os.getpid())


def _reporter(folder: RunFolder) -> Report:
    """Events of the run, with the most memory held so far at the end of each epoch."""

    def report(kind: str, **numbers: object) -> None:
        if kind in ("head", "epoch") and (pulse := feel_pulse()):
            numbers["memory_mb"] = pulse.peak_mb
        folder.add_event(kind, **numbers)

    return seldom(report)


def _trained(loaded: Loaded, folder: RunFolder, report: Report) -> Network:
    """The network in float32 with the weights that are kept."""
    config = loaded.config
    policy = policy_here(config)
    network = network_to_train(config, policy)
    if not (folder.path / TRAINED).exists():
        _train(Training(
            network=network, config=config, data=loaded.data, folder=folder.path, report=report,
            should_stop=folder.should_stop, devices=gpu_names(),
        ), folder)  # fmt: skip
        (folder.path / TRAINED).parent.mkdir(exist_ok=True)
        (folder.path / TRAINED).touch()
    if policy != FLOAT32:
        return best_network(config, folder)
    take_best(network, folder)
    return network


def _train(training: Training, folder: RunFolder) -> None:
    config = training.config
    if config.own_statistics:
        _take_statistics(training)
    if config.head_epochs:
        _enter(folder, "features")
        features = features_of(training)
        _enter(folder, "head")
        train_head(training, features)
    if config.tune_epochs:
        _enter(folder, "fine-tuning")
        fine_tune(training)


def _take_statistics(training: Training) -> None:
    path, backbone = training.folder / STATISTICS, training.network.backbone
    if not path.exists():
        take_statistics(backbone, training.config, training.data)
        save_weights(path, [np.asarray(value) for value in backbone.weights])
    assign(backbone, load_weights(path))


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
    path = folder.path / PREDICTIONS
    path.parent.mkdir(exist_ok=True)
    draft = path.with_name("draft.npz")
    np.savez(draft, allow_pickle=False, **found)
    draft.replace(path)
    return logits["check"]


def _caveat(loaded: Loaded) -> str:
    """What the card says of this one run beside its settings."""
    said = (changes_words(loaded.changes), loaded.seen.in_words() if loaded.seen else "")
    return " ".join(filter(None, said))


def _bundle(
    network: Network, loaded: Loaded, folder: RunFolder, logits: FloatArray, finish: bool
) -> None:
    """Write the bundle, unless the one of the very same training is there already."""
    bundle, early = folder.path / "bundle", folder.path / EARLY
    if early.exists():
        shutil.rmtree(bundle, ignore_errors=True)
    elif bundle.exists():
        return
    if finish:
        early.touch()
    fitted = fit_decision(network, loaded.config, loaded.data, logits)
    build_bundle(bundle, network, loaded.config, fitted, loaded.cache, loaded.parts,
                 caveat=_caveat(loaded))  # fmt: skip
    if not finish:
        early.unlink(missing_ok=True)
