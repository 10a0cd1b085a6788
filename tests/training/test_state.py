"""What a training remembers between two processes."""

import json
from pathlib import Path

import keras
import numpy as np
import pytest

from leukemia_app.errors import RunError
from leukemia_app.training.state import (
    Progress,
    load_state,
    load_weights,
    save_state,
    save_weights,
    seed_states,
)


def small_model(seed: int) -> keras.Model:
    """A dense layer behind dropout, compiled; its optimizer has its variables."""
    keras.utils.set_random_seed(seed)
    inner = keras.Sequential([keras.Input((3,)), keras.layers.Dropout(0.5)])
    model = keras.Sequential([keras.Input((3,)), inner, keras.layers.Dense(2)])
    model.compile(optimizer=keras.optimizers.AdamW(0.1), loss="mse", jit_compile=False)
    model.optimizer.build(model.trainable_variables)
    return model


def train(model: keras.Model, n_steps: int) -> None:
    for _ in range(n_steps):
        model.train_on_batch(np.ones((4, 3), np.float32), np.zeros((4, 2), np.float32))


def values(model: keras.Model) -> list[list[float]]:
    variables = [*model.variables, *model.optimizer.variables]
    return [np.asarray(variable).ravel().tolist() for variable in variables]


def test_another_process_goes_on_with_the_same_steps(tmp_path):
    first = small_model(0)
    train(first, 3)
    save_state(tmp_path, first, Progress(epoch=1, step=3))
    train(first, 2)
    other = small_model(9)
    load_state(tmp_path, other)
    train(other, 2)
    assert values(other) == values(first)


def test_random_states_of_nested_dropout_are_found():
    assert len(seed_states(small_model(0))) == 1


def test_counters_and_the_average_come_back(tmp_path):
    model = small_model(0)
    progress = Progress(
        epoch=4, step=40, best_loss=0.25, best_epoch=3, average=[np.arange(3, dtype=np.float32)]
    )
    save_state(tmp_path, model, progress)
    found = load_state(tmp_path, model)
    assert (found.epoch, found.step, found.best_loss, found.best_epoch) == (4, 40, 0.25, 3)
    np.testing.assert_array_equal(found.average[0], [0, 1, 2])
    # `_average` changes it in place.
    found.average[0] *= 2


def test_a_training_that_never_improved_comes_back(tmp_path):
    save_state(tmp_path, small_model(0), Progress(epoch=1))
    assert load_state(tmp_path, small_model(0)).best_loss == float("inf")


def test_there_is_no_state_before_the_first_epoch(tmp_path):
    assert load_state(tmp_path / "state", small_model(0)) is None


def test_the_last_two_epochs_are_kept_and_the_newest_is_taken(tmp_path):
    model = small_model(0)
    for epoch in (8, 9, 10, 11):
        save_state(tmp_path, model, Progress(epoch=epoch))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0010", "0011"]
    assert load_state(tmp_path, model).epoch == 11


def test_a_draft_that_a_crash_left_is_not_taken(tmp_path):
    model = small_model(0)
    save_state(tmp_path, model, Progress(epoch=1))
    draft = tmp_path / "draft"
    draft.mkdir()
    (draft / "progress.json").write_text("{")
    assert load_state(tmp_path, model).epoch == 1
    save_state(tmp_path, model, Progress(epoch=2))
    assert not draft.exists()


def spoil(folder: Path, how: str) -> None:
    if how == "cut arrays":
        arrays = folder / "arrays.npz"
        arrays.write_bytes(arrays.read_bytes()[:100])
    elif how == "no arrays":
        (folder / "arrays.npz").unlink()
    elif how == "cut counters":
        (folder / "progress.json").write_text('{"epoch": 2')
    else:
        (folder / "progress.json").write_text(json.dumps({"epoch": 2, "n_average": 5}))


@pytest.mark.parametrize("how", ["cut arrays", "no arrays", "cut counters", "other counters"])
def test_a_damaged_state_is_refused_with_the_folder_to_remove(how, tmp_path):
    model = small_model(0)
    save_state(tmp_path, model, Progress(epoch=1))
    save_state(tmp_path, model, Progress(epoch=2))
    spoil(tmp_path / "0002", how)
    with pytest.raises(RunError, match=r"0002 cannot be read .*Remove this folder to go on from"):
        load_state(tmp_path, model)


def test_the_state_of_another_network_is_refused(tmp_path):
    save_state(tmp_path, small_model(0), Progress(epoch=1))
    other = keras.Sequential([keras.Input((5,)), keras.layers.Dense(7)])
    other.compile(optimizer="sgd", loss="mse")
    other.optimizer.build(other.trainable_variables)
    with pytest.raises(RunError, match="0001 cannot be read"):
        load_state(tmp_path, other)


def test_weights_come_back_in_their_order(tmp_path):
    weights = [np.full((number, 2), number, np.float32) for number in range(1, 13)]
    path = tmp_path / "best" / "weights.npz"
    save_weights(path, weights)
    save_weights(path, weights)
    assert [array.tolist() for array in load_weights(path)] == [w.tolist() for w in weights]
    assert [item.name for item in path.parent.iterdir()] == ["weights.npz"]
