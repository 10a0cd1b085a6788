"""What the parts of a split share: groups, and copies of one picture."""

from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from leukemia_app.archives.safe_names import counted, listed
from leukemia_app.data.groups import group_word
from leukemia_app.data.manifest import Row


@dataclass(frozen=True, kw_only=True)
class PartCount:
    """What one part holds."""

    n_pictures: int
    n_groups: int
    pictures_by_label: Mapping[str, int]
    groups_by_label: Mapping[str, int]


@dataclass(frozen=True, kw_only=True)
class LeakReport:
    """What the parts of a split hold and share."""

    group_level: str
    parts: Mapping[str, PartCount]
    shared_groups: tuple[str, ...]
    """Groups with pictures in more than one part."""
    shared_duplicates: tuple[tuple[str, ...], ...]
    """Files that are near-duplicates of each other and stand in more than one part."""
    notes: tuple[str, ...]
    """The same in sentences."""
    alone: tuple[str, ...] = ()
    """Labels of which the test part has one group only: no figure of them has an interval that
    means anything."""

    @property
    def is_clean(self) -> bool:
        """Whether nothing is shared, as far as the groups are known."""
        return not self.shared_groups and not self.shared_duplicates

    def to_dict(self) -> dict[str, Any]:
        """The report as plain values for JSON."""
        return asdict(self)


def leak_report(rows: Sequence[Row], group_level: str, clusters: Sequence[int]) -> LeakReport:
    """What the parts of `rows` hold and share.

    `clusters` has a number for each row, equal for near-duplicates (`near_duplicate_groups`).
    """
    by_part = defaultdict(list)
    for row in rows:
        by_part[row.part].append(row)
    order = [part for part in ("train", "val", "test", "") if part in by_part]
    parts = {part: _count(by_part[part]) for part in order}
    groups = _shared([row.group for row in rows], rows)
    duplicates = _shared(clusters, rows)
    shared_groups = tuple(sorted(members[0].group for members in groups))
    shared_duplicates = tuple(tuple(row.file for row in members) for members in duplicates)
    return LeakReport(
        group_level=group_level, parts=parts, shared_groups=shared_groups,
        shared_duplicates=shared_duplicates,
        notes=_notes(group_level, parts, shared_groups, shared_duplicates),
        alone=_alone(parts),
    )  # fmt: skip


def alone_words(labels: Sequence[str], group_level: str) -> str:
    """What labels with one group in the test part mean for the figures; empty without any."""
    if not labels:
        return ""
    noun = "picture" if group_level == "image" else group_word(group_level)
    of = f"the class {labels[0]}"
    if len(labels) > 1:
        of = f"each of these classes: {listed(labels)}"
    return (
        f"The test part has a single {noun} of {of}. Figures and intervals there say nothing of "
        f"other {noun}s. Give more {noun}s, or try another seed of the split."
    )


def _alone(parts: Mapping[str, PartCount]) -> tuple[str, ...]:
    if "test" not in parts:
        return ()
    return tuple(label for label, n in parts["test"].groups_by_label.items() if n == 1)


def _count(rows: Sequence[Row]) -> PartCount:
    pictures: dict[str, int] = defaultdict(int)
    groups = defaultdict(set)
    for row in rows:
        pictures[row.label] += 1
        groups[row.label].add(row.group)
    return PartCount(
        n_pictures=len(rows), n_groups=len({row.group for row in rows}),
        pictures_by_label=dict(sorted(pictures.items())),
        groups_by_label={label: len(groups[label]) for label in sorted(groups)},
    )  # fmt: skip


def _shared(keys: Sequence[Hashable], rows: Sequence[Row]) -> list[list[Row]]:
    """The rows of each key that stands in more than one part, in row order."""
    members = defaultdict(list)
    for key, row in zip(keys, rows, strict=True):
        members[key].append(row)
    return [found for found in members.values() if len({row.part for row in found}) > 1]


def _notes(
    level: str,
    parts: Mapping[str, PartCount],
    groups: Sequence[str],
    duplicates: Sequence[Sequence[str]],
) -> tuple[str, ...]:
    held = "; ".join(
        f"{part or 'no part'}: {counted(count.n_pictures, 'picture')}"
        + (f" of {counted(count.n_groups, group_word(level))}" if level != "image" else "")
        for part, count in parts.items()
    )
    notes = [f"{held}."]
    if level == "image":
        notes.append("The split is by image: pictures of one patient may stand on both sides, so "
                     "every figure is optimistic.")  # fmt: skip
    if groups:
        notes.append(f"{counted(len(groups), 'group')} in more than one part: {listed(groups)}. "
                     "Figures are optimistic.")  # fmt: skip
    elif level != "image":
        notes.append(f"No {group_word(level)} stands in two parts.")
    if duplicates:
        first = [" = ".join(files[:2]) for files in duplicates]
        notes.append(f"{counted(len(duplicates), 'picture')} with a near-duplicate in another "
                     f"part: {listed(first)}.")  # fmt: skip
    else:
        notes.append("No picture has a near-duplicate in another part.")
    return tuple(notes)
