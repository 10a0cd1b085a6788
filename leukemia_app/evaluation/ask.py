"""Labelled pictures put to one model or several, as they are served, plain and disturbed."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from statistics import median
from time import perf_counter
from typing import Protocol

import numpy as np

from leukemia_app.bundles.reading import Reading
from leukemia_app.bundles.spec import SEEN_DIGITS, Spec
from leukemia_app.evaluation.corruptions import corrupt
from leukemia_app.evaluation.label_map import LabelMap
from leukemia_app.evaluation.measures import Answers
from leukemia_app.imaging.picture import FloatArray, Picture, pixels_digest

CHUNK = 32
Condition = tuple[str, int]
"""A corruption and its strength."""
PLAIN: Condition = ("", 0)


class Reader(Protocol):
    """What is scored: `bundles.predictor.Predictor`."""

    @property
    def spec(self) -> Spec:
        """What the model says of itself."""

    def read(self, pictures: Sequence[Picture], *, measure: bool = True) -> list[Reading]:
        """One reading a picture, in order."""


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A picture whose class and group are known."""

    picture: Picture
    label: str
    group: str
    file: str = ""
    """Path below the data folder; the picture's own name where it is empty."""
    number: int | None = None
    """Seed of its disturbances; None: its place among those that are asked about."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What several models said of the same pictures."""

    answers: Mapping[str, Mapping[Condition, Answers]]
    """By model and condition, all of the common labels."""
    ms: Mapping[str, float | None]
    """Milliseconds a picture by model, undisturbed: preparing and the network; median of groups of
    `CHUNK`."""
    seen: Mapping[str, int]
    """By model: pictures that it had learned from."""
    n_left_out: int
    """Pictures put to no model: one had learned from them, or from their group."""


def ask(
    readers: Mapping[str, Reader],
    samples: Iterable[Sample],
    labels: LabelMap,
    *,
    corruptions: Sequence[Condition] = (),
    known_groups: Collection[str] = (),
    progress: Callable[[int], None] = lambda done: None,
) -> Asked:
    """What each model says of each picture, plain and under each (corruption, strength).

    Pictures pass through once, a few at a time; one that any of the models learned from, or of one
    of the `known_groups`, is put to none, and counted. Every sample's label has a common label.
    Where a model's labels become fewer, its answer is the common label with the greatest sum; else
    its own decision counts. `progress` is told the pictures and disturbed copies done, after each
    condition of each few pictures; what it raises ends the asking.
    """
    fresh = _Fresh(samples=samples, seen=_seen(readers), known_groups=frozenset(known_groups))
    conditions = [PLAIN, *corruptions]
    noted = {id: {condition: _Noted() for condition in conditions} for id in readers}
    pace: dict[str, list[float]] = {id: [] for id in readers}
    true: list[int] = []
    groups: list[str] = []
    files: list[str] = []
    for chunk in _chunks(fresh):
        for n_conditions, condition in enumerate(conditions, 1):
            pictures = [
                _disturbed(
                    sample.picture,
                    condition,
                    seed=len(true) + place if sample.number is None else sample.number,
                )
                for place, sample in enumerate(chunk)
            ]
            for id, reader in readers.items():
                started = perf_counter()
                readings = reader.read(pictures, measure=False)
                if condition == PLAIN:
                    pace[id].append(1000 * (perf_counter() - started) / len(chunk))
                noted[id][condition].add(readings, reader.spec.label_names, labels)
            over = len(true) + fresh.n_left_out
            progress(over * len(conditions) + n_conditions * len(chunk))
        true += [_place(sample, labels) for sample in chunk]
        groups += [sample.group for sample in chunk]
        files += [sample.file or sample.picture.name for sample in chunk]
    return Asked(
        answers={
            id: {condition: each.answers(true, groups, files, len(labels.labels))
                 for condition, each in by_condition.items()}
            for id, by_condition in noted.items()
        },
        # The first answers of a network take longer than all that follow: no mean.
        ms={id: median(each) if each else None for id, each in pace.items()},
        seen=fresh.n_seen, n_left_out=fresh.n_left_out,
    )  # fmt: skip


def joined(parts: Sequence[Asked]) -> Asked:
    """What several machines asked about pictures of one set, in the order of the parts."""
    first = parts[0]
    return Asked(
        answers={
            id: {condition: _one(each.answers[id][condition] for each in parts)
                 for condition in by_condition}
            for id, by_condition in first.answers.items()
        },
        ms={
            id: median(known) if (known := [
                each.ms[id] or 0 for each in parts if each.ms[id] is not None
            ]) else None
            for id in first.ms
        },
        seen={id: sum(each.seen[id] for each in parts) for id in first.seen},
        n_left_out=sum(each.n_left_out for each in parts),
    )  # fmt: skip


