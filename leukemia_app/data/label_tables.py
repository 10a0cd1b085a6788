"""What a table says about pictures: label, group and part, in whatever words its columns have."""

import csv
import io
import re
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import itemgetter
from pathlib import Path, PurePosixPath

from leukemia_app.archives.safe_names import counted, listed
from leukemia_app.data.class_folders import part_of
from leukemia_app.data.groups import cnmc_patient
from leukemia_app.errors import DatasetError

MAX_TABLE_BYTES = 50_000_000
MAX_ROWS = 1_000_000

_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "file": ("file", "filename", "file_name", "path", "filepath", "file_path", "image",
             "image_name", "image_path", "image_id", "img", "picture"),
    "label": ("label", "labels", "class", "class_name", "category", "target"),
    "group": ("patient", "patient_id", "subject", "subject_id", "case", "case_id", "group",
              "slide", "slide_id", "run"),
    "part": ("part", "split", "subset"),
}  # fmt: skip
"""What each column may be called; of several in one table the first counts."""
_PATIENT = ("patient", "subject", "case")
_CNMC_COLUMNS = frozenset({"patient_id", "new_names", "labels"})
_CNMC_LABEL = {"1": "all", "0": "hem"}
_NOT_WORD = re.compile(r"\W+")


@dataclass(frozen=True, kw_only=True)
class Line:
    """What one row of a table says."""

    names: tuple[str, ...]
    """What the picture is called, the likeliest first."""
    label: str = ""
    group: str = ""
    part: str = ""


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table of labels, groups or both."""

    name: str
    folder: str
    """Where it lies below the data folder, with forward slashes; empty at its top or outside."""
    lines: tuple[Line, ...]
    has_labels: bool
    group_level: str | None
    is_cnmc: bool = False
    """The labels of the preliminary test set of C-NMC, and nothing else."""


@dataclass(frozen=True, kw_only=True)
class Matched:
    """The rows of a table at their pictures."""

    lines: Mapping[str, Line]
    """By file."""
    notes: tuple[str, ...]


def read_table(path: Path, folder: str = "") -> Table:
    """The table in a CSV file; columns may be parted by comma, semicolon or tab.

    Raises:
        DatasetError: it cannot be read, or has no column for the file or none for label or group.
    """
    rows = _rows(path)
    header = [_NOT_WORD.sub("_", cell.strip().casefold()).strip("_") for cell in rows[0]]
    if set(header) >= _CNMC_COLUMNS:
        return Table(name=path.name, folder=folder, lines=_cnmc_lines(path, header, rows[1:]),
                     has_labels=True, group_level="patient", is_cnmc=True)  # fmt: skip
    at = {}
    for column, names in _COLUMNS.items():
        found = [name for name in names if name in header]
        if found:
            at[column] = header.index(found[0])
    if "file" not in at or not at.keys() & {"label", "group"}:
        raise DatasetError(
            f"{path.name} has the columns {', '.join(rows[0])}; it needs file, and label or group."
        )
    lines = []
    for cells in rows[1:]:
        cell = {column: cells[place].strip() for column, place in at.items() if place < len(cells)}
        if name := cell.get("file", "").replace("\\", "/"):
            lines.append(Line(names=(name,), label=cell.get("label", ""),
                              group=cell.get("group", ""), part=cell.get("part", "")))  # fmt: skip
    level = None
    if "group" in at:
        level = "patient" if header[at["group"]].startswith(_PATIENT) else "run"
    return Table(name=path.name, folder=folder, lines=tuple(lines), has_labels="label" in at,
                 group_level=level)  # fmt: skip


def match(table: Table, files: Iterable[str]) -> Matched:
    """The rows of `table` at the pictures they name; what fits none is said in the notes.

    A name may be the path below the data folder or the table's, a longer path that ends like it,
    or the bare name, with or without its suffix, where only one picture is called so.
    """
    find = _Finder(files, table.folder)
    lines: dict[str, Line] = {}
    missing, twice, torn = [], [], set()
    for line in table.lines:
        file = next((found for name in line.names if (found := find(name))), None)
        if file is None:
            missing.append(line.names[0])
        elif file not in lines:
            lines[file] = line
        elif replace(lines[file], names=()) == replace(line, names=()):
            twice.append(file)
        else:
            torn.add(file)
    for file in torn:
        del lines[file]
    return Matched(lines=lines, notes=_notes(table, missing, twice, sorted(torn)))


def _notes(
    table: Table, missing: Sequence[str], twice: Sequence[str], torn: Sequence[str]
) -> tuple[str, ...]:
    notes = []
    if missing:
        notes.append(f"{table.name} names {counted(len(missing), 'picture')} that cannot be found "
                     f"here by the name alone: {listed(missing)}.")  # fmt: skip
    if twice:
        notes.append(
            f"{table.name} names {counted(len(twice), 'picture')} more than once: {listed(twice)}."
        )
    if torn:
        notes.append(f"{table.name} says different things about {counted(len(torn), 'picture')}, "
                     f"now left out: {listed(torn)}.")  # fmt: skip
    strange = Counter(line.part for line in table.lines if line.part and not part_of(line.part))
    if strange:
        notes.append(f"{table.name} has parts other than train, val and test, which are not used: "
                     f"{listed(sorted(strange))}.")  # fmt: skip
    return tuple(notes)


_Place = tuple[tuple[str, ...], str]
"""The folders above a file, the innermost first and without case, and the file."""


class _Finder:
    """Finds the picture that a row means, at the cost of the row: others may be many."""

    def __init__(self, files: Iterable[str], folder: str) -> None:
        self._folder = folder
        self._files = frozenset(files)
        self._by_name: dict[str, list[_Place]] = defaultdict(list)
        self._by_stem: dict[str, list[_Place]] = defaultdict(list)
        for place in sorted((_folders(file.split("/")), file) for file in self._files):
            path = PurePosixPath(place[1])
            self._by_name[path.name.casefold()].append(place)
            self._by_stem[path.stem.casefold()].append(place)

    def __call__(self, name: str) -> str | None:
        path = PurePosixPath(name.removeprefix("./"))
        plain = str(path)
        below = f"{self._folder}/{plain}" if self._folder else plain
        for exact in (below, plain):
            if exact in self._files:
                return exact
        name_key, stem_key = path.name.casefold(), path.stem.casefold()
        alike = self._by_name.get(name_key) or self._by_stem.get(name_key)
        best = _longest_ends(alike or self._by_stem.get(stem_key, []), _folders(path.parts))
        return best[0] if len(best) == 1 else None


def _folders(parts: Sequence[str]) -> tuple[str, ...]:
    return tuple(part.casefold() for part in reversed(parts[:-1]))


def _longest_ends(places: Sequence[_Place], wanted: tuple[str, ...]) -> list[str]:
    """Files of the sorted `places` that share most folders with `wanted`; of several, two or more.

    So sorted they stand in a row around the place of `wanted`: two on each side are enough.
    """
    at = bisect_left(places, wanted, key=itemgetter(0))
    near = [(_n_same(folders, wanted), file) for folders, file in places[max(0, at - 2) : at + 2]]
    longest = max(near, default=(0, ""))[0]
    return [file for n_same, file in near if n_same == longest]


def _n_same(folders: Sequence[str], wanted: Sequence[str]) -> int:
    for number, (folder, other) in enumerate(zip(folders, wanted, strict=False)):
        if folder != other:
            return number
    return min(len(folders), len(wanted))


def _cnmc_lines(
    path: Path, header: Sequence[str], rows: Sequence[Sequence[str]]
) -> tuple[Line, ...]:
    lines = []
    for number, cells in enumerate(rows, 2):
        cell = dict(zip(header, cells, strict=False))
        first, second = cell.get("patient_id", "").strip(), cell.get("new_names", "").strip()
        label = cell.get("labels", "").strip()
        if label not in _CNMC_LABEL:
            raise DatasetError(f"{path.name}, line {number}: labels is {label!r}; use 1 for all, "
                               "0 for hem.")  # fmt: skip
        lines.append(Line(names=(second, first), label=_CNMC_LABEL[label],
                          group=cnmc_patient(first), part="test"))  # fmt: skip
    return tuple(lines)


def _rows(path: Path) -> list[list[str]]:
    advice = (
        "Save it as CSV, in UTF-8, with the columns file and label, and perhaps group and part."
    )
    try:
        if path.stat().st_size > MAX_TABLE_BYTES:
            raise ValueError(f"more than {MAX_TABLE_BYTES // 1_000_000} MB")
        text = path.read_bytes().decode("utf-8-sig")  # as text, ends of lines in names would change
        head = text.partition("\n")[0]
        delimiter = max(",;\t", key=head.count)
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        rows = [row for row in reader if any(cell.strip() for cell in row)]
    except FileNotFoundError as error:
        raise DatasetError(f"There is no table {path}; check its path.") from error
    except (OSError, ValueError, csv.Error) as error:
        raise DatasetError(f"{path.name} cannot be read as a table ({error}). {advice}") from error
    if not rows:
        raise DatasetError(f"{path.name} is empty. {advice}")
    if len(rows) > MAX_ROWS:
        raise DatasetError(f"{path.name} has more than {MAX_ROWS:,} rows. Part it.")
    return rows
