"""Seconds by hand, before a run and in it; measured once for a machine and a network."""

import json
import os
import subprocess
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from leukemia_app.errors import RunError
from leukemia_app.training import estimate as module
from leukemia_app.training.config import RunConfig
from leukemia_app.training.estimate import (
    Costs,
    Counts,
    estimate,
    known_costs,
    measured_costs,
    time_left,
)
from tests.tiny_runs import draw_set, tiny_config

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


def test_features_are_counted_at_the_speed_that_was_seen():
    told = Told().plan().add(10, "features", done=10, total=180)
    told.add(20, "features", done=90, total=180)
    # Eighty in ten seconds: ninety more take 11.25.
    expected = 90 / 8 + AFTER["head"] + AFTER["fine-tuning"] + LATER
    assert told.left() == pytest.approx(expected)


def test_epochs_of_the_head_go_by_those_before():
    told = Told().plan().add(10, "features", done=180, total=180)
    told.add(12, "head", epoch=1, epochs=5, seconds=2.0)
    told.add(13, "head", epoch=2, epochs=5, seconds=1.0)
    # Median 1.5 s, three left.
    assert told.left() == pytest.approx(3 * 1.5 + AFTER["fine-tuning"] + LATER)


def test_steps_go_by_those_before_and_epochs_once_there_are_two():
    told = Told().plan().add(20, "step", epoch=1, step=1, steps=30)
    told.add(24, "step", epoch=1, step=5, steps=30)
    # A step a second: the epoch is ten seconds and five for the check; half is done.
    assert told.left() == pytest.approx(2.5 * 15 + LATER)
    told.add(30, "epoch", epoch=1, epochs=3, seconds=30.0)
    told.add(42, "epoch", epoch=2, epochs=3, seconds=12.0).add(
        42, "step", epoch=3, step=20, steps=30
    )
    assert told.left() == pytest.approx(12 + LATER)


def test_a_resumed_run_knows_what_is_done_and_measures_anew():
    told = Told().plan().add(5, "head", epoch=5, epochs=5, seconds=1.0)
    told.add(9, "epoch", epoch=1, epochs=3, seconds=500.0)
    told.add(1000, "start").add(1001, "plan", counts=vars(COUNTS), costs=vars(COSTS))
    assert told.left() == pytest.approx(20 + 2 * (10 * 2 + 20 * 0.25) + LATER)


def test_scoring_ends_all_that_was_before_it():
    told = Told().plan().add(50, "epoch", epoch=2, epochs=3, seconds=9.0)
    told.add(60, "evaluate", done=5, total=20)
    assert told.left() == pytest.approx(0.75 * AFTER["evaluating"])


def test_the_time_left_never_grows_while_steps_keep_their_pace():
    told, seen = Told().plan(), []
    for step in range(1, 31):
        told.add(20 + 2 * step, "step", epoch=1 + (step - 1) // 10, step=step, steps=30)
        seen.append(told.left())
        if step % 10 == 0:
            told.add(20 + 2 * step, "epoch", epoch=step // 10, epochs=3, seconds=20.0)
    assert seen == sorted(seen, reverse=True)


def test_costs_are_measured_once_for_the_same_network_and_machine(tmp_path, monkeypatch):
    answers = []

    def probe(command: list[str], **given: Any) -> subprocess.CompletedProcess[str]:
        answers.append(json.loads(given["input"])["id"])
        return subprocess.CompletedProcess(command, 0, "a note\n" + json.dumps(vars(COSTS)), "")

    monkeypatch.setattr(subprocess, "run", probe)
    config = tiny_config(tmp_path)
    assert known_costs(config, tmp_path / "cache") is None
    assert measured_costs(config, tmp_path / "cache") == COSTS
    assert measured_costs(replace(config, tune_epochs=9, id="b"), tmp_path / "cache") == COSTS
    assert known_costs(config, tmp_path / "cache") == COSTS
    assert answers == ["tiny"]
    measured_costs(replace(config, batch_size=8), tmp_path / "cache")
    assert len(answers) == 2


def test_a_probe_that_fails_is_told_in_its_own_words(tmp_path, monkeypatch):
    done = subprocess.CompletedProcess([], 2, "", "a note\nset is not a folder; give one.\n")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: done)
    with pytest.raises(RunError, match=r"cannot be estimated: set is not a folder; give one\."):
        measured_costs(tiny_config(tmp_path), tmp_path)


def test_a_network_too_large_for_the_machine_is_told(tmp_path, monkeypatch):
    def endless(command: list[str], **_: Any) -> None:
        raise subprocess.TimeoutExpired(command, 600)

    monkeypatch.setattr(subprocess, "run", endless)
    with pytest.raises(RunError, match=r"Three steps of baseline_cnn took over 600 s .* smaller"):
        measured_costs(tiny_config(tmp_path), tmp_path)


def test_a_damaged_measurement_is_made_anew(tmp_path, monkeypatch):
    config = tiny_config(tmp_path)
    module._file(config, tmp_path).write_text('{"start_s": 1, "speed": 2}')
    assert known_costs(config, tmp_path) is None


def test_a_few_steps_are_really_taken(tmp_path, monkeypatch):
    draw_set(tmp_path / "set")
    monkeypatch.setitem(os.environ, "TF_CPP_MIN_LOG_LEVEL", "3")
    began = time.monotonic()
    costs = measured_costs(tiny_config(tmp_path / "set"), tmp_path / "cache")
    spent = time.monotonic() - began
    assert all(0 < value < spent for value in vars(costs).values())
    assert costs.first_step_s > costs.step_s
