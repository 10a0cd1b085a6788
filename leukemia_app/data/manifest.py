"""Which pictures there are, with label, group and part."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from leukemia_app.errors import DatasetError

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp")
PARTS = ("train", "val", "test", "")


@dataclass(frozen=True, kw_only=True)
class Row:
    """One picture of a data set."""

    file: str
    """Path below the data folder, with forward slashes."""
    label: str
    group: str
    """Patient or run; the file itself where nothing is known."""
    part: str = ""
    """`train`, `val`, `test`, or empty where no split is given."""


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """The pictures of a data set in file order; every file once."""

    folder: Path
    rows: tuple[Row, ...]
    group_level: str
    """What `group` stands for: patient, run or image."""

    def __post_init__(self) -> None:
        """Refuse files listed twice and unknown parts."""
        files = [row.file for row in self.rows]
        if len(set(files)) != len(files):
            twice = next(file for file in files if files.count(file) > 1)
            raise DatasetError(f"{twice} is listed twice; keep one line for it.")
        for row in self.rows:
            if row.part not in PARTS:
                raise DatasetError(f"{row.file}: part is {row.part!r}; use train, val or test.")

    @property
    def labels(self) -> tuple[str, ...]:
        """The label names in alphabetical order."""
        return tuple(sorted({row.label for row in self.rows}))

    def part(self, *parts: str) -> tuple[Row, ...]:
        """Rows of these parts."""
        return tuple(row for row in self.rows if row.part in parts)

    def path(self, row: Row) -> Path:
        """Where the picture of a row lies."""
        return self.folder / row.file


def read_manifest(
    folder: Path, groups: Path | None = None, group_level: str | None = None
) -> Manifest:
    """The data set in class folders under `folder`, or as a CSV `file,label,group[,part]` says.

    Raises:
        DatasetError: nothing is there, a column is missing, or the CSV names a missing file.
    """
    if not folder.is_dir():
        raise DatasetError(f"{folder} is not a folder; give the folder that holds the classes.")
    if groups is None:
        return Manifest(folder=folder, rows=_rows_of_folders(folder), group_level="image")
    return Manifest(
        folder=folder, rows=_rows_of_csv(folder, groups), group_level=group_level or "run"
    )


def pictures_in(folder: Path) -> tuple[Path, ...]:
    """Picture files anywhere below `folder`, by suffix, in path order; hidden ones left out.

    Raises:
        DatasetError: there is none.
    """
    found = tuple(
        path for path in sorted(folder.rglob("*"))
        if path.suffix.lower() in SUFFIXES
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )  # fmt: skip
    if not found:
        raise DatasetError(f"{folder} holds no pictures ({', '.join(SUFFIXES)}).")
    return found


def _rows_of_folders(folder: Path) -> tuple[Row, ...]:
    rows = []
    for path in sorted(folder.glob("*/*")):
        if path.suffix.lower() in SUFFIXES and not path.name.startswith("."):
            file = f"{path.parent.name}/{path.name}"
            rows.append(Row(file=file, label=path.parent.name, group=file))
    if not rows:
        raise DatasetError(f"{folder} holds no class folders with pictures.")
    return tuple(rows)


def _rows_of_csv(folder: Path, groups: Path) -> tuple[Row, ...]:
    with groups.open(newline="", encoding="utf-8-sig") as lines:
        table: Sequence[Mapping[str, str]] = list(csv.DictReader(lines))
    columns = set(table[0]) if table else set()
    if missing := {"file", "label", "group"} - columns:
        raise DatasetError(f"{groups.name} lacks the columns {', '.join(sorted(missing))}.")
    for line in table:
        if not (folder / line["file"]).is_file():
            raise DatasetError(f"{groups.name} names {line['file']}, which is not in {folder}.")
    return tuple(
        Row(file=line["file"], label=line["label"], group=line["group"],
            part=line.get("part") or "")
        for line in table
    )  # fmt: skip
