"""A comparison on a cluster, by Ray Data: the same function answers on each node."""

import importlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from leukemia_app.bundles.device import find_device
from leukemia_app.bundles.library import Library
from leukemia_app.data.manifest import Row
from leukemia_app.errors import SettingError
from leukemia_app.evaluation.ask import (
    Asked,
    Condition,
    Reader,
    ask,
    groups_learned_from,
    joined,
)
from leukemia_app.evaluation.label_map import LabelMap
from leukemia_app.imaging.decode import Limits
from leukemia_app.training.labelled import LabelledFolder, samples_of

BATCH = 32
MEMORY_MB = 4000.0
NEEDED = (
    "Ray is not installed. Install requirements-cluster.txt beside requirements.txt, or leave "
    "--engine ray out."
)


@dataclass(frozen=True, kw_only=True)
class Question:
    """What every node needs to know; folders are paths that all nodes see."""

    models: Mapping[str, Path]
    """Folder of each bundle by its id."""
    folder: Path
    labels: LabelMap
    limits: Limits
    device: str
    corruptions: Sequence[Condition] = ()
    known_groups: frozenset[str] = frozenset()
    looks_only: bool = False
    """Whether to look for groups that a model learned from, and to ask nothing."""


class Asker:
    """An actor of Ray: loads the models once, then takes batches of rows."""

    def __init__(self, question: Question) -> None:
        """Remember what is asked; the models are loaded with the first batch."""
        self._question = question

    @cached_property
    def _readers(self) -> dict[str, Reader]:
        folders = [("here", folder) for folder in self._question.models.values()]
        library = Library(folders, find_device(self._question.device), MEMORY_MB, threads=1)
        return {id: library.predictor(id) for id in self._question.models}

    def __call__(self, batch: Mapping[str, Any]) -> dict[str, list[Any]]:
        """The batch's part of the answer, as a single row."""
        question, problems = self._question, list[str]()
        rows = [
            (int(number), Row(file=str(file), label=str(label), group=str(group)))
            for number, file, label, group in zip(
                batch["number"], batch["file"], batch["label"], batch["group"], strict=True
            )
        ]
        samples = samples_of(question.folder, rows, question.limits, problems)
        found: Any
        if question.looks_only:
            found = groups_learned_from(self._readers, samples)
        else:
            found = ask(
                self._readers, samples, question.labels, corruptions=question.corruptions,
                known_groups=question.known_groups,
            )  # fmt: skip
        return {"number": [rows[0][0]], "found": [found], "problems": [problems]}


def ask_on_ray(question: Question, data: LabelledFolder) -> tuple[Asked, tuple[str, ...]]:
    """What the models say of the labelled pictures, and a sentence for each unreadable one.

    It uses the cluster that RAY_ADDRESS names, or one of this machine's cores.

    Raises:
        SettingError: Ray is not installed.
    """
    rows = [
        {"number": number, "file": row.file, "label": row.label, "group": row.group}
        for number, row in enumerate(data.known(question.labels))
    ]
    if data.group_level != "image":
        looked = _parts(replace(question, looks_only=True), rows)
        groups = frozenset().union(*(part["found"] for part in looked))
        question = replace(question, known_groups=groups)
    parts = _parts(question, rows)
    problems = [problem for part in parts for problem in part["problems"]]
    return joined([part["found"] for part in parts]), tuple(problems)


def _parts(question: Question, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """One part a batch, in the order of the rows."""
    try:
        ray: Any = importlib.import_module("ray")
        importlib.import_module("ray.data")
    except ImportError as error:
        raise SettingError(NEEDED) from error
    if not ray.is_initialized():
        ray.init(log_to_driver=False, include_dashboard=False)
    # Ray is to make no more blocks than there are batches, or most of them would be near empty.
    n_batches = -(-len(rows) // BATCH)
    n_cores = int(ray.cluster_resources().get("CPU", 1))
    found: Iterable[dict[str, Any]] = (
        ray.data.from_items(list(rows), override_num_blocks=n_batches)
        .map_batches(
            Asker, fn_constructor_kwargs={"question": question}, batch_size=BATCH,
            concurrency=(1, max(1, min(n_batches, n_cores))),
        )
        .take_all()
    )  # fmt: skip
    return sorted(found, key=lambda part: int(part["number"]))
