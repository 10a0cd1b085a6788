"""Features of the frozen backbone: computed once, and what the whole network would say."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from leukemia_app.errors import RunError
from leukemia_app.training import features as module
from leukemia_app.training.batches import disturbed_tensors, logits_of
from leukemia_app.training.features import Features, cached_features
from tests.tiny_runs import tiny_config
from tests.training.tiny_training import drawn_pictures, fresh_network

HEADS = {"plain": {}, "attention": {"channels": 16}}
DATA = drawn_pictures()


@pytest.fixture
def made(tmp_path: Path) -> Callable[..., tuple[Features, object, object]]:
    """Features, network and configuration for a head."""

    def make(head: str, **changes: object) -> tuple[Features, object, object]:
        config = tiny_config(tmp_path, head=head, head_arguments=HEADS[head], **changes)
        network = fresh_network(config)
        found = cached_features(network, config, DATA, tmp_path / "features", lambda *_: None)
        return found, network, config

    return make


@pytest.mark.parametrize(
    ("head", "shape", "dtype"),
    [("plain", (256,), np.float32), ("attention", (2, 2, 256), np.float16)],
)
def test_maps_are_kept_or_their_averages_where_the_head_begins_with_them(head, shape, dtype, made):
    found, _, _ = made(head, feature_copies=2)
    assert (found.learn.shape, found.learn.dtype) == ((24, *shape), dtype)
    assert (found.check.shape, found.check.dtype) == ((6, *shape), dtype)
    assert found.targets.tolist() == [0, 1] * 12


@pytest.mark.parametrize("head", HEADS)
def test_the_head_on_features_answers_as_the_network_on_pictures(head, made):
    found, network, config = made(head)
    expected = logits_of(network.model, DATA.pixels, DATA.check, config.recipe)
    np.testing.assert_allclose(found.check_logits(), expected, atol=2e-3)
    disturbed = disturbed_tensors(DATA.pixels, DATA.learn[:4], config, [config.seed, 2, 0, 0])
    np.testing.assert_allclose(
        found.head.predict_on_batch(found.learn[:4].astype(np.float32)),
        network.model.predict_on_batch(disturbed), atol=2e-3,
    )  # fmt: skip


@pytest.mark.parametrize("head", HEADS)
def test_what_learns_shares_its_weights_with_the_head(head, made):
    found, network, _ = made(head)
    for weight in found.head.weights:
        weight.assign(np.ones(weight.shape, np.float32))
    assert all((np.asarray(weight) == 1).all() for weight in network.head.weights)
    assert len(found.head.weights) == len(network.head.weights)


def test_features_are_computed_once(made, monkeypatch):
    made("plain")
    monkeypatch.setattr(module, "disturbed_tensors", None)
    found, _, _ = made("plain")
    assert len(found.learn) == 12


def test_every_batch_is_counted_and_a_draft_is_never_taken(tmp_path):
    config = tiny_config(tmp_path)
    told: list[tuple[int, int]] = []

    def on_batch(done: int, total: int) -> None:
        told.append((done, total))
        if len(told) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cached_features(fresh_network(config), config, DATA, tmp_path, on_batch)
    assert not (tmp_path / "learn.npy").exists()
    cached_features(fresh_network(config), config, DATA, tmp_path, lambda *now: told.append(now))
    # Four pictures to a step of the training part, all six of the validation part at once.
    assert told == [(4, 18), (8, 18), (4, 18), (8, 18), (12, 18), (18, 18)]


def test_batches_of_a_later_epoch_are_those_of_going_on(made):
    found, _, config = made("plain")
    rng = np.random.default_rng([config.seed, 1])
    drawn = [np.sort(rng.choice(12, 4, p=DATA.chances[:12])) for _ in range(6)]
    for epoch in (0, 1):
        batches = list(found.batches(config, DATA, epoch, 3))
        assert len(batches) == 3
        for (batch, answers), rows in zip(batches, drawn[3 * epoch :], strict=False):
            np.testing.assert_array_equal(batch, found.learn[rows])
            assert answers[:, 0].tolist() == (rows % 2).tolist()


def test_a_full_disk_is_told_before_it_is_filled(tmp_path, monkeypatch):
    def full(folder: Path, size_bytes: int) -> None:
        raise RunError(f"{size_bytes} bytes")

    monkeypatch.setattr(module, "require_space", full)
    config = tiny_config(tmp_path, head="attention", head_arguments={"channels": 16})
    # 12 maps of 2 x 2 places with 256 channels of two bytes.
    with pytest.raises(RunError, match=f"{12 * 2 * 2 * 256 * 2} bytes"):
        cached_features(fresh_network(config), config, DATA, tmp_path, lambda *_: None)
