"""The training itself: a head on frozen features, then the whole network, resumable by epoch."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from leukemia_app.errors import RunError
from leukemia_app.evaluation.metrics import balanced_log_loss
from leukemia_app.imaging.picture import FloatArray, UInt8Array
from leukemia_app.imaging.prepare import scale, views
from leukemia_app.imaging.recipe import Recipe
from leukemia_app.networks.build import Network
from leukemia_app.training.augment import augment
from leukemia_app.training.config import RunConfig
from leukemia_app.training.disk import require_space
from leukemia_app.training.run_folder import Stopped
from leukemia_app.training.state import (
    Progress,
    load_state,
    load_weights,
    save_state,
    save_weights,
)

WARM_UP = 0.05
"""Part of the fine-tuning in which the learning rate rises."""


@dataclass(frozen=True, kw_only=True)
class TrainingSet:
    """Pictures to learn from and pictures to stop by.

    `pixels` is (n_images, side, side, 3) uint8 RGB, `targets` (n_images,) int64 class numbers,
    `chances` (n_images,) float64 the chance of each picture to be drawn, summing to 1;
    `learn` and `check` are row numbers into them.
    """

    pixels: UInt8Array
    targets: NDArray[np.int64]
    chances: NDArray[np.float64]
    learn: NDArray[np.int64]
    check: NDArray[np.int64]


Report = Callable[..., None]
"""Called with a kind and numbers: one event of the run."""
ShouldStop = Callable[[], bool]
"""Whether somebody asked for an end; called before every step."""


def draw_chances(
    targets: NDArray[np.int64], groups: NDArray[np.str_], balance: str
) -> NDArray[np.float64]:
    """Chance of each picture to be drawn, (n_images,) float64, summing to 1.

    `class`: every class as often as another. `group`: also, within a class, a group's share grows
    with the square root of its size, so that a patient with 300 pictures does not drown one with
    ten, nor one with two get drawn a hundred times as often.
    """
    chances: NDArray[np.float64] = np.ones(len(targets))
    if balance == "group":
        for group in np.unique(groups):
            mine = groups == group
            for label in np.unique(targets[mine]):
                chosen = mine & (targets == label)
                chances[chosen] = 1 / np.sqrt(chosen.sum())
    if balance != "none":
        for label in np.unique(targets):
            chances[targets == label] /= chances[targets == label].sum()
    chances /= chances.sum()
    return chances


def learning_rate(step: int, n_steps: int, highest: float) -> float:
    """Rising along a line, then falling along half a cosine to a hundredth."""
    warm_up = max(1, round(n_steps * WARM_UP))
    if step < warm_up:
        return highest * (step + 1) / warm_up
    part = (step - warm_up) / max(1, n_steps - warm_up)
    return highest * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * part)))


def train_head(
    network: Network,
    config: RunConfig,
    data: TrainingSet,
    folder: Path,
    report: Report,
    should_stop: ShouldStop,
) -> None:
    """Fit the head on features of the frozen backbone; features are computed once and kept.

    Raises:
        Stopped: `should_stop` said so; the head is begun again next time.
        RunError: the training came apart, or the disk has no room for the features.
    """
    features, targets = _features(network, config, data, folder / "features", report, should_stop)
    head = network.head
    _compile(head, config, config.head_rate)
    rng = np.random.default_rng([config.seed, 1])
    chances = np.tile(data.chances[data.learn], config.feature_copies)
    chances /= chances.sum()
    n_steps = max(1, len(data.learn) // config.batch_size)
    for epoch in range(config.head_epochs):
        losses = []
        for step in range(n_steps):
            if should_stop():
                raise Stopped
            chosen = np.sort(rng.choice(len(features), config.batch_size, p=chances))
            head.optimizer.learning_rate = learning_rate(
                epoch * n_steps + step, config.head_epochs * n_steps, config.head_rate
            )
            loss = head.train_on_batch(
                features[chosen].astype(np.float32), _answers(targets[chosen], config)
            )
            losses.append(_finite(float(loss), f"epoch {epoch + 1} of the head", "head_rate"))
        report("head", epoch=epoch + 1, epochs=config.head_epochs, loss=float(np.mean(losses)))


def _features(
    network: Network,
    config: RunConfig,
    data: TrainingSet,
    folder: Path,
    report: Report,
    should_stop: ShouldStop,
) -> tuple[NDArray[np.float16], NDArray[np.int64]]:
    """Backbone maps of disturbed copies, (copies * n, rows, columns, channels) float16."""
    path = folder / "maps.npy"
    targets = np.tile(data.targets[data.learn], config.feature_copies)
    if path.exists():
        return np.load(path, mmap_mode="r", allow_pickle=False), targets
    folder.mkdir(parents=True, exist_ok=True)
    shape = (len(targets), *network.backbone.output.shape[1:])
    require_space(folder, int(np.prod(shape)) * np.dtype(np.float16).itemsize)
    draft = path.with_name("draft.npy")
    maps = np.lib.format.open_memmap(draft, mode="w+", dtype=np.float16, shape=shape)
    at = 0
    for copy in range(config.feature_copies):
        for start in range(0, len(data.learn), config.batch_size):
            if should_stop():
                raise Stopped
            chosen = data.learn[start : start + config.batch_size]
            batch = disturbed_tensors(data.pixels, chosen, config, [config.seed, 2, copy, start])
            maps[at : at + len(chosen)] = network.backbone.predict_on_batch(batch)
            at += len(chosen)
            report("features", done=at, total=len(targets))
    maps.flush()
    # Windows moves no file that is mapped.
    del maps
    draft.replace(path)
    return np.load(path, mmap_mode="r", allow_pickle=False), targets


def fine_tune(
    network: Network,
    config: RunConfig,
    data: TrainingSet,
    folder: Path,
    report: Report,
    should_stop: ShouldStop,
) -> list[FloatArray]:
    """Train the whole network and return the best averaged weights, in the model's order.

    Goes on from the newest state in `folder`. With patience the best epoch is the one with the
    lowest balanced validation loss; without, it is the last.

    Raises:
        Stopped: `should_stop` said so; the last whole epoch is on disk.
        RunError: the training came apart.
    """
    model = network.model
    _compile(model, config, config.tune_rate)
    model.optimizer.build(model.trainable_variables)
    progress = load_state(folder / "state", model) or Progress(
        average=[np.asarray(value).copy() for value in model.weights]
    )
    n_steps = config.steps_per_epoch or max(1, len(data.learn) // config.batch_size)
    best = folder / "best" / "weights.npz"
    for epoch in range(progress.epoch, config.tune_epochs):
        if config.patience and epoch - progress.best_epoch >= config.patience and epoch:
            break
        losses = []
        for batch, answers in _batches(config, data, epoch, n_steps):
            if should_stop():
                raise Stopped
            model.optimizer.learning_rate = learning_rate(
                progress.step, config.tune_epochs * n_steps, config.tune_rate
            )
            loss = float(model.train_on_batch(batch, answers))
            losses.append(_finite(loss, f"epoch {epoch + 1}", "tune_rate"))
            progress.step += 1
            _average(progress, model, config.average_momentum)
            report("step", epoch=epoch + 1, step=progress.step, steps=config.tune_epochs * n_steps,
                   loss=losses[-1])  # fmt: skip
        progress.epoch = epoch + 1
        numbers = {"loss": float(np.mean(losses))}
        if len(data.check):
            numbers |= _check(model, config, data, progress)
            _finite(numbers["val_loss"], f"the check after epoch {epoch + 1}", "tune_rate")
        is_best = not len(data.check) or numbers["val_loss"] < progress.best_loss
        if is_best or not config.patience:
            progress.best_loss = numbers.get("val_loss", float("inf"))
            progress.best_epoch = progress.epoch
            save_weights(best, progress.average)
        save_state(folder / "state", model, progress)
        report("epoch", epoch=progress.epoch, epochs=config.tune_epochs, best=is_best, **numbers)
    return load_weights(best) if best.exists() else progress.average


def _finite(loss: float, where: str, rate: str) -> float:
    """The loss, unless it is no number any more: no step would bring the weights back.

    Raises:
        RunError: the loss is infinite or not a number.
    """
    if not math.isfinite(loss):
        raise RunError(
            f"The loss is {loss} in {where}: the training came apart. Start a new run with a "
            f"lower {rate}."
        )
    return loss


def logits_of(
    model: keras.Model, pixels: UInt8Array, rows: NDArray[np.int64], recipe: Recipe, batch: int = 32
) -> FloatArray:
    """Logits of undisturbed pictures, (len(rows), n_outputs) float32, averaged over the views."""
    parts = []
    for start in range(0, len(rows), batch):
        tensors = scale(pixels[rows[start : start + batch]], recipe.scaling)
        seen = np.concatenate([views(tensor, recipe.views) for tensor in tensors])
        logits = np.concatenate(
            [model.predict_on_batch(seen[at : at + batch]) for at in range(0, len(seen), batch)]
        )
        parts.append(logits.reshape(len(tensors), recipe.views, -1).mean(1))
    return np.concatenate(parts)


def _check(
    model: keras.Model, config: RunConfig, data: TrainingSet, progress: Progress
) -> dict[str, float]:
    """Validation figures of the averaged weights; the model's own come back afterwards."""
    own = [np.asarray(value).copy() for value in model.weights]
    assign(model, progress.average)
    logits = logits_of(model, data.pixels, data.check, config.recipe)
    assign(model, own)
    true = data.targets[data.check]
    predicted = logits.argmax(1) if logits.shape[1] > 1 else (logits[:, 0] > 0).astype(int)
    return {
        "val_loss": balanced_log_loss(true, logits),
        "val_accuracy": float((predicted == true).mean()),
    }