def _one(answers: Iterable[Answers]) -> Answers:
    every = list(answers)
    return Answers(
        true=np.concatenate([each.true for each in every]),
        predicted=np.concatenate([each.predicted for each in every]),
        probabilities=np.concatenate([each.probabilities for each in every]),
        referred=np.concatenate([each.referred for each in every]),
        groups=tuple(chain.from_iterable(each.groups for each in every)),
        files=tuple(chain.from_iterable(each.files for each in every)),
        reasons=tuple(chain.from_iterable(each.reasons for each in every)),
    )


def groups_learned_from(readers: Mapping[str, Reader], samples: Iterable[Sample]) -> frozenset[str]:
    """Groups of which one of the models learned from a picture: the others are no test of it."""
    known = frozenset().union(*_seen(readers).values())
    if not known:
        return frozenset()
    return frozenset(sample.group for sample in samples if _digest(sample) in known)


def _seen(readers: Mapping[str, Reader]) -> dict[str, frozenset[str]]:
    return {id: frozenset(reader.spec.seen) for id, reader in readers.items()}


def _digest(sample: Sample) -> str:
    return pixels_digest(sample.picture)[:SEEN_DIGITS]


@dataclass(kw_only=True)
class _Fresh:
    """Samples that no model learned from, and how many each did."""

    samples: Iterable[Sample]
    seen: Mapping[str, frozenset[str]]
    known_groups: frozenset[str]
    n_left_out: int = 0
    n_seen: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.n_seen = dict.fromkeys(self.seen, 0)

    def __iter__(self) -> Iterator[Sample]:
        for sample in self.samples:
            digest = _digest(sample)
            knowing = [id for id, seen in self.seen.items() if digest in seen]
            for id in knowing:
                self.n_seen[id] += 1
            if knowing or sample.group in self.known_groups:
                self.n_left_out += 1
            else:
                yield sample


@dataclass(kw_only=True)
class _Noted:
    """Answers of one model under one condition; readings themselves would fill the memory."""

    predicted: list[int] = field(default_factory=list)
    probabilities: list[np.ndarray] = field(default_factory=list)
    referred: list[bool] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)

    def add(self, readings: Sequence[Reading], own: Sequence[str], labels: LabelMap) -> None:
        probabilities, predicted = in_common(readings, own, labels)
        self.probabilities += list(probabilities)
        self.predicted += predicted
        self.referred += [reading.decision.kind == "refer" for reading in readings]
        self.reasons += [" ".join(reading.decision.reasons) for reading in readings]

    def answers(
        self, true: Sequence[int], groups: Sequence[str], files: Sequence[str], n_labels: int
    ) -> Answers:
        return Answers(
            true=np.array(true, np.int64), predicted=np.array(self.predicted, np.int64),
            probabilities=np.array(self.probabilities, np.float32).reshape(-1, n_labels),
            referred=np.array(self.referred, bool), groups=tuple(groups), files=tuple(files),
            reasons=tuple(self.reasons),
        )  # fmt: skip


def in_common(
    readings: Sequence[Reading], own: Sequence[str], labels: LabelMap
) -> tuple[FloatArray, list[int]]:
    """Probabilities of the common labels, (n, n_common), and the number of each one's top class.

    Where some of the model's `own` labels become one, the top class is the greatest sum; else it is
    that of the model's own decision, which may have a threshold.
    """
    rows = np.array(
        [[reading.probabilities[label] for label in own] for reading in readings], np.float32
    )
    summed = labels.sums(rows, own)
    if labels.merges(own):
        return summed, summed.argmax(1).tolist()
    commons = [labels.common(reading.decision.label) or "" for reading in readings]
    return summed, [labels.labels.index(common) for common in commons]


def _place(sample: Sample, labels: LabelMap) -> int:
    common = labels.common(sample.label)
    if common is None:
        raise ValueError(f"{sample.label!r} has no common label; leave such samples out before.")
    return labels.labels.index(common)


def _chunks(samples: Iterable[Sample]) -> Iterator[list[Sample]]:
    rest = iter(samples)
    while chunk := list(islice(rest, CHUNK)):
        yield chunk


def _disturbed(picture: Picture, condition: Condition, seed: int) -> Picture:
    if condition == PLAIN:
        return picture
    name, strength = condition
    rng = np.random.default_rng([seed, strength])
    return Picture(
        pixels=corrupt(picture.pixels, name, strength, rng), name=picture.name,
        source=picture.source,
    )  # fmt: skip
