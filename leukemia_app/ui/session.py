"""What one visitor has given and got; small, as it is kept between events."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from leukemia_app.bundles.reading import Reading
from leukemia_app.evaluation.results import Unread


@dataclass(frozen=True, kw_only=True)
class Given:
    """One file as the browser gave it: where it lies, or why it never arrived."""

    name: str
    path: Path | None
    problem: str | None = None
    input: str | None = None
    """`field` or `cell` where the picture is an example; None for a visitor's own."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """One picture of the session with what came of it."""

    given: Given
    result: Reading | Unread
    thumbnail: str = ""
    """Address of a small picture; empty where the file is none."""

    @property
    def reading(self) -> Reading | None:
        """What the model said; None where the file was not read."""
        return self.result if isinstance(self.result, Reading) else None

    @property
    def failure(self) -> Unread | None:
        """Why the file was not read; None where it was."""
        return self.result if isinstance(self.result, Unread) else None


@dataclass(frozen=True, kw_only=True)
class Session:
    """The model in use, the pictures given, and which of them is open."""

    model: str | None = None
    cases: tuple[Case, ...] = ()
    opened: int = 0
    label: str | None = None
    """The class whose map is asked for; None for the top class."""
    one_smear: bool = True
    """Whether the pictures are of one patient's smear, so that they may be counted together."""
    note: str = ""
    """What the page did of itself and owns up to, such as changing the model."""

    @property
    def open_case(self) -> Case | None:
        """The picture in the viewer; None while nothing was given."""
        return self.cases[self.opened] if self.cases else None

    @property
    def readings(self) -> tuple[Reading, ...]:
        """What the model said of every picture that could be read."""
        return tuple(case.reading for case in self.cases if case.reading is not None)

    def opening(self, index: int) -> "Session":
        """The same with another picture open; a place outside the row changes nothing."""
        if not 0 <= index < len(self.cases):
            return self
        return replace(self, opened=index, label=None)

    def with_cases(self, cases: Sequence[Case]) -> "Session":
        """The same with other pictures, the first that was read open."""
        first = next((i for i, case in enumerate(cases) if case.reading is not None), 0)
        return replace(self, cases=tuple(cases), opened=first, label=None)
