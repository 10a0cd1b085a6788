"""What the facts of single pictures say about a whole data set."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from leukemia_app.data.duplicates import linked_groups
from leukemia_app.data.facts import PictureFacts, places, signatures
from leukemia_app.data.groups import duplicate_links, group_word
from leukemia_app.data.health import Flag, Giveaway, SizeCount, Twins
from leukemia_app.data.layouts import Entry
from leukemia_app.data.manifest import Row
from leukemia_app.data.marks import marked

Clusters = NDArray[np.int64]
Item = TypeVar("Item")
DIFFERS = 0.25
"""Difference between two classes' shares from which a class can be told by a thing."""
FEWEST = 5
"""Pictures of a class under which a share says nothing."""
ONE_CLASS = "There is one class only; a network needs two to tell apart."
UNEVEN = 1.5
"""Pictures of the largest class for each of the smallest, from which classes are uneven."""


def clusters_of(facts: Sequence[PictureFacts]) -> Clusters:
    """Equal numbers for pictures that show the same thing, (n_images,) int64."""
    numbers = linked_groups(signatures(facts))
    # Two flat pictures are like nothing, and may still be copies.
    first: dict[str, int] = {}
    for number, item in enumerate(facts):
        original = first.setdefault(item.digest, number)
        if numbers[original] != numbers[number]:
            numbers[numbers == numbers[number]] = numbers[original]
    return numbers


def twins_of(
    entries: Sequence[Entry],
    named: Sequence[str],
    facts: Sequence[PictureFacts],
    clusters: Clusters,
) -> tuple[Twins, ...]:
    """Sets of pictures that show the same thing: conflicts first, then by their first file."""
    found = []
    for numbers in duplicate_links(clusters.tolist()):
        found.append(
            Twins(
                files=tuple(entries[number].file for number in numbers),
                labels=tuple(sorted({entries[number].label for number in numbers})),
                groups=tuple(sorted({named[number] for number in numbers})),
                is_exact=len({facts[number].digest for number in numbers}) == 1,
            )
        )
    return tuple(sorted(found, key=lambda item: (-len(item.labels), item.files)))


def flags_of(entries: Sequence[Entry], facts: Sequence[PictureFacts]) -> tuple[Flag, ...]:
    """Every fault of every picture, in file order."""
    return tuple(
        Flag(file=entry.file, label=entry.label, kind=finding.kind, sentence=finding.sentence,
             refer=finding.refer)
        for entry, item in zip(entries, facts, strict=True) for finding in item.findings
    )  # fmt: skip


def sizes_of(facts: Sequence[PictureFacts]) -> tuple[SizeCount, ...]:
    """How many pictures there are of each size, the most frequent first."""
    counts = Counter((item.columns, item.rows) for item in facts)
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return tuple(
        SizeCount(columns=columns, rows=rows, n_pictures=count) for (columns, rows), count in ranked
    )


def giveaways_of(labels: Sequence[str], facts: Sequence[PictureFacts]) -> tuple[Giveaway, ...]:
    """Marks, frames, sizes and formats, and how often each class has them."""
    marks = marked(places(facts), labels)
    found = {f"a {kind} (scale bar, caption)": has for kind, has in marks.items()}
    for frame in sorted({item.frame for item in facts if item.frame}):
        has = np.array([item.frame == frame for item in facts])
        found[f"{'' if frame.endswith('s') else 'a '}{frame}"] = has
    giveaways = [_giveaway(what, has, labels) for what, has in found.items() if has.any()]
    sizes = [f"{item.columns} x {item.rows} px" for item in facts]
    for values in (sizes, [f"the format {item.format}" for item in facts]):
        each = [_giveaway(value, np.array([one == value for one in values]), labels)
                for value, _ in Counter(values).most_common(5)]  # fmt: skip
        telling = [item for item in each if item.differs]
        giveaways += telling[:1]
    return tuple(giveaways)


def _giveaway(what: str, has: NDArray[np.bool_], labels: Sequence[str]) -> Giveaway:
    classes = np.asarray(labels)
    n_by_label = Counter(labels)
    shares = {label: float(has[classes == label].mean()) for label in sorted(n_by_label)}
    counted = {label: share for label, share in shares.items() if n_by_label[label] >= FEWEST}
    most, least = (
        (max(counted, key=counted.__getitem__), min(counted, key=counted.__getitem__))
        if counted else ("", "")
    )  # fmt: skip
    differs = bool(counted) and counted[most] - counted[least] >= DIFFERS
    if differs:
        sentence = (
            f"{counted[most]:.0%} of {most} and {counted[least]:.0%} of {least} have {what}: a "
            "network can read the class from it. Cut it off, or take the middle of each picture "
            "alone (window), or bring all pictures into one form."
        )
    else:
        sentence = f"{has.mean():.0%} of the pictures have {what}, in every class about as many."
    return Giveaway(what=what, share_by_label=shares, differs=differs, sentence=sentence)


def balance_sentence(n_by_label: Mapping[str, int], level: str) -> str:
    """How uneven the classes are and what training does about it."""
    ranked = sorted(n_by_label.items(), key=lambda item: -item[1])
    (most, n_most), (least, n_least) = ranked[0], ranked[-1]
    if most == least:
        return ONE_CLASS
    if n_most < UNEVEN * n_least:
        return "The classes are about even; training draws them equally often."
    within = ""
    if level != "image":
        within = f", and within a class large {group_word(level)}s less than their size"
    return (
        f"{most} has {n_most / n_least:.1f} times as many pictures as {least} ({n_most:,} and "
        f"{n_least:,}). Training draws every class equally often{within}; figures that weigh "
        "classes evenly are shown first."
    )


def spread(rows: Sequence[Row], count: int) -> tuple[Row, ...]:
    """About evenly over their groups, at most `count` of `rows`, in the order given."""
    if len(rows) <= count:
        return tuple(rows)
    members = defaultdict(list)
    for number, row in enumerate(rows):
        members[row.group].append(number)
    groups = _evenly(list(members.values()), min(count, len(members)))
    takes = [0] * len(groups)
    left = count
    for place in cycle(range(len(groups))):
        if not left:
            break
        if takes[place] < len(groups[place]):
            takes[place] += 1
            left -= 1
        elif all(take == len(group) for take, group in zip(takes, groups, strict=True)):
            break
    chosen = [number for group, take in zip(groups, takes, strict=True)
              for number in _evenly(group, take)]  # fmt: skip
    return tuple(rows[number] for number in sorted(chosen))


def _evenly(items: Sequence[Item], count: int) -> list[Item]:
    return [items[(2 * place + 1) * len(items) // (2 * count)] for place in range(count)]
