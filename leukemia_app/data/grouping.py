"""From what is known of each picture to the rows of a manifest, each with its group."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leukemia_app.archives.safe_names import counted, listed
from leukemia_app.data.groups import (
    NamedGroups,
    duplicate_links,
    group_word,
    joined_groups,
    suspected_groups,
)
from leukemia_app.data.layouts import Entry
from leukemia_app.data.manifest import Row


@dataclass(frozen=True, kw_only=True)
class Grouping:
    """The pictures of a data set, each with the group that may not be parted."""

    rows: tuple[Row, ...]
    """In the order of the entries; parts as they were given."""
    level: str
    """What the groups stand for: `patient`, `run` or `image`."""
    notes: tuple[str, ...]


def group_rows(
    entries: Sequence[Entry],
    *,
    group_level: str | None,
    clusters: Sequence[int],
    named: NamedGroups | None = None,
    looks: NDArray[np.float32] | None = None,
) -> Grouping:
    """The rows of `entries` with groups from the best source there is.

    These are, in turn: `named`, what a pattern finds in the names; the entries' own groups, of
    which `group_level` says what they stand for; runs that `looks` suggests (see
    `suspected_groups`); each picture by itself. Groups that share a near-duplicate, by `clusters`,
    become one: it shows the same cell, whatever the names say.
    """
    files = [entry.file for entry in entries]
    if named is not None:
        groups, level, notes = named.groups, "patient", list(named.notes)
    elif group_level is not None:
        groups, level = tuple(entry.group or entry.file for entry in entries), group_level
        notes = [_without_group([entry.file for entry in entries if not entry.group])]
    elif looks is not None:
        found = suspected_groups(files, [entry.label for entry in entries], looks, clusters)
        groups, level, notes = found.groups, found.level, list(found.notes)
    else:
        groups, level, notes = tuple(files), "image", []
    joined = joined_groups(groups, duplicate_links(clusters))
    if level != "image":
        notes.append(_joined_note(groups, joined, level))
    rows = tuple(
        Row(file=entry.file, label=entry.label, group=group, part=entry.part)
        for entry, group in zip(entries, joined, strict=True)
    )
    return Grouping(rows=rows, level=level, notes=tuple(note for note in notes if note))


def _without_group(files: Sequence[str]) -> str:
    if not files:
        return ""
    return (
        f"{counted(len(files), 'picture')} without a group, each one of its own: {listed(files)}."
    )


def _joined_note(groups: Sequence[str], joined: Sequence[str], level: str) -> str:
    families = defaultdict(set)
    for group, name in zip(groups, joined, strict=True):
        families[name].add(group)
    shared = [" = ".join(sorted(names)) for names in families.values() if len(names) > 1]
    if not shared:
        return ""
    n_joined = sum(len(names) for names in families.values() if len(names) > 1)
    return (
        f"{n_joined:,} {group_word(level)}s share near-duplicates with others and were made "
        f"{len(shared):,}: {listed(shared)}."
    )
