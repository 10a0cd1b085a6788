"""Runs as plain data for those who watch: the list, one run live, its curves."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from leukemia_app.bundles.spec import BUNDLE_ID
from leukemia_app.errors import AppError, RunError
from leukemia_app.settings import Settings
from leukemia_app.training import jobs
from leukemia_app.training.config import RunConfig
from leukemia_app.training.estimate import time_left
from leukemia_app.training.job_queue import JobQueue
from leukemia_app.training.jobs import Standing
from leukemia_app.training.memory import Pulse, last_pulse
from leukemia_app.training.run_folder import RunFolder

RUNS, DATASETS = "runs", "datasets"
TICKS = ("prepare", "features", "step", "evaluate", "baselines")
"""Events that only say how far a phase is: of many in a row the first and the last are kept."""


@dataclass(frozen=True, kw_only=True)
class RunLine:
    """One run in the list."""

    id: str
    title: str
    state: str
    reason: str
    time: float
    """When it came into this state, in seconds since 1970."""
    made: float
    """When it was laid out."""
    is_finishing: bool
    """Whether the last job is under way that makes the best so far a bundle."""
    place: int | None
    """1 is the next to start; None where it does not wait."""
    network: str
    labels: tuple[str, ...]
    data: str
    actions: tuple[str, ...]
    """What can be done with it now: stop, resume, finish, remove."""
    has_bundle: bool
    has_report: bool
    is_from_commands: bool = False
    """Whether the command line began it: it has no owner."""


@dataclass(frozen=True, kw_only=True)
class Curves:
    """Numbers by epoch."""

    epochs: tuple[int, ...] = ()
    values: Mapping[str, tuple[float | None, ...]]
    """By name, as long as `epochs`; None where an epoch has no such number."""


@dataclass(frozen=True, kw_only=True)
class Trace:
    """What was read of a run's events; `read_on` reads what is new since."""

    offset: int = 0
    events: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, kw_only=True)
class RunView:
    """One run as it is now."""

    line: RunLine
    doing: Mapping[str, Any]
    """Numbers of the last event that says how far the run is: epoch, epochs, step, steps, done,
    total; empty before the first one, and `kind` names it."""
    head: Curves
    """Of the head on frozen features: loss."""
    tune: Curves
    """Of the fine-tuning: loss, val_loss, accuracy, val_accuracy, rate, seconds, memory_mb."""
    best: Mapping[str, Any] | None
    """The numbers of the best epoch so far."""
    left_out: tuple[str, ...]
    """What could not be used, one sentence each."""
    memory: Pulse | None
    started: float | None
    """When the worker began, this time, in seconds since 1970."""
    seconds_left: float | None
    """None where it does not run, or cannot be told yet."""


def runs_queue(settings: Settings) -> JobQueue:
    """The line in which trainings wait."""
    return JobQueue(root=settings.state_dir / RUNS, limits=settings.training)


def checks_queue(settings: Settings) -> JobQueue:
    """The line in which data checks wait: minutes of work, so not behind hours of training."""
    return JobQueue(root=settings.state_dir / DATASETS, limits=settings.training)


def new_run(
    queue: JobQueue, config: RunConfig, owner: str = "", *, n_images: int | None = None
) -> RunFolder:
    """Lay out a run at the end of the line; its id and its bundle's get a number if taken.

    Raises:
        RunError: training is off, too many wait, `n_images` are more than one may train on here,
            or the folder cannot be written.
    """
    most = queue.limits.images
    if n_images is not None and most is not None and n_images > most:
        raise RunError(
            f"The data set has {n_images:,} pictures, and {most:,} are allowed here "
            "(LEUKEMIA_TRAINING). Leave some out."
        )

    def files(name: str) -> Mapping[str, object]:
        return {
            "owner.json": {"owner": owner},
            "config.json": replace(config, id=name).to_dict(),
        }

    return RunFolder(path=queue.add(config.id, files).path)


def find_run(
    root: Path, run_id: str, owner: str | None = None, *, with_commands: bool = False
) -> RunFolder:
    """The run of that id; `owner` and `with_commands` as in `list_runs`.

    Raises:
        RunError: there is none, or it is somebody else's: nobody learns which.
    """
    folder = RunFolder(path=root / run_id)
    known = BUNDLE_ID.fullmatch(run_id) and (folder.path / "config.json").exists()
    if not known or not _may_see(folder, owner, with_commands):
        raise RunError(f"There is no run {run_id!r} of yours. The list of runs names them.")
    return folder


def list_runs(
    root: Path, owner: str | None = None, *, with_commands: bool = False
) -> tuple[RunLine, ...]:
    """Every run in that folder, the newest first; with `owner` only theirs.

    The command line asks without one and sees all; a run without an owner is its own, and shown
    to an owner only `with_commands`, as `owners.may_see_commands` says.
    """
    found = [(folder, jobs.standing(folder)) for folder in _folders(root)]
    places = _places(found)
    lines = [_line(folder, now, places) for folder, now in found
             if _may_see(folder, owner, with_commands)]  # fmt: skip
    return tuple(sorted(lines, key=lambda line: (-line.made, line.id)))


def line_of(folder: RunFolder) -> RunLine:
    """The run as the list shows it."""
    return _line_now(folder, jobs.standing(folder))


