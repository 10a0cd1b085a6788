"""How long a run will take: before it, from what was measured here; in it, from its own events."""

import hashlib
import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

from leukemia_app.errors import RunError
from leukemia_app.training.config import RunConfig

PROBE = "leukemia_app.training.probe"
PROBE_SECONDS = 600.0
N_DISTURBED = 6
"""Disturbances under which each test picture is read once more."""
Event = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Counts:
    """Pictures of a run, by what is done with them."""

    every: int
    learn: int
    check: int
    test: int


@dataclass(frozen=True, kw_only=True)
class Costs:
    """Seconds that the parts of a run take; those of no argument are guesses for two cores."""

    start_s: float = 10.0
    """Until the process has loaded its libraries and built the network."""
    picture_s: float = 0.02
    """To decode and prepare a picture."""
    segment_s: float = 0.1
    """To find the cells in one."""
    feature_s: float = 0.03
    """To disturb a picture and have the backbone look at it."""
    head_step_s: float = 0.02
    first_step_s: float = 20.0
    """Of tuning: the network is translated for the machine."""
    step_s: float = 1.5
    """Of tuning, each later one."""
    answer_s: float = 0.02
    """To have the network answer for a picture, one view."""


def estimate(config: RunConfig, counts: Counts, costs: Costs) -> dict[str, float]:
    """Seconds by phase, in their order; a training that is patient may end earlier."""
    return {
        "preparing": costs.start_s + counts.every * costs.picture_s,
        "features": n_features(config, counts) * costs.feature_s,
        "head": config.head_epochs * head_steps(config, counts) * costs.head_step_s,
        "fine-tuning": _tuning(config, counts, costs),
        "bundling": _bundling(config, counts, costs),
        "evaluating": _evaluating(config, counts, costs),
    }


def n_features(config: RunConfig, counts: Counts) -> int:
    """Pictures that the frozen backbone looks at."""
    return config.feature_copies * counts.learn + counts.check if config.head_epochs else 0


