"""Labels that a person changed by hand, and pictures that they took out: what was done to which."""

import csv
import io
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from leukemia_app.archives.safe_names import counted, listed
from leukemia_app.data.label_tables import MAX_TABLE_BYTES
from leukemia_app.data.manifest import Row
from leukemia_app.errors import DatasetError

DROPPED = "pictures dropped by hand"
COLUMNS = ("file", "label", "run")
PART_NAMES: Mapping[str, str] = {"test": "test", "val": "validation", "train": "training", "": ""}
"""The part whose figures suffer most first."""


@dataclass(frozen=True, kw_only=True)
class Correction:
    """What a person decided about a picture."""

    file: str
    label: str
    """The label that is right; empty: the picture is to be left out."""
    run: str = ""
    """The run whose answers they had seen; empty where that is not known."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """What a correction did to a picture, so that it can be told and taken back."""

    file: str
    was: str
    """The label before."""
    label: str
    """The label since; empty: the picture was left out."""
    group: str
    part: str
    run: str


@dataclass(frozen=True, kw_only=True)
class Corrected:
    """Rows with corrections in them."""

    rows: tuple[Row, ...]
    changes: tuple[Change, ...]


@dataclass(frozen=True, kw_only=True)
class Resolved:
    """Corrections by file, in the labels of today, and what could not be used, in sentences."""

    by_file: Mapping[str, Correction]
    notes: tuple[str, ...]


def correct(rows: Sequence[Row], corrections: Mapping[str, Correction]) -> Corrected:
    """`rows` with the corrections by file; group and part of a picture stay as they are.

    Doing it again changes nothing more; a correction to the label that a row has is no change.
    """
    kept, changes = [], []
    for row in rows:
        wish = corrections.get(row.file)
        if wish is None or wish.label == row.label:
            kept.append(row)
            continue
        changes.append(Change(file=row.file, was=row.label, label=wish.label, group=row.group,
                              part=row.part, run=wish.run))  # fmt: skip
        if wish.label:
            kept.append(replace(row, label=wish.label))
    return Corrected(rows=tuple(kept), changes=tuple(changes))


def restored(rows: Sequence[Row], changes: Iterable[Change]) -> tuple[Row, ...]:
    """The rows before these changes; where some had been left out, all are in file order."""
    by_file = {change.file: change for change in changes}
    found = [
        replace(row, label=by_file[row.file].was) if row.file in by_file else row for row in rows
    ]
    there = {row.file for row in rows}
    lost = [
        Row(file=change.file, label=change.was, group=change.group, part=change.part)
        for change in by_file.values()
        if change.file not in there and not change.label
    ]
    if not lost:
        return tuple(found)
    return tuple(sorted([*found, *lost], key=lambda row: row.file))


def resolve(
    corrections: Iterable[Correction],
    files: Iterable[str],
    labels: Iterable[str],
    called: Mapping[str, str],
) -> Resolved:
    """The corrections that fit these files and labels; `called` gives the label of a raw one.

    Of two for one file the last counts.
    """
    known, allowed = set(files), set(labels)
    found: dict[str, Correction] = {}
    gone, strange = [], []
    for item in corrections:
        label = item.label if item.label in allowed else called.get(item.label, "")
        if item.file not in known:
            gone.append(item.file)
        elif item.label and label not in allowed:
            strange.append(f"{item.label} ({item.file})")
        else:
            found[item.file] = replace(item, label=label if item.label else "")
    notes = []
    if gone:
        notes.append(f"Corrected by hand, but not among the pictures: {listed(gone)}.")
    if strange:
        notes.append(
            f"{counted(len(strange), 'correction')} by hand to a label that the data set has not, "
            f"now left aside: {listed(strange)}."
        )
    return Resolved(by_file=found, notes=tuple(notes))


def changes_words(changes: Iterable[Change]) -> str:
    """What was changed by hand and what that does to the figures; empty where nothing was."""
    changes = tuple(changes)
    if not changes:
        return ""
    counts: Counter[tuple[str, bool]] = Counter(
        (change.part if change.part in PART_NAMES else "", bool(change.label)) for change in changes
    )
    phrases = [
        f"{counted(n, f'{name} picture'.strip())} {'relabelled' if is_new_label else 'dropped'}"
        for part, name in PART_NAMES.items() for is_new_label in (True, False)
        if (n := counts[part, is_new_label])
    ]  # fmt: skip
    runs = sorted({change.run for change in changes if change.run})
    seen = f", after seeing the answers of {listed(runs)}" if runs else ""
    said = f"By hand{seen}: {', '.join(phrases)}."
    if any(change.part == "test" for change in changes):
        said += (
            " Figures on the test part are optimistic: its labels were changed where a person had "
            "looked, not everywhere."
        )
    return said


def write_corrections(corrections: Iterable[Correction]) -> str:
    """A CSV with file, label and run, as `read_corrections` reads it; no label: left out."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows([getattr(item, column) for column in COLUMNS] for item in corrections)
    return text.getvalue()


