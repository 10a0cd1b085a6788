"""All findings of a data set together, with the notes that a person reads first."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from leukemia_app.archives.safe_names import listed, shown
from leukemia_app.data.facts import PictureFacts
from leukemia_app.data.findings import (
    ONE_CLASS,
    Clusters,
    balance_sentence,
    flags_of,
    giveaways_of,
    sizes_of,
    spread,
    twins_of,
)
from leukemia_app.data.grouping import Grouping
from leukemia_app.data.groups import group_word
from leukemia_app.data.health import ClassCount, Control, Health, Note, Problem, Twins
from leukemia_app.data.layouts import Entry, Found
from leukemia_app.data.leaks import alone_words, leak_report
from leukemia_app.data.manifest import Row
from leukemia_app.data.split import Split

SHOWN = 12
"""Pictures of each class in the sample grid."""
MAX_SIZES = 12
FEW_PICTURES = 30
FEW_GROUPS = 5
"""Pictures and groups of a class under which its figures hardly mean anything."""


@dataclass(frozen=True, kw_only=True)
class Survey:
    """The readable pictures of a data set; all but `found` and `split` have one item a picture."""

    found: Found
    entries: tuple[Entry, ...]
    facts: tuple[PictureFacts, ...]
    clusters: Clusters
    named: tuple[str, ...]
    """The group of each picture before any were joined."""
    grouping: Grouping
    split: Split


def build_health(
    name: str, survey: Survey, problems: Iterable[Problem], controls: Sequence[Control]
) -> Health:
    """Everything the check found out, in the form it is kept and shown."""
    entries, facts = survey.entries, survey.facts
    labels = [entry.label for entry in entries]
    rows = {row.file: row for row in survey.split.rows}
    dealt = [number for number, entry in enumerate(entries) if entry.file in rows]
    leaks = leak_report(
        [rows[entries[number].file] for number in dealt], survey.grouping.level,
        [int(survey.clusters[number]) for number in dealt],
    )  # fmt: skip
    sizes = sizes_of(facts)
    health = Health(
        name=name, n_found=len(survey.found.entries), n_read=len(entries),
        layout=survey.found.layout, ignored=survey.found.ignored,
        classes=_classes(survey), sizes=sizes[:MAX_SIZES], n_sizes=len(sizes),
        formats=dict(Counter(item.format for item in facts).most_common()),
        problems=tuple(sorted(problems, key=lambda problem: problem.file)),
        flags=flags_of(entries, facts),
        twins=twins_of(entries, survey.named, facts, survey.clusters),
        giveaways=giveaways_of(labels, facts),
        group_level=survey.grouping.level,
        n_groups=len({row.group for row in survey.grouping.rows}),
        balance=balance_sentence(Counter(labels), survey.grouping.level),
        split=leaks, n_left_out=len(survey.split.left_out), controls=tuple(controls), notes=(),
    )  # fmt: skip
    return _with_notes(health, survey)


def _classes(survey: Survey) -> tuple[ClassCount, ...]:
    rows: dict[str, list[Row]] = defaultdict(list)
    for row in survey.grouping.rows:
        rows[row.label].append(row)
    raw: dict[str, set[str]] = defaultdict(set)
    for entry in survey.entries:
        raw[entry.label].add(entry.raw_label)
    return tuple(
        ClassCount(
            label=label, raw_labels=tuple(sorted(raw[label])), n_pictures=len(rows[label]),
            n_groups=len({row.group for row in rows[label]}),
            shown=tuple(row.file for row in spread(rows[label], SHOWN)),
        )
        for label in sorted(rows)
    )  # fmt: skip


def _with_notes(health: Health, survey: Survey) -> Health:
    red = [*_conflicts(health.twins), *_split_faults(health)]
    red += [item.sentence for item in health.controls if item.verdict == "red"]
    amber = [*survey.split.notes, *_file_notes(health), *_class_notes(health)]
    amber += [item.sentence for item in health.giveaways if item.differs]
    amber += [item.sentence for item in health.controls if item.verdict == "amber"]
    plain = [
        *survey.found.notes,
        *survey.grouping.notes,
        *_twin_notes(health),
        *([health.balance] if len(health.classes) > 1 else []),
        health.split.notes[0],
    ]
    notes = [Note(level=level, text=text) for level, texts in
             (("red", red), ("amber", amber), ("plain", plain)) for text in texts]  # fmt: skip
    return replace(health, notes=tuple(notes))


def _conflicts(twins: Sequence[Twins]) -> list[str]:
    conflicts = [item for item in twins if len(item.labels) > 1]
    if not conflicts:
        return []
    first = conflicts[0]
    return [
        f"{_counted(len(conflicts), 'set')} of pictures that show the same thing stand in two "
        f"classes, as {listed(first.files)} in {' and '.join(first.labels)}. Find out which class "
        "is right and take the other out."
    ]


def _split_faults(health: Health) -> list[str]:
    faults = []
    if len(health.classes) < 2:
        faults.append(ONE_CLASS)
    for part, what in (("train", "cannot be learned"), ("test", "cannot be scored")):
        held = health.split.parts.get(part)
        missing = [
            item.label
            for item in health.classes
            if held is None or not held.pictures_by_label.get(item.label)
        ]
        if missing:
            faults.append(
                f"No picture of {' and '.join(missing)} is in the {part} part: it {what}."
            )
    if health.split.shared_groups:
        noun = group_word(health.group_level)
        faults.append(
            f"{_counted(len(health.split.shared_groups), noun)} stand in more than "
            f"one part ({listed(health.split.shared_groups)}): every figure on the test part is "
            "optimistic. Have the split made anew."
        )
    if health.split.shared_duplicates:
        pairs = [" = ".join(shown(file) for file in files[:2])
                 for files in health.split.shared_duplicates]  # fmt: skip
        faults.append(
            f"{_counted(len(pairs), 'picture')} stand in one part and, nearly the same, in another "
            f"({'; '.join(pairs[:3])}): the test part is not new to the network. Have the split "
            "made anew: groups that share pictures are then joined."
        )
    return faults


def _file_notes(health: Health) -> list[str]:
    notes = []
    if health.problems:
        names = listed([item.file for item in health.problems])
        notes.append(f"{_counted(len(health.problems), 'file')} cannot be read and will be left "
                     f"out: {names}.")  # fmt: skip
    kinds: Mapping[str, int] = Counter(item.kind for item in health.flags)
    if kinds:
        told = ", ".join(f"{count:,} {kind}" for kind, count in sorted(kinds.items()))
        notes.append(f"Pictures with faults: {told}. Look at them; a model learns from them too.")
    across = [item for item in health.twins if len(item.groups) > 1]
    if across and health.group_level != "image":
        pairs = dict.fromkeys(" = ".join(item.groups) for item in across)
        notes.append(
            f"{_counted(len(across), 'set')} of pictures that show the same thing belong to "
            f"different {group_word(health.group_level)}s ({listed(list(pairs))}): these are "
            "likely one and the same."
        )
    return notes


def _twin_notes(health: Health) -> list[str]:
    if not health.twins:
        return ["No two pictures show the same thing."]
    exact = sum(item.is_exact for item in health.twins)
    return [
        f"{_counted(len(health.twins), 'set')} of pictures show the same thing, {exact:,} of them "
        "exact copies. A new split keeps each on one side."
    ]


def _class_notes(health: Health) -> list[str]:
    notes = [alone_words(health.split.alone, health.group_level)] if health.split.alone else []
    notes += [
        f"{item.label} has {_counted(item.n_pictures, 'picture')} only; figures for it will be "
        "uncertain." for item in health.classes if item.n_pictures < FEW_PICTURES
    ]  # fmt: skip
    if health.group_level == "image":
        notes.append(
            "No patient, slide or run is known, so pictures are split one by one: every figure "
            "will be image-level, optimistic. Name the groups by a table or by a pattern over the "
            "file names if you can."
        )
        return notes
    noun = group_word(health.group_level)
    notes += [
        f"{item.label} has {_counted(item.n_groups, noun)} only; figures for it "
        "will be uncertain." for item in health.classes if item.n_groups < FEW_GROUPS
    ]  # fmt: skip
    return notes


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
