"""Models that say what they are told, put side by side: for tests of comparisons."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from leukemia_app.bundles.reading import Decision, Reading
from leukemia_app.bundles.spec import SEEN_DIGITS, Label, Spec
from leukemia_app.evaluation.ask import Sample
from leukemia_app.evaluation.compare import Candidate, Comparison, LabelledSet, compare
from leukemia_app.evaluation.label_map import label_map
from leukemia_app.imaging.picture import Picture, pixels_digest
from tests.readings import spec_of

SPLIT = {"part": "test", "level": "patient"}
TRUTH = "aabbaabb"
"""Labels of eight pictures of grey 0, 10, 20 …, two a patient."""


@dataclass
class Says:
    """Gives picture number n the n-th letter's label; refers where it is a capital."""

    spec: Spec
    said: str
    sure: float = 0.9

    def read(self, pictures: Sequence[Picture], *, measure: bool = True) -> list[Reading]:
        assert not measure
        return [self._reading(each) for each in pictures]

    def _reading(self, given: Picture) -> Reading:
        letter = self.said[int(given.pixels[0, 0, 0]) // 10]
        names, label = self.spec.label_names, letter.lower()
        rest = (1 - self.sure) / (len(names) - 1)
        refers = letter.isupper()
        return Reading(
            file=given.name, model=self.spec.id,
            probabilities={name: self.sure if name == label else rest for name in names},
            decision=Decision(kind="refer" if refers else "label", label=label,
                              reasons=("Blurred.",) if refers else ()),
            scope=None, morphology=None, cells=None, remarks=(), box=(0, 0, 8, 8),
        )  # fmt: skip


def samples(truth: str = TRUTH, name: str = "") -> Iterator[Sample]:
    for number, label in enumerate(truth):
        pixels = np.full((8, 8, 3), 10 * number, np.uint8)
        yield Sample(picture=Picture(pixels=pixels, name=f"{number}.png"), label=label,
                     group=f"p{number // 2}", file=f"{label}/{name or number}.png")  # fmt: skip


def reader(said: str, labels: str = "ab", sure: float = 0.9, seen: Sequence[int] = ()) -> Says:
    known = [pixels_digest(each.picture)[:SEEN_DIGITS] for number, each in enumerate(samples())
             if number in seen]  # fmt: skip
    return Says(
        spec=spec_of(labels=tuple(Label(name=each, meaning=each) for each in labels),
                     seen=tuple(known)),
        said=said, sure=sure,
    )  # fmt: skip


def compared(*readers: Says, given: str = "", split: dict[str, str] = SPLIT,
             name: str = "", **asked: Any) -> Comparison:  # fmt: skip
    """The readers, called x, y, z, on the eight pictures."""
    ids = "xyz"[: len(readers)]
    labels = label_map(given, {id: each.spec.label_names
                               for id, each in zip(ids, readers, strict=True)})  # fmt: skip
    return compare(
        {id: Candidate(reader=each, size_bytes=1000, memory_mb=2.0)
         for id, each in zip(ids, readers, strict=True)},
        LabelledSet(samples=lambda: samples(name=name), n=8, split=split), labels, **asked,
    )  # fmt: skip
