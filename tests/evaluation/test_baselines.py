"""The classical models on numbers that leave no doubt."""

import builtins
import json
from typing import Any

import numpy as np
import pytest

from leukemia_app.evaluation.baseline_row import INPUTS, TITLES, Baseline
from leukemia_app.evaluation.baselines import (
    MissingBaseline,
    fit_baseline,
    measure_baseline,
    small_pixels,
)
from leukemia_app.evaluation.measures import Interval

NAMES = [name for name in TITLES if name != "xgboost"]


def clouds(n: int, n_classes: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Values (n, 6) of classes ten apart, with deviation one."""
    rng = np.random.default_rng(seed)
    targets = np.arange(n) % n_classes
    centres = 10 * np.eye(6)[:n_classes]
    return (centres[targets] + rng.normal(0, 1, (n, 6))).astype(np.float32), targets


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("name", NAMES)
def test_every_baseline_tells_clouds_apart(name: str, n_classes: int):
    learn, targets = clouds(60, n_classes)
    test, true = clouds(30, n_classes, seed=1)
    scores, seconds = fit_baseline(name, learn, targets, test)
    assert scores.shape == (30, n_classes)
    assert scores.dtype == np.float32
    # three of six values are noise; a picture or two may stray
    assert (scores.argmax(1) == true).mean() > 0.9
    assert seconds > 0


def test_trees_tell_clouds_apart():
    pytest.importorskip("xgboost", reason="xgboost-cpu is an extra")
    learn, targets = clouds(60, 3)
    test, true = clouds(30, 3, seed=1)
    scores, _ = fit_baseline("xgboost", learn, targets, test)
    assert scores.sum(1) == pytest.approx(np.ones(30))
    assert (scores.argmax(1) == true).mean() > 0.9


@pytest.mark.parametrize("name", NAMES)
def test_a_rare_class_weighs_as_much_as_a_common_one(name: str):
    # Two clouds that overlap, 95 against 5: unweighed, the border would lie in the rare one.
    rng = np.random.default_rng(0)
    targets = np.repeat([0, 1], [190, 10])
    learn = rng.normal(2 * targets[:, None], 1, (200, 3)).astype(np.float32)
    true = np.repeat([0, 1], [500, 500])
    test = rng.normal(2 * true[:, None], 1, (1000, 3)).astype(np.float32)
    scores, _ = fit_baseline(name, learn, targets, test)
    assert (scores.argmax(1)[true == 1] == 1).mean() > 0.8


def test_more_values_than_pictures_are_no_obstacle():
    rng = np.random.default_rng(0)
    targets = np.arange(12) % 2
    learn = (targets[:, None] + rng.normal(0, 0.1, (12, 400))).astype(np.float32)
    test = (targets[:, None] + rng.normal(0, 0.1, (12, 400))).astype(np.float32)
    for name in NAMES:
        scores, _ = fit_baseline(name, learn, targets, test)
        assert (scores.argmax(1) == targets).all(), name


def test_an_unknown_baseline_is_named_with_the_known_ones():
    with pytest.raises(ValueError, match="baseline 'forest' is unknown; use one of svc, xgboost"):
        fit_baseline("forest", *clouds(10, 2), clouds(4, 2)[0])


def test_a_missing_package_is_told_with_the_way_to_it(monkeypatch: pytest.MonkeyPatch):
    ordinary = builtins.__import__

    def without_xgboost(name: str, *rest: Any, **more: Any) -> Any:
        if name == "xgboost":
            raise ImportError(name)
        return ordinary(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without_xgboost)
    with pytest.raises(MissingBaseline, match=r"pip install -r requirements-train-extra\.txt"):
        fit_baseline("xgboost", *clouds(10, 2), clouds(4, 2)[0])


def test_a_baseline_is_scored_on_its_answers():
    # A ridge on clouds far apart is right everywhere: every figure is 1, and so no sample differs.
    found = measure_baseline("ridge", "pixels", clouds(40, 2), clouds(20, 2, seed=1),
                             [f"g{number // 2}" for number in range(20)])  # fmt: skip
    for name in ("accuracy", "balanced_accuracy", "auroc", "macro_f1"):
        assert getattr(found, name) == Interval(value=1, low=None, high=None)
    assert (found.name, found.features, found.note) == ("ridge", "pixels", "")


def test_a_row_goes_through_json_unchanged():
    row = measure_baseline("ridge", "frozen", clouds(40, 2), clouds(20, 2, seed=1),
                           [str(number) for number in range(20)])  # fmt: skip
    assert Baseline.from_dict(json.loads(json.dumps(row.to_dict()))) == row
    assert row.features in INPUTS


def test_small_pixels_are_means_from_zero_to_one():
    # 64 x 64 to 32 x 32: each value is the mean of four; the first block is 0, 0, 255, 255
    pixels = np.zeros((64, 64, 3), np.uint8)
    pixels[1, :2] = 255
    found = small_pixels([pixels, np.full((64, 64, 3), 255, np.uint8)])
    assert found.shape == (2, 32 * 32 * 3)
    assert found[0, :3].tolist() == pytest.approx([0.5, 0.5, 0.5], abs=0.01)
    assert found[0, 3:].max() == 0
    assert (found[1] == 1).all()