def head_steps(config: RunConfig, counts: Counts) -> int:
    """Steps of an epoch of the head."""
    return max(1, counts.learn // config.batch_size)


def tune_steps(config: RunConfig, counts: Counts) -> int:
    """Steps of an epoch of tuning."""
    return config.steps_per_epoch or max(1, counts.learn // config.batch_size)


def _epoch(config: RunConfig, counts: Counts, costs: Costs) -> float:
    check = counts.check * config.recipe.views * costs.answer_s
    return tune_steps(config, counts) * costs.step_s + check


def _tuning(config: RunConfig, counts: Counts, costs: Costs) -> float:
    if not config.tune_epochs:
        return 0.0
    return costs.first_step_s + config.tune_epochs * _epoch(config, counts, costs)


def _bundling(config: RunConfig, counts: Counts, costs: Costs) -> float:
    """To answer for all that was kept back and learned from, and to write the bundle."""
    views = config.recipe.views
    answered = (3 * counts.check + counts.test + 2 * counts.learn) * views * costs.answer_s
    # Translated twice again for serving, once with its gradient.
    return answered + (0 if config.folds or config.split == "image" else 2 * costs.first_step_s)


def _evaluating(config: RunConfig, counts: Counts, costs: Costs) -> float:
    if config.folds or config.split == "image":
        return 0.0
    once = costs.picture_s + config.recipe.views * costs.answer_s
    looked_at = counts.learn + counts.test if config.controls else 0
    needs_cells = bool(set(config.controls) - {"colour"})
    control = costs.picture_s + (costs.segment_s if needs_cells else 0)
    return (1 + N_DISTURBED) * counts.test * once + looked_at * control


def time_left(events: Iterable[Event], config: RunConfig) -> float | None:
    """Seconds until the run is done if no patience ends it earlier; None before it can be told.

    `events` are the run's so far; long rows of counts may lack their middle.
    """
    told = list(events)
    starts = [place for place, event in enumerate(told) if event["kind"] == "start"]
    now = told[starts[-1] :] if starts else told
    plan = next((event for event in now if event["kind"] == "plan"), None)
    if plan is None:
        return None
    counts = Counts(**plan["counts"])
    costs = _seen(config, now, Costs(**plan.get("costs", {})))
    return sum(_left(config, counts, costs, told, now).values())


def _seen(config: RunConfig, now: Sequence[Event], costs: Costs) -> Costs:
    """The costs as this very run has shown them since it was last started."""
    found: dict[str, float] = {}
    for name, kind, at in (
        ("picture_s", "prepare", "done"), ("feature_s", "features", "done"),
        ("step_s", "step", "step"),
    ):  # fmt: skip
        ticks = [event for event in now if event["kind"] == kind]
        if len(ticks) > 1 and ticks[-1][at] > ticks[0][at]:
            found[name] = (ticks[-1]["time"] - ticks[0]["time"]) / (ticks[-1][at] - ticks[0][at])
    return replace(costs, **found)


def _left(
    config: RunConfig, counts: Counts, costs: Costs, told: Sequence[Event], now: Sequence[Event]
) -> dict[str, float]:
    """Seconds by phase that are left; phases that are over have none."""
    kinds = {event["kind"] for event in now}
    whole = estimate(config, counts, costs)
    left = {"evaluating": whole["evaluating"] * (1 - _part(now, "evaluate"))}
    if "evaluate" in kinds:
        return left
    left["bundling"] = whole["bundling"]
    left["fine-tuning"] = _tuning_left(config, counts, costs, told, now)
    if not kinds.isdisjoint({"step", "epoch"}):
        return left
    head = [event for event in told if event["kind"] == "head"]
    epoch_s = median(event["seconds"] for event in head) if head else (
        head_steps(config, counts) * costs.head_step_s
    )  # fmt: skip
    left["head"] = max(0, config.head_epochs - _epochs_done(head)) * epoch_s
    if not head:
        left["features"] = whole["features"] * (1 - _part(now, "features"))
    return left


def _tuning_left(
    config: RunConfig, counts: Counts, costs: Costs, told: Sequence[Event], now: Sequence[Event]
) -> float:
    epochs = [event for event in told if event["kind"] == "epoch"]
    steps = [event for event in now if event["kind"] == "step"]
    left = config.tune_epochs - _epochs_done(epochs)
    if left <= 0:
        return 0.0
    # The first epoch of a process also holds the translation.
    whole = [event["seconds"] for event in now if event["kind"] == "epoch"][1:]
    epoch_s = median(whole) if whole else _epoch(config, counts, costs)
    in_epoch = steps[-1]["step"] - _epochs_done(epochs) * tune_steps(config, counts) if steps else 0
    part = min(1.0, max(0.0, in_epoch / tune_steps(config, counts)))
    return (left - part) * epoch_s + (0 if steps else costs.first_step_s)


def _epochs_done(events: Sequence[Event]) -> int:
    return max((event["epoch"] for event in events), default=0)


def _part(events: Sequence[Event], kind: str) -> float:
    """How much of what that kind counts is done."""
    last = next((event for event in reversed(events) if event["kind"] == kind), None)
    return last["done"] / last["total"] if last and last["total"] else 0.0


def known_costs(config: RunConfig, cache: Path) -> Costs | None:
    """What was measured on this machine for such a run; None where nothing was."""
    try:
        return Costs(**json.loads(_file(config, cache).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def measured_costs(config: RunConfig, cache: Path) -> Costs:
    """The costs of such a run, kept in `cache`; the first time a process takes a few steps.

    That takes half a minute, for large networks minutes.

    Raises:
        RunError: the network cannot be built, or the pictures cannot be read.
    """
    if (costs := known_costs(config, cache)) is not None:
        return costs
    cache.mkdir(parents=True, exist_ok=True)
    root = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
    try:
        done = subprocess.run(
            [sys.executable, "-m", PROBE],
            input=json.dumps(config.to_dict()), capture_output=True, text=True,
            timeout=PROBE_SECONDS, env=os.environ | {"PYTHONPATH": path}, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise RunError(
            f"Three steps of {config.backbone} took over {PROBE_SECONDS:.0f} s on this machine; "
            "use a smaller recipe.side_px or batch_size."
        ) from error
    if done.returncode:
        words = done.stderr.strip().splitlines()
        raise RunError(f"The time cannot be estimated: {words[-1] if words else done.returncode}")
    costs = Costs(**json.loads(done.stdout.splitlines()[-1]))
    draft = _file(config, cache).with_suffix(f".{os.getpid()}.part")
    draft.write_text(json.dumps(asdict(costs)), encoding="utf-8")
    draft.replace(_file(config, cache))
    return costs


def _file(config: RunConfig, cache: Path) -> Path:
    """Where the costs of such runs on this machine are kept."""
    same = [
        platform.node(), os.cpu_count(), config.data, config.recipe.to_dict(), config.backbone,
        config.head, dict(config.head_arguments), config.batch_size, config.tune_from,
        config.frozen_normalisation, config.precision, config.optimizer,
    ]  # fmt: skip
    digest = hashlib.sha256(json.dumps(same, sort_keys=True).encode()).hexdigest()[:16]
    return cache / f"costs-{digest}.json"
