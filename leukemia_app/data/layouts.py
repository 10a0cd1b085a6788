"""What a folder of pictures is: its classes, parts and groups, however it is laid out."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from leukemia_app.archives.safe_names import counted
from leukemia_app.data.aliases import labels_by_raw, tidy_label
from leukemia_app.data.class_folders import check_choice, part_of, parts_in, place
from leukemia_app.data.folder_files import FolderFiles, files_in
from leukemia_app.data.groups import cnmc_patient
from leukemia_app.data.label_tables import Line, Table, match, read_table
from leukemia_app.errors import DatasetError

UNNAMED = "pictures that no table names"
NO_LABEL = "pictures without a label in the table"
LEFT_OUT = "pictures of classes left out"

_ADVICE = (
    "Put the pictures of each class into a folder of its name, or add a CSV with the columns file "
    "and label."
)


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One picture, and what the data set says about it."""

    file: str
    """Path below the folder of `Found`, with forward slashes."""
    raw_label: str
    """As the folder or the table has it."""
    label: str
    group: str = ""
    """Patient, slide or run; empty where it is not known."""
    part: str = ""
    """`train`, `val`, `test`, or empty where none is given."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a folder was understood to be."""

    folder: Path
    entries: tuple[Entry, ...]
    """In file order; none as long as a choice must be made."""
    layout: str
    """In words, as `class folders`."""
    group_level: str | None
    """What the groups stand for, `patient` or `run`; None where no group is known."""
    ignored: Mapping[str, int]
    """Files that are no entry, counted by kind."""
    choices: tuple[str, ...]
    """What `choice` may be; it must be made where there are no entries."""
    notes: tuple[str, ...]
    """What was done and what does not fit, in sentences."""
    labels: Mapping[str, str]
    """The label of each raw label; empty where its class is left out."""


def discover(
    folder: Path,
    *,
    table: Path | None = None,
    choice: str | None = None,
    aliases: Mapping[str, str] | None = None,
) -> Found:
    """The pictures below `folder` with the label, group and part that the layout gives them.

    Understood are class folders at any depth, train, val and test folders, C-NMC as its archives
    unpack, and tables: `table`, or CSV files at the top. A table without labels adds its groups to
    what the folders say. `aliases` gives labels to raw ones, two of which may become one; an empty
    label leaves a class out.

    Raises:
        DatasetError: there is no folder, no picture or no label; the table cannot be read or fits
            no picture; `choice` or `aliases` names what is not there.
    """
    files = files_in(folder)
    if not files.pictures:
        counts = "; ".join(f"{kind}: {count:,}" for kind, count in files.ignored.items())
        raise DatasetError(f"{folder.name} holds no pictures{f' ({counts})' if counts else ''}.")
    draft = _Draft(ignored=Counter(files.ignored))
    if table is not None:
        draft.take_table(_given_table(folder, table), files.pictures, is_given=True)
    else:
        _take_found_tables(folder, files, draft)
    _take_folders(files, choice, draft)
    if not draft.entries and not draft.choices:
        raise DatasetError(
            f"{folder.name} holds {counted(len(files.pictures), 'picture')}, but nothing says "
            f"which is what. {_ADVICE}"
        )
    return _found(folder, draft, aliases or {})


@dataclass(kw_only=True)
class _Draft:
    """What is gathered about a folder, one source after the other."""

    entries: dict[str, Entry] = field(default_factory=dict)
    """By file; labels come last."""
    group_lines: dict[str, Line] = field(default_factory=dict)
    """Of tables that give groups alone, by file."""
    layouts: list[str] = field(default_factory=list)
    levels: set[str] = field(default_factory=set)
    ignored: Counter[str] = field(default_factory=Counter)
    choices: tuple[str, ...] = ()
    notes: list[str] = field(default_factory=list)
    has_labels: bool = False
    """Whether a table, other than that of C-NMC, gave the labels."""

    def take_table(self, table: Table, pictures: Sequence[str], *, is_given: bool) -> None:
        """Take what `table` says about `pictures`."""
        matched = match(table, _preliminary(pictures) if table.is_cnmc else pictures)
        if not matched.lines:
            text = f"{table.name} names no picture of this folder. {' '.join(matched.notes)}"
            if is_given:
                raise DatasetError(f"{text} Give paths below the folder in the column file.")
            self.notes.append(f"{text} It was not used.")
            return
        self.notes.extend(matched.notes)
        if table.group_level:
            self.levels.add(table.group_level)
        if not table.has_labels:
            self.group_lines.update(matched.lines)
            return
        self.layouts.append("C-NMC" if table.is_cnmc else "table")
        self.has_labels |= not table.is_cnmc
        stem_part = part_of(PurePosixPath(table.name).stem)
        for file, line in matched.lines.items():
            self._take_line(file, line, part_of(line.part) or stem_part)

    def _take_line(self, file: str, line: Line, part: str) -> None:
        entry = Entry(file=file, raw_label=tidy_label(line.label), label="", group=line.group,
                      part=part)  # fmt: skip
        if not entry.raw_label:
            self.ignored[NO_LABEL] += 1
        elif self.entries.setdefault(file, entry) != entry:
            first = self.entries[file]
            raise DatasetError(
                f"Two tables say different things about {file}: {first.raw_label} "
                f"{first.part} and {entry.raw_label} {entry.part}. Keep one line for it."
            )


