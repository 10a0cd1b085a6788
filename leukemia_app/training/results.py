"""Gather what a run left in its folder; nothing is computed again that the run wrote down."""

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from leukemia_app.bundles.decision import to_probabilities
from leukemia_app.bundles.spec import Figure, Spec
from leukemia_app.bundles.store import read_spec
from leukemia_app.data.corrections import changes_words
from leukemia_app.data.manifest import COLUMNS, Row, read_manifest
from leukemia_app.errors import AppError, BundleError, DatasetError
from leukemia_app.evaluation.baseline_row import Baseline
from leukemia_app.evaluation.evaluate import Evaluation
from leukemia_app.evaluation.learning import Epoch
from leukemia_app.evaluation.measures import NAMES, Answers, Interval, Measured, measure
from leukemia_app.evaluation.run_results import PartSize, RunResults
from leukemia_app.imaging.picture import FloatArray
from leukemia_app.training.config import RunConfig
from leukemia_app.training.corrections import changes_in
from leukemia_app.training.run_folder import RunFolder
from leukemia_app.training.seen import kept_seen

ANSWERS_FILE = "report/answers.npz"
EVALUATION_FILE = "report/evaluation.json"
BASELINES_FILE = "report/baselines.json"
PREDICTIONS_FILE = "report/predictions.npz"
SPLIT_FILE = "split.csv"
LEAK_FILE, HEALTH_FILE = "leak.json", "health.json"
"""Of the data check, beside the table of groups that the run was given."""
PART_NAMES: Mapping[str, str] = {"train": "training", "val": "validation", "test": "test"}
CHECKED: Mapping[str, str] = {
    "colour": "colour histogram alone", "size": "cell area alone", "background": "background alone",
}  # fmt: skip
"""How the data check's controls are called on a card, as a run's own begin."""
PAUSE_SECONDS = 600
"""A longer silence between two events is a pause, not work."""
EPOCH_NUMBERS = ("loss", "val_loss", "accuracy", "val_accuracy", "rate", "seconds", "memory_mb")
"""Numbers of an epoch that its event may hold."""


def save_evaluation(folder: RunFolder, found: Evaluation) -> None:
    """Write the figures of the served bundle and its answer to each picture into the report.

    Raises:
        RunError: it cannot be written.
    """
    answers = found.answers
    target = folder.path / ANSWERS_FILE
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name("draft.npz")
    np.savez(
        draft, allow_pickle=False, true=answers.true, predicted=answers.predicted,
        probabilities=answers.probabilities, referred=answers.referred,
        groups=np.array(answers.groups, np.str_), files=np.array(answers.files, np.str_),
        reasons=np.array(answers.reasons, np.str_),
    )  # fmt: skip
    draft.replace(target)
    # Last: where it is, the answers are there too.
    folder.write_json(EVALUATION_FILE, found.to_dict())


def read_baselines(folder: RunFolder) -> tuple[Baseline, ...]:
    """The classical models so far; none where the file is missing or of another version."""
    try:
        rows = json.loads((folder.path / BASELINES_FILE).read_text(encoding="utf-8"))
        return tuple(Baseline.from_dict(row) for row in rows)
    except (OSError, ValueError, TypeError):
        return ()


def gather(folder: RunFolder) -> RunResults:
    """Everything about a run, as far as it came; `notes` say what is missing.

    Raises:
        RunError: the folder holds no configuration or status that can be read.
    """
    config = folder.config()
    status = folder.status()
    notes: list[str] = []
    spec = spec_of(folder, notes)
    rows = split_rows(folder)
    answers, measured = _answers(folder, config, spec, notes)
    if (seen := kept_seen(folder)) is not None:
        notes.append(seen.in_words())
    evaluation = _json(folder.path / EVALUATION_FILE) or {}
    events = list(folder.events())
    return RunResults(
        id=config.id,
        state=str(status["state"]),
        reason=str(status.get("reason", "")),
        config=config.to_dict(),
        labels=config.labels,
        part=_part_words(config),
        level=_level(config),
        spec=spec,
        epochs=epochs_of(events),
        answers=answers,
        measured=measured,
        figures=checked_controls(config) if spec is None else spec.figures,
        baselines=read_baselines(folder),
        parts=_parts(rows, spec, answers),
        torn_groups=None if rows is None else _torn(rows),
        seen_in_training=evaluation.get("left_out", {}).get("seen_in_training"),
        leak=_of_data(config, LEAK_FILE),
        corrected=_corrected(folder, notes),
        left_out=tuple(
            dict.fromkeys(str(event.get("reason", "")) for event in events
                          if event.get("kind") == "left out")
        ),
        seconds=_seconds(events),
        notes=tuple(notes),
    )  # fmt: skip


