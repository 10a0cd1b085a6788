"""The training itself: a head on frozen features, then the network, resumable by epoch."""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import keras
import numpy as np

from leukemia_app.errors import RunError
from leukemia_app.evaluation.metrics import balanced_log_loss
from leukemia_app.imaging.picture import FloatArray
from leukemia_app.networks.build import Network
from leukemia_app.training.batches import (
    Batch,
    TrainingSet,
    assign,
    disturbed_batches,
    logits_of,
    one_ahead,
)
from leukemia_app.training.config import RunConfig
from leukemia_app.training.features import Features, cached_features
from leukemia_app.training.learner import Learner, learner_of
from leukemia_app.training.run_folder import Stopped
from leukemia_app.training.schedule import learning_rate, lower_on_plateau
from leukemia_app.training.state import (
    Progress,
    load_weights,
    save_state,
    save_weights,
)

HEAD_BEST, BEST = "best/head.npz", "best/weights.npz"
"""Weights kept so far of the head alone, and of the whole network, below a run's folder."""


@dataclass(frozen=True, kw_only=True)
class Training:
    """What both phases share."""

    network: Network
    config: RunConfig
    data: TrainingSet
    folder: Path
    """Of the run: states, the best weights and features lie below it."""
    report: Callable[..., None]
    """Called with a kind and numbers: one event of the run."""
    should_stop: Callable[[], bool]
    """Whether somebody asked for an end; called before every step."""
    devices: tuple[str, ...] = ()
    """Two or more share the batches of the tuning; the head learns in seconds on one."""


@dataclass(frozen=True, kw_only=True)
class _Phase:
    """What is trained on what, and for how long."""

    kind: str
    """Of the event that ends an epoch."""
    model: keras.Model
    """What is scored: the network or its head, or the one that is trained in copies of it."""
    batches: Callable[[int], Iterator[Batch]]
    """The batches of an epoch."""
    check_logits: Callable[[], FloatArray]
    n_epochs: int
    n_steps: int
    rate: float
    rate_name: str
    """The setting that holds `rate`."""
    patience: int
    momentum: float
    """Of the running average of the weights that is scored and kept."""
    state: Path
    best: Path
    devices: tuple[str, ...] = ()


def features_of(training: Training) -> Features:
    """The frozen backbone's features, computed once and kept.

    Raises:
        Stopped: `should_stop` said so; they are begun again next time.
        RunError: the disk has no room for them.
    """

    def on_batch(done: int, total: int) -> None:
        training.report("features", done=done, total=total)
        if training.should_stop():
            raise Stopped

    return cached_features(
        training.network, training.config, training.data, training.folder / "features", on_batch
    )


