"""Which pictures a run learns from, stops by and is scored on."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from leukemia_app.data.manifest import Row, write_manifest
from leukemia_app.data.split import fold_groups, split_groups
from leukemia_app.errors import RunError
from leukemia_app.training.config import RunConfig

MANIFEST, SPLIT = "manifest.csv", "split.csv"
"""Of a run's folder: its pictures as they were given, and the part that each is used in."""


@dataclass(frozen=True, kw_only=True)
class Parts:
    """Row numbers, (n,) int64 each, of pictures to learn from, stop by and score."""

    learn: NDArray[np.int64]
    check: NDArray[np.int64]
    test: NDArray[np.int64]


def choose_parts(rows: Sequence[Row], config: RunConfig) -> Parts:
    """The three parts; no group stands in two of them unless the split is by image.

    Folds are made of the train and val parts alone: the test part is never looked at for them.
    With a `fraction` only some groups of the training part are learned from; stopping and scoring
    stay as they were.

    Raises:
        RunError: a group stands in two given parts, a label has no picture to learn from, or there
            is none to stop by or to score.
    """
    if config.split != "image":
        _check_groups(rows)
    parts = _chosen(rows, config)
    if config.fraction < 1:
        parts = replace(parts, learn=_some(rows, parts.learn, config))
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


def split_of(rows: Sequence[Row], parts: Parts) -> tuple[Row, ...]:
    """The rows with the part that each is used in; empty: in none."""
    part = np.full(len(rows), "", object)
    for name, numbers in (("train", parts.learn), ("val", parts.check), ("test", parts.test)):
        part[numbers] = name
    return tuple(replace(row, part=name) for row, name in zip(rows, part, strict=True))


def keep_split(folder: Path, rows: Sequence[Row], parts: Parts) -> None:
    """Write manifest.csv and split.csv for a new run; for an old one see that they still hold.

    Raises:
        RunError: pictures were added, taken away or moved to another part since the run began.
    """
    split = split_of(rows, parts)
    if not (folder / SPLIT).exists():
        if not (folder / MANIFEST).exists():
            write_manifest(folder / MANIFEST, rows)
        # Last: where it lies, the run has begun.
        write_manifest(folder / SPLIT, split)
        return
    with (folder / SPLIT).open(newline="", encoding="utf-8") as lines:
        before = {line["file"]: line["part"] for line in csv.DictReader(lines)}
    now = {row.file: row.part for row in split}
    if changed := sorted(file for file in before.keys() | now.keys()
                         if before.get(file) != now.get(file)):  # fmt: skip
        raise RunError(
            f"The pictures are not those that the run began with: {len(changed)} were added, taken "
            f"away or moved to another part, first {changed[0]}. Put them back, or start a new run."
        )


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
        number = split_groups(groups, labels, config.shares, config.seed)
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


def _some(rows: Sequence[Row], learn: NDArray[np.int64], config: RunConfig) -> NDArray[np.int64]:
    """About `fraction` of these rows by whole groups; no label is lost that was there."""
    by_file = config.split == "image"
    groups = np.array([rows[row].file if by_file else rows[row].group for row in learn])
    labels = np.array([rows[row].label for row in learn])
    shares = (config.fraction, 1 - config.fraction)
    kept = split_groups(groups.tolist(), labels.tolist(), shares, config.seed) == 0
    for label in sorted(set(labels) - set(labels[kept])):
        names, sizes = np.unique(groups[labels == label], return_counts=True)
        kept |= groups == names[sizes.argmin()]
    some: NDArray[np.int64] = learn[kept]
    return some


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
