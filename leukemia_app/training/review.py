"""A finished run gone through by hand: what it said of each picture, and the same training again.

A training again has the configuration of the run and its very parts, whatever became of the data
set's own split: only labels that were changed and pictures that were dropped differ.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from leukemia_app.data.corrections import Corrected, changes_to_dict, correct, resolve, restored
from leukemia_app.data.manifest import Row, table_of
from leukemia_app.errors import RunError
from leukemia_app.evaluation.measures import Answers
from leukemia_app.training.config import RunConfig
from leukemia_app.training.corrections import CORRECTIONS, changes_in, standing
from leukemia_app.training.data_folder import MANIFEST, DataFolder
from leukemia_app.training.job_queue import JobQueue
from leukemia_app.training.results import (
    ANSWERS_FILE,
    PART_NAMES,
    PREDICTIONS_FILE,
    decided,
    rows_in,
    served_answers,
    spec_of,
    split_rows,
)
from leukemia_app.training.run_folder import RunFolder

SHOWN_GONE = 3


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One picture that was kept back, and what the model said of it."""

    file: str
    part: str
    """`val` or `test`."""
    label: str
    """What the data set said when the run began."""
    predicted: str
    probability: float
    """Of the predicted label, 0 to 1."""
    label_probability: float
    """Of the data set's label, 0 to 1."""

    @property
    def is_right(self) -> bool:
        """Whether the model agrees with the data set."""
        return self.label == self.predicted


def answers_of(folder: RunFolder, rows: Sequence[Row] | None) -> tuple[Answer, ...]:
    """What the run said of its test and validation pictures, the most wrong first.

    `rows` are its `split_rows`, here and below: a large set's are read once.

    None where it kept none, or where they can no longer be told apart.

    Raises:
        AppError: the configuration cannot be read.
    """
    config = folder.config()
    if rows is None:
        return ()
    test = served_answers(folder.path / ANSWERS_FILE)
    kept = _kept(folder.path / PREDICTIONS_FILE)
    if test is None:
        test = _logits_decided(folder, config, rows, kept, "test")
    found = [
        *_listed(test, "test", config.labels),
        *_listed(_logits_decided(folder, config, rows, kept, "check"), "val", config.labels),
    ]
    return tuple(sorted(found, key=lambda item: (item.is_right, item.label_probability, item.file)))


def _kept(path: Path) -> Mapping[str, Any]:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except (OSError, ValueError):
        return {}


def _logits_decided(
    folder: RunFolder, config: RunConfig, rows: Sequence[Row], kept: Mapping[str, Any], name: str
) -> Answers | None:
    if f"{name}_rows" not in kept or f"{name}_logits" not in kept:
        return None
    numbers = [int(number) for number in kept[f"{name}_rows"]]
    if not numbers or not all(0 <= number < len(rows) for number in numbers):
        return None
    chosen = [rows[number] for number in numbers]
    return decided(config, spec_of(folder, []), kept[f"{name}_logits"], chosen, [])


def _listed(answers: Answers | None, part: str, labels: Sequence[str]) -> list[Answer]:
    if answers is None or not answers.files:
        return []
    return [
        Answer(
            file=file, part=part, label=labels[int(answers.true[number])],
            predicted=labels[int(answers.predicted[number])],
            probability=float(answers.probabilities[number, answers.predicted[number]]),
            label_probability=float(answers.probabilities[number, answers.true[number]]),
        )
        for number, file in enumerate(answers.files)
    ]  # fmt: skip


def is_corrected(folder: RunFolder, rows: Sequence[Row], data: DataFolder) -> bool:
    """Whether something was decided that the run did not learn from, or undone that it did.

    Raises:
        AppError: as `corrected_rows`.
    """
    changes = changes_in(folder.path)
    files = {*standing(data), *(change.file for change in changes)}
    some = [row for row in rows if row.file in files]
    return set(corrected_rows(folder, some, data).changes) != set(changes)


def corrected_rows(folder: RunFolder, rows: Sequence[Row], data: DataFolder) -> Corrected:
    """The run's pictures in its parts, with every decision that stands today.

    What had gone into the run itself is taken out first, so that what was undone since is undone.

    Raises:
        AppError: a file of the run or of the data set is damaged.
    """
    used = restored([row for row in rows if row.part], changes_in(folder.path))
    labels = folder.config().labels
    wishes = resolve(standing(data).values(), [row.file for row in used], labels,
                     data.source().aliases)  # fmt: skip
    return correct(used, wishes.by_file)


def is_split_anew(rows: Sequence[Row], data: DataFolder) -> bool:
    """Whether the data set was dealt otherwise since the run; False where that cannot be told."""
    part_now = {row.file: row.part for row in rows_in(data.path / MANIFEST) or ()}
    return any(row.part and row.file in part_now and part_now[row.file] != row.part for row in rows)


def train_again(queue: JobQueue, folder: RunFolder, data: DataFolder, owner: str) -> RunFolder:
    """Lay out the same training at the end of the line, on the corrected pictures.

    Raises:
        RunError: nothing is corrected, too little is left, the run is no plain training, its
            pictures are gone, or as `JobQueue.add`.
    """
    config = folder.config()
    if config.folds or config.split != "given":
        raise RunError(
            f"{folder.path.name} is a fold or a random image split, which is for its figures "
            "alone. Correct the set over a plain training, then begin this one anew."
        )
    rows = split_rows(folder)
    if rows is None:
        raise RunError(f"{folder.path.name} kept no split, so it cannot be trained again.")
    found = corrected_rows(folder, rows, data)
    if set(found.changes) == set(changes_in(folder.path)):
        raise RunError(
            "Nothing has been corrected since this run began; change a label or drop a picture "
            "first."
        )
    _require_enough(found.rows, config.labels)
    _require_there(found.rows, Path(config.data))

    def files(name: str) -> Mapping[str, object]:
        table = queue.root.resolve() / name / MANIFEST
        # All that the run learned from is in its split: a share of it would be taken twice.
        again = replace(config, id=name, groups=str(table), fraction=1.0)
        return {
            "owner.json": {"owner": owner}, "config.json": again.to_dict(),
            CORRECTIONS: changes_to_dict(found.changes), MANIFEST: table_of(found.rows),
        }  # fmt: skip

    return RunFolder(path=queue.add(config.id, files).path)


def _require_enough(rows: Sequence[Row], labels: Sequence[str]) -> None:
    there = {(row.part, row.label) for row in rows}
    missing = [label for label in labels if ("train", label) not in there]
    if missing:
        raise RunError(f"No picture of {' and '.join(missing)} is left to learn from; undo some "
                       "of the corrections.")  # fmt: skip
    for part in ("val", "test"):
        if part not in {row.part for row in rows}:
            raise RunError(f"No picture is left in the {PART_NAMES[part]} part; undo some of the "
                           "corrections.")  # fmt: skip


def _require_there(rows: Sequence[Row], pictures: Path) -> None:
    gone = [row.file for row in rows if not (pictures / row.file).is_file()]
    if gone:
        raise RunError(
            f"{len(gone):,} pictures of the run are not here any more "
            f"({', '.join(gone[:SHOWN_GONE])}); give them again, and train anew."
        )
