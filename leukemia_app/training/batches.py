"""What a network is shown: which pictures are drawn, how they are disturbed, what it answers."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import keras
import numpy as np
from numpy.typing import NDArray

from leukemia_app.imaging.picture import FloatArray, UInt8Array
from leukemia_app.imaging.prepare import scale, views
from leukemia_app.imaging.recipe import Recipe
from leukemia_app.training.augment import augment
from leukemia_app.training.config import RunConfig

Batch = tuple[FloatArray, FloatArray]
"""Input and what the loss compares the answer with."""
Made = TypeVar("Made")


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


def answers_of(targets: NDArray[np.int64], n_outputs: int) -> FloatArray:
    """What the loss compares with: (n, 1) of 0 and 1, or one-hot rows."""
    if n_outputs == 1:
        return targets[:, None].astype(np.float32)
    return np.eye(n_outputs, dtype=np.float32)[targets]


def disturbed_tensors(
    pixels: UInt8Array, rows: NDArray[np.int64], config: RunConfig, seed: list[int]
) -> FloatArray:
    """Disturbed copies as network input, (len(rows), side, side, 3); the same seed, the same."""
    copies = [
        augment(pixels[row], config.augment, np.random.default_rng([*seed, place]))
        for place, row in enumerate(rows)
    ]
    return scale(np.stack(copies), config.recipe.scaling)


def disturbed_batches(
    config: RunConfig, data: TrainingSet, epoch: int, n_steps: int
) -> Iterator[Batch]:
    """The epoch's batches: a function of seed and epoch alone, so that resuming repeats them."""
    rng = np.random.default_rng([config.seed, 3, epoch])
    chances = data.chances[data.learn] / data.chances[data.learn].sum()
    for step in range(n_steps):
        chosen = rng.choice(data.learn, config.batch_size, p=chances)
        batch = disturbed_tensors(data.pixels, chosen, config, [config.seed, 4, epoch, step])
        yield batch, answers_of(data.targets[chosen], config.n_outputs)


def one_ahead(batches: Iterator[Made]) -> Iterator[Made]:
    """The same batches; the next one is made in a thread while the network learns from this one."""
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, batches, None)
        while (batch := coming.result()) is not None:
            coming = pool.submit(next, batches, None)
            yield batch


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


def assign(model: keras.Model, weights: list[FloatArray]) -> None:
    """Give the model these weights, in its own order."""
    for variable, value in zip(model.weights, weights, strict=True):
        variable.assign(value)
