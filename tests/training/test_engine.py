"""The training itself: figures of each epoch, and resuming as if it had never stopped."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import pytest

from leukemia_app.errors import RunError
from leukemia_app.training import engine
from leukemia_app.training.engine import fine_tune
from leukemia_app.training.run_folder import Stopped
from leukemia_app.training.schedule import cosine_rate
from leukemia_app.training.state import Progress, load_weights
from tests.tiny_runs import tiny_config
from tests.training.tiny_training import (
    fresh_network,
    headed,
    sha256,
    training_of,
    without_check,
)

ATTENTION = {"head": "attention", "head_arguments": {"channels": 16}}
PHASES = {"head": headed, "epoch": fine_tune}
"""What carries a phase out, by the kind of event that ends its epochs."""


class Diary:
    """Takes a training's events, and breaks off at one of them where asked to."""

    def __init__(self, kind: str = "", at: int = 0) -> None:
        self.events: list[dict[str, Any]] = []
        self.end = (kind, at)

    def __call__(self, kind: str, **numbers: Any) -> None:
        self.events.append({"kind": kind, **numbers})
        if (kind, len(self.of(kind))) == self.end:
            raise KeyboardInterrupt

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["kind"] == kind]


def averaged(values: list[np.ndarray], momentum: float, progress: Progress) -> list[list[float]]:
    """The average after each of these values of the only weight."""
    found = []
    for value in values:
        progress.step += 1
        engine._average(progress, SimpleNamespace(weights=[value]), momentum)
        found.append(progress.average[0].tolist())
    return found


def test_the_average_is_that_of_the_weights_so_far_then_follows_slowly():
    # Start 0. First step 1: (0 + 1) / 2 = 0.5. Second step 2: keep 2/3: 1/3 + 2/3 = 1.
    # Then with momentum 0.7: keep min(0.7, 3/4): 0.7 + 0.3 * 11 = 4.
    values = [np.array([value], np.float32) for value in (1, 2, 11)]
    found = averaged(values, 0.7, Progress(average=[np.zeros(1, np.float32)]))
    assert [value for (value,) in found] == pytest.approx([0.5, 1, 4])


def test_without_momentum_the_last_weights_are_kept():
    progress = Progress(average=[np.zeros(1, np.float32)], step=5)
    assert averaged([np.array([3], np.float32)], 0.0, progress) == [[3]]


def test_a_counter_among_the_weights_is_kept_as_it_is_and_not_averaged():
    # As of Keras' input normalisation: a whole number that an average would break.
    progress = Progress(average=[np.zeros(1, np.int64)])
    counter = np.array([7], np.int64)
    assert averaged([counter], 0.9, progress) == [[7]]
    assert progress.average[0].dtype == np.int64
    counter += 1
    assert progress.average[0].tolist() == [7]


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """sha256 of the weights after three epochs in one go, by phase."""
    found = {}
    for kind, carry_out in PHASES.items():
        folder = tmp_path_factory.mktemp(kind)
        found[kind] = sha256(carry_out(training_of(three_epochs(folder), folder)))
    return found


def three_epochs(folder: Path) -> Any:
    return tiny_config(folder, tune_epochs=3, head_epochs=3, schedule="plateau",
                       plateau_patience=1, head_patience=3, **ATTENTION)  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "end"),
    [("epoch", ("epoch", 1)), ("epoch", ("step", 5)), ("head", ("head", 1)),
     ("head", ("features", 2))],
)  # fmt: skip
def test_resuming_equals_never_having_stopped(kind, end, uninterrupted, tmp_path):
    config, carry_out = three_epochs(tmp_path), PHASES[kind]
    with pytest.raises(KeyboardInterrupt):
        carry_out(training_of(config, tmp_path, Diary(*end)))
    diary = Diary()
    again = carry_out(training_of(config, tmp_path, diary))
    done = [event["epoch"] for event in diary.of(kind)]
    assert done == ([1, 2, 3] if end[0] == "features" else [2, 3])
    assert sha256(again) == uninterrupted[kind]


@pytest.mark.parametrize("kind", PHASES)
def test_a_finished_phase_only_gives_its_weights(kind, tmp_path, monkeypatch):
    config = tiny_config(tmp_path, tune_epochs=1)
    first = PHASES[kind](training_of(config, tmp_path))
    monkeypatch.setattr(keras.Model, "train_on_batch", None)
    assert sha256(PHASES[kind](training_of(config, tmp_path))) == sha256(first)


