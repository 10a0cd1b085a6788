"""What is known of a data set before anything is trained on it, as plain values."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from leukemia_app.data.leaks import LeakReport

FORMAT_VERSION = 1
LEVELS = ("red", "amber", "plain")
"""How much a note matters: what spoils every figure, what to look at, what to know."""


@dataclass(frozen=True, kw_only=True)
class Note:
    """One sentence or two about the data set, with what to do."""

    level: str
    """One of `LEVELS`."""
    text: str


@dataclass(frozen=True, kw_only=True)
class Problem:
    """A file that cannot be used."""

    file: str
    reason: str
    """For the person at the screen; it names the file."""


@dataclass(frozen=True, kw_only=True)
class ClassCount:
    """What there is of a class."""

    label: str
    raw_labels: tuple[str, ...]
    """What the data set calls it."""
    n_pictures: int
    n_groups: int
    shown: tuple[str, ...]
    """Files for the sample grid, evenly over the groups."""


@dataclass(frozen=True, kw_only=True)
class SizeCount:
    """Pictures of one size, in pixels."""

    columns: int
    rows: int
    n_pictures: int


@dataclass(frozen=True, kw_only=True)
class Flag:
    """A picture with a fault that can be measured."""

    file: str
    label: str
    kind: str
    """As `imaging.quality.Finding` has it."""
    sentence: str
    refer: bool
    """Whether it is so bad that a model would refuse to answer."""


@dataclass(frozen=True, kw_only=True)
class Twins:
    """Pictures that show the same thing."""

    files: tuple[str, ...]
    labels: tuple[str, ...]
    """Each once; more than one is a conflict."""
    groups: tuple[str, ...]
    """As the data set names them, each once; more than one: these are not independent."""
    is_exact: bool
    """Whether their pixels are the same."""


@dataclass(frozen=True, kw_only=True)
class Giveaway:
    """Something that is no blood and stands in pictures."""

    what: str
    share_by_label: Mapping[str, float]
    """Share of each class's pictures that have it, 0 to 1."""
    differs: bool
    """Whether the shares differ so much that a class can be told by it."""
    sentence: str


@dataclass(frozen=True, kw_only=True)
class Measure:
    """A figure with its 95 % interval; None where it is not defined."""

    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, kw_only=True)
class Control:
    """How well the classes are told apart by what is not the cells."""

    name: str
    """`colour`, `size` or `background`."""
    seen: str
    """What alone was looked at."""
    verdict: str
    """`red`, `amber`, `clear`, or `open` where it could not be measured."""
    sentence: str
    n_learn: int
    n_test: int
    n_test_groups: int
    auroc: Measure
    balanced_accuracy: Measure
    macro_f1: Measure
    across: Measure
    """AUROC in cross-validation by group over train and test, where the test part has too few
    groups for an interval; else not defined."""


@dataclass(frozen=True, kw_only=True)
class Health:
    """Everything the health check found; `to_dict` is health.json."""

    name: str
    n_found: int
    """Pictures that the layout names."""
    n_read: int
    """Of these, how many can be read."""
    layout: str
    ignored: Mapping[str, int]
    """Files that are no entry, counted by kind."""
    classes: tuple[ClassCount, ...]
    sizes: tuple[SizeCount, ...]
    """The most frequent first."""
    n_sizes: int
    formats: Mapping[str, int]
    problems: tuple[Problem, ...]
    """In file order."""
    flags: tuple[Flag, ...]
    """In file order."""
    twins: tuple[Twins, ...]
    """Conflicts of labels first."""
    giveaways: tuple[Giveaway, ...]
    group_level: str
    """patient, run or image."""
    n_groups: int
    balance: str
    """The imbalance and what training does about it, in a sentence."""
    split: LeakReport
    """Parts of the split that will be used, and what they share."""
    n_left_out: int
    """Pictures that stand in no part, because their group stands in a stricter one."""
    controls: tuple[Control, ...]
    """On that very split; empty where it has no test part of two classes."""
    notes: tuple[Note, ...]
    """The worst first."""

    @property
    def shown(self) -> tuple[str, ...]:
        """Every file that is shown as a picture, each once."""
        files = [file for item in self.classes for file in item.shown]
        files += [item.file for item in shown_flags(self.flags)]
        files += [file for item in self.twins[:MAX_TWINS] for file in item.files[:MAX_OF_TWINS]]
        return tuple(dict.fromkeys(files))

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"format_version": FORMAT_VERSION} | asdict(self)


MAX_FLAGS = 12
"""Pictures shown of each kind of fault."""
MAX_TWINS = 12
MAX_OF_TWINS = 3
"""Sets of twins shown, and pictures of each."""


def shown_flags(flags: tuple[Flag, ...]) -> tuple[Flag, ...]:
    """The flags that are shown as pictures: the first of each kind."""
    counts: dict[str, int] = {}
    kept = []
    for flag in flags:
        counts[flag.kind] = counts.get(flag.kind, 0) + 1
        if counts[flag.kind] <= MAX_FLAGS:
            kept.append(flag)
    return tuple(kept)
