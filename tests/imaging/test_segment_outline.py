"""Cheapest closed outlines in maps drawn by hand."""

import numpy as np
import pytest

from leukemia_app.imaging.segment_outline import AT_ONCE, RAYS, Seeds, cheapest_outlines


def disc_evidence(centre: tuple[int, int], radius: float, shape: tuple[int, int]) -> np.ndarray:
    row, column = np.indices(shape)
    inside = np.hypot(row - centre[1], column - centre[0]) <= radius
    return np.where(inside, 1.0, -1.0).astype(np.float32)


def seeds(*centres: tuple[float, float], reach: float = 24.0) -> Seeds:
    n = len(centres)
    return Seeds(
        centres=np.array(centres, np.float32),
        radii=np.full(n, 8.0, np.float32),
        reach=np.full(n, reach, np.float32),
    )


def radii(outline: np.ndarray, centre: tuple[float, float]) -> np.ndarray:
    return np.asarray(np.hypot(*(outline - centre).T))


def test_the_outline_of_a_disc_is_its_rim():
    evidence = disc_evidence((32, 30), 15, (64, 64))
    outline = cheapest_outlines(
        evidence, evidence * 0, np.zeros((64, 64), np.int32), seeds((32, 30))
    )
    # steps are 24/48 = 0.5 px; a digital rim is uncertain by half a pixel
    assert radii(outline[0], (32, 30)) == pytest.approx(np.full(RAYS, 15), abs=1.0)


def test_the_outline_closes_round_a_centre_beside_the_middle():
    evidence = disc_evidence((32, 30), 15, (64, 64))
    outline = cheapest_outlines(
        evidence, evidence * 0, np.zeros((64, 64), np.int32), seeds((36, 30))
    )
    # the two ends lie on neighbouring rays: at most 2 steps of 0.5 px apart, and one ray, 1 px
    assert np.hypot(*(outline[0, 0] - outline[0, -1])) < 3


def test_an_edge_draws_the_outline_where_colour_is_undecided():
    row, column = np.indices((64, 64))
    edges = (np.abs(np.hypot(row - 32, column - 32) - 13) < 1).astype(np.float32)
    outline = cheapest_outlines(
        edges * 0, edges, np.zeros((64, 64), np.int32), seeds((32, 32), reach=18)
    )
    assert radii(outline[0], (32, 32)) == pytest.approx(np.full(RAYS, 13), abs=1.0)


def test_the_nucleus_of_another_cell_is_outside():
    evidence = np.ones((64, 64), np.float32)
    nuclei = np.zeros((64, 64), np.int32)
    nuclei[:, 42:] = 2
    nuclei[30:34, 18:22] = 1
    outline = cheapest_outlines(evidence, evidence * 0, nuclei, seeds((20, 32), (54, 32), reach=30))
    assert outline[0, 0, 0] == pytest.approx(42, abs=1.5)  # ray 0 points to larger columns


def test_more_seeds_than_fit_at_once_give_the_same_outlines():
    evidence = disc_evidence((32, 30), 15, (64, 64))
    nothing = np.zeros((64, 64), np.int32)
    many = cheapest_outlines(evidence, evidence * 0, nothing, seeds(*[(32, 30)] * (AT_ONCE + 3)))
    one = cheapest_outlines(evidence, evidence * 0, nothing, seeds((32, 30)))
    assert many.shape == (AT_ONCE + 3, RAYS, 2)
    assert (many == one).all()
