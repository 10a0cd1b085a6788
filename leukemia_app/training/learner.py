"""What takes the steps: a network as it is, or one copy of it on each of several GPUs."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import keras

from leukemia_app.imaging.picture import FloatArray
from leukemia_app.training.config import RunConfig
from leukemia_app.training.schedule import compile_model
from leukemia_app.training.state import Progress, load_state


class Learner(Protocol):
    """A compiled network that learns from one batch after the other."""

    model: keras.Model
    """Holds the weights, the optimizer and the random states that a state on disk is made of."""

    def resume(self, folder: Path) -> Progress | None:
        """Go on from the newest state in the folder; None where there is none."""

    def learn(self, batch: FloatArray, answers: FloatArray, rate: float) -> tuple[float, float]:
        """Take one step at this learning rate: mean loss and accuracy of the batch."""


class OneDevice:
    """Keras' own step, where Keras itself chooses to compute."""

    def __init__(self, model: keras.Model, config: RunConfig, rate: float) -> None:
        self.model = model
        compile_model(model, config, rate)

    def resume(self, folder: Path) -> Progress | None:
        """Go on from the newest state in the folder; None where there is none."""
        return load_state(folder, self.model)

    def learn(self, batch: FloatArray, answers: FloatArray, rate: float) -> tuple[float, float]:
        """Take one step at this learning rate: mean loss and accuracy of the batch."""
        self.model.optimizer.learning_rate = rate
        loss, right = map(float, self.model.train_on_batch(batch, answers))
        return loss, right


def learner_of(
    model: keras.Model, config: RunConfig, rate: float, devices: Sequence[str] = ()
) -> Learner:
    """What trains the model; two or more devices share every batch, as TensorFlow names them."""
    if len(devices) < 2 or config.batch_size < 2:
        return OneDevice(model, config, rate)
    from leukemia_app.training.replicas import Replicas

    return Replicas(model, config, rate, devices[: config.batch_size])
