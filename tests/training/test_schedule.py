"""The learning rate by hand, cut on plateaus; loss, accuracy and optimizer as the settings say."""

import keras
import numpy as np
import pytest

from leukemia_app.training.schedule import (
    compile_model,
    cosine_rate,
    learning_rate,
    lower_on_plateau,
    plateau_rate,
)
from leukemia_app.training.state import Progress
from tests.tiny_runs import tiny_config


def test_the_rate_rises_along_a_line_and_falls_along_half_a_cosine():
    # 105 steps: five of warm-up, then 100 of falling. Half way down cos(90°) = 0.
    assert cosine_rate(0, 105, 0.1) == pytest.approx(0.02)
    assert cosine_rate(1, 105, 0.1) == pytest.approx(0.04)
    assert cosine_rate(4, 105, 0.1) == pytest.approx(0.1)
    assert cosine_rate(5, 105, 0.1) == pytest.approx(0.1)
    assert cosine_rate(55, 105, 0.1) == pytest.approx(0.1 * (0.01 + 0.99 / 2))
    assert cosine_rate(105, 105, 0.1) == pytest.approx(0.001)


@pytest.mark.parametrize("n_steps", [1, 2, 7])
def test_the_rate_of_the_shortest_training_is_never_nothing(n_steps):
    rates = [cosine_rate(step, n_steps, 1.0) for step in range(n_steps)]
    assert rates[0] == 1
    assert all(0.01 <= rate <= 1 for rate in rates)


def test_the_rate_of_a_plateau_rises_and_stays():
    # 40 steps: two of warm-up.
    rates = [plateau_rate(step, 40, 0.1) for step in (0, 1, 2, 39)]
    assert rates == pytest.approx([0.05, 0.1, 0.1, 0.1])


def test_the_schedule_is_the_configurations(tmp_path):
    progress = Progress(step=20, rate_factor=0.25)
    assert learning_rate(tiny_config(tmp_path), progress, 40, 0.1) == cosine_rate(20, 40, 0.1)
    plateau = tiny_config(tmp_path, schedule="plateau")
    assert learning_rate(plateau, progress, 40, 0.1) == pytest.approx(0.025)


def test_the_rate_is_cut_where_the_loss_stands_still(tmp_path):
    # Two epochs without a gain (0.49995 is none: less than 0.0001 below 0.5) cut to a third.
    config = tiny_config(tmp_path, schedule="plateau", plateau_patience=2, plateau_factor=1 / 3)
    progress, factors = Progress(), []
    for loss in (0.7, 0.5, 0.49995, 0.6, 0.4, 0.41, 0.42):
        lower_on_plateau(config, progress, loss)
        factors.append(progress.rate_factor)
    assert factors == pytest.approx([1, 1, 1, 1 / 3, 1 / 3, 1 / 3, 1 / 9])


def test_a_cosine_is_not_cut(tmp_path):
    progress = Progress()
    for _ in range(9):
        lower_on_plateau(tiny_config(tmp_path), progress, 1.0)
    assert progress == Progress()


def dense(weights: list[list[float]]) -> keras.Model:
    """Logits that are a product with the input."""
    values = np.array(weights, np.float32)
    inputs = keras.Input((len(values),))
    layer = keras.layers.Dense(values.shape[1], use_bias=False)
    model = keras.Model(inputs, layer(inputs))
    layer.set_weights([values])
    return model


def test_accuracy_of_one_output_counts_the_side_of_zero(tmp_path):
    # Logits 2, -1, 3 for the answers 1, 1, 1: two of three are right.
    model = dense([[1]])
    compile_model(model, tiny_config(tmp_path), 1e-9)
    inputs, answers = np.array([[2], [-1], [3]], np.float32), np.ones((3, 1), np.float32)
    _, right = model.train_on_batch(inputs, answers)
    assert right == pytest.approx(2 / 3)


def test_accuracy_of_several_outputs_counts_the_highest(tmp_path):
    # The identity: each input is its own logits. The second row's highest is 2, the answer 1.
    model = dense([[1, 0, 0], [0, 1, 0], [0, 0, 1]])
    compile_model(model, tiny_config(tmp_path, labels=("a", "b", "c")), 1e-9)
    inputs = np.array([[3, 1, 0], [0, 1, 2]], np.float32)
    _, right = model.train_on_batch(inputs, np.eye(3, dtype=np.float32)[:2])
    assert right == pytest.approx(1 / 2)


@pytest.mark.parametrize(("name", "decays"), [("adam", False), ("adamw", True)])
def test_only_adamw_lets_weights_decay(name, decays, tmp_path):
    model = dense([[1]])
    compile_model(model, tiny_config(tmp_path, optimizer=name, weight_decay=0.5), 0.1)
    assert bool(model.optimizer.weight_decay) == decays
    assert model.optimizer.built
