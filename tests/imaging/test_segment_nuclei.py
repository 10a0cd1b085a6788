"""Thresholds, necks and specks; which lobes are one cell's."""

import cv2
import numpy as np
import pytest

from leukemia_app.imaging.segment_join import group_lobes, near_lobes, part_groups
from leukemia_app.imaging.segment_nuclei import find_nuclei, otsu_threshold

NUCLEAR_DENSITY = (0.8, 1.4, 0.3)


def density(*discs: tuple[tuple[int, int], int], side: int = 100) -> np.ndarray:
    mask = np.zeros((side, side), np.uint8)
    for centre, radius in discs:
        cv2.circle(mask, centre, radius, 1, -1)
    return np.asarray(mask[..., None] * np.array(NUCLEAR_DENSITY), np.float32)


def nuclei(stain: np.ndarray) -> np.ndarray:
    return find_nuclei(stain, np.ones(stain.shape[:2], bool))


def test_otsu_cuts_between_two_heaps():
    values = np.array([0.1] * 30 + [0.2] * 30 + [0.9] * 20, np.float32)
    assert 0.2 < otsu_threshold(values) < 0.9


def test_otsu_of_one_value_is_that_value():
    assert otsu_threshold(np.full(9, 0.5, np.float32)) == pytest.approx(0.5)


def test_otsu_of_values_that_differ_by_rounding_is_one_of_them():
    one = np.float32(0.7)
    values = np.array([one, np.nextafter(one, np.float32(1))] * 9, np.float32)
    assert otsu_threshold(values) in values


def test_one_disc_is_one_nucleus():
    found = nuclei(density(((50, 50), 15)))
    assert found.max() == 1
    assert (found > 0).sum() == pytest.approx(np.pi * 15**2, rel=0.05)


def test_two_discs_with_a_neck_are_two():
    found = nuclei(density(((36, 50), 15), ((62, 50), 15)))
    assert found.max() == 2
    assert found[50, 30] != found[50, 68]


def test_specks_and_pale_regions_are_dropped():
    stain = density(((50, 50), 15), ((90, 10), 2))
    stain[70:95, 5:30] = np.array(NUCLEAR_DENSITY) * 0.2
    found = nuclei(stain)
    assert found.max() == 1
    assert found[50, 50] == 1


def test_an_unstained_picture_has_no_nucleus():
    assert not nuclei(np.zeros((40, 40, 3), np.float32)).any()


def test_noise_gives_no_more_nuclei_than_the_limit(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("leukemia_app.imaging.segment_nuclei.MOST_NUCLEI", 2)
    found = nuclei(density(((20, 20), 8), ((60, 20), 10), ((30, 70), 12), ((75, 75), 11)))
    assert set(np.unique(found[[70, 75], [30, 75]])) == {1, 2}
    assert found.max() == 2


def lobes(*discs: tuple[tuple[int, int], int]) -> np.ndarray:
    numbers = np.zeros((100, 100), np.uint8)
    for number, (centre, radius) in enumerate(discs, 1):
        cv2.circle(numbers, centre, radius, number, -1)
    return numbers.astype(np.int32)


def test_lobes_near_each_other_are_linked_and_far_ones_are_not():
    found = near_lobes(lobes(((20, 20), 8), ((42, 20), 8), ((80, 80), 8)), np.zeros((100, 100)))
    assert found.pairs.tolist() == [[1, 2]]
    # gap (42 - 8) - (20 + 8) = 6 px by a radius of about 8
    assert found.gaps == pytest.approx([6 / 8], abs=0.05)


def test_background_between_two_lobes_keeps_them_apart():
    links = near_lobes(lobes(((20, 20), 8), ((42, 20), 8)), np.ones((100, 100)))
    assert len(links.pairs) == 0


def test_groups_number_linked_lobes_alike():
    links = near_lobes(lobes(((20, 20), 8), ((42, 20), 8), ((80, 80), 8)), np.zeros((100, 100)))
    assert group_lobes(3, links, np.array([True])).tolist() == [0, 1, 1, 2]
    assert group_lobes(3, links, np.array([False])).tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("cell", "stays"),
    [
        (cv2.circle(np.zeros((100, 100), np.uint8), (31, 20), 26, 1, -1), True),
        (lobes(((20, 20), 11), ((42, 20), 11)).clip(0, 1), False),
    ],
    ids=["round cell", "two discs side by side"],
)
def test_lobes_stay_together_while_their_cell_looks_like_one(cell: np.ndarray, stays: bool):
    pair = lobes(((20, 20), 8), ((42, 20), 8))
    links = near_lobes(pair, np.zeros((100, 100)))
    kept = np.ones(1, bool)
    groups = group_lobes(2, links, kept)
    assert part_groups(cell.astype(np.int32), pair, groups, links, kept).tolist() == [stays]