def _given_table(folder: Path, table: Path) -> Table:
    home, above = folder.resolve(), table.resolve().parent
    inside = above.relative_to(home).as_posix() if above.is_relative_to(home) else "."
    return read_table(table, "" if inside == "." else inside)


def _take_found_tables(folder: Path, files: FolderFiles, draft: _Draft) -> None:
    for name in files.tables:
        above = PurePosixPath(name).parent
        try:
            table = read_table(folder / name, "" if above == PurePosixPath() else str(above))
        except DatasetError as error:
            draft.notes.append(f"{name} was not used as a table of labels. {error}")
            continue
        is_at_top = all(PurePosixPath(file).is_relative_to(above) for file in files.pictures)
        if is_at_top or table.is_cnmc:
            draft.take_table(table, files.pictures, is_given=False)
        else:
            draft.notes.append(f"{name} was not used: a table of labels lies above all pictures.")


def _preliminary(pictures: Sequence[str]) -> Sequence[str]:
    """C-NMC's preliminary test set: the final one has the same names, but no labels."""
    preliminary = [file for file in pictures if "prelim" in file.casefold()]
    return preliminary or [file for file in pictures if "_final_" not in file.casefold()]


def _take_folders(files: FolderFiles, choice: str | None, draft: _Draft) -> None:
    """Take what the folders say about the pictures that no table labels."""
    rest = [file for file in files.pictures if file not in draft.entries]
    if draft.has_labels:
        if choice is not None:
            check_choice(choice, ())
        parts = parts_in(files.pictures)
        draft.ignored[UNNAMED] += len(rest) - draft.ignored[NO_LABEL]
        draft.entries = {
            file: replace(entry, part=entry.part or parts[file])
            for file, entry in draft.entries.items()
        }
        return
    is_cnmc = bool(draft.entries)
    found = place(rest, choice)
    draft.choices = found.choices
    draft.notes.extend(found.notes)
    draft.ignored.update(found.ignored)
    for file, at in found.places.items():
        part = at.part or ("train" if is_cnmc else "")
        draft.entries[file] = Entry(file=file, raw_label=at.raw_label, label="", group=at.group,
                                    part=part)  # fmt: skip
    if found.places and not is_cnmc:
        parted = any(at.part for at in found.places.values())
        draft.layouts.append("train, val and test folders" if parted else "class folders")
    if any(at.group for at in found.places.values()):
        draft.levels.add("run")
    if found.choices and not found.places:
        draft.entries = {}


def _found(folder: Path, draft: _Draft, aliases: Mapping[str, str]) -> Found:
    entries = _grouped(draft)
    labels = labels_by_raw((entry.raw_label for entry in entries), aliases) if entries else {}
    kept = [replace(entry, label=labels[entry.raw_label]) for entry in entries]
    draft.ignored[LEFT_OUT] += sum(not entry.label for entry in kept)
    kept = [entry for entry in kept if entry.label]
    if entries and not kept:
        raise DatasetError(f"All classes of {folder.name} are left out; keep at least two.")
    if len({entry.part for entry in kept}) == 1:  # a part that all pictures share divides nothing
        kept = [replace(entry, part="") for entry in kept]
    has_groups = any(entry.group for entry in kept)
    return Found(
        folder=folder,
        entries=tuple(sorted(kept, key=lambda entry: entry.file)),
        layout=" and ".join(dict.fromkeys(draft.layouts)),
        group_level=("patient" if "patient" in draft.levels else "run") if has_groups else None,
        ignored={kind: count for kind, count in sorted(draft.ignored.items()) if count},
        choices=draft.choices,
        notes=tuple(draft.notes),
        labels=labels,
    )


def _grouped(draft: _Draft) -> list[Entry]:
    """The entries with groups from tables, else from names as C-NMC has them, else as they are."""
    entries = []
    for entry in draft.entries.values():
        line = draft.group_lines.get(entry.file, Line(names=()))
        patient = cnmc_patient(entry.file)
        group = line.group or entry.group or patient
        if patient and group == patient:
            draft.levels.add("patient")
        entries.append(replace(entry, group=group, part=entry.part or part_of(line.part)))
    return entries
