"""What the review of a run does with the engine; no Gradio, no layout, and nothing kept here."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from leukemia_app.api import picture_limits
from leukemia_app.data.corrections import Correction, write_corrections
from leukemia_app.data.manifest import Row
from leukemia_app.errors import AppError, ImageError, RunError
from leukemia_app.imaging.decode import read_picture
from leukemia_app.training import review
from leukemia_app.training.corrections import decide, decisions, standing, undo
from leukemia_app.training.data_folder import SOURCE, DataFolder
from leukemia_app.training.report import small_jpeg
from leukemia_app.training.results import split_rows
from leukemia_app.training.review import Answer
from leukemia_app.training.run_folder import RunFolder
from leukemia_app.ui.bench import Bench
from leukemia_app.ui.review_text import ANEW, GONE, UNREADABLE

SHOWN_PX = 320
ALL = ""
"""The cell that stands for every picture."""


@dataclass(frozen=True, kw_only=True)
class Cell:
    """Pictures of one label that got one answer."""

    name: str
    n_pictures: int
    n_decided: int


@dataclass(frozen=True, kw_only=True)
class ReviewView:
    """Where somebody is in going through a run's answers."""

    run: str
    labels: tuple[str, ...]
    cells: tuple[tuple[Cell, ...], ...]
    """Rows: the data set's labels; columns: the answers."""
    parts: Mapping[str, int]
    """How many pictures there are to go through: of `test`, of `val`, and under "" of both."""
    part: str
    """Which of these the table and the pictures are of."""
    cell: str
    """The name of the open one; `ALL` for every picture."""
    answers: tuple[Answer, ...]
    """Of the open cell, the most wrong first."""
    at: int
    """Which of them is shown."""
    decisions: Mapping[str, Correction]
    """By file, those about pictures of this run."""
    label_of: Mapping[str, str]
    """What the data set says, by file of every picture."""
    n_wrong: int
    jpeg: bytes | None
    problem: str
    """Why nothing can be decided, or the picture not be shown."""
    can_decide: bool
    can_undo: bool
    can_train: bool
    """Whether something is corrected that the run did not learn from."""
    notes: tuple[str, ...]

    @property
    def answer(self) -> Answer:
        """What is shown."""
        return self.answers[self.at]

    def next_file(self, step: int) -> str:
        """The file so many pictures further, or at the end."""
        return self.answers[max(0, min(len(self.answers) - 1, self.at + step))].file


