"""How long a run will take: before it, from what was measured here; in it, from its own events."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

from leukemia_app.training.config import RunConfig
from leukemia_app.training.costs import CLASSICAL_S, Costs, guessed_costs

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
    classical = _classical(config, counts, costs)
    if config.folds or config.split == "image":
        return classical
    return counts.test * _scored(config, costs) + _controls(config, counts, costs) + classical


def _scored(config: RunConfig, costs: Costs) -> float:
    """To read a test picture as it is and under each disturbance."""
    return (1 + N_DISTURBED) * (costs.picture_s + config.recipe.views * costs.answer_s)


def _controls(config: RunConfig, counts: Counts, costs: Costs) -> float:
    looked_at = counts.learn + counts.test if config.controls else 0
    needs_cells = bool(set(config.controls) - {"colour"})
    return looked_at * (costs.picture_s + (costs.segment_s if needs_cells else 0))


def _classical(config: RunConfig, counts: Counts, costs: Costs) -> float:
    """To fit the classical models, on pixels and on what the frozen backbone sees."""
    if not config.baselines:
        return 0.0
    fitted = [CLASSICAL_S[name] for name in config.baselines]
    seen = (counts.learn + counts.test) * costs.answer_s
    return seen + sum(each * counts.learn + pair * counts.learn**2 for each, pair in fitted)


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
    known = plan.get("costs")
    costs = _seen(config, counts, now, Costs(**known) if known else guessed_costs(config))
    if now[0].get("finish"):
        return _finishing_left(config, counts, costs, now)
    return sum(_left(config, counts, costs, told, now).values())


def _seen(config: RunConfig, counts: Counts, now: Sequence[Event], costs: Costs) -> Costs:
    """The costs as this very run has shown them since it was last started.

    What the network has not shown yet is taken to be as much slower or faster than `costs` as
    what it has.
    """
    found: dict[str, float] = {}
    for name, kind in (("picture_s", "prepare"), ("feature_s", "features")):
        ticks = [event for event in now if event["kind"] == kind]
        if len(ticks) > 1 and ticks[-1]["done"] > ticks[0]["done"]:
            found[name] = _pace(ticks[0], ticks[-1], "done")
    if steps := list(_step_paces(now)):
        found["step_s"] = median(steps)
        if checks := list(_check_times(config, counts, now, found["step_s"])):
            found["answer_s"] = median(checks)
    for name in ("step_s", "feature_s"):
        if name in found:
            costs = costs.at_pace(found[name] / getattr(costs, name))
            break
    return replace(costs, **found)


def _pace(first: Event, last: Event, counted: str) -> float:
    """Seconds for each between two events."""
    return float((last["time"] - first["time"]) / (last[counted] - first[counted]))


def _step_paces(now: Sequence[Event]) -> Iterator[float]:
    """Seconds of a step of tuning, epoch by epoch: between two epochs there is the check."""
    steps = [event for event in now if event["kind"] == "step"]
    for epoch in dict.fromkeys(event["epoch"] for event in steps):
        mine = [event for event in steps if event["epoch"] == epoch]
        if mine[-1]["step"] > mine[0]["step"]:
            yield _pace(mine[0], mine[-1], "step")


def _check_times(
    config: RunConfig, counts: Counts, now: Sequence[Event], step_s: float
) -> Iterator[float]:
    """Seconds for each answer of the checks that end an epoch; it is what no step took."""
    n_answers = counts.check * config.recipe.views
    last: Event | None = None
    for event in now:
        if event["kind"] == "step":
            last = event
        elif event["kind"] == "epoch" and last and last["epoch"] == event["epoch"] and n_answers:
            # Not every step is told.
            untold = event["epoch"] * tune_steps(config, counts) - last["step"]
            yield max(0.0, event["time"] - last["time"] - untold * step_s) / n_answers


def _left(
    config: RunConfig, counts: Counts, costs: Costs, told: Sequence[Event], now: Sequence[Event]
) -> dict[str, float]:
    """Seconds by phase that are left; phases that are over have none."""
    kinds = {event["kind"] for event in now}
    whole = estimate(config, counts, costs)
    if "baselines" in kinds:
        return {"evaluating": _classical(config, counts, costs) * (1 - _part(now, "baselines"))}
    if "evaluate" in kinds:
        return {"evaluating": _evaluating_left(config, counts, costs, now)}
    left = {"evaluating": whole["evaluating"]}
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


def _finishing_left(config: RunConfig, counts: Counts, costs: Costs, now: Sequence[Event]) -> float:
    """Of the last job of a run that was stopped: it trains no more, and scores in short."""
    each_s = costs.picture_s + config.recipe.views * costs.answer_s
    ticks = [event for event in now if event["kind"] == "evaluate"]
    if not ticks:
        return _bundling(config, counts, costs) + counts.test * each_s
    if ticks[-1]["done"] > ticks[0]["done"]:
        each_s = _pace(ticks[0], ticks[-1], "done")
    return float(ticks[-1]["total"] - ticks[-1]["done"]) * each_s


def _evaluating_left(
    config: RunConfig, counts: Counts, costs: Costs, now: Sequence[Event]
) -> float:
    ticks = [event for event in now if event["kind"] == "evaluate"]
    has_moved = ticks[-1]["done"] > ticks[0]["done"]
    each_s = _pace(ticks[0], ticks[-1], "done") if has_moved else _scored(config, costs)
    left = int(ticks[-1]["total"] - ticks[-1]["done"])
    later = _controls(config, counts, costs) + _classical(config, counts, costs)
    return left * each_s + later


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
