"""The training itself: chances and rates by hand, and resuming as if it had never stopped."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import pytest

from leukemia_app.errors import RunError
from leukemia_app.imaging.recipe import Recipe
from leukemia_app.networks.build import Network, build_network
from leukemia_app.training import engine
from leukemia_app.training.config import RunConfig
from leukemia_app.training.engine import (
    TrainingSet,
    disturbed_tensors,
    draw_chances,
    fine_tune,
    learning_rate,
    logits_of,
    train_head,
)
from leukemia_app.training.run_folder import Stopped
from leukemia_app.training.state import Progress, load_weights
from tests.tiny_runs import SIDE_PX, drawn_cell, tiny_config

SILENT = SimpleNamespace(report=lambda kind, **numbers: None, go_on=lambda: False)


@pytest.fixture(scope="module")
def data() -> TrainingSet:
    """Twelve pictures to learn from and six to stop by, both labels in turn."""
    pixels = np.stack([drawn_cell(number % 2, number)[8:40, 8:40] for number in range(18)])
    learn = np.arange(12)
    chances = np.zeros(18)
    chances[learn] = 1 / 12
    return TrainingSet(pixels=pixels, targets=np.arange(18) % 2, chances=chances, learn=learn,
                       check=np.arange(12, 18))  # fmt: skip


def fresh_network(config: RunConfig) -> Network:
    """The network as a new process builds it."""
    keras.utils.set_random_seed(config.seed)
    return build_network(
        config.backbone, config.head, side_px=SIDE_PX, n_outputs=config.n_outputs,
        head_arguments=config.head_arguments,
    )  # fmt: skip


def sha256(weights: list[np.ndarray]) -> str:
    return hashlib.sha256(b"".join(array.tobytes() for array in weights)).hexdigest()


def tuned(
    config: RunConfig, data: TrainingSet, folder: Path, report: Callable[..., None] = SILENT.report,
    should_stop: Callable[[], bool] = SILENT.go_on,
) -> list[np.ndarray]:  # fmt: skip
    return fine_tune(fresh_network(config), config, data, folder, report, should_stop)


def test_every_class_is_drawn_as_often_as_another():
    chances = draw_chances(np.array([0, 0, 0, 1]), np.array(["a", "b", "c", "d"]), "class")
    assert chances == pytest.approx([1 / 6, 1 / 6, 1 / 6, 1 / 2])


def test_without_balance_every_picture_is_drawn_as_often_as_another():
    chances = draw_chances(np.array([0, 0, 0, 1]), np.array(["a", "a", "a", "d"]), "none")
    assert chances == pytest.approx([1 / 4] * 4)


def test_a_group_is_drawn_by_the_root_of_its_size():
    # Class 0: group a has four pictures at 1/2, in all 2; group b one at 1: 2/3 and 1/3 of the
    # class's half. Class 1: group c alone has the other half.
    chances = draw_chances(np.array([0, 0, 0, 0, 0, 1]), np.array(list("aaaabc")), "group")
    assert chances == pytest.approx([1 / 12] * 4 + [1 / 6, 1 / 2])


def test_a_group_of_two_classes_counts_in_each_by_its_pictures_there():
    # Group a: one picture of class 0, four of class 1 at 1/2 each, together 2. Group b: one of
    # class 1 at 1, a third of the class's half.
    chances = draw_chances(np.array([0, 1, 1, 1, 1, 1]), np.array(list("aaaaab")), "group")
    assert chances == pytest.approx([1 / 2] + [1 / 12] * 4 + [1 / 6])


def test_the_rate_rises_along_a_line_and_falls_along_half_a_cosine():
    # 105 steps: five of warm-up, then 100 of falling. Half way down cos(90°) = 0.
    assert learning_rate(0, 105, 0.1) == pytest.approx(0.02)
    assert learning_rate(1, 105, 0.1) == pytest.approx(0.04)
    assert learning_rate(4, 105, 0.1) == pytest.approx(0.1)
    assert learning_rate(5, 105, 0.1) == pytest.approx(0.1)
    assert learning_rate(55, 105, 0.1) == pytest.approx(0.1 * (0.01 + 0.99 / 2))
    assert learning_rate(105, 105, 0.1) == pytest.approx(0.001)


@pytest.mark.parametrize("n_steps", [1, 2, 7])
def test_the_rate_of_the_shortest_training_is_never_nothing(n_steps):
    rates = [learning_rate(step, n_steps, 1.0) for step in range(n_steps)]
    assert rates[0] == 1
    assert all(0.01 <= rate <= 1 for rate in rates)


def test_the_average_is_that_of_the_weights_so_far_then_follows_slowly():
    # Start 0. First step 1: (0 + 1) / 2 = 0.5. Second step 2: keep 2/3: 1/3 + 2/3 = 1.
    # Then with momentum 0.7: keep min(0.7, 3/4): 0.7 + 0.3 * 11 = 4.
    progress = Progress(average=[np.zeros(1, np.float32)])
    found = []
    for value in (1, 2, 11):
        progress.step += 1
        engine._average(progress, SimpleNamespace(weights=[np.array([value], np.float32)]), 0.7)
        found.append(float(progress.average[0][0]))
    assert found == pytest.approx([0.5, 1, 4])


def test_without_momentum_the_last_weights_are_kept():
    progress = Progress(average=[np.zeros(1, np.float32)], step=5)
    engine._average(progress, SimpleNamespace(weights=[np.array([3], np.float32)]), 0.0)
    assert progress.average[0].tolist() == [3]


class CornerModel:
    """Its logit is the red value of the top left pixel."""

    def predict_on_batch(self, tensors: np.ndarray) -> np.ndarray:
        return tensors[:, 0, 0, :1]


def test_logits_are_averages_over_the_views():
    # Corners 10, 20, 30, 40: each quarter turn brings another to the top left: mean 25.
    pixels = np.zeros((3, 32, 32, 3), np.uint8)
    pixels[1, 0, 0], pixels[1, 0, -1], pixels[1, -1, 0], pixels[1, -1, -1] = 10, 20, 30, 40
    for count, expected in ((1, 10), (2, 25), (4, 25), (8, 25)):
        recipe = Recipe(input="cell", side_px=32, scaling="none", views=count)
        found = logits_of(CornerModel(), pixels, np.array([1, 0]), recipe, batch=3)
        assert found.tolist() == [[expected], [0]]


def test_disturbed_copies_depend_on_the_seed_and_the_place_alone(data, tmp_path):
    config = tiny_config(tmp_path)
    rows = np.array([3, 3, 5])
    first = disturbed_tensors(data.pixels, rows, config, [7, 1])
    np.testing.assert_array_equal(first, disturbed_tensors(data.pixels, rows, config, [7, 1]))
    assert (first != disturbed_tensors(data.pixels, rows, config, [7, 2])).any()
    assert (first[0] != first[1]).any()
    assert (first.shape, first.dtype) == ((3, 32, 32, 3), np.float32)
    assert -1 <= first.min() <= first.max() <= 1


@pytest.fixture(scope="module")
def uninterrupted(data: TrainingSet, tmp_path_factory: pytest.TempPathFactory) -> str:
    """sha256 of the averaged weights after three epochs in one go."""
    folder = tmp_path_factory.mktemp("whole")
    config = tiny_config(folder, tune_epochs=3, head="attention", head_arguments={"channels": 16})
    return sha256(tuned(config, data, folder))


@pytest.mark.parametrize("moment", ["after an epoch", "within an epoch"])
def test_resuming_equals_never_having_stopped(moment, data, uninterrupted, tmp_path):
    config = tiny_config(tmp_path, tune_epochs=3, head="attention", head_arguments={"channels": 16})

    def die(kind: str, **numbers: Any) -> None:
        if kind == "epoch" or (moment == "within an epoch" and numbers["step"] == 5):
            if kind == "epoch" and moment == "within an epoch":
                return
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tuned(config, data, tmp_path, die)
    done: list[int] = []
    again = tuned(config, data, tmp_path, lambda kind, **numbers: done.append(
        numbers["epoch"]) if kind == "epoch" else None)  # fmt: skip
    assert done == [2, 3]
    assert sha256(again) == uninterrupted


def test_a_finished_training_only_gives_its_weights(data, tmp_path, monkeypatch):
    config = tiny_config(tmp_path, tune_epochs=1)
    first = tuned(config, data, tmp_path)
    monkeypatch.setattr(keras.Model, "train_on_batch", None)
    assert sha256(tuned(config, data, tmp_path)) == sha256(first)


def test_a_stop_ends_within_a_step_and_the_last_epoch_is_on_disk(data, tmp_path):
    config = tiny_config(tmp_path)
    steps: list[int] = []

    def report(kind: str, **numbers: Any) -> None:
        if kind == "step":
            steps.append(numbers["step"])

    with pytest.raises(Stopped):
        tuned(config, data, tmp_path, report, lambda: len(steps) == 4)
    assert steps == [1, 2, 3, 4]
    assert [path.name for path in (tmp_path / "state").iterdir()] == ["0001"]


def test_a_loss_that_is_no_number_stops_with_words(data, tmp_path):
    config = tiny_config(tmp_path)
    network = fresh_network(config)
    kernel = network.head.get_layer("logits").kernel
    kernel.assign(np.full(kernel.shape, np.nan, np.float32))
    with pytest.raises(RunError, match=r"The loss is nan in epoch 1: .* lower tune_rate"):
        fine_tune(network, config, data, tmp_path, SILENT.report, SILENT.go_on)
    assert not (tmp_path / "state").exists()


def test_a_check_that_is_no_number_stops_with_words(data, tmp_path, monkeypatch):
    monkeypatch.setattr(engine, "_check", lambda *_: {"val_loss": float("nan")})
    config = tiny_config(tmp_path, tune_epochs=1, steps_per_epoch=1)
    with pytest.raises(RunError, match=r"The loss is nan in the check after epoch 1"):
        tuned(config, data, tmp_path)


def test_patience_ends_the_training_and_the_best_epoch_is_kept(data, tmp_path, monkeypatch):
    losses = iter([0.9, 0.5, 0.7, 0.6, 0.1])
    monkeypatch.setattr(engine, "_check", lambda *_: {"val_loss": next(losses)})
    kept: dict[int, str] = {}

    def report(kind: str, **numbers: Any) -> None:
        if kind == "epoch":
            kept[numbers["epoch"]] = sha256(load_weights(tmp_path / "best" / "weights.npz"))

    config = tiny_config(tmp_path, tune_epochs=5, patience=2, steps_per_epoch=1)
    found = tuned(config, data, tmp_path, report)
    assert list(kept) == [1, 2, 3, 4]
    assert kept[1] != kept[2] == kept[3] == kept[4] == sha256(found)


def test_without_patience_the_last_epoch_is_kept(data, tmp_path, monkeypatch):
    losses = iter([0.1, 0.5])
    monkeypatch.setattr(engine, "_check", lambda *_: {"val_loss": next(losses)})
    epochs: list[str] = []

    def report(kind: str, **numbers: Any) -> None:
        if kind == "epoch":
            epochs.append(sha256(load_weights(tmp_path / "best" / "weights.npz")))

    config = tiny_config(tmp_path, patience=0, steps_per_epoch=1)
    assert sha256(tuned(config, data, tmp_path, report)) == epochs[1] != epochs[0]


def test_no_epochs_give_the_weights_it_started_from(data, tmp_path):
    config = tiny_config(tmp_path, tune_epochs=0)
    start = [np.asarray(value) for value in fresh_network(config).model.weights]
    assert sha256(tuned(config, data, tmp_path)) == sha256(start)


def test_the_check_scores_the_average_and_gives_the_weights_back(data, tmp_path):
    config = tiny_config(tmp_path)
    network = fresh_network(config)
    own = [np.asarray(value).copy() for value in network.model.weights]
    # Zero weights give the logit 0 for all: a loss of log 2, and class 0, which is right by half.
    found = engine._check(
        network.model, config, data, Progress(average=[np.zeros_like(value) for value in own])
    )
    assert found == {"val_loss": pytest.approx(np.log(2)), "val_accuracy": 0.5}
    assert sha256([np.asarray(value) for value in network.model.weights]) == sha256(own)


def test_the_head_learns_and_the_backbone_stays(data, tmp_path):
    config = tiny_config(tmp_path, head_epochs=6, head_rate=0.02)
    network = fresh_network(config)
    frozen = sha256([np.asarray(value) for value in network.backbone.weights])
    losses: list[float] = []

    def report(kind: str, **numbers: Any) -> None:
        if kind == "head":
            losses.append(numbers["loss"])

    train_head(network, config, data, tmp_path, report, SILENT.go_on)
    assert losses[-1] < losses[0]
    assert sha256([np.asarray(value) for value in network.backbone.weights]) == frozen
    maps = np.load(tmp_path / "features" / "maps.npy")
    assert (maps.shape, maps.dtype) == ((12, 2, 2, 256), np.float16)


def test_features_are_computed_once(data, tmp_path, monkeypatch):
    config = tiny_config(tmp_path, head_epochs=1, feature_copies=2)
    train_head(fresh_network(config), config, data, tmp_path, SILENT.report, SILENT.go_on)
    network = fresh_network(config)
    monkeypatch.setattr(network.backbone, "predict_on_batch", None)
    train_head(network, config, data, tmp_path, SILENT.report, SILENT.go_on)
    assert len(np.load(tmp_path / "features" / "maps.npy")) == 24


def test_a_stop_ends_the_features_and_the_head(data, tmp_path):
    config = tiny_config(tmp_path, head_epochs=1)
    told: list[str] = []

    def report(kind: str, **_: Any) -> None:
        told.append(kind)

    network = fresh_network(config)
    with pytest.raises(Stopped):
        train_head(network, config, data, tmp_path, report, lambda: len(told) == 2)
    assert told == ["features", "features"]
    assert not (tmp_path / "features" / "maps.npy").exists()
    calls = iter(range(100))
    with pytest.raises(Stopped):
        train_head(network, config, data, tmp_path, report, lambda: next(calls) == 4)
    assert (tmp_path / "features" / "maps.npy").exists()
    assert "head" not in told
