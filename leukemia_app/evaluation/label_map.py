"""What the labels of several models have in common, as somebody stated it. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from leukemia_app.errors import SettingError
from leukemia_app.imaging.picture import FloatArray

HOW = (
    "State what they share, as common label = labels, parted by semicolons, for example "
    "“other = Benign, hem; leukemic = Early, Pre, Pro, all”."
)
LEUKEMIC = frozenset({"all", "Early", "Pre", "Pro"})
OTHER = frozenset({"hem", "Benign"})


@dataclass(frozen=True, kw_only=True)
class LabelMap:
    """Common labels in their order, and which labels of models and data each stands for."""

    members: Mapping[str, tuple[str, ...]]
    is_stated: bool = True
    """Whether somebody stated it; False where all models have the same labels anyway."""

    def __post_init__(self) -> None:
        """Refuse a map that tells nothing apart, or that has one label twice."""
        if len(self.members) < 2:
            raise SettingError("The label map needs two common labels or more.")
        for common, members in self.members.items():
            if not members:
                raise SettingError(f"The common label “{common}” stands for no label.")
        every = [label for members in self.members.values() for label in members]
        for label in every:
            if every.count(label) > 1:
                raise SettingError(f"The label map has “{label}” twice; name it once.")

    @property
    def labels(self) -> tuple[str, ...]:
        """The common labels."""
        return tuple(self.members)

    @cached_property
    def _common(self) -> Mapping[str, str]:
        return {label: common for common, members in self.members.items() for label in members}

    def common(self, label: str) -> str | None:
        """The common label that stands for `label`, or that it is; None where none does."""
        return self._common.get(label, label if label in self.members else None)

    def check(self, labels: Sequence[str], whose: str) -> None:
        """See that every one of a model's labels is in it, and that they do not fall into one.

        Raises:
            SettingError: they are not.
        """
        if missing := [label for label in labels if label not in self._common]:
            raise SettingError(
                f"The label map does not say what {_quoted(missing)} of {whose} "
                f"{'is' if len(missing) == 1 else 'are'}. Name every label of every model."
            )
        if len(found := {self._common[label] for label in labels}) < 2:
            raise SettingError(
                f"Under this label map every answer of {whose} is “{found.pop()}”. Part its "
                "labels, or leave that model out."
            )

    def sums(self, probabilities: FloatArray, labels: Sequence[str]) -> FloatArray:
        """Probabilities of the common labels, (n, n_common): sums over those they stand for.

        `probabilities` is (n, len(labels)) float32.
        """
        places = [self.labels.index(self._common[label]) for label in labels]
        into = np.zeros((len(labels), len(self.labels)), np.float32)
        into[np.arange(len(labels)), places] = 1
        summed: FloatArray = probabilities @ into
        return summed

    def merges(self, labels: Sequence[str]) -> bool:
        """Whether two of these labels become one."""
        return len({self._common[label] for label in labels}) < len(labels)

    def in_words(self) -> str:
        """The map as it is written, on one line."""
        return "; ".join(f"{common} = {', '.join(each)}" for common, each in self.members.items())


def label_map(given: str, labels_of: Mapping[str, Sequence[str]]) -> LabelMap:
    """The map that `given` states, or the plain one where all models have the same labels.

    `labels_of` holds each model's labels by its id.

    Raises:
        SettingError: `given` cannot be read, or it is empty though the labels differ.
    """
    first, *others = labels_of.values()
    if not given.strip():
        if any(set(each) != set(first) for each in others):
            sets = "; ".join(f"{id}: {', '.join(each)}" for id, each in labels_of.items())
            raise SettingError(f"The models have different labels ({sets}). {HOW}")
        return LabelMap(members={label: (label,) for label in first}, is_stated=False)
    found = parse(given)
    for id, labels in labels_of.items():
        found.check(labels, id)
    return found


def parse(given: str) -> LabelMap:
    """The map as it was typed: `common = label, label; common = label`.

    Raises:
        SettingError: a part has no equals sign, or a name is missing or there twice.
    """
    return LabelMap(members=members_of(given))


def members_of(given: str) -> dict[str, tuple[str, ...]]:
    """Labels by common label as they were typed, whether or not they make a map.

    Raises:
        SettingError: a part has no equals sign or no common label, or one is there twice.
    """
    members: dict[str, tuple[str, ...]] = {}
    for part in filter(None, map(str.strip, given.replace("\n", ";").split(";"))):
        common, sign, names = part.partition("=")
        common = common.strip()
        if not sign or not common:
            raise SettingError(f"The label map has the part “{part}”. {HOW}")
        if common in members:
            raise SettingError(f"The label map has “{common}” twice; name it once.")
        members[common] = tuple(filter(None, map(str.strip, names.split(","))))
    return members


def sayable(labels: Iterable[str]) -> tuple[str, ...]:
    """Those of some labels that a written map can name: without its own signs."""
    return tuple(label for label in labels if not set(label) & set("=;,"))


def suggested(labels_of: Mapping[str, Sequence[str]]) -> str:
    """A map to begin with where the labels differ; empty where they do not, or none is known."""
    every = list(dict.fromkeys(label for labels in labels_of.values() for label in labels))
    if all(set(labels) == set(every) for labels in labels_of.values()):
        return ""
    sides = [[label for label in every if label in side] for side in (OTHER, LEUKEMIC)]
    if sum(map(len, sides)) < len(every) or not all(sides):
        return ""
    return "; ".join(
        f"{common} = {', '.join(labels)}"
        for common, labels in zip(("other", "leukemic"), sides, strict=True)
    )


def _quoted(labels: Sequence[str]) -> str:
    return ", ".join(f"“{label}”" for label in labels)
