"""How fast a network learns: the optimizer, and the learning rate from step to step."""

import math
from typing import Any

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


def compile_model(
    model: keras.Model, config: RunConfig, rate: float, *, clip_sum: bool = False
) -> None:
    """Give the model its optimizer, its loss on logits, and the accuracy beside it.

    With `clip_sum` the optimizer clips the sum of several devices' gradients.
    """
    model.compile(
        optimizer=_optimizer(config, rate, clip_sum),
        loss=loss_of(config),
        metrics=[is_right],
        # XLA is many times slower for convolutions on a CPU.
        jit_compile=False,
    )
    # A state that is read again needs its variables.
    model.optimizer.build(model.trainable_variables)


def loss_of(config: RunConfig, reduction: str | None = "sum_over_batch_size") -> keras.losses.Loss:
    """What the training makes small, on logits; without a reduction one number a picture."""
    kind = (
        keras.losses.BinaryCrossentropy if config.n_outputs == 1
        else keras.losses.CategoricalCrossentropy
    )  # fmt: skip
    return kind(from_logits=True, label_smoothing=config.label_smoothing, reduction=reduction)


class _ClippedSum:
    """Before an optimizer: clips the sum of the devices' gradients, where Keras clips each one's.

    Each would be clipped to the norm that the sum is to have, so that together they step too far.
    """

    def _clip_gradients(self, gradients: list[Any]) -> list[Any]:
        return gradients

    def _all_reduce_sum_gradients(self, pairs: list[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
        gradients, weights = zip(*super()._all_reduce_sum_gradients(pairs), strict=True)  # type: ignore[misc]
        return list(zip(super()._clip_gradients(list(gradients)), weights, strict=True))  # type: ignore[misc]


class SharedAdam(_ClippedSum, keras.optimizers.Adam):  # type: ignore[misc]  # Keras has no types
    """Adam on several devices."""


class SharedAdamW(_ClippedSum, keras.optimizers.AdamW):  # type: ignore[misc]
    """AdamW on several devices."""


def _optimizer(config: RunConfig, rate: float, clip_sum: bool) -> keras.optimizers.Optimizer:
    if config.optimizer == "adam":
        adam = SharedAdam if clip_sum else keras.optimizers.Adam
        return adam(rate, global_clipnorm=1.0)
    adamw = SharedAdamW if clip_sum else keras.optimizers.AdamW
    return adamw(rate, weight_decay=config.weight_decay, global_clipnorm=1.0)


def is_right(answers: keras.KerasTensor, logits: keras.KerasTensor) -> keras.KerasTensor:
    """1 where the more probable label is the true one: (n, 1) or (n, n_outputs) to (n,)."""
    if logits.shape[-1] == 1:
        right = ops.equal(logits[:, 0] > 0, answers[:, 0] > 0.5)
    else:
        right = ops.equal(ops.argmax(logits, axis=-1), ops.argmax(answers, axis=-1))
    return ops.cast(right, "float32")