def epochs_of(events: Iterable[Mapping[str, Any]]) -> tuple[Epoch, ...]:
    """The epochs of a run's events, each once: one that was begun again counts as it ended."""
    phases = {"head": "head", "epoch": "network"}
    found: dict[tuple[str, int], Epoch] = {}
    for event in events:
        phase, number = phases.get(str(event.get("kind"))), event.get("epoch")
        if phase is None or not isinstance(number, int):
            continue
        numbers = {
            name: float(event[name])
            for name in EPOCH_NUMBERS
            if isinstance(event.get(name), int | float)
        }
        found[phase, number] = Epoch(phase=phase, number=number, **numbers)
    return tuple(found[key] for key in sorted(found, key=lambda key: (key[0] != "head", key[1])))


def _corrected(folder: RunFolder, notes: list[str]) -> str:
    try:
        return changes_words(changes_in(folder.path))
    except DatasetError as error:
        notes.append(str(error))
        return ""


def _level(config: RunConfig) -> str:
    return "image" if config.split == "image" else config.group_level


def _part_words(config: RunConfig) -> str:
    if config.folds:
        return f"fold {config.fold + 1} of {config.folds}"
    return "a random fifth of the pictures" if config.split == "image" else "the test part"


def spec_of(folder: RunFolder, notes: list[str]) -> Spec | None:
    """Of the bundle that the run made; `notes` say why there is none where one lies."""
    if not (folder.path / "bundle").is_dir():
        return None
    try:
        return read_spec(folder.path / "bundle")
    except BundleError as error:
        notes.append(f"The run's bundle cannot be read: {error}")
        return None


def _json(path: Path) -> dict[str, Any] | None:
    """The object in a file; None where it is missing or damaged, as by a full disk."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return values if isinstance(values, dict) else None


def _of_data(config: RunConfig, name: str) -> dict[str, Any] | None:
    """What the data check wrote of the split that the run was given; None for another split."""
    if config.groups is None or config.folds or config.split != "given":
        return None
    found = _json(Path(config.groups).with_name(name))
    return found if found is not None and found.get("group_level") == config.group_level else None


def checked_controls(config: RunConfig) -> tuple[Figure, ...]:
    """The data check's controls as figures, for a run that measures none of its own."""
    main = "auroc" if config.n_outputs == 1 else "macro_f1"
    health = _of_data(config, HEALTH_FILE) or {}
    try:
        return tuple(
            Figure(
                name=f"{NAMES[main]}, {CHECKED[control['name']]}", value=control[main]["value"],
                low=control[main]["low"], high=control[main]["high"], part="test",
                n=control["n_test"], n_groups=control["n_test_groups"],
                group_level=config.group_level, kind="control", note="of the data check",
            )
            for control in health.get("controls", ())
            if control["verdict"] != "open"
        )  # fmt: skip
    except (KeyError, TypeError):
        return ()


def _answers(
    folder: RunFolder, config: RunConfig, spec: Spec | None, notes: list[str]
) -> tuple[Answers | None, Measured | None]:
    """As served where the run kept that, else from the network's own logits."""
    served = served_answers(folder.path / ANSWERS_FILE)
    evaluation = _json(folder.path / EVALUATION_FILE)
    if served is not None and evaluation is not None:
        return served, _measured(evaluation)
    path = folder.path / PREDICTIONS_FILE
    if not path.exists():
        notes.append("The run has no predictions yet, so there are no figures of pictures.")
        return None, None
    try:
        with np.load(path, allow_pickle=False) as arrays:
            kept = {name: arrays[name] for name in arrays.files}
    except (OSError, ValueError) as error:
        notes.append(f"report/predictions.npz cannot be read ({error}); run the evaluation again.")
        return None, None
    rows = _test_rows(config, kept, split_rows(folder), notes)
    if rows is None or not len(rows):
        return None, None
    answers = decided(config, spec, kept["test_logits"], rows, notes)
    measured = measure(answers, config.labels)
    return answers, measured if spec is None else _with_card(measured, spec)


def served_answers(path: Path) -> Answers | None:
    """What the bundle said of the test part as it is served; None where it was not kept."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return Answers(
                true=arrays["true"], predicted=arrays["predicted"],
                probabilities=arrays["probabilities"], referred=arrays["referred"],
                groups=tuple(arrays["groups"].tolist()), files=tuple(arrays["files"].tolist()),
                reasons=tuple(arrays["reasons"].tolist()),
            )  # fmt: skip
    except (OSError, ValueError, KeyError):
        return None


def _measured(evaluation: Mapping[str, Any]) -> Measured:
    return Measured(
        overall={name: Interval(**ends) for name, ends in evaluation["metrics"].items()},
        per_class={
            label: {name: Interval(**ends) for name, ends in figures.items()}
            for label, figures in evaluation["per_class"].items()
        },
    )


def _test_rows(
    config: RunConfig, kept: Mapping[str, Any], split: Sequence[Row] | None, notes: list[str]
) -> Sequence[Row] | None:
    """File, label and group of each test prediction: by the run's split, else by the data set."""
    if "test_rows" not in kept:
        return None
    try:
        if split is None:
            groups = Path(config.groups) if config.groups else None
            split = read_manifest(Path(config.data), groups, config.group_level).rows
        chosen = [split[int(number)] for number in kept["test_rows"]]
    except (AppError, IndexError) as error:
        notes.append(f"The data set can no longer be read, so predictions have no names: {error}")
        return None
    if [row.label for row in chosen] != [config.labels[int(each)] for each in kept["test_targets"]]:
        notes.append("The data set has changed since the run, so predictions have no names.")
        return None
    return chosen


