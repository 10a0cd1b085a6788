"""What a class could be told by without any morphology."""

import numpy as np
import pytest

from leukemia_app.evaluation.controls import (
    cell_area,
    cells_alone,
    colour_histogram,
    linear_probabilities,
    without_cells,
)
from leukemia_app.imaging.segment import Segmentation


def segmentation(cells: list[list[int]], main: int) -> Segmentation:
    numbers = np.array(cells, np.int32)
    return Segmentation(
        cells=numbers, nucleus=np.zeros(numbers.shape, bool), main=main, method="drawn"
    )


def test_the_histogram_of_four_pixels():
    # Bins of 16 levels. Red: 0, 15 -> bin 0; 16 -> 1; 255 -> 15. Green: all 32 -> 2.
    # Blue: 100, 100 -> 6; 200, 200 -> 12.
    pixels = np.array([[[0, 32, 100], [15, 32, 100]], [[16, 32, 200], [255, 32, 200]]], np.uint8)
    expected = np.zeros(48)
    expected[[0, 1, 15]] = (0.5, 0.25, 0.25)
    expected[16 + 2] = 1
    expected[[32 + 6, 32 + 12]] = 0.5
    found = colour_histogram(pixels)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected)


def test_the_histogram_knows_no_places():
    pixels = np.random.default_rng(0).integers(0, 256, (8, 8, 3)).astype(np.uint8)
    shuffled = np.random.default_rng(1).permutation(pixels.reshape(-1, 3)).reshape(8, 8, 3)
    np.testing.assert_array_equal(colour_histogram(pixels), colour_histogram(shuffled))


def test_the_area_is_that_of_the_main_cell_as_a_part_of_the_picture():
    # Three of eight pixels belong to cell 2.
    assert cell_area(segmentation([[1, 0, 2, 2], [0, 0, 2, 0]], 2)).tolist() == [3 / 8]


def test_no_cell_has_no_area():
    assert cell_area(segmentation([[0, 0], [0, 0]], 0)).tolist() == [0]


def test_cells_are_blanked_in_the_median_of_the_background():
    pixels = np.array(
        [[[10, 0, 0], [99, 99, 99]], [[20, 4, 0], [90, 8, 0]]], np.uint8
    )  # fmt: skip
    # Background: reds 10 20 90, greens 0 4 8, blues 0: medians 20, 4, 0.
    made = without_cells(pixels, segmentation([[0, 1], [0, 0]], 1))
    assert made[0, 1].tolist() == [20, 4, 0]
    assert pixels[0, 1].tolist() == [99, 99, 99]
    np.testing.assert_array_equal(made[1], pixels[1])


def test_a_picture_that_is_all_cell_is_blanked_in_its_own_median():
    pixels = np.array([[[1, 1, 1], [3, 3, 3], [8, 8, 8]]], np.uint8)
    assert (without_cells(pixels, segmentation([[1, 1, 2]], 1)) == 3).all()


def test_cells_alone_stand_on_black():
    pixels = np.full((2, 2, 3), 50, np.uint8)
    made = cells_alone(pixels, segmentation([[0, 1], [2, 0]], 1))
    assert made[..., 0].tolist() == [[0, 50], [50, 0]]
    assert made.dtype == np.uint8


def test_a_class_that_can_be_told_by_one_value_is_told():
    rng = np.random.default_rng(0)
    targets = np.repeat([0, 1, 2], 40)
    learn = (targets[:, None] * 3 + rng.normal(0, 0.3, (120, 1))).astype(np.float32)
    found = linear_probabilities(learn, targets, np.array([[0], [3], [6]], np.float32))
    assert found.argmax(1).tolist() == [0, 1, 2]
    assert found.sum(1) == pytest.approx(1)
    assert found.dtype == np.float32


def test_a_rare_class_weighs_as_much_as_a_frequent_one():
    # The same value for both classes tells nothing: both get half, although one is nine times as
    # frequent.
    learn = np.zeros((100, 1), np.float32)
    targets = np.array([0] * 90 + [1] * 10)
    assert linear_probabilities(learn, targets, learn[:1])[0] == pytest.approx([0.5, 0.5], abs=1e-3)
