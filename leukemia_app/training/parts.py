"""Which pictures a run learns from, stops by and is scored on."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leukemia_app.data.manifest import Row
from leukemia_app.data.split import fold_groups, split_groups
from leukemia_app.errors import RunError
from leukemia_app.training.config import RunConfig

IMAGE_SPLIT = (0.7, 0.1, 0.2)
"""Train, validation and test where no split is given."""


@dataclass(frozen=True, kw_only=True)
class Parts:
    """Row numbers, (n,) int64 each, of pictures to learn from, stop by and score."""

    learn: NDArray[np.int64]
    check: NDArray[np.int64]
    test: NDArray[np.int64]


def choose_parts(rows: Sequence[Row], config: RunConfig) -> Parts:
    """The three parts; no group stands in two of them unless the split is by image.

    Folds are made of the train and val parts alone: the test part is never looked at for them.

    Raises:
        RunError: there is nothing to learn from.
    """
    part = np.array([row.part for row in rows])
    groups = [row.group for row in rows]
    labels = [row.label for row in rows]
    if config.folds:
        known = np.flatnonzero(part != "test")
        fold = fold_groups(
            [groups[row] for row in known], [labels[row] for row in known], config.folds, 0
        )
        parts = Parts(
            learn=known[fold != config.fold],
            check=np.zeros(0, np.int64),
            test=known[fold == config.fold],
        )
    elif config.split == "image" or not part.any():
        if config.split == "image":
            groups = [row.file for row in rows]
        number = split_groups(groups, labels, IMAGE_SPLIT, config.seed)
        parts = Parts(
            learn=np.flatnonzero(number == 0),
            check=np.flatnonzero(number == 1),
            test=np.flatnonzero(number == 2),
        )
    else:
        parts = Parts(
            learn=np.flatnonzero(part == "train"),
            check=np.flatnonzero(part == "val"),
            test=np.flatnonzero(part == "test"),
        )
    if not len(parts.learn):
        raise RunError("No picture is in the training part; look at the split.")
    return parts
