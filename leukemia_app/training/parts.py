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
        RunError: a group stands in two given parts, a label has no picture to learn from, or there
            is none to stop by or to score.
    """
    if config.split != "image":
        _check_groups(rows)
    parts = _chosen(rows, config)
    missing = set(config.labels) - {rows[row].label for row in parts.learn}
    if missing:
        raise RunError(
            f"No picture of {', '.join(sorted(missing))} is in the training part; look at the "
            "labels and the split."
        )
    if not len(parts.test):
        what = f"fold {config.fold} of {config.folds}" if config.folds else "the test part"
        raise RunError(f"No picture is in {what}; give more groups, or use fewer folds.")
    if not config.folds and not len(parts.check):
        raise RunError("No picture is in the val part; stopping and thresholds need some.")
    return parts


def _chosen(rows: Sequence[Row], config: RunConfig) -> Parts:
    part = np.array([row.part for row in rows])
    groups = [row.group for row in rows]
    labels = [row.label for row in rows]
    if config.folds:
        known = np.flatnonzero(part != "test")
        fold = fold_groups(
            [groups[row] for row in known], [labels[row] for row in known], config.folds, 0
        )
        return Parts(
            learn=known[fold != config.fold],
            check=np.zeros(0, np.int64),
            test=known[fold == config.fold],
        )
    if config.split == "image" or not (part != "").any():
        if config.split == "image":
            groups = [row.file for row in rows]
        number = split_groups(groups, labels, IMAGE_SPLIT, config.seed)
        return Parts(
            learn=np.flatnonzero(number == 0),
            check=np.flatnonzero(number == 1),
            test=np.flatnonzero(number == 2),
        )
    if (part == "").any():
        first = rows[int(np.flatnonzero(part == "")[0])].file
        raise RunError(f"{first} has no part, others have; give each picture train, val or test.")
    return Parts(
        learn=np.flatnonzero(part == "train"),
        check=np.flatnonzero(part == "val"),
        test=np.flatnonzero(part == "test"),
    )


def _check_groups(rows: Sequence[Row]) -> None:
    """Refuse a group that the given parts tear apart: its pictures would be learned and scored."""
    part_of: dict[str, str] = {}
    for row in rows:
        first = part_of.setdefault(row.group, row.part)
        if row.part != first:
            raise RunError(
                f"The group {row.group} stands in the parts {first or '(none)'} and "
                f"{row.part or '(none)'} ({row.file}); give all its pictures one part."
            )
