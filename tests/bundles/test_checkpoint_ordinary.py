"""No false alarm: checkpoints as people save them are built again, and answer as they did."""

import os
from pathlib import Path
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import pytest

pytest.importorskip("tensorflow")

from leukemia_app.bundles import checkpoint_child
from leukemia_app.bundles.checkpoint_facts import CheckpointFacts
from leukemia_app.bundles.checkpoint_file import open_checkpoint
from leukemia_app.bundles.checkpoint_network import _fitted
from leukemia_app.bundles.decision import to_probabilities
from tests.bundles import ordinary_checkpoints as made

FREE_SIDE_PX = 48
MAX_BYTES = 500_000_000


def rebuilt(path: Path, scratch: Path, scaling: str = "none") -> tuple[Any, CheckpointFacts]:
    """The network that the child would export, the form with a map where there is one."""
    scratch.mkdir()
    checkpoint = open_checkpoint(path, scratch, MAX_BYTES)
    facts = checkpoint_child._facts(checkpoint, path.name)
    order = {
        "spec": {
            "recipe": {"side_px": facts.side_px or FREE_SIDE_PX},
            "network": {"backbone_arguments": {"scaling": scaling, "colour": "rgb"}},
        }
    }
    return checkpoint_child._network(order, checkpoint, facts)[0], facts


def probabilities(model: Any, pictures: np.ndarray) -> np.ndarray:
    answer = model.predict_on_batch(pictures)
    return np.concatenate([1 - answer, answer], axis=1) if answer.shape[1] == 1 else answer


def assert_answers_alike(model: Any, network: Any, facts: CheckpointFacts) -> None:
    side = facts.side_px or FREE_SIDE_PX
    rng = np.random.default_rng(3)
    grey = rng.uniform(0, 1, (2, side, side, 1)).astype(np.float32)
    pictures = np.repeat(grey, 3, axis=3) if facts.channels == 1 else rng.uniform(
        0, 1, (2, side, side, 3)).astype(np.float32)  # fmt: skip
    shape = (facts.rows or side, facts.columns or side, facts.channels)
    expected = model.predict_on_batch(np.asarray(_fitted(pictures, shape, "none", "rgb")))
    logits = network.model.predict_on_batch(pictures)
    if facts.activation == "none: logits":
        np.testing.assert_allclose(logits, expected, rtol=1e-4, atol=1e-4)
        return
    if expected.shape[1] == 1:
        expected = np.concatenate([1 - expected, expected], axis=1)
    np.testing.assert_allclose(to_probabilities(logits, 1.0), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", [*made.SMALL, *made.LARGE])
def test_a_keras_3_file_answers_as_it_did(name: str, tmp_path: Path):
    model = made.shaken((made.SMALL | made.LARGE)[name]())
    model.save(tmp_path / "model.keras")
    network, facts = rebuilt(tmp_path / "model.keras", tmp_path / "scratch")
    assert_answers_alike(model, network, facts)
    assert min(network.backbone.output.shape[1:3]) > 1 or name == "resnet"


@pytest.mark.parametrize("name", ["sequential_softmax", "sigmoid_of_two", "residual_graph",
                                  "transfer_learning"])  # fmt: skip
def test_an_hdf5_file_of_keras_3_answers_as_it_did(name: str, tmp_path: Path):
    model = made.shaken((made.SMALL | made.LARGE)[name]())
    model.save(tmp_path / "model.h5")
    network, facts = rebuilt(tmp_path / "model.h5", tmp_path / "scratch")
    assert_answers_alike(model, network, facts)


@pytest.mark.parametrize("make", [made.teachable, made.sequential_softmax])
def test_an_hdf5_file_of_keras_2_answers_as_it_did(make: Any, tmp_path: Path):
    model = made.shaken(make())
    path = made.save_like_keras_2(model, tmp_path / "keras_model.h5")
    network, facts = rebuilt(path, tmp_path / "scratch")
    assert facts.keras_version == "2.4.0"
    assert_answers_alike(model, network, facts)


@pytest.mark.parametrize("head", ["plain", "attention"])
@pytest.mark.parametrize("backbone", ["baseline_cnn", "vit"])
def test_our_own_networks_answer_as_they_did(backbone: str, head: str, tmp_path: Path):
    from leukemia_app.networks.build import build_network

    network = build_network(backbone, head, side_px=64, n_outputs=3)
    made.shaken(network.model).save(tmp_path / "own.keras")
    again, facts = rebuilt(tmp_path / "own.keras", tmp_path / "scratch")
    assert_answers_alike(network.model, again, facts)