def decided(
    config: RunConfig, spec: Spec | None, logits: FloatArray, rows: Sequence[Row], notes: list[str]
) -> Answers:
    """What the network's own logits say of these rows; `notes` say what that leaves out."""
    probabilities = to_probabilities(logits, 1.0 if spec is None else spec.temperature)
    predicted = probabilities.argmax(1)
    referred = np.zeros(len(rows), bool)
    if spec is not None:
        if spec.positive_threshold is not None:
            predicted = (probabilities[:, 1] >= spec.positive_threshold).astype(np.int64)
        referred = probabilities.max(1) < spec.threshold
        notes.append(
            "This run kept no answers of the model as it is served: answers here are the trained "
            "network’s, and referrals for scope or quality are not among them."
        )
    return Answers(
        true=np.array([config.labels.index(row.label) for row in rows], np.int64),
        predicted=predicted.astype(np.int64),
        probabilities=probabilities,
        referred=referred,
        groups=tuple(row.group for row in rows),
        files=tuple(row.file for row in rows),
    )


def _with_card(measured: Measured, spec: Spec) -> Measured:
    """The card's figures of the test part, where it has any: they are of the served model."""
    card = {
        figure.name: Interval(value=figure.value, low=figure.low, high=figure.high)
        for figure in spec.figures
        if figure.kind == "result" and figure.part == "test"
    }
    known = {name: card[title] for name, title in NAMES.items() if title in card}
    return replace(measured, overall={**measured.overall, **known})


def split_rows(folder: RunFolder) -> tuple[Row, ...] | None:
    """Every picture with its part, as the run wrote them down; None for a run that did not."""
    return rows_in(folder.path / SPLIT_FILE)


def rows_in(table: Path) -> tuple[Row, ...] | None:
    """The rows of a table that `write_manifest` wrote, wherever its pictures are; None without."""
    try:
        with table.open(newline="", encoding="utf-8") as lines:
            found = csv.reader(lines)
            if next(found, None) != list(COLUMNS):
                return None
            return tuple(
                Row(file=file, label=label, group=group, part=part)
                for file, label, group, part in found
            )
    except (OSError, ValueError, csv.Error):
        return None


def _parts(
    rows: Sequence[Row] | None, spec: Spec | None, answers: Answers | None
) -> dict[str, PartSize]:
    if rows is not None:
        return {
            title: _size([row for row in rows if row.part == part])
            for part, title in PART_NAMES.items()
        }
    if spec is None:
        if answers is None:
            return {}
        n_groups = len(set(answers.groups))
        return {"kept back": PartSize(pictures=len(answers.true), groups=n_groups, by_label={})}
    return {
        {"train": "training"}.get(name, name): PartSize(
            pictures=int(facts["pictures"]), groups=facts.get("groups"), by_label={}
        )
        for name, facts in spec.split.get("parts", {}).items()
    }


def _size(rows: Sequence[Row]) -> PartSize:
    by_label: dict[str, int] = {}
    for row in rows:
        by_label[row.label] = by_label.get(row.label, 0) + 1
    groups = len({row.group for row in rows})
    return PartSize(pictures=len(rows), groups=groups, by_label=by_label)


def _torn(rows: Sequence[Row]) -> tuple[str, ...]:
    parts_of: dict[str, set[str]] = {}
    for row in rows:
        parts_of.setdefault(row.group, set()).add(row.part)
    return tuple(group for group, parts in parts_of.items() if len(parts - {""}) > 1)


def _seconds(events: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Time up to each event since the one before, by phase; pauses are taken out."""
    phases = {"prepare": "preparing", "features": "frozen features", "head": "head",
              "step": "fine-tuning", "epoch": "fine-tuning", "evaluate": "evaluating",
              "baselines": "baselines"}  # fmt: skip
    found: dict[str, float] = {}
    for before, event in pairwise(events):
        phase = phases.get(str(event.get("kind")))
        try:
            gap = float(event["time"]) - float(before["time"])
        except (KeyError, TypeError, ValueError):
            continue
        if phase is not None and 0 <= gap <= PAUSE_SECONDS:
            found[phase] = found.get(phase, 0.0) + gap
    return found