def _compile(model: keras.Model, config: RunConfig, rate: float) -> None:
    kind = (
        keras.losses.BinaryCrossentropy if config.n_outputs == 1
        else keras.losses.CategoricalCrossentropy
    )  # fmt: skip
    model.compile(
        optimizer=keras.optimizers.AdamW(
            rate, weight_decay=config.weight_decay, global_clipnorm=1.0
        ),
        loss=kind(from_logits=True, label_smoothing=config.label_smoothing),
        # XLA is many times slower for convolutions on a CPU.
        jit_compile=False,
    )


def _answers(targets: NDArray[np.int64], config: RunConfig) -> FloatArray:
    """What the loss compares with: (n, 1) of 0 and 1, or one-hot rows."""
    if config.n_outputs == 1:
        return targets[:, None].astype(np.float32)
    return np.eye(config.n_outputs, dtype=np.float32)[targets]


def disturbed_tensors(
    pixels: UInt8Array, rows: NDArray[np.int64], config: RunConfig, seed: list[int]
) -> FloatArray:
    """Disturbed copies as network input, (len(rows), side, side, 3); the same seed, the same."""
    copies = [
        augment(pixels[row], config.augment, np.random.default_rng([*seed, place]))
        for place, row in enumerate(rows)
    ]
    return scale(np.stack(copies), config.recipe.scaling)


def _batches(
    config: RunConfig, data: TrainingSet, epoch: int, n_steps: int
) -> Iterator[tuple[FloatArray, FloatArray]]:
    """The epoch's batches: a function of seed and epoch alone, so that resuming repeats them."""
    rng = np.random.default_rng([config.seed, 3, epoch])
    chances = data.chances[data.learn] / data.chances[data.learn].sum()
    for step in range(n_steps):
        chosen = rng.choice(data.learn, config.batch_size, p=chances)
        batch = disturbed_tensors(data.pixels, chosen, config, [config.seed, 4, epoch, step])
        yield batch, _answers(data.targets[chosen], config)


def _average(progress: Progress, model: keras.Model, momentum: float) -> None:
    # Early on the average must not be held back by the start: 1 - 1/step, up to the momentum.
    keep = min(momentum, 1 - 1 / (progress.step + 1))
    for mean, value in zip(progress.average, model.weights, strict=True):
        mean *= keep
        mean += (1 - keep) * np.asarray(value)


def assign(model: keras.Model, weights: list[FloatArray]) -> None:
    """Give the model these weights, in its own order."""
    for variable, value in zip(model.weights, weights, strict=True):
        variable.assign(value)