@dataclass(frozen=True, kw_only=True)
class ReviewDesk:
    """One server's reviews; whose run it is is asked with every call."""

    bench: Bench

    def view(
        self, owner: str, run: str, cell: str = ALL, file: str = "", *, part: str = "",
        step: int = 0,
    ) -> ReviewView | None:  # fmt: skip
        """The review so many pictures behind that file of the cell, which is the first if unknown.

        `part` shows the pictures of one part alone, `test` or `val`.

        None where the run kept no answer.

        Raises:
            RunError: there is no such run of that owner.
        """
        folder = self.bench.run_folder(owner, run)
        try:
            rows = split_rows(folder) or ()
            answers, labels = review.answers_of(folder, rows), folder.config().labels
        except AppError:
            # Of another version of the app: its report can be read all the same.
            return None
        if not answers:
            return None
        data = self._data(owner, folder)
        made = () if data is None else decisions(data)
        decided = {item.file: item for item in made}
        parts = {"": len(answers)} | Counter(item.part for item in answers)
        part = part if parts.get(part) else ""
        listed = tuple(item for item in answers if part in ("", item.part))
        by_cell = _by_cell(labels, listed)
        cell = cell if by_cell.get(cell) else ALL
        shown = by_cell.get(cell) or listed
        at = next((place for place, item in enumerate(shown) if item.file == file), -1)
        at = max(0, min(len(shown) - 1, at + step))
        jpeg, problem = None, GONE
        if data is not None:
            jpeg, problem = self._picture(data, shown[at].file)
        return ReviewView(
            run=run, labels=labels, cells=_cells(labels, by_cell, decided),
            parts=parts, part=part, cell=cell, answers=shown, at=at,
            label_of={item.file: item.label for item in answers},
            decisions={item.file: decided[item.file] for item in answers if item.file in decided},
            n_wrong=sum(not item.is_right for item in listed), jpeg=jpeg, problem=problem,
            can_decide=data is not None,
            can_undo=any(item.run == run for item in made),
            can_train=data is not None and _is_corrected(folder, rows, data),
            notes=(ANEW,) if data is not None and review.is_split_anew(rows, data) else (),
        )  # fmt: skip

    def decide(self, owner: str, run: str, file: str, label: str) -> None:
        """Keep that a picture of the run has that label, or none: it is dropped.

        Raises:
            RunError: there is no such run, picture or label, or the pictures are gone.
        """
        folder = self.bench.run_folder(owner, run)
        data = self._surely(owner, folder)
        if label and label not in folder.config().labels:
            raise RunError(f"{label!r} is no label of {run}; choose one of its own.")
        scored = review.answers_of(folder, split_rows(folder))
        if file not in {item.file for item in scored}:
            raise RunError(f"{file!r} is no picture that {run} was scored on.")
        decide(data, Correction(file=file, label=label, run=run))

    def undo(self, owner: str, run: str) -> str:
        """Take the last decision over that run back; the file it was about, or empty.

        Raises:
            RunError: there is no such run, or the pictures are gone.
        """
        taken = undo(self._surely(owner, self.bench.run_folder(owner, run)), run)
        return "" if taken is None else taken.file

    def train_again(self, owner: str, run: str) -> str:
        """Begin the same training on the corrected pictures; its id.

        Raises:
            RunError: as `training.review.train_again`, or the pictures are gone.
        """
        folder = self.bench.run_folder(owner, run)
        data = self._surely(owner, folder)
        return review.train_again(self.bench.runs, folder, data, owner).path.name

    def table(self, owner: str, run: str) -> bytes:
        """Every standing decision that changes a picture of the run's data set, as CSV.

        Raises:
            RunError: there is no such run, or the pictures are gone.
        """
        data = self._surely(owner, self.bench.run_folder(owner, run))
        return write_corrections(standing(data).values()).encode()

    def _surely(self, owner: str, folder: RunFolder) -> DataFolder:
        data = self._data(owner, folder)
        if data is None:
            raise RunError(GONE)
        return data

    def _data(self, owner: str, folder: RunFolder) -> DataFolder | None:
        """The data set of a run, if it is one of that owner's and still there."""
        pictures = Path(folder.config().data)
        data = DataFolder(path=pictures.parent)
        is_here = data.path.parent.resolve() == self.bench.data.checks.root.resolve()
        if not is_here or not (data.path / SOURCE).exists() or data.owner() != owner:
            return None
        try:
            return data if data.pictures.resolve() == pictures.resolve() else None
        except AppError:
            return None

    def _picture(self, data: DataFolder, file: str) -> tuple[bytes | None, str]:
        """A small JPEG made anew from the pixels: nothing else of the file is in it."""
        path = (data.pictures / file).resolve()
        if not path.is_relative_to(data.pictures.resolve()):
            return None, UNREADABLE
        try:
            pixels = read_picture(path, picture_limits(self.bench.settings)).pixels
        except (ImageError, OSError) as error:
            return None, f"{UNREADABLE} {error}" if isinstance(error, ImageError) else UNREADABLE
        return small_jpeg(pixels, SHOWN_PX), ""


def _is_corrected(folder: RunFolder, rows: Sequence[Row], data: DataFolder) -> bool:
    try:
        return review.is_corrected(folder, rows, data)
    except AppError:
        return False


def _by_cell(labels: Sequence[str], answers: Sequence[Answer]) -> dict[str, tuple[Answer, ...]]:
    found: dict[str, list[Answer]] = {}
    for item in answers:
        name = f"{labels.index(item.label)}-{labels.index(item.predicted)}"
        found.setdefault(name, []).append(item)
    return {name: tuple(items) for name, items in found.items()}


def _cells(
    labels: Sequence[str], by_cell: Mapping[str, Sequence[Answer]], decided: Mapping[str, object]
) -> tuple[tuple[Cell, ...], ...]:
    def cell(name: str) -> Cell:
        items = by_cell.get(name, ())
        return Cell(name=name, n_pictures=len(items),
                    n_decided=sum(item.file in decided for item in items))  # fmt: skip

    places = range(len(labels))
    return tuple(tuple(cell(f"{row}-{column}") for column in places) for row in places)
