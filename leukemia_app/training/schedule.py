"""How fast a network learns: the optimizer, and the learning rate from step to step."""

import math

import keras
from keras import ops

from leukemia_app.training.config import RunConfig
from leukemia_app.training.state import Progress

WARM_UP = 0.05
"""Part of a phase in which the learning rate rises."""
LEAST_GAIN = 1e-4
"""A validation loss that falls by less counts as standing still."""


def cosine_rate(step: int, n_steps: int, highest: float) -> float:
    """Rising along a line, then falling along half a cosine to a hundredth."""
    warm_up = max(1, round(n_steps * WARM_UP))
    if step < warm_up:
        return highest * (step + 1) / warm_up
    part = (step - warm_up) / max(1, n_steps - warm_up)
    return highest * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * part)))


def plateau_rate(step: int, n_steps: int, highest: float) -> float:
    """Rising along a line, then level; `lower_on_plateau` says by how much it is cut."""
    warm_up = max(1, round(n_steps * WARM_UP))
    return highest * min(1.0, (step + 1) / warm_up)


def learning_rate(config: RunConfig, progress: Progress, n_steps: int, highest: float) -> float:
    """Of the next step, by the configuration's schedule."""
    if config.schedule == "cosine":
        return cosine_rate(progress.step, n_steps, highest)
    return plateau_rate(progress.step, n_steps, highest) * progress.rate_factor


def lower_on_plateau(config: RunConfig, progress: Progress, val_loss: float) -> None:
    """Cut the rate where the validation loss has not fallen for `plateau_patience` epochs."""
    if config.schedule != "plateau":
        return
    if val_loss < progress.lowest_loss - LEAST_GAIN:
        progress.lowest_loss, progress.level_epochs = val_loss, 0
        return
    progress.level_epochs += 1
    if progress.level_epochs >= config.plateau_patience:
        progress.rate_factor *= config.plateau_factor
        progress.level_epochs = 0


def compile_model(model: keras.Model, config: RunConfig, rate: float) -> None:
    """Give the model its optimizer, its loss on logits, and the accuracy beside it."""
    kind = (
        keras.losses.BinaryCrossentropy if config.n_outputs == 1
        else keras.losses.CategoricalCrossentropy
    )  # fmt: skip
    model.compile(
        optimizer=_optimizer(config, rate),
        loss=kind(from_logits=True, label_smoothing=config.label_smoothing),
        metrics=[_is_right],
        # XLA is many times slower for convolutions on a CPU.
        jit_compile=False,
    )
    # A state that is read again needs its variables.
    model.optimizer.build(model.trainable_variables)


def _optimizer(config: RunConfig, rate: float) -> keras.optimizers.Optimizer:
    if config.optimizer == "adam":
        return keras.optimizers.Adam(rate, global_clipnorm=1.0)
    return keras.optimizers.AdamW(rate, weight_decay=config.weight_decay, global_clipnorm=1.0)


def _is_right(answers: keras.KerasTensor, logits: keras.KerasTensor) -> keras.KerasTensor:
    """1 where the more probable label is the true one: (n, 1) or (n, n_outputs) to (n,)."""
    if logits.shape[-1] == 1:
        right = ops.equal(logits[:, 0] > 0, answers[:, 0] > 0.5)
    else:
        right = ops.equal(ops.argmax(logits, axis=-1), ops.argmax(answers, axis=-1))
    return ops.cast(right, "float32")