def read_corrections(path: Path) -> tuple[Correction, ...]:
    """The corrections of a CSV with the columns file and label, and perhaps run.

    Raises:
        DatasetError: it cannot be read, lacks a column, or a row has no file.
    """
    advice = "Save it as CSV, in UTF-8, with the columns file and label; no label drops a picture."
    try:
        if path.stat().st_size > MAX_TABLE_BYTES:
            raise ValueError(f"more than {MAX_TABLE_BYTES // 1_000_000} MB")
        text = path.read_bytes().decode("utf-8-sig")
        reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
        lines = list(reader)
    except (OSError, ValueError, csv.Error) as error:
        raise DatasetError(f"{path.name} cannot be read as corrections ({error}). {advice}"
                           ) from error  # fmt: skip
    if missing := {"file", "label"} - set(reader.fieldnames or ()):
        raise DatasetError(f"{path.name} lacks the column {' and '.join(sorted(missing))}. "
                           f"{advice}")  # fmt: skip
    found = []
    for number, line in enumerate(lines, 2):
        file, label, run = (line.get(column) or "" for column in COLUMNS)
        if not file.strip():
            raise DatasetError(f"{path.name}, line {number} names no file; name one, or take the "
                               "line out.")  # fmt: skip
        found.append(Correction(file=file.replace("\\", "/"), label=label.strip(),
                                run=run.strip()))  # fmt: skip
    return tuple(found)


def located(corrections: Iterable[Correction], files: Iterable[str]) -> tuple[Correction, ...]:
    """The corrections of a table, each at the file that its name means, where one does.

    A name may be the end of the one file's path, or have folders before it: the table may come
    from a page to which another folder was given. A bare name never does for another folder's.
    """
    known = set(files)
    by_end: dict[str, list[str]] = {}
    for file in sorted(known):
        for end in _ends(file):
            by_end.setdefault(end, []).append(file)

    def meant(name: str) -> str:
        if name in known:
            return name
        longer = by_end.get(name, [])
        shorter = [end for end in _ends(name) if end in known]
        found = longer or shorter
        return found[0] if len(found) == 1 else name

    return tuple(replace(item, file=meant(item.file)) for item in corrections)


def _ends(file: str) -> list[str]:
    """What is left of a path without its first folder, its first two, and so on."""
    parts = file.split("/")
    return ["/".join(parts[start:]) for start in range(1, len(parts))]


def changes_to_dict(changes: Iterable[Change]) -> dict[str, Any]:
    """Plain values, as corrections.json holds them."""
    return {"format_version": 1, "changes": [asdict(change) for change in changes]}


def changes_from_dict(values: Mapping[str, Any]) -> tuple[Change, ...]:
    """What `changes_to_dict` described.

    Raises:
        DatasetError: it holds something else.
    """
    try:
        changes = tuple(Change(**item) for item in values["changes"])
        texts = [text for change in changes for text in asdict(change).values()]
        if not all(isinstance(text, str) for text in texts):
            raise TypeError("a value is no text")
    except (KeyError, TypeError) as error:
        raise DatasetError(
            f"corrections.json holds no list of changes ({error}); have the pictures checked again."
        ) from error
    return changes
