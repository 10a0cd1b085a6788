"""Several GPUs learn as one: each takes a share of every batch, and their gradients are summed."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from leukemia_app.imaging.picture import FloatArray
from leukemia_app.training.config import RunConfig
from leukemia_app.training.schedule import compile_model, is_right, loss_of
from leukemia_app.training.state import Progress, load_state, seed_states

SEED_STEP = 1_000_003
"""Between the random states of two copies, which must not drop the same features."""


class Replicas:
    """A copy of the network on each device; together they take the step that one would take.

    The batch stays as large as it was, so figures can be compared. Losses are summed and divided
    by the size of the whole batch, gradients are summed, then clipped; batch normalisation that
    learns sees the whole batch; each copy drops other features. TensorFlow counts what devices
    say to each other by process: two of these, of different networks, need two processes.
    """

    def __init__(
        self, model: keras.Model, config: RunConfig, rate: float, devices: Sequence[str]
    ) -> None:
        self._strategy = tf.distribute.MirroredStrategy(list(devices))
        with self._strategy.scope():
            self.model = _copied(model)
            compile_model(self.model, config, rate, clip_sum=True)
        self._part_losses = loss_of(config, reduction=None)
        # XLA is no gain here and compiles for minutes.
        self._step = tf.function(self._step_of_all, autograph=False, jit_compile=False)
        self._part_seeds()

    def resume(self, folder: Path) -> Progress | None:
        """Go on from the newest state in the folder; None where there is none.

        It may be one of another number of devices.
        """
        with self._strategy.scope():
            progress = load_state(folder, self.model)
        if progress is not None:
            # What was read is the first copy's, and all have it now.
            self._part_seeds()
        return progress

    def learn(self, batch: FloatArray, answers: FloatArray, rate: float) -> tuple[float, float]:
        """Take one step at this learning rate: mean loss and accuracy of the batch."""
        size = np.float32(len(batch))
        with self._strategy.scope():
            self.model.optimizer.learning_rate = rate
            loss, n_right = self._step(self._shared(batch), self._shared(answers), size)
        return float(loss), float(n_right) / len(batch)

    def _shared(self, array: FloatArray) -> Any:
        """The rows in as many parts as there are devices, one for each."""
        parts = np.array_split(array, self._strategy.num_replicas_in_sync)
        return self._strategy.experimental_distribute_values_from_function(
            lambda context: tf.constant(parts[context.replica_id_in_sync_group])
        )

    def _step_of_all(self, batch: Any, answers: Any, size: tf.Tensor) -> tuple[Any, Any]:
        found = self._strategy.run(self._step_of_one, args=(batch, answers, size))
        return tuple(self._strategy.reduce("SUM", values, axis=None) for values in found)

    def _step_of_one(self, batch: Any, answers: Any, size: tf.Tensor) -> tuple[Any, Any]:
        """Of the batch's mean loss and its number of right answers, what this part adds."""
        weights = self.model.trainable_variables
        with tf.GradientTape() as tape:
            logits = self.model(batch, training=True)
            loss = ops.sum(self._part_losses(answers, logits)) / size
        gradients = tape.gradient(loss, [weight.value for weight in weights])
        self.model.optimizer.apply(gradients, weights)
        return loss, ops.sum(is_right(answers, logits))

    def _part_seeds(self) -> None:
        """Give each copy random states of its own, all of them following from the first's."""
        states = seed_states(self.model)

        def move() -> None:
            number = tf.distribute.get_replica_context().replica_id_in_sync_group
            for state in states:
                offset = ops.cast([number * SEED_STEP, 0], state.dtype)
                state.assign(state.value + offset)

        if states:
            self._strategy.run(move)


def _copied(model: keras.Model) -> keras.Model:
    """A copy with the same weights, random states and frozen layers."""
    copy = keras.models.clone_model(model)
    for old, new in (
        *zip(model.weights, copy.weights, strict=True),
        *zip(seed_states(model), seed_states(copy), strict=True),
    ):
        new.assign(np.asarray(old))
    for old, new in zip(model._flatten_layers(), copy._flatten_layers(), strict=True):
        new.trainable = old.trainable
        if isinstance(new, keras.layers.BatchNormalization):
            # Statistics of the whole batch, as on one device.
            new.synchronized = True
        if isinstance(new, keras.layers.Normalization):
            # It computes with a copy of its weights.
            new.finalize_state()
    return copy