def test_an_epoch_tells_its_figures(tmp_path):
    diary = Diary()
    fine_tune(training_of(tiny_config(tmp_path), tmp_path, diary))
    first, second = diary.of("epoch")
    assert (first["epoch"], first["epochs"], second["epoch"]) == (1, 2, 2)
    assert first["best"] is True
    assert first["seconds"] > 0
    # Three steps of four pictures: the rate is that of the last one, the figures are means.
    assert first["rate"] == pytest.approx(cosine_rate(2, 6, 1e-3))
    steps = diary.of("step")
    assert [(step["epoch"], step["step"], step["steps"]) for step in steps] == [
        (1, 1, 6), (1, 2, 6), (1, 3, 6), (2, 4, 6), (2, 5, 6), (2, 6, 6)
    ]  # fmt: skip
    assert first["loss"] == pytest.approx(np.mean([step["loss"] for step in steps[:3]]))
    assert (first["accuracy"] * 12) % 1 == pytest.approx(0, abs=1e-4)
    assert (first["val_accuracy"] * 6) % 1 == pytest.approx(0, abs=1e-4)
    assert first["val_loss"] > 0


def test_the_head_tells_the_same_figures_without_steps(tmp_path):
    diary = Diary()
    headed(training_of(tiny_config(tmp_path, head_epochs=2), tmp_path, diary))
    names = {"kind", "epoch", "epochs", "best", "loss", "accuracy", "val_loss", "val_accuracy",
             "rate", "seconds"}  # fmt: skip
    assert [set(event) for event in diary.of("head")] == [names, names]
    assert not diary.of("step")


def test_a_fold_has_no_validation_figures(tmp_path):
    diary = Diary()
    fine_tune(without_check(training_of(tiny_config(tmp_path), tmp_path, diary)))
    assert all("val_loss" not in event for event in diary.of("epoch"))
    assert (tmp_path / "best" / "weights.npz").exists()


def test_a_stop_ends_within_a_step_and_the_last_epoch_is_on_disk(tmp_path):
    diary = Diary()
    training = training_of(
        tiny_config(tmp_path), tmp_path, diary, lambda: len(diary.of("step")) == 4
    )
    with pytest.raises(Stopped):
        fine_tune(training)
    assert len(diary.of("step")) == 4
    assert [path.name for path in (tmp_path / "state").iterdir()] == ["0001"]


def test_a_stop_ends_the_features_and_the_head(tmp_path):
    config, diary = tiny_config(tmp_path, head_epochs=2), Diary()
    with pytest.raises(Stopped):
        headed(training_of(config, tmp_path, diary, lambda: len(diary.of("features")) == 2))
    assert not (tmp_path / "features" / "learn.npy").exists()
    with pytest.raises(Stopped):
        headed(training_of(config, tmp_path, diary, lambda: len(diary.of("head")) == 1))
    assert [path.name for path in (tmp_path / "state" / "head").iterdir()] == ["0001"]


@pytest.mark.parametrize(
    ("kind", "words"),
    [("epoch", r"The loss is nan in epoch 1: .* lower tune_rate"),
     ("head", r"The loss is nan in epoch 1 of the head: .* lower head_rate")],
)  # fmt: skip
def test_a_loss_that_is_no_number_stops_with_words(kind, words, tmp_path):
    training = training_of(tiny_config(tmp_path), tmp_path)
    kernel = training.network.head.get_layer("logits").kernel
    kernel.assign(np.full(kernel.shape, np.nan, np.float32))
    with pytest.raises(RunError, match=words):
        PHASES[kind](training)
    assert not (tmp_path / "state").exists()


def test_a_check_that_is_no_number_stops_with_words(tmp_path, monkeypatch):
    monkeypatch.setattr(engine, "_check", lambda *_: {"val_loss": float("nan")})
    config = tiny_config(tmp_path, tune_epochs=1, steps_per_epoch=1)
    with pytest.raises(RunError, match=r"The loss is nan in the check after epoch 1"):
        fine_tune(training_of(config, tmp_path))


@pytest.mark.parametrize(("kind", "file"), [("epoch", "weights.npz"), ("head", "head.npz")])
def test_patience_ends_a_phase_and_its_best_epoch_is_kept(kind, file, tmp_path, monkeypatch):
    losses = iter([0.9, 0.5, 0.7, 0.6, 0.1])
    monkeypatch.setattr(engine, "_check", lambda *_: {"val_loss": next(losses)})
    kept: dict[int, str] = {}

    def report(event: str, **numbers: Any) -> None:
        if event == kind:
            kept[numbers["epoch"]] = sha256(load_weights(tmp_path / "best" / file))

    config = tiny_config(tmp_path, tune_epochs=5, head_epochs=5, patience=2, head_patience=2,
                         steps_per_epoch=1)  # fmt: skip
    found = PHASES[kind](training_of(config, tmp_path, report))
    assert list(kept) == [1, 2, 3, 4]
    assert kept[1] != kept[2] == kept[3] == kept[4] == sha256(found)


