"""What the frozen backbone sees, computed once and kept: so a head learns in seconds."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from leukemia_app.imaging.picture import FloatArray
from leukemia_app.imaging.prepare import scale
from leukemia_app.networks.build import Network
from leukemia_app.training.batches import (
    Batch,
    TrainingSet,
    answers_of,
    disturbed_tensors,
    one_ahead,
)
from leukemia_app.training.config import RunConfig
from leukemia_app.training.disk import require_space

OnBatch = Callable[[int, int], None]
"""Called with the number of copies done and of all; may raise to end the work."""


@dataclass(frozen=True, kw_only=True)
class Features:
    """Cached features, read from disk as needed, and the part of the head that learns from them.

    `learn` is (copies * n, …) of disturbed training pictures, `check` (n_check, …) of undisturbed
    validation pictures: maps (rows, columns, channels) float16, or vectors (channels,) float32
    where the head begins with their average.
    """

    head: keras.Model
    learn: NDArray[np.floating]
    check: NDArray[np.floating]
    targets: NDArray[np.int64]
    """Class number of each row of `learn`, (copies * n,)."""

    def check_logits(self) -> FloatArray:
        """Logits of the validation pictures, (n_check, n_outputs) float32."""
        found = [
            self.head.predict_on_batch(self.check[start : start + 256].astype(np.float32))
            for start in range(0, len(self.check), 256)
        ]
        return np.concatenate(found)

    def batches(
        self, config: RunConfig, data: TrainingSet, epoch: int, n_steps: int
    ) -> Iterator[Batch]:
        """The epoch's batches; one row of random numbers serves all epochs, from the first on."""
        # A draw takes one number; those of the epochs before are passed over at once.
        numbers = np.random.PCG64([config.seed, 1]).advance(epoch * n_steps * config.batch_size)
        rng = np.random.Generator(numbers)
        chances = np.tile(data.chances[data.learn], config.feature_copies)
        chances /= chances.sum()
        for _ in range(n_steps):
            chosen = rng.choice(len(self.learn), config.batch_size, p=chances)
            chosen.sort()
            answers = answers_of(self.targets[chosen], config.n_outputs)
            yield self.learn[chosen].astype(np.float32), answers


def cached_features(
    network: Network, config: RunConfig, data: TrainingSet, folder: Path, on_batch: OnBatch
) -> Features:
    """Features for the network's head, made once in `folder` and found again.

    Raises:
        RunError: the disk has no room for them.
    """
    seeing, head = _parted(network)
    copies = [
        (data.learn[start : start + config.batch_size], [config.seed, 2, copy, start])
        for copy in range(config.feature_copies)
        for start in range(0, len(data.learn), config.batch_size)
    ]
    n_learn, n_check = config.feature_copies * len(data.learn), len(data.check)
    learn = _kept(
        folder / "learn.npy", seeing, n_learn,
        (disturbed_tensors(data.pixels, rows, config, seed) for rows, seed in copies),
        lambda done: on_batch(done, n_learn + n_check),
    )  # fmt: skip
    check = _kept(
        folder / "check.npy", seeing, n_check,
        (scale(data.pixels[data.check[start : start + 32]], config.recipe.scaling)
         for start in range(0, n_check, 32)),
        lambda done: on_batch(n_learn + done, n_learn + n_check),
    )  # fmt: skip
    targets = np.tile(data.targets[data.learn], config.feature_copies)
    return Features(head=head, learn=learn, check=check, targets=targets)


def _parted(network: Network) -> tuple[keras.Model, keras.Model]:
    """What need be computed but once, and what learns; both with the network's own weights."""
    first = network.head.layers[1]
    if not isinstance(first, keras.layers.GlobalAveragePooling2D):
        return network.backbone, network.head
    seeing = keras.Model(network.backbone.input, first(network.backbone.output))
    return seeing, keras.Model(first.output, network.head.output)


def _kept(
    path: Path,
    model: keras.Model,
    count: int,
    batches: Iterator[FloatArray],
    on_batch: Callable[[int], None],
) -> NDArray[np.floating]:
    """The model's answers to all batches, (count, …), as a file that is mapped into memory."""
    if path.exists():
        return _mapped(path)
    shape = (count, *model.output.shape[1:])
    dtype = np.dtype(np.float16 if len(shape) > 2 else np.float32)
    if not count:
        return np.zeros(shape, dtype)
    path.parent.mkdir(parents=True, exist_ok=True)
    require_space(path.parent, int(np.prod(shape)) * dtype.itemsize)
    draft = path.with_name(f"draft-{path.name}")
    values = np.lib.format.open_memmap(draft, mode="w+", dtype=dtype, shape=shape)
    done = 0
    for batch in one_ahead(batches):
        values[done : done + len(batch)] = model.predict_on_batch(batch).astype(np.float32)
        done += len(batch)
        on_batch(done)
    values.flush()
    # Windows moves no file that is mapped.
    del values
    draft.replace(path)
    return _mapped(path)


def _mapped(path: Path) -> NDArray[np.floating]:
    found: NDArray[np.floating] = np.load(path, mmap_mode="r", allow_pickle=False)
    return found