def read_on(folder: RunFolder, trace: Trace | None = None) -> Trace:
    """The events so far; with an earlier trace only what is new is read from disk."""
    trace = trace or Trace()
    path = folder.path / "events.jsonl"
    if not path.exists() or path.stat().st_size < trace.offset:
        # Another run has taken the folder.
        trace = Trace()
    events, offset = folder.events_from(trace.offset)
    return Trace(offset=offset, events=_thinned([*trace.events, *events]))


def look(folder: RunFolder, trace: Trace) -> RunView:
    """The run as it is now, with the curves of what `read_on` gave."""
    now = jobs.standing(folder)
    told = [event for event in trace.events if event["kind"] != "left out"]
    last = told[-1] if told else {}
    best = [event for event in trace.events if event["kind"] == "epoch" and event.get("best")]
    starts = [event for event in trace.events if event["kind"] == "start"]
    # Events of the training say nothing of the last job, which follows it when it is stopped.
    is_told = not now.is_finishing or (bool(starts) and starts[-1].get("finish") is True)
    return RunView(
        line=_line_now(folder, now),
        doing={name: value for name, value in _plain(last).items() if is_told and name != "time"},
        head=curves(trace, "head"),
        tune=curves(trace, "epoch"),
        best=_plain(best[-1]) if best else None,
        left_out=tuple(str(event.get("reason")) for event in trace.events
                       if event["kind"] == "left out"),
        memory=last_pulse(folder) if now.is_running else None,
        started=starts[-1]["time"] if starts and now.is_running else None,
        seconds_left=_seconds_left(folder, trace) if now.is_running and is_told else None,
    )  # fmt: skip


def curves(trace: Trace, kind: str) -> Curves:
    """Numbers by epoch of the events of that kind; an epoch that was repeated counts once."""
    rows = {event["epoch"]: event for event in trace.events
            if event["kind"] == kind and isinstance(event.get("epoch"), int)}  # fmt: skip
    epochs = tuple(sorted(rows))
    names = sorted({name for row in rows.values() for name, value in row.items()
                    if isinstance(value, int | float) and not isinstance(value, bool)}
                   - {"time", "epoch", "epochs"})  # fmt: skip
    return Curves(
        epochs=epochs,
        values={name: tuple(_finite(rows[epoch].get(name)) for epoch in epochs) for name in names},
    )


def _plain(event: Mapping[str, Any]) -> dict[str, Any]:
    """The event with None for numbers that JSON has not."""
    return {name: _finite(value) if isinstance(value, float) else value
            for name, value in event.items()}  # fmt: skip


def _finite(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None


def _thinned(events: Iterable[Mapping[str, Any]]) -> tuple[Mapping[str, Any], ...]:
    kept: list[Mapping[str, Any]] = []
    for event in events:
        is_third = len(kept) > 1 and kept[-1]["kind"] == kept[-2]["kind"] == event["kind"]
        if is_third and event["kind"] in TICKS:
            kept[-1] = event
        else:
            kept.append(event)
    return tuple(kept)


def _seconds_left(folder: RunFolder, trace: Trace) -> float | None:
    try:
        return time_left(trace.events, folder.config())
    except (AppError, KeyError, TypeError, ValueError):
        # Events of another version of the app: the rest of the run can be shown all the same.
        return None


def _may_see(folder: RunFolder, owner: str | None, with_commands: bool) -> bool:
    if owner is None or (with_commands and _is_from_commands(folder)):
        return True
    return owner != "" and folder.owner() == owner


def _is_from_commands(folder: RunFolder) -> bool:
    return not (folder.path / "owner.json").exists()


def _line_now(folder: RunFolder, now: Standing) -> RunLine:
    places: Mapping[str, int] = {}
    if now.is_waiting:
        places = _places((other, jobs.standing(other)) for other in _folders(folder.path.parent))
    return _line(folder, now, places)


def _folders(root: Path) -> list[RunFolder]:
    return [RunFolder(path=path.parent) for path in root.glob("[!.]*/config.json")]


def _places(found: Iterable[tuple[RunFolder, Standing]]) -> dict[str, int]:
    waiting = sorted((now.ticket or 0, folder.path.name) for folder, now in found if now.is_waiting)
    return {name: place for place, (_, name) in enumerate(waiting, start=1)}


def _line(folder: RunFolder, now: Standing, places: Mapping[str, int]) -> RunLine:
    name = folder.path.name
    has_bundle = (folder.path / "bundle" / "bundle.json").exists()
    line = RunLine(
        id=name, title=name, state=now.state, reason=now.reason, time=now.time,
        is_finishing=now.is_finishing,
        made=(folder.path / "config.json").stat().st_mtime, place=places.get(name), network="",
        labels=(), data="", actions=_actions(folder, now), has_bundle=has_bundle,
        has_report=(folder.path / "report").is_dir(), is_from_commands=_is_from_commands(folder),
    )  # fmt: skip
    try:
        config = folder.config()
    except AppError as error:
        # The run itself may have ended well, by another version of the app.
        return replace(line, reason=line.reason or str(error))
    return replace(
        line, title=config.about.title or name, network=f"{config.backbone} + {config.head}",
        labels=config.labels, data=config.data,
    )  # fmt: skip


def _actions(folder: RunFolder, now: Standing) -> tuple[str, ...]:
    if now.is_running or now.is_waiting:
        return ("stop",)
    if now.state == "done":
        return ("remove",)
    finish = ("finish",) if jobs.can_finish(folder) else ()
    return ("resume", *finish, "remove")