def train_head(training: Training, features: Features) -> None:
    """Leave the head as training on features of the frozen backbone left it.

    Goes on from the newest state on disk. With `head_patience` the best epoch is kept, the one
    with the lowest balanced validation loss; without, the last.

    Raises:
        Stopped: `should_stop` said so; the last whole epoch is on disk.
        RunError: the training came apart.
    """
    config = training.config
    n_steps = max(1, len(training.data.learn) // config.batch_size)
    phase = _Phase(
        kind="head", model=features.head,
        batches=lambda epoch: features.batches(config, training.data, epoch, n_steps),
        check_logits=features.check_logits, n_epochs=config.head_epochs, n_steps=n_steps,
        rate=config.head_rate, rate_name="head_rate", patience=config.head_patience, momentum=0,
        state=training.folder / "state" / "head", best=training.folder / HEAD_BEST,
    )  # fmt: skip
    assign(features.head, _carry_out(training, phase))


def fine_tune(training: Training) -> list[FloatArray]:
    """Train the network and return the best averaged weights, in the model's order.

    Goes on from the newest state on disk. With `patience` the best epoch is the one with the
    lowest balanced validation loss; without, it is the last.

    Raises:
        Stopped: `should_stop` said so; the last whole epoch is on disk.
        RunError: the training came apart.
    """
    config, data, model = training.config, training.data, training.network.model
    n_steps = config.steps_per_epoch or max(1, len(data.learn) // config.batch_size)
    return _carry_out(training, _Phase(
        kind="epoch", model=model,
        batches=lambda epoch: one_ahead(disturbed_batches(config, data, epoch, n_steps)),
        check_logits=partial(logits_of, model, data.pixels, data.check, config.recipe),
        n_epochs=config.tune_epochs, n_steps=n_steps, rate=config.tune_rate,
        rate_name="tune_rate", patience=config.patience, momentum=config.average_momentum,
        state=training.folder / "state", best=training.folder / BEST, devices=training.devices,
    ))  # fmt: skip


def _carry_out(training: Training, phase: _Phase) -> list[FloatArray]:
    """Train for the epochs that are left; the best weights so far."""
    learner = learner_of(phase.model, training.config, phase.rate, phase.devices)
    progress = learner.resume(phase.state) or _begun(training, phase)
    for epoch in range(progress.epoch, phase.n_epochs):
        if phase.patience and epoch - progress.best_epoch >= phase.patience and epoch:
            break
        started = time.monotonic()
        numbers = _learn(training, phase, learner, progress, epoch)
        progress.epoch = epoch + 1
        if len(training.data.check):
            numbers |= _check(training, phase, progress)
            _finite(numbers["val_loss"], f"the check after {_words(phase, epoch)}", phase)
            lower_on_plateau(training.config, progress, numbers["val_loss"])
        is_best = numbers.get("val_loss", -math.inf) < progress.best_loss
        if is_best or not phase.patience:
            progress.best_loss = numbers.get("val_loss", math.inf)
            progress.best_epoch = progress.epoch
            save_weights(phase.best, progress.average)
        save_state(phase.state, learner.model, progress)
        training.report(
            phase.kind, epoch=progress.epoch, epochs=phase.n_epochs, best=is_best, **numbers,
            seconds=round(time.monotonic() - started, 3),
        )  # fmt: skip
    return load_weights(phase.best) if phase.best.exists() else progress.average


def _begun(training: Training, phase: _Phase) -> Progress:
    """The progress before the first epoch, which may already be hard to beat."""
    progress = Progress(average=[np.asarray(value).copy() for value in phase.model.weights])
    if training.config.keep_start and phase.patience and len(training.data.check):
        numbers = _check(training, phase, progress)
        progress.best_loss = numbers["val_loss"]
        save_weights(phase.best, progress.average)
        training.report("check", **numbers)
    return progress


def _learn(
    training: Training, phase: _Phase, learner: Learner, progress: Progress, epoch: int
) -> dict[str, float]:
    """One epoch: mean loss and accuracy over its own batches, and the last learning rate."""
    n_steps = phase.n_epochs * phase.n_steps
    found, rate = [], phase.rate
    for batch, answers in phase.batches(epoch):
        if training.should_stop():
            raise Stopped
        rate = learning_rate(training.config, progress, n_steps, phase.rate)
        loss, right = learner.learn(batch, answers, rate)
        found.append((_finite(loss, _words(phase, epoch), phase), right))
        progress.step += 1
        _average(progress, learner.model, phase.momentum)
        if phase.kind == "epoch":
            training.report(
                "step", epoch=epoch + 1, epochs=phase.n_epochs, step=progress.step, steps=n_steps,
                loss=loss,
            )  # fmt: skip
    loss, accuracy = np.mean(found, axis=0)
    return {"loss": float(loss), "accuracy": float(accuracy), "rate": rate}


def _words(phase: _Phase, epoch: int) -> str:
    return f"epoch {epoch + 1}{' of the head' if phase.kind == 'head' else ''}"


def _finite(loss: float, where: str, phase: _Phase) -> float:
    """The loss, unless it is no number any more: no step would bring the weights back.

    Raises:
        RunError: the loss is infinite or not a number.
    """
    if not math.isfinite(loss):
        raise RunError(
            f"The loss is {loss} in {where}: the training came apart. Start a new run with a "
            f"lower {phase.rate_name}."
        )
    return loss


def _check(training: Training, phase: _Phase, progress: Progress) -> dict[str, float]:
    """Validation figures of the averaged weights; the model's own come back afterwards."""
    own = [np.asarray(value).copy() for value in phase.model.weights]
    assign(phase.model, progress.average)
    logits = phase.check_logits()
    assign(phase.model, own)
    true = training.data.targets[training.data.check]
    predicted = logits.argmax(1) if logits.shape[1] > 1 else (logits[:, 0] > 0).astype(int)
    return {
        "val_loss": balanced_log_loss(true, logits),
        "val_accuracy": float((predicted == true).mean()),
    }


def _average(progress: Progress, model: keras.Model, momentum: float) -> None:
    # Early on the average must not be held back by the start: 1 - 1/step, up to the momentum.
    keep = min(momentum, 1 - 1 / (progress.step + 1))
    for place, variable in enumerate(model.weights):
        value = np.asarray(variable)
        if np.issubdtype(value.dtype, np.floating):
            # In one pass: of a large network this is the work of every step.
            cv2.accumulateWeighted(
                value.ravel(), progress.average[place].reshape(-1, copy=False), 1 - keep
            )
        else:
            # A counter, as of EfficientNet's input normalisation, has no average.
            progress.average[place] = value.copy()
