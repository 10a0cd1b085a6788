"""Which pictures there are, with label, group and part."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from leukemia_app.errors import DatasetError

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp")
PARTS = ("train", "val", "test", "")
COLUMNS = ("file", "label", "group", "part")


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


def write_manifest(path: Path, rows: Sequence[Row]) -> None:
    """Write `rows` as the CSV that `read_manifest` reads; `path` is replaced at once or not at all.

    Raises:
        DatasetError: a row lacks its file, label or group, or has a name that is no text.
    """
    draft = path.with_name(f"{path.name}.part")
    with draft.open("w", newline="", encoding="utf-8") as lines:
        lines.write(table_of(rows))
    draft.replace(path)


def table_of(rows: Sequence[Row]) -> str:
    """`rows` as the text of that CSV.

    Raises:
        DatasetError: as `write_manifest`.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for row in rows:
        cells = [getattr(row, column) for column in COLUMNS]
        if not all(cells[:3]):
            raise DatasetError(f"{row.file or 'A row'} lacks its file, label or group; "
                               "give it all three.")  # fmt: skip
        try:
            "".join(cells).encode()
        except UnicodeEncodeError as error:
            raise DatasetError(
                f"{row.file!r} has a name that is no text; rename the file."
            ) from error
        writer.writerow(cells)
    return text.getvalue()


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
        is_hidden = path.name.startswith(".") or path.parent.name.startswith(".")
        if path.suffix.lower() in SUFFIXES and not is_hidden:
            file = f"{path.parent.name}/{path.name}"
            rows.append(Row(file=file, label=path.parent.name, group=file))
    if not rows:
        raise DatasetError(f"{folder} holds no class folders with pictures.")
    return tuple(rows)


def _rows_of_csv(folder: Path, groups: Path) -> tuple[Row, ...]:
    try:
        with groups.open(newline="", encoding="utf-8-sig") as lines:
            reader = csv.DictReader(lines, strict=True)
            table: Sequence[Mapping[str, str | None]] = list(reader)
            columns = set(reader.fieldnames or ())
    except FileNotFoundError as error:
        raise DatasetError(f"There is no table {groups}; check its path.") from error
    except (OSError, ValueError, csv.Error) as error:
        raise DatasetError(
            f"{groups} cannot be read as a table ({error}). Save it as CSV, in UTF-8, with the "
            "columns file, label, group and perhaps part."
        ) from error
    if missing := {"file", "label", "group"} - columns:
        raise DatasetError(f"{groups.name} lacks the columns {', '.join(sorted(missing))}.")
    if not table:
        raise DatasetError(f"{groups.name} names no picture; add a line for each.")
    return tuple(_row_of_line(folder, f"{groups.name}, row {number}", line)
                 for number, line in enumerate(table, 1))  # fmt: skip


def _row_of_line(folder: Path, where: str, line: Mapping[str, str | None]) -> Row:
    file, label, group = (line[name] or "" for name in ("file", "label", "group"))
    for name, value in (("file", file), ("label", label), ("group", group)):
        if not value:
            raise DatasetError(f"{where} has no {name}; fill it in, or take the row out.")
    if Path(file).is_absolute() or ".." in Path(file).parts:
        raise DatasetError(f"{where} names {file}, which leads out of {folder}; "
                           "give the path below it.")  # fmt: skip
    if not (folder / file).is_file():
        raise DatasetError(f"{where} names {file}, which is not in {folder}.")
    return Row(file=file, label=label, group=group, part=line.get("part") or "")
