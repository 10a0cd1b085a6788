"""Seconds by hand, before a run and in it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from leukemia_app.training.config import RunConfig
from leukemia_app.training.costs import Costs, guessed_costs
from leukemia_app.training.estimate import Counts, estimate, time_left
from tests.tiny_runs import tiny_config

COSTS = Costs(start_s=10, picture_s=0.1, segment_s=0.2, feature_s=0.5, head_step_s=0.01,
              first_step_s=20, step_s=2, answer_s=0.25)  # fmt: skip
COUNTS = Counts(every=120, learn=80, check=20, test=20)
CONFIG = tiny_config(Path("set"), head_epochs=5, feature_copies=2, tune_epochs=3, batch_size=8,
                     controls=("colour", "size"))  # fmt: skip


def test_the_phases_by_hand():
    found = estimate(CONFIG, COUNTS, COSTS)
    assert found == pytest.approx({
        "preparing": 10 + 120 * 0.1,
        "features": (2 * 80 + 20) * 0.5,
        "head": 5 * 10 * 0.01,
        # Ten steps and twenty answers an epoch.
        "fine-tuning": 20 + 3 * (10 * 2 + 20 * 0.25),
        # Check thrice, test once, learn twice; the network is translated twice more.
        "bundling": (3 * 20 + 20 + 2 * 80) * 0.25 + 2 * 20,
        # Seven readings of each test picture; then each picture once more for the controls.
        "evaluating": 7 * 20 * (0.1 + 0.25) + 100 * (0.1 + 0.2),
    })  # fmt: skip


def test_what_is_not_done_costs_nothing():
    fold = replace(CONFIG, folds=3, head_epochs=0, tune_epochs=0)
    found = estimate(fold, COUNTS, COSTS)
    assert [found[name] for name in ("features", "head", "fine-tuning", "evaluating")] == [0] * 4
    assert estimate(replace(CONFIG, controls=()), COUNTS, COSTS)["evaluating"] == pytest.approx(49)


def test_classical_models_are_counted_by_the_picture_and_by_the_pair():
    config = replace(CONFIG, baselines=("svc", "ridge"))
    more = estimate(config, COUNTS, COSTS)["evaluating"] - AFTER["evaluating"]
    # The backbone looks at eighty and twenty; 6,400 pairs for the one, 80 pictures for the other.
    by_hand = 100 * 0.25 + 1.7e-6 * 6400 + 0.3e-3 * 80
    assert more == pytest.approx(by_hand)
    fold = replace(config, folds=3)
    assert estimate(fold, COUNTS, COSTS)["evaluating"] == pytest.approx(by_hand)
    told = Told().plan().add(90, "evaluate", done=20, total=20)
    told.add(95, "baselines", done=1, total=4)
    assert told.left(config) == pytest.approx(0.75 * by_hand)


class Told:
    """A run's events, each at a second of its own choosing."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []

    def add(self, at: float, kind: str, **numbers: Any) -> "Told":
        self.events.append({"time": at, "kind": kind, **numbers})
        return self

    def plan(self) -> "Told":
        return self.add(0, "start").add(1, "plan", counts=vars(COUNTS), costs=vars(COSTS))

    def left(self, config: RunConfig = CONFIG) -> float | None:
        return time_left(self.events, config)


AFTER = estimate(CONFIG, COUNTS, COSTS)
LATER = AFTER["bundling"] + AFTER["evaluating"]


def test_nothing_can_be_told_before_the_plan():
    assert Told().left() is None
    assert Told().add(0, "start").add(1, "prepare", done=1, total=9).left() is None


def test_after_the_plan_all_phases_but_the_first_are_left():
    expected = sum(AFTER.values()) - AFTER["preparing"]
    assert Told().plan().left() == pytest.approx(expected)


def test_features_are_counted_at_the_speed_that_was_seen_and_the_rest_likewise():
    told = Told().plan().add(10, "features", done=10, total=180)
    told.add(20, "features", done=90, total=180)
    # Eighty in ten seconds: ninety more take 11.25, and the network is four times as fast as told.
    rest = estimate(CONFIG, COUNTS, COSTS.at_pace(1 / 4))
    later = sum(rest[name] for name in ("head", "fine-tuning", "bundling", "evaluating"))
    assert told.left() == pytest.approx(90 / 8 + later)


def test_epochs_of_the_head_go_by_those_before():
    told = Told().plan().add(10, "features", done=180, total=180)
    told.add(12, "head", epoch=1, epochs=5, seconds=2.0)
    told.add(13, "head", epoch=2, epochs=5, seconds=1.0)
    # Median 1.5 s, three left.
    assert told.left() == pytest.approx(3 * 1.5 + AFTER["fine-tuning"] + LATER)


