"""What the tests of the engine share: eighteen drawn pictures and a network of 32 px."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np

from leukemia_app.networks.build import Network, build_network
from leukemia_app.training.batches import TrainingSet
from leukemia_app.training.config import RunConfig
from leukemia_app.training.engine import Training, features_of, train_head
from tests.tiny_runs import SIDE_PX, drawn_cell


def drawn_pictures() -> TrainingSet:
    """Twelve pictures to learn from and six to stop by, both labels in turn."""
    pixels = np.stack([drawn_cell(number % 2, number)[8:40, 8:40] for number in range(18)])
    learn = np.arange(12)
    chances = np.zeros(18)
    chances[learn] = 1 / 12
    return TrainingSet(pixels=pixels, targets=np.arange(18) % 2, chances=chances, learn=learn,
                       check=np.arange(12, 18))  # fmt: skip


def fresh_network(config: RunConfig) -> Network:
    """The network as a new process builds it."""
    keras.utils.set_random_seed(config.seed)
    return build_network(
        config.backbone, config.head, side_px=SIDE_PX, n_outputs=config.n_outputs,
        head_arguments=config.head_arguments,
    )  # fmt: skip


def training_of(
    config: RunConfig,
    folder: Path,
    report: Callable[..., None] = lambda kind, **numbers: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Training:
    """A training of a fresh network on the drawn pictures."""
    return Training(network=fresh_network(config), config=config, data=drawn_pictures(),
                    folder=folder, report=report, should_stop=should_stop)  # fmt: skip


def headed(training: Training) -> list[np.ndarray]:
    """Weights of the head after its phase."""
    train_head(training, features_of(training))
    return [np.asarray(value) for value in training.network.head.weights]


def without_check(training: Training) -> Training:
    """The same with no validation part, as in a fold."""
    return replace(training, data=replace(training.data, check=np.zeros(0, np.int64)))


def sha256(weights: list[np.ndarray]) -> str:
    return hashlib.sha256(b"".join(array.tobytes() for array in weights)).hexdigest()