@pytest.mark.parametrize("keeps", [True, False])
def test_a_start_that_no_epoch_beats_is_kept_where_asked_for(keeps, tmp_path, monkeypatch):
    losses = iter([0.4, 0.9, 0.5] if keeps else [0.9, 0.5])
    monkeypatch.setattr(engine, "_check", lambda *_: {"val_loss": next(losses)})
    config = tiny_config(tmp_path, keep_start=keeps, steps_per_epoch=1)
    start = sha256([np.asarray(value) for value in fresh_network(config).model.weights])
    diary = Diary()
    found = sha256(fine_tune(training_of(config, tmp_path, diary)))
    assert (found == start) is keeps
    assert [event["best"] for event in diary.of("epoch")] == [not keeps, not keeps]
    assert [event["val_loss"] for event in diary.of("check")] == ([0.4] if keeps else [])


def test_without_patience_the_last_epoch_is_kept(tmp_path, monkeypatch):
    losses = iter([0.1, 0.5])
    monkeypatch.setattr(engine, "_check", lambda *_: {"val_loss": next(losses)})
    epochs: list[str] = []

    def report(kind: str, **numbers: Any) -> None:
        if kind == "epoch":
            epochs.append(sha256(load_weights(tmp_path / "best" / "weights.npz")))

    config = tiny_config(tmp_path, patience=0, steps_per_epoch=1)
    assert sha256(fine_tune(training_of(config, tmp_path, report))) == epochs[1] != epochs[0]


def test_a_plateau_cuts_the_rate_of_the_next_epoch(tmp_path, monkeypatch):
    monkeypatch.setattr(engine, "_check", lambda *_: {"val_loss": 0.5})
    config = tiny_config(tmp_path, tune_epochs=4, schedule="plateau", plateau_patience=1,
                         plateau_factor=0.1, patience=0)  # fmt: skip
    diary = Diary()
    fine_tune(training_of(config, tmp_path, diary))
    # The first epoch sets the mark; each later one stands still.
    assert [event["rate"] for event in diary.of("epoch")] == pytest.approx([1e-3, 1e-3, 1e-4, 1e-5])


def test_no_epochs_give_the_weights_it_started_from(tmp_path):
    config = tiny_config(tmp_path, tune_epochs=0)
    start = [np.asarray(value) for value in fresh_network(config).model.weights]
    assert sha256(fine_tune(training_of(config, tmp_path))) == sha256(start)


def test_the_check_scores_the_average_and_gives_the_weights_back(tmp_path):
    training = training_of(tiny_config(tmp_path), tmp_path)
    model = training.network.model
    own = [np.asarray(value).copy() for value in model.weights]
    logits = lambda: engine.logits_of(  # noqa: E731
        model, training.data.pixels, training.data.check, training.config.recipe
    )
    # Zero weights give the logit 0 for all: a loss of log 2, and class 0, which is right by half.
    zeros = Progress(average=[np.zeros_like(value) for value in own])
    found = engine._check(training, SimpleNamespace(model=model, check_logits=logits), zeros)
    assert found == {"val_loss": pytest.approx(np.log(2)), "val_accuracy": 0.5}
    assert sha256([np.asarray(value) for value in model.weights]) == sha256(own)


def test_the_head_learns_and_the_backbone_stays(tmp_path):
    training = training_of(
        tiny_config(tmp_path, head_epochs=6, head_rate=0.02), tmp_path, diary := Diary()
    )
    backbone = training.network.backbone
    frozen = sha256([np.asarray(value) for value in backbone.weights])
    headed(training)
    losses = [event["loss"] for event in diary.of("head")]
    assert losses[-1] < losses[0]
    assert sha256([np.asarray(value) for value in backbone.weights]) == frozen


def test_only_what_is_not_frozen_is_tuned(tmp_path):
    training = training_of(replace(tiny_config(tmp_path), average_momentum=0), tmp_path)
    for layer in training.network.backbone.layers:
        layer.trainable = False
    before = [np.asarray(value).copy() for value in training.network.model.weights]
    after = fine_tune(training)
    n_frozen = len(training.network.backbone.weights)
    assert sha256(after[:n_frozen]) == sha256(before[:n_frozen])
    assert sha256(after[n_frozen:]) != sha256(before[n_frozen:])
