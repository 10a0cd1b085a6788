"""Pictures of known class, wherever they lie, for models that are to be scored on them."""

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from leukemia_app.archives.safe_names import safe_name
from leukemia_app.data.aliases import suggested_label
from leukemia_app.data.archive import ZipLimits, unpack
from leukemia_app.data.layouts import discover
from leukemia_app.data.manifest import Row, read_manifest
from leukemia_app.errors import DatasetError, ImageError, UnknownLabelsError
from leukemia_app.evaluation.ask import Sample
from leukemia_app.evaluation.compare import LabelledSet
from leukemia_app.evaluation.label_map import LabelMap
from leukemia_app.imaging.decode import DEFAULT_LIMITS, Limits, read_picture


@dataclass(frozen=True, kw_only=True)
class LabelledFolder:
    """Pictures with label and group below a folder."""

    folder: Path
    rows: tuple[Row, ...]
    """With the labels that its folders or its table have."""
    group_level: str
    """`patient`, `run` or `image`."""
    part: str
    """Which part of a split these are; `all` where none is known."""
    limits: Limits = DEFAULT_LIMITS
    """What a file may cost."""

    def known(self, labels: LabelMap) -> tuple[Row, ...]:
        """The rows whose label the map knows, with that label as the map has it."""
        names = {row.label: _name_in(labels, row.label) for row in self.rows}
        return tuple(
            replace(row, label=name) for row in self.rows if (name := names[row.label]) is not None
        )

    def labelled(self, labels: LabelMap) -> LabelledSet:
        """Those of its pictures whose labels the map knows, to be passed through.

        Raises:
            UnknownLabelsError: the map knows none of the labels.
        """
        known = self.known(labels)
        other = Counter(row.label for row in self.rows if _name_in(labels, row.label) is None)
        if not known:
            stated = sorted(set().union(*labels.members.values()))
            raise UnknownLabelsError(
                f"{self.folder.name} has the labels {', '.join(sorted(other))}, and the models "
                f"know {', '.join(stated)}. Call the folders so, or state in the label map "
                "which is which.",
                tuple(sorted(other)),
            )
        problems: list[str] = []
        return LabelledSet(
            samples=lambda: samples_of(self.folder, enumerate(known), self.limits, problems),
            n=len(known),
            split={"part": self.part, "level": self.group_level},
            unreadable=problems,
            unmapped=dict(other),
        )


def labelled_folder(
    folder: Path, *, groups: Path | None = None, group_level: str | None = None,
    part: str = "test", limits: Limits = DEFAULT_LIMITS,
) -> LabelledFolder:  # fmt: skip
    """The pictures in a folder: of `part` where the data names parts, else all.

    Without the table `groups` the layout says labels, groups and parts, as for training.

    Raises:
        DatasetError: the folder cannot be understood, or holds no picture of that part.
    """
    if groups is not None:
        manifest = read_manifest(folder, groups, group_level)
        rows, level = manifest.rows, manifest.group_level
    else:
        found = discover(folder)
        if not found.entries:
            raise DatasetError(
                f"{folder.name} holds several kinds of the same pictures; give the folder of one: "
                f"{', '.join(found.choices)}."
            )
        rows = tuple(
            Row(file=entry.file, label=entry.raw_label, group=entry.group or entry.file,
                part=entry.part)
            for entry in found.entries if entry.label
        )  # fmt: skip
        level = found.group_level or "image"
    if not any(row.part for row in rows):
        return LabelledFolder(folder=folder, rows=rows, group_level=level, part="all",
                              limits=limits)  # fmt: skip
    chosen = tuple(row for row in rows if row.part == part)
    if not chosen:
        parts = ", ".join(sorted({row.part for row in rows if row.part}))
        raise DatasetError(f"{folder} has no picture in part {part!r}; its parts are {parts}.")
    return LabelledFolder(folder=folder, rows=chosen, group_level=level, part=part, limits=limits)


def _name_in(labels: LabelMap, label: str) -> str | None:
    """The map's own name for a label: the same, or one that means the same; None without any."""
    if labels.common(label) is not None:
        return label
    meant = suggested_label(label).casefold()
    alike = [
        name for members in labels.members.values() for name in members
        if suggested_label(name).casefold() == meant
    ]  # fmt: skip
    return alike[0] if len({labels.common(name) for name in alike}) == 1 else None


@contextmanager
def opened(place: Path, zips: ZipLimits) -> Iterator[Path]:
    """A folder of pictures: `place` itself, or what a zip archive holds for as long as it is open.

    Raises:
        DatasetError: there is nothing, or the archive cannot be used.
    """
    if place.is_dir():
        yield place
        return
    if not place.is_file():
        raise DatasetError(f"There is no {place}; give a folder of class folders, or a zip of one.")
    with TemporaryDirectory(prefix="leukemia-compare-") as scratch:
        into = Path(scratch) / safe_name(place.stem)
        unpack([place], into, zips)
        yield into


def samples_of(
    folder: Path, rows: Iterable[tuple[int, Row]], limits: Limits, problems: list[str]
) -> Iterator[Sample]:
    """Pictures of the numbered rows one after another; a sentence in `problems` for each other."""
    for number, row in rows:
        try:
            picture = read_picture(folder / row.file, limits)
        except ImageError as error:
            problems.append(str(error))
            continue
        yield Sample(
            picture=picture, label=row.label, group=row.group, file=row.file, number=number
        )
