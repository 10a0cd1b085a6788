"""How unlike the training pictures a picture is: on Gaussians whose distances are known."""

import numpy as np
import pytest

from leukemia_app.bundles.scope import Scope
from leukemia_app.evaluation.scope import choose_limit, fit_scope


def gaussian(n: int, spreads: np.ndarray, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (5 + rng.normal(0, 1, (n, len(spreads))) * spreads).astype(np.float32)


def test_the_distance_is_about_one_inside_and_grows_outside():
    spreads = np.linspace(0.2, 4, 100)
    scope = fit_scope(gaussian(4000, spreads, 0))
    inside = scope.score(gaussian(500, spreads, 1))
    assert inside.mean() == pytest.approx(1, abs=0.05)
    away = gaussian(500, spreads, 1) + np.float32(2) * spreads.astype(np.float32)
    further = gaussian(500, spreads, 1) + np.float32(4) * spreads.astype(np.float32)
    # Two standard deviations in every feature: sqrt(1 + 2²), and with four sqrt(1 + 4²).
    assert scope.score(away).mean() == pytest.approx(np.sqrt(5), rel=0.08)
    assert scope.score(further).mean() == pytest.approx(np.sqrt(17), rel=0.08)


def test_a_distance_by_hand():
    # Mean (1, 0, 0), standard deviation 2 along the first axis, 0.5 beside it. (5, 1, 0) lies
    # 4 along and 1 beside: sqrt(((4 / 2)² + (1 / 0.5)²) / 3)
    scope = Scope(
        mean=np.array([1, 0, 0], np.float32),
        directions=np.array([[1], [0], [0]], np.float32),
        spread=np.array([2], np.float32),
        rest=0.5,
    )
    (score,) = scope.score(np.array([[5, 1, 0]], np.float32))
    assert score == pytest.approx(np.sqrt(8 / 3))


def test_fitted_spreads_are_the_standard_deviations():
    scope = fit_scope(gaussian(20000, np.array([3.0, 1.0, 0.5, 0.5]), 0), n_directions=2)
    assert scope.spread == pytest.approx([3, 1], rel=0.03)
    assert scope.rest == pytest.approx(0.5, rel=0.03)
    assert scope.mean == pytest.approx([5] * 4, abs=0.1)
    assert scope.directions.T @ scope.directions == pytest.approx(np.eye(2), abs=1e-5)


def test_features_that_never_vary_neither_break_nor_dominate():
    # Ten of thirty features are dead. Pictures like those learned from stay near; one in which a
    # dead feature lives is far.
    spreads = np.concatenate([np.full(20, 2.0), np.zeros(10)])
    scope = fit_scope(gaussian(500, spreads, 0))
    inside = scope.score(gaussian(200, spreads, 1))
    assert np.isfinite(inside).all()
    # 20 of the 30 features count: sqrt(20 / 30)
    assert inside.mean() == pytest.approx(np.sqrt(20 / 30), abs=0.08)
    alive = gaussian(1, spreads, 2)
    alive[0, 25] += 2
    assert scope.score(alive)[0] > 3 * inside.max()


def test_features_in_few_dimensions_are_measured_in_those():
    # Three factors spread over fifty large features: rounding beside them must not count.
    rng = np.random.default_rng(0)
    mixing = rng.normal(0, 1, (3, 50))
    learned, fresh = (
        (100 + rng.normal(0, 1, (300, 3)) @ mixing).astype(np.float32) for _ in range(2)
    )
    scope = fit_scope(learned)
    assert scope.score(fresh).mean() == pytest.approx(np.sqrt(3 / 50), rel=0.15)


def test_fewer_pictures_than_features_can_be_fitted():
    spreads = np.full(200, 1.0)
    scope = fit_scope(gaussian(12, spreads, 0))
    assert scope.directions.shape == (200, 11)
    assert np.isfinite(scope.score(gaussian(5, spreads, 1))).all()


def test_scores_do_not_depend_on_the_order_of_pictures():
    features = gaussian(50, np.full(10, 1.0), 0)
    scope = fit_scope(features)
    np.testing.assert_allclose(scope.score(features)[::-1], scope.score(features[::-1]), rtol=1e-5)


def test_saved_and_loaded_it_scores_the_same(tmp_path):
    features = gaussian(80, np.linspace(1, 2, 70), 0)
    scope = fit_scope(features)
    scope.save(tmp_path / "scope.npz")
    again = Scope.load(tmp_path / "scope.npz")
    np.testing.assert_array_equal(again.score(features), scope.score(features))
    assert again.directions.dtype == np.float32


def test_the_limit_is_the_ninety_ninth_percentile():
    # 0 to 100 in steps of one: 99 of 100 steps lie under 99.
    assert choose_limit(np.arange(101, dtype=np.float32)) == pytest.approx(99)
