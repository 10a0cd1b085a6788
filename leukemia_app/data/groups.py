"""Which pictures belong together, so that no patient stands on two sides of a split."""

import json
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from leukemia_app.archives.safe_names import counted, listed, shown
from leukemia_app.data.runs import runs_of
from leukemia_app.errors import DatasetError

MAX_PATTERN = 200
SEARCH_SECONDS = 10.0
"""What a pattern may take for all names; the usual ones take a second for 100,000."""
_CNMC_NAME = re.compile(r"UID_(H?\d+)_\d+_\d+_(?:all|hem)\.\w+", re.IGNORECASE)
_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True, kw_only=True)
class NamedGroups:
    """Groups that a pattern found in file names."""

    groups: tuple[str, ...]
    """One for each file; the file itself where the pattern does not fit."""
    n_unmatched: int
    notes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class SuspectedGroups:
    """Groups that the pictures and their numbering suggest."""

    groups: tuple[str, ...]
    """One for each file."""
    level: str
    """`run` if most pictures are in a run, else `image`."""
    n_runs: int
    notes: tuple[str, ...]


def cnmc_patient(file: str) -> str:
    """The patient in a file name of C-NMC, `H10` in `UID_H10_100_1_hem.bmp`; else empty."""
    found = _CNMC_NAME.fullmatch(file.rpartition("/")[2])
    return found[1].upper() if found else ""


def check_pattern(pattern: str) -> None:
    """Say what is wrong with a pattern before anything is done with it.

    Raises:
        DatasetError: `pattern` is too long, is no regular expression, or has not exactly one group.
    """
    if len(pattern) > MAX_PATTERN:
        raise DatasetError(f"The pattern has {len(pattern):,} signs; use at most {MAX_PATTERN}.")
    try:
        compiled = re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        raise DatasetError(
            f"The pattern {pattern!r} is no regular expression ({error})."
        ) from error
    if compiled.groups != 1:
        raise DatasetError(
            f"The pattern {pattern!r} has {compiled.groups} groups in parentheses; put exactly the "
            "part that names the patient in parentheses, as in (P[0-9]+)_."
        )


def named_groups(files: Sequence[str], pattern: str) -> NamedGroups:
    """What the one group in `pattern`, a regular expression, holds in each of `files`.

    It is searched for in the whole path.

    Raises:
        DatasetError: `pattern` is too long, is no regular expression, has not exactly one group,
            takes too long, or fits no file.
    """
    check_pattern(pattern)
    found = _searched(files, pattern)
    unmatched = [file for file, group in zip(files, found, strict=True) if not group]
    if len(unmatched) == len(files):
        raise DatasetError(
            f"The pattern {pattern!r} fits none of the {len(files):,} names, such as "
            f"{listed(files[:2])}. Put the part that names the patient in parentheses."
        )
    groups = tuple(group or file for file, group in zip(files, found, strict=True))
    notes = [f"The pattern gives {counted(len({group for group in found if group}), 'group')}."]
    if unmatched:
        notes.append(
            f"{counted(len(unmatched), 'picture')} without a part that fits the pattern, each a "
            f"group of its own: "
            f"{listed(unmatched)}."
        )
    return NamedGroups(groups=groups, n_unmatched=len(unmatched), notes=tuple(notes))


def group_word(level: str) -> str:
    """What one group is called; `run` also stands for slides and for runs of frames."""
    return "group" if level == "run" else level


def joined_groups(groups: Sequence[str], links: Iterable[Sequence[int]]) -> tuple[str, ...]:
    """`groups`, those with pictures in one of `links` made one, under the smallest of their names.

    A link holds the numbers of pictures that may not be parted, as copies of one file.
    """
    parent = {group: group for group in groups}

    def root(group: str) -> str:
        while parent[group] != group:
            parent[group] = parent[parent[group]]
            group = parent[group]
        return group

    for link in links:
        names = sorted({root(groups[number]) for number in link})
        for name in names[1:]:
            parent[name] = names[0]
    return tuple(root(group) for group in groups)


def duplicate_links(clusters: Sequence[int]) -> list[list[int]]:
    """Numbers of the pictures in each cluster that has more than one."""
    members = defaultdict(list)
    for number, cluster in enumerate(clusters):
        members[int(cluster)].append(number)
    return [numbers for numbers in members.values() if len(numbers) > 1]


def suspected_groups(
    files: Sequence[str],
    labels: Sequence[str],
    looks: NDArray[np.float32],
    clusters: Sequence[int],
) -> SuspectedGroups:
    """Runs of consecutive pictures, joined where a near-duplicate stands in two of them.

    `looks` is (n_files, n_values) from `runs.look_of`, `clusters` the numbers from
    `near_duplicate_groups`. Files of one folder and label whose names differ in numbers alone are
    put in the order of these numbers and cut where the pictures begin to look different (see
    `runs_of`). Where the order says nothing, each picture is a group of its own.

    Neighbouring runs may still show one patient, and one run several: it is a proxy, which takes
    most of a leak away and not all of it (figures at `runs.PENALTY`).
    """
    groups = list(files)
    in_runs, n_runs = 0, 0
    for series in _series(files, labels):
        run_of = runs_of(looks[series])
        if run_of is None:
            continue
        # Folders may be called 0 and 1: without the label runs of two classes would be one.
        name = f"{labels[series[0]]}: {_NUMBER.sub('#', files[series[0]])}"
        for number, run in zip(series, run_of.tolist(), strict=True):
            groups[number] = f"{name}, run {run + 1}"
        in_runs += len(series)
        n_runs += int(run_of.max()) + 1
    found = joined_groups(groups, duplicate_links(clusters))
    cut = (
        f"{in_runs:,} of {len(files):,} pictures are numbered in an order that shows in their "
        f"looks and were cut into {counted(n_runs, 'row')} of consecutive frames. Each is a group, "
        "as is each other picture"
    )
    if not n_runs:
        cut = "Nor does an order of their numbers show in the pictures’ looks: each is a group"
    notes = (
        f"Names say no patient. {cut}; with near-duplicates joined there are "
        f"{counted(len(set(found)), 'group')}, and no group is on two sides of the split.",
    )
    level = "run" if 2 * in_runs > len(files) else "image"
    return SuspectedGroups(groups=found, level=level, n_runs=n_runs, notes=notes)


def _searched(files: Sequence[str], pattern: str) -> list[str | None]:
    asked = {"pattern": pattern, "names": list(files), "seconds": SEARCH_SECONDS}
    search = [sys.executable, "-I", str(Path(__file__).with_name("pattern_search.py"))]
    done = subprocess.run(
        search, input=json.dumps(asked).encode(), stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, check=False,
    )  # fmt: skip
    lines = done.stdout.splitlines()
    if len(lines) < len(files):
        raise DatasetError(
            f"The pattern {pattern!r} takes too long: after {SEARCH_SECONDS:g} s the search had "
            f"not got past {shown(files[len(lines)])}. Use a simpler one, without a repeat inside "
            "a repeat, as in (P[0-9]+)_."
        )
    return [json.loads(line) for line in lines]


def _series(files: Sequence[str], labels: Sequence[str]) -> list[list[int]]:
    """Numbers of the files whose names differ in digits alone, each series in numeric order."""
    series = defaultdict(list)
    for number, (file, label) in enumerate(zip(files, labels, strict=True)):
        series[label, _NUMBER.sub("#", file)].append(number)
    return [
        sorted(numbers, key=lambda n: [int(digits) for digits in _NUMBER.findall(files[n])])
        for numbers in series.values()
    ]
