"""What a run costs: guessed by network and side, measured once for a machine and a network."""

import json
import os
import subprocess
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from leukemia_app.errors import RunError
from leukemia_app.imaging.recipe import Recipe
from leukemia_app.networks.backbones import BACKBONES
from leukemia_app.networks.heads import HEADS
from leukemia_app.training import costs as module
from leukemia_app.training.costs import (
    Costs,
    best_costs,
    guessed_costs,
    known_costs,
    likened_costs,
    measured_costs,
)
from tests.tiny_runs import draw_set, tiny_config

COSTS = Costs(start_s=10, picture_s=0.1, segment_s=0.2, feature_s=0.5, head_step_s=0.01,
              first_step_s=20, step_s=2, answer_s=0.25)  # fmt: skip


def guess(backbone: str, side_px: int = 224, **changes: Any) -> Costs:
    config = tiny_config(Path("set"), backbone=backbone, batch_size=32, **changes,
                         recipe=Recipe(input="cell", side_px=side_px))  # fmt: skip
    return guessed_costs(config, flags=frozenset())


def test_the_guess_of_mobilenet_by_hand():
    found = guess("mobilenet", side_px=112)
    # A quarter of the area: 32 * (50 ms + half of 4 ms) / 4.
    assert found.step_s == pytest.approx(32 * 0.052 / 4)
    assert found.answer_s == pytest.approx(0.011 / 4)
    assert found.feature_s == pytest.approx((0.011 + 0.004) / 4)


def test_there_is_a_pace_for_every_network():
    assert set(module.PACES) == set(BACKBONES)
    assert set(module.HEAD_STEPS_S) == set(HEADS)


def test_vgg16_is_guessed_to_take_many_times_as_long_as_mobilenet():
    assert guess("vgg16").step_s > 9 * guess("mobilenet").step_s
    assert guess("vgg16", precision="bfloat16").step_s == pytest.approx(
        32 * (0.55 * module.PACES["vgg16"].learn_s + 0.002)
    )


def test_fewer_tuned_blocks_are_guessed_to_take_less():
    whole, part = guess("vgg16"), guess("vgg16", tune_from="block5_conv1")
    assert part.answer_s == whole.answer_s
    # One of five blocks on the way back.
    pace = module.PACES["vgg16"]
    back = 0.2 * (pace.learn_s - pace.look_s)
    assert part.step_s == pytest.approx(32 * (pace.look_s + back + 0.002))
    assert guess("vgg16", tune_from="normalisation") == whole


def test_a_measurement_of_one_network_corrects_the_guess_of_another(tmp_path, monkeypatch):
    config, other = tiny_config(tmp_path), tiny_config(tmp_path, backbone="mobilenet")
    slow = guessed_costs(config).at_pace(3)
    answer_with(monkeypatch, slow)
    assert likened_costs(other, tmp_path) is None
    assert best_costs(other, tmp_path) == ("guessed", guessed_costs(other))
    assert best_costs(config, tmp_path, measure=True) == ("measured", slow)
    likened = likened_costs(other, tmp_path)
    assert likened is not None
    assert likened.step_s == pytest.approx(3 * guessed_costs(other).step_s)
    assert likened.picture_s == guessed_costs(other).picture_s
    assert best_costs(other, tmp_path) == ("likened", likened)
    assert best_costs(config, tmp_path) == ("measured", slow)


def answer_with(monkeypatch: pytest.MonkeyPatch, costs: Costs) -> list[str]:
    """Let the probe answer so; ids of the runs it was asked about."""
    asked = []

    def probe(command: list[str], **given: Any) -> subprocess.CompletedProcess[str]:
        asked.append(json.loads(given["input"])["id"])
        return subprocess.CompletedProcess(command, 0, "a note\n" + json.dumps(vars(costs)), "")

    monkeypatch.setattr(subprocess, "run", probe)
    return asked


def test_costs_are_measured_once_for_the_same_network_and_machine(tmp_path, monkeypatch):
    answers = answer_with(monkeypatch, COSTS)
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
    module._file(config, tmp_path).write_text('{"measured": {"start_s": 1, "speed": 2}}')
    assert known_costs(config, tmp_path) is None
    assert likened_costs(config, tmp_path) is None


def test_a_few_steps_are_really_taken(tmp_path, monkeypatch):
    draw_set(tmp_path / "set")
    monkeypatch.setitem(os.environ, "TF_CPP_MIN_LOG_LEVEL", "3")
    began = time.monotonic()
    costs = measured_costs(tiny_config(tmp_path / "set"), tmp_path / "cache")
    spent = time.monotonic() - began
    assert all(0 < value < spent for value in vars(costs).values())
    assert costs.first_step_s > costs.step_s