def test_steps_go_by_those_before_and_epochs_once_there_are_two():
    told = Told().plan().add(20, "step", epoch=1, step=1, steps=30)
    told.add(24, "step", epoch=1, step=5, steps=30)
    # A step a second, half of what was told: the epoch is ten seconds and 2.5 for the check, of
    # which half is done.
    rest = estimate(CONFIG, COUNTS, COSTS.at_pace(1 / 2))
    later = rest["bundling"] + rest["evaluating"]
    assert told.left() == pytest.approx(2.5 * 12.5 + later)
    # Five steps were not told; the check of twenty pictures takes six seconds.
    told.add(35, "epoch", epoch=1, epochs=3, seconds=30.0)
    rest = estimate(CONFIG, COUNTS, replace(COSTS.at_pace(1 / 2), answer_s=0.3))
    later = rest["bundling"] + rest["evaluating"]
    assert told.left() == pytest.approx(2 * 16 + later)
    told.add(47, "epoch", epoch=2, epochs=3, seconds=12.0)
    assert told.left() == pytest.approx(12 + later)


def test_what_lies_between_two_epochs_is_no_step():
    told = Told().plan()
    for at, step in ((1, 1), (10, 10)):
        told.add(at, "step", epoch=1, step=step, steps=30)
    told.add(15, "epoch", epoch=1, epochs=3, seconds=35.0)
    for at, step in ((115, 11), (119, 15)):
        told.add(at, "step", epoch=2, step=step, steps=30)
    # A step a second and five for the check; an epoch and a half are left.
    rest = estimate(CONFIG, COUNTS, replace(COSTS.at_pace(1 / 2), answer_s=0.25))
    assert told.left() == pytest.approx(1.5 * 15 + rest["bundling"] + rest["evaluating"])


def test_a_resumed_run_knows_what_is_done_and_measures_anew():
    told = Told().plan().add(5, "head", epoch=5, epochs=5, seconds=1.0)
    told.add(9, "epoch", epoch=1, epochs=3, seconds=500.0)
    told.add(1000, "start").add(1001, "plan", counts=vars(COUNTS), costs=vars(COSTS))
    assert told.left() == pytest.approx(20 + 2 * (10 * 2 + 20 * 0.25) + LATER)


def test_scoring_ends_all_that_was_before_it():
    told = Told().plan().add(50, "epoch", epoch=2, epochs=3, seconds=9.0)
    told.add(60, "evaluate", done=5, total=20)
    # A test picture takes 7 * (0.1 + 0.25) s; the controls follow.
    controls = 100 * (0.1 + 0.2)
    assert told.left() == pytest.approx(15 * 7 * 0.35 + controls)
    told.add(70, "evaluate", done=10, total=20)
    assert told.left() == pytest.approx(10 * 2 + controls)


def test_the_last_job_of_a_stopped_run_trains_no_more_and_scores_in_short():
    told = Told().plan().add(9, "epoch", epoch=1, epochs=3, seconds=9.0)
    told.add(20, "start", finish=True)
    told.add(21, "plan", counts=vars(COUNTS), costs=vars(COSTS))
    # A test picture takes 0.1 + 0.25 s: it is read once, without disturbed copies.
    assert told.left() == pytest.approx(AFTER["bundling"] + 20 * 0.35)
    told.add(30, "evaluate", done=5, total=20)
    assert told.left() == pytest.approx(15 * 0.35)
    told.add(32, "evaluate", done=10, total=20)
    assert told.left() == pytest.approx(10 * 0.4)


def test_a_run_that_told_no_costs_is_guessed_by_its_network():
    told = Told().add(0, "start").add(1, "plan", counts=vars(COUNTS), costs={})
    guess = estimate(CONFIG, COUNTS, guessed_costs(CONFIG))
    assert told.left() == pytest.approx(sum(guess.values()) - guess["preparing"])


def test_the_time_left_never_grows_while_steps_keep_their_pace():
    told, seen = Told().plan(), []
    for step in range(1, 31):
        told.add(20 + 2 * step, "step", epoch=1 + (step - 1) // 10, step=step, steps=30)
        seen.append(told.left())
        if step % 10 == 0:
            told.add(20 + 2 * step, "epoch", epoch=step // 10, epochs=3, seconds=20.0)
    assert seen == sorted(seen, reverse=True)
