"""What was decided by hand about the pictures of a data set, and what of it went into a run.

A decision is one line of decisions.jsonl in the data set's folder, written under a lock: two tabs
lose nothing of each other, and of two decisions about one picture the later counts. Undoing is a
line of its own. What a check or a run has made of the decisions is corrections.json, beside its
table of pictures.
"""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from leukemia_app.data.corrections import (
    Change,
    Correction,
    changes_from_dict,
    changes_to_dict,
)
from leukemia_app.data.manifest import Row
from leukemia_app.errors import DatasetError, RunError
from leukemia_app.training import locks
from leukemia_app.training.data_folder import DataFolder
from leukemia_app.training.job_folder import JobFolder
from leukemia_app.training.parts import SPLIT

DECISIONS, LOCK, CORRECTIONS = "decisions.jsonl", "decisions.lock", "corrections.json"
WAIT_S = 10.0
MAX_BYTES = 64_000_000
"""Of the decisions of one data set: some hundred thousand."""


def decisions(folder: DataFolder) -> tuple[Correction, ...]:
    """Every decision that was not undone, the oldest first; none where nobody decided."""
    try:
        lines = (folder.path / DECISIONS).read_bytes().splitlines()
    except OSError:
        return ()
    stack: list[Correction] = []
    for line in lines:
        told = _told(line)
        if told is None:
            continue
        if told.get("undo") is True:
            _take_back(stack, told["run"])
        elif all(isinstance(told.get(name), str) for name in ("file", "label")):
            stack.append(Correction(file=told["file"], label=told["label"], run=told["run"]))
    return tuple(stack)


def standing(folder: DataFolder) -> Mapping[str, Correction]:
    """The last decision about each picture, by file."""
    return {item.file: item for item in decisions(folder)}


def decide(folder: DataFolder, decision: Correction) -> None:
    """Keep a decision; the caller has seen that file and label are the data set's.

    Raises:
        RunError: it cannot be written, or there are too many.
    """
    with _alone(folder):
        _append(folder, {"file": decision.file, "label": decision.label, "run": decision.run})


def undo(folder: DataFolder, run: str) -> Correction | None:
    """Take the last decision back that was made over that run; None where there is none.

    Raises:
        RunError: it cannot be written.
    """
    with _alone(folder):
        taken = _take_back(list(decisions(folder)), run)
        if taken is not None:
            _append(folder, {"undo": True, "run": run})
    return taken


def changes_in(folder: Path) -> tuple[Change, ...]:
    """What was changed by hand in the pictures of a run or of a check; none where nothing was.

    Raises:
        DatasetError: corrections.json is damaged.
    """
    path = folder / CORRECTIONS
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return ()
    except (OSError, ValueError) as error:
        raise DatasetError(
            f"{path} cannot be read ({error}), so what was corrected by hand is not known; have "
            "the pictures checked again."
        ) from error
    return changes_from_dict(values if isinstance(values, Mapping) else {})


def keep_changes(folder: JobFolder, changes: Sequence[Change]) -> None:
    """Write what was changed by hand beside a table of pictures; nothing lies there for nothing.

    Raises:
        RunError: it cannot be written.
    """
    if changes:
        folder.write_json(CORRECTIONS, changes_to_dict(changes))
    else:
        (folder.path / CORRECTIONS).unlink(missing_ok=True)


def take_along(folder: JobFolder, table: str | None, rows: Sequence[Row]) -> tuple[Change, ...]:
    """The changes that are in the rows of a run, kept in its folder from its first start on.

    They lie beside the table of pictures that it is given, and would change with that.

    Raises:
        DatasetError: they cannot be read.
        RunError: they cannot be written.
    """
    if table is not None and not (folder.path / SPLIT).exists():
        labels = {row.file: row.label for row in rows}
        changes = changes_in(Path(table).parent)
        keep_changes(folder, [each for each in changes if labels.get(each.file, "") == each.label])
    return changes_in(folder.path)


def _told(line: bytes) -> dict[str, Any] | None:
    """What a line says; None for one that a crash cut short."""
    try:
        told = json.loads(line)
    except ValueError:
        return None
    is_whole = isinstance(told, dict) and isinstance(told.get("run"), str)
    return told if is_whole else None


def _take_back(stack: list[Correction], run: str) -> Correction | None:
    for place in reversed(range(len(stack))):
        if stack[place].run == run:
            return stack.pop(place)
    return None


@contextmanager
def _alone(folder: DataFolder) -> Iterator[None]:
    try:
        with locks.locked(folder.path / LOCK, WAIT_S) as is_mine:
            if not is_mine:
                raise RunError(
                    "Another tab is still writing a decision; wait a moment, then try again."
                )
            yield
    except OSError as error:
        raise RunError(
            f"The decision cannot be kept ({error.strerror or error}). If the pictures are still "
            "here, make room on the server's disk, then try again."
        ) from error


def _append(folder: DataFolder, told: Mapping[str, object]) -> None:
    line = json.dumps({"time": round(time.time(), 3), **told}) + "\n"
    with (folder.path / DECISIONS).open("ab+") as lines:
        size = lines.seek(0, 2)
        if size > MAX_BYTES:
            raise RunError(
                f"More decisions were made about these pictures than are kept ({size:,} bytes). "
                "Save the corrections, and give the pictures anew."
            )
        if size:
            lines.seek(-1, 2)
            if lines.read(1) != b"\n":
                # A crash cut the last line short.
                line = "\n" + line
        lines.write(line.encode())
