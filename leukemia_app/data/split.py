"""Parts of a data set that share no group."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from leukemia_app.archives.safe_names import counted
from leukemia_app.data.manifest import Row

SHARES = (0.64, 0.16, 0.2)
"""Of train, val and test: a fifth is kept back, and a fifth of the rest to choose by."""
_STRICTER = ("test", "val", "train")
_NAMES = ("train", "val", "test")


def split_groups(
    groups: Sequence[str], labels: Sequence[str], fractions: Sequence[float], seed: int
) -> NDArray[np.int64]:
    """Number of the part of each picture, (n_images,) int64: part i holds about fractions[i].

    Groups are dealt out largest first, each to the part that then has the smallest share of what
    it should hold of the group's rarest label, the one in the fewest groups; the largest part goes
    first. So a group is never parted, and a label that is the rarest in as many groups as there
    are parts stands in all of them. `fractions` are above 0.

    Seed 0 goes strictly by size, which holds the fractions best. Any other takes each group for up
    to four times or a quarter as large when it orders them: groups of unlike sizes would else be
    dealt the same with every seed.
    """
    group_ids, group_of = np.unique(groups, return_inverse=True)
    label_ids, label_of = np.unique(labels, return_inverse=True)
    counts = np.zeros((len(group_ids), len(label_ids)), np.int64)
    np.add.at(counts, (group_of, label_of), 1)
    n_groups = (counts > 0).sum(0)
    rng = np.random.default_rng(seed)
    jitter = rng.permutation(len(group_ids))
    sizes = counts.sum(1) * (2.0 ** rng.uniform(-2, 2, len(group_ids)) if seed else 1.0)
    wanted = np.asarray(fractions, np.float64)
    held = np.zeros((len(wanted), len(label_ids)), np.int64)
    part_of_group = np.zeros(len(group_ids), np.int64)
    for group in sorted(range(len(group_ids)), key=lambda g: (-sizes[g], jitter[g])):
        main = np.lexsort((-counts[group], np.where(counts[group] > 0, n_groups, np.inf)))[0]
        part = np.lexsort((held.sum(1) / wanted, -wanted, held[:, main] / wanted))[0]
        held[part] += counts[group]
        part_of_group[group] = part
    return part_of_group[group_of]


def fold_groups(
    groups: Sequence[str], labels: Sequence[str], n_folds: int, seed: int
) -> NDArray[np.int64]:
    """Fold number of each picture, (n_images,) int64; a group is never parted.

    Each group goes to the fold that then holds the fewest pictures of its rarest label: classes
    stay near even in every fold.
    """
    return split_groups(groups, labels, [1] * n_folds, seed)


@dataclass(frozen=True, kw_only=True)
class Split:
    """The pictures of a data set, each with its part."""

    rows: tuple[Row, ...]
    left_out: tuple[Row, ...]
    """Pictures of given parts whose group stands in a stricter part; in no part now."""
    notes: tuple[str, ...]
    """What had to be done, and which labels stand in too few parts, in sentences."""


def split_rows(
    rows: Sequence[Row],
    seed: int,
    shares: tuple[float, float, float] = SHARES,
    *,
    keep_parts: bool = True,
) -> Split:
    """`rows` dealt to train, val and test by group; no group stands in two of them.

    Parts that are given stay where `keep_parts` says so: what is missing is cut from train and
    from pictures without a part. Where a group stands in two given parts, its pictures outside
    the stricter one (test, then val) are left out, so that a published test set stays itself.
    """
    if not keep_parts or not any(row.part for row in rows):
        parts = _dealt(rows, _NAMES, shares, seed)
        dealt = tuple(replace(row, part=part) for row, part in zip(rows, parts, strict=True))
        return Split(rows=dealt, left_out=(), notes=tuple(_gaps(dealt)))
    kept, left_out, n_torn = _mended(rows)
    given = {row.part for row in rows}
    names = ["train", *(name for name in ("val", "test") if name not in given)]
    pool = [number for number, row in enumerate(kept) if row.part in ("train", "")]
    parts = _dealt([kept[number] for number in pool], names,
                   [shares[_NAMES.index(name)] for name in names], seed)  # fmt: skip
    for number, part in zip(pool, parts, strict=True):
        kept[number] = replace(kept[number], part=part)
    notes = [*_torn_notes(kept, left_out, n_torn), *_gaps(kept)]
    if len(names) > 1:
        notes.insert(0, f"The parts that came with the data have no {' and no '.join(names[1:])}: "
                        "it was cut from the rest, by group.")  # fmt: skip
    return Split(rows=tuple(kept), left_out=tuple(left_out), notes=tuple(notes))


def _dealt(
    rows: Sequence[Row], names: Sequence[str], shares: Sequence[float], seed: int
) -> list[str]:
    if not rows:
        return []
    groups, labels = [row.group for row in rows], [row.label for row in rows]
    return [names[part] for part in split_groups(groups, labels, shares, seed)]


def _mended(rows: Sequence[Row]) -> tuple[list[Row], list[Row], int]:
    """The rows to keep, those to leave out, and how many groups stood in several parts."""
    parts_of = defaultdict(set)
    for row in rows:
        parts_of[row.group].add(row.part)
    kept, left_out = [], []
    for row in rows:
        strictest = next((part for part in _STRICTER if part in parts_of[row.group]), "")
        if row.part in ("", strictest):
            kept.append(replace(row, part=strictest))
        else:
            left_out.append(row)
    return kept, left_out, sum(len(parts - {""}) > 1 for parts in parts_of.values())


def _torn_notes(kept: Sequence[Row], left_out: Sequence[Row], n_torn: int) -> list[str]:
    if not left_out:
        return []
    notes = [
        f"{counted(n_torn, 'group')} in more than one of the parts that came with the data; "
        f"{counted(len(left_out), 'picture')} left out of train or val, so that none is."
    ]
    if len(left_out) > sum(row.part == "train" for row in kept):
        notes.append("More was left out than is left to learn from: have the split made anew.")
    return notes


def _gaps(rows: Sequence[Row]) -> list[str]:
    """A sentence for each label that does not stand in every part."""
    groups_of, parts_of = defaultdict(set), defaultdict(set)
    for row in rows:
        groups_of[row.label].add(row.group)
        parts_of[row.label].add(row.part)
    notes = []
    for label in sorted(groups_of):
        missing = [name for name in _NAMES if name not in parts_of[label]]
        if missing:
            count = counted(len(groups_of[label]), "group")
            notes.append(
                f"{label} has pictures of {count} and none in {' and '.join(missing)}; every part "
                "needs a group of its own."
            )
    return notes
