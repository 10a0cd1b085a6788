"""Several devices take the step that one would take; here the processor plays two or three."""

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from leukemia_app.networks.backbones import BACKBONES, SMALLEST_SIDES
from leukemia_app.networks.build import build_network, freeze_normalisation
from leukemia_app.training.learner import OneDevice, learner_of
from leukemia_app.training.replicas import _copied
from leukemia_app.training.state import load_weights, seed_states
from tests.tiny_runs import tiny_config

CHILD = Path(__file__).with_name("replicas_child.py")


def begun(folder: Path, n_devices: int, dropout: float) -> subprocess.Popen[str]:
    """A process that tunes; TensorFlow's devices cannot be parted again in this one."""
    folder.mkdir(exist_ok=True)
    return subprocess.Popen(
        [sys.executable, str(CHILD), str(folder), str(n_devices), str(dropout)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def ended(process: subprocess.Popen[str]) -> dict[str, Any]:
    """What it printed."""
    output, errors = process.communicate()
    assert process.returncode == 0, errors
    found: dict[str, Any] = json.loads(output.splitlines()[-1])
    return found


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """The folder and the figures of a training on one device."""
    folder = tmp_path_factory.mktemp("alone")
    return folder, ended(begun(folder, 1, 0.0))


@pytest.mark.slow
@pytest.mark.parametrize("n_devices", [2, 3])
def test_several_devices_learn_what_one_would(n_devices, alone, tmp_path):
    # Batches of four: two and two, or two, one and one. The loss sinks by clipped steps through
    # batch normalisation that learns, so a mean of parts or a part's clipping would show at once.
    folder, found = alone
    shared = ended(begun(tmp_path, n_devices, 0.0))
    assert shared["found"] == pytest.approx(found["found"], rel=1e-4)
    pairs = zip(*(load_weights(path / "kept.npz") for path in (folder, tmp_path)), strict=True)
    assert max(float(np.abs(one - several).max()) for one, several in pairs) < 1e-4


@pytest.mark.slow
def test_a_kill_loses_an_epoch_at_most_and_the_end_is_the_same(tmp_path: Path):
    whole = ended(begun(tmp_path / "whole", 2, 0.3))
    killed = begun(tmp_path / "killed", 2, 0.3)
    with killed:
        while not (tmp_path / "killed" / "state" / "0001").exists():
            assert killed.poll() is None, killed.communicate()[1]
            time.sleep(0.002)
        killed.send_signal(signal.SIGKILL)
    assert ended(begun(tmp_path / "killed", 2, 0.3))["sha256"] == whole["sha256"]


@pytest.mark.slow
def test_a_training_goes_on_with_another_number_of_devices(alone, tmp_path):
    # As when a machine gets a second GPU: the state is that of one network.
    folder, first = alone
    shutil.copytree(folder, tmp_path / "run")
    shutil.rmtree(sorted((tmp_path / "run" / "state").iterdir())[-1])
    again = ended(begun(tmp_path / "run", 2, 0.0))
    # Of three epochs with three steps and two figures each, the last one was taken anew.
    assert len(again["found"]) == 5
    assert again["found"] == pytest.approx(first["found"][-5:], rel=1e-4)


@pytest.mark.parametrize("backbone", sorted(BACKBONES))
def test_a_copy_answers_as_the_network_and_is_frozen_where_it_is(backbone: str):
    side_px = max(32, SMALLEST_SIDES[backbone])
    network = build_network(backbone, "attention", side_px=side_px, n_outputs=3,
                            head_arguments={"channels": 8})  # fmt: skip
    for weight in network.model.weights:
        if weight.name in ("mean", "variance"):
            weight.assign(np.full(weight.shape, 2, np.float32))
    for layer in network.backbone.layers:
        if isinstance(layer, keras.layers.Normalization):
            layer.finalize_state()
    freeze_normalisation(network.backbone)
    copy = _copied(network.model)
    pictures = np.random.default_rng(0).uniform(-1, 1, (2, side_px, side_px, 3)).astype(np.float32)
    assert np.array_equal(copy.predict_on_batch(pictures), network.model.predict_on_batch(pictures))
    assert [value.path.split("/")[-1] for value in copy.trainable_weights] == [
        value.path.split("/")[-1] for value in network.model.trainable_weights
    ]
    assert len(copy.trainable_weights) < len(copy.weights)
    for old, new in zip(seed_states(network.model), seed_states(copy), strict=True):
        assert np.array_equal(np.asarray(old), np.asarray(new))


@pytest.mark.parametrize(("devices", "batch_size"), [((), 4), (("GPU:0",), 4), (("a", "b"), 1)])
def test_one_device_or_one_picture_is_shared_with_nobody(devices, batch_size, tmp_path):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    config = tiny_config(tmp_path, batch_size=batch_size)
    assert isinstance(learner_of(model, config, 0.1, devices), OneDevice)
