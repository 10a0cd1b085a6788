"""What the folders above a picture say about it: its label, its part, perhaps its group.

Nothing here touches a disk: it reads paths.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from leukemia_app.data.aliases import known_label
from leukemia_app.errors import DatasetError

UNLABELLED = "pictures without a label"
OUTER, INNER = "outer folders", "inner folders"
"""Choices where two levels of folders could be the classes."""
LEAST_SUBFOLDERS = 3
"""Sub-folders of a class become groups from this many on: one for each part of a split."""

_PART_BY_WORD = {
    "train": "train", "training": "train",
    "val": "val", "valid": "val", "validation": "val", "dev": "val",
    "test": "test", "testing": "test",
}  # fmt: skip
_PART_FILLERS = frozenset({"data", "set", "dataset", "image", "images", "imgs", "c", "nmc"})
_NEUTRAL = frozenset(
    {"data", "dataset", "image", "images", "img", "imgs", "picture", "pictures", "photos", "bmp",
     "jpg", "jpeg", "png", "tif", "tiff"}
)  # fmt: skip
_FOLD = re.compile(r"fold[\s_-]?\d+", re.IGNORECASE)
_NO_CLASS = re.compile(r"c-?nmc_test_(prelim|final)_phase_data", re.IGNORECASE)
"""Of C-NMC: their labels stand in a table, or are not public."""
_WHOLE = frozenset({"original", "originals", "raw", "image", "images", "imgs"})
_CUT_OUT = frozenset(
    {"segmented", "segmentation", "segmentations", "mask", "masks", "annotation", "annotations",
     "ground truth", "groundtruth", "gt"}
)  # fmt: skip
_WORD = re.compile(r"[^\W_]+")

Folders = tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Place:
    """What the folders say about one picture."""

    raw_label: str
    group: str = ""
    """The sub-folders of its class, where these can be groups."""
    part: str = ""


@dataclass(frozen=True, kw_only=True)
class Placement:
    """What the folders of a data set say."""

    places: Mapping[str, Place]
    """By file; empty as long as a choice must be made."""
    ignored: Mapping[str, int]
    choices: tuple[str, ...] = ()
    """What may be chosen; must be, where `places` is empty."""
    notes: tuple[str, ...] = ()


def part_of(name: str) -> str:
    """`train`, `val` or `test` where a folder or a table names one of them, else empty."""
    words = set(_WORD.findall(name.casefold())) - _PART_FILLERS
    return _PART_BY_WORD.get(words.pop(), "") if len(words) == 1 else ""


def parts_in(files: Iterable[str]) -> dict[str, str]:
    """The part that train, val and test folders give each of `files`; empty where none does."""
    return _without_parts({file: tuple(file.split("/")[:-1]) for file in files})[0]


def place(files: Iterable[str], choice: str | None = None) -> Placement:
    """What the folders of `files`, paths with forward slashes, say about each.

    Folds, wrapping folders and neutral names (`images`) are passed over; train, val and test give
    the part. The class is the innermost folder that, or a folder beside it, has a known name;
    where no name is known, the inner folders if the same names stand under several outer ones,
    else the outer ones.

    Raises:
        DatasetError: `choice` is none of those that are open here.
    """
    ignored: Counter[str] = Counter()
    kept = {}
    for file in sorted(files):
        folders = tuple(file.split("/")[:-1])
        if any(_NO_CLASS.fullmatch(folder) for folder in folders):
            ignored[UNLABELLED] += 1
        else:
            kept[file] = folders
    versions = _versions(kept.values())
    if versions:
        if choice is None:
            return Placement(places={}, ignored=ignored, choices=versions)
        check_choice(choice, versions)
        kept, n_left = _version(kept, versions, choice)
        ignored[f"pictures of the version not chosen ({_others(versions, choice)})"] = n_left
        choice = None
    found = _placed(kept, choice)
    return Placement(
        places=found.places, ignored=ignored + Counter(found.ignored),
        choices=versions or found.choices, notes=found.notes,
    )  # fmt: skip


def _placed(folders_by_file: Mapping[str, Folders], choice: str | None) -> Placement:
    parts, short = _without_parts(folders_by_file)
    ignored: Counter[str] = Counter()
    at = _known_levels(short)
    choices: tuple[str, ...] = ()
    notes = []
    if not at:
        short = _trimmed(short)
        at, choices = _plain_levels(short, choice)
    elif choice is not None:
        check_choice(choice, ())
    if choices:
        level = choice or (INNER if _is_inner(short) else OUTER)
        notes.append(f"The {level} were taken as the classes: no name of them is known here.")
    groups = _groups(short, at)
    if groups:
        notes.append("Each sub-folder of a class was taken as one group.")
    places = {}
    for file, folders in short.items():
        if file in at:
            places[file] = Place(raw_label=folders[at[file]], group=groups.get(file, ""),
                                 part=parts[file])  # fmt: skip
        else:
            ignored[UNLABELLED] += 1
    return Placement(places=places, ignored=ignored, choices=choices, notes=tuple(notes))


def _versions(all_folders: Iterable[Folders]) -> tuple[str, ...]:
    """Folders that stand beside each other and hold the same pictures whole and cut out."""
    for names in _children(all_folders).values():
        whole = sorted(name for name in names if name.casefold() in _WHOLE)
        cut = sorted(name for name in names if " ".join(_WORD.findall(name.casefold())) in _CUT_OUT)
        if whole and cut:
            return (*whole, *cut)
    return ()


def _version(
    folders_by_file: Mapping[str, Folders], versions: Sequence[str], choice: str
) -> tuple[dict[str, Folders], int]:
    """The files of the version chosen, its folder taken out, and how many belong to others."""
    others = set(versions) - {choice}
    kept = {
        file: tuple(folder for folder in folders if folder != choice)
        for file, folders in folders_by_file.items()
        if not others.intersection(folders)
    }
    return kept, len(folders_by_file) - len(kept)


def _others(versions: Sequence[str], choice: str) -> str:
    return ", ".join(version for version in versions if version != choice)


def check_choice(choice: str, choices: Sequence[str]) -> None:
    """Refuse a choice that is not open.

    Raises:
        DatasetError: `choice` is none of `choices`.
    """
    if choice not in choices:
        allowed = f"choose {' or '.join(choices)}" if choices else "nothing is to be chosen here"
        raise DatasetError(f"The choice {choice!r} does not fit this folder; {allowed}.")


def _children(all_folders: Iterable[Folders]) -> dict[Folders, set[str]]:
    """The names of the folders below each folder that lead to pictures."""
    children = defaultdict(set)
    for folders in set(all_folders):
        for depth, name in enumerate(folders):
            children[folders[:depth]].add(name)
    return children


def _without_parts(
    folders_by_file: Mapping[str, Folders],
) -> tuple[dict[str, str], dict[str, Folders]]:
    """The part of each file, and its folders without parts, folds and neutral names."""
    children = _children(folders_by_file.values())
    by_depth = defaultdict(set)
    for above, names in children.items():
        by_depth[len(above)].update({part_of(name) for name in names} - {""})
    parts, short = {}, {}
    for file, folders in folders_by_file.items():
        part, kept = "", []
        for depth, name in enumerate(folders):
            # a lone leaf called "test" is a class, such as beside "control"
            is_part = len(by_depth[depth]) > 1 or folders[: depth + 1] in children
            if part_of(name) and is_part:
                part = part_of(name)
            elif not _FOLD.fullmatch(name) and name.casefold() not in _NEUTRAL:
                kept.append(name)
        parts[file], short[file] = part, tuple(kept)
    if len(set(parts.values())) == 1:  # a name that all pictures share divides nothing
        parts = dict.fromkeys(parts, "")
    return parts, short


def _known_levels(short: Mapping[str, Folders]) -> dict[str, int]:
    """The depth of each file's innermost folder whose name, or a neighbour's, is known."""
    known = {
        above: any(known_label(name) for name in names)
        for above, names in _children(short.values()).items()
    }
    found = {}
    for file, folders in short.items():
        for depth in reversed(range(len(folders))):
            if known[folders[:depth]]:
                found[file] = depth
                break
    if found:  # others keep a label that shows, rather than being lost
        rest = {file: len(folders) - 1 for file, folders in short.items() if folders}
        found = {**rest, **found}
    return found


def _trimmed(short: Mapping[str, Folders]) -> dict[str, Folders]:
    """Without the folders that all files share, outside and inside; one is always left."""
    rows = [folders for folders in short.values() if folders]
    if not rows:
        return dict(short)
    start, end = _shared(rows), _shared([folders[::-1] for folders in rows])
    shortest = min(map(len, rows))
    start = min(start, shortest - 1)
    end = min(end, shortest - 1 - start)
    return {file: folders[start : len(folders) - end] for file, folders in short.items()}


def _shared(rows: Sequence[Folders]) -> int:
    first, last = min(rows), max(rows)
    n_same = 0
    for one, other in zip(first, last, strict=False):
        if one != other:
            break
        n_same += 1
    return n_same


def _plain_levels(
    short: Mapping[str, Folders], choice: str | None
) -> tuple[dict[str, int], tuple[str, ...]]:
    """The depth of the classes where no name is known, and the choices there are."""
    rows = {file: folders for file, folders in short.items() if folders}
    choices = (OUTER, INNER) if any(len(folders) > 1 for folders in rows.values()) else ()
    if choice is not None:
        check_choice(choice, choices)
    is_inner = choice == INNER if choice else _is_inner(short)
    return {file: len(folders) - 1 if is_inner else 0 for file, folders in rows.items()}, choices


def _is_inner(short: Mapping[str, Folders]) -> bool:
    """Whether the inner folders look more like classes than the outer ones.

    Sites and patients are numbered, classes have names; and below sites the same classes stand
    again.
    """
    deep = {folders for folders in short.values() if len(folders) > 1}
    if not deep:
        return False
    inner, outer = {folders[-1] for folders in deep}, {folders[0] for folders in deep}
    numbered = [sum(map(_has_digit, names)) / len(names) for names in (inner, outer)]
    if numbered[0] != numbered[1]:
        return numbered[0] < numbered[1]
    return 2 * len(inner) <= len(deep)


def _has_digit(name: str) -> bool:
    return any(character.isdigit() for character in name)


def _groups(short: Mapping[str, Folders], at: Mapping[str, int]) -> dict[str, str]:
    """The sub-folders of the classes as groups, if each picture and class has enough of them.

    Sub-folders of one name are one group, whatever their class: patient 3 may stand in two.
    """
    groups = {file: "/".join(short[file][depth + 1 :]) for file, depth in at.items()}
    by_label = defaultdict(set)
    for file, depth in at.items():
        by_label[short[file][depth]].add(groups[file])
    if not all(groups.values()) or any(len(g) < LEAST_SUBFOLDERS for g in by_label.values()):
        return {}
    return groups
