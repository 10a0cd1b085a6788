"""What is drawn how often, disturbed in the same way again, and answered over all views."""

import threading
from collections.abc import Iterator

import numpy as np
import pytest

from leukemia_app.imaging.recipe import Recipe
from leukemia_app.training.batches import (
    answers_of,
    disturbed_batches,
    disturbed_tensors,
    draw_chances,
    logits_of,
    one_ahead,
)
from tests.tiny_runs import tiny_config
from tests.training.tiny_training import drawn_pictures


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


def test_disturbed_copies_depend_on_the_seed_and_the_place_alone(tmp_path):
    config, data = tiny_config(tmp_path), drawn_pictures()
    rows = np.array([3, 3, 5])
    first = disturbed_tensors(data.pixels, rows, config, [7, 1])
    np.testing.assert_array_equal(first, disturbed_tensors(data.pixels, rows, config, [7, 1]))
    assert (first != disturbed_tensors(data.pixels, rows, config, [7, 2])).any()
    assert (first[0] != first[1]).any()
    assert (first.shape, first.dtype) == ((3, 32, 32, 3), np.float32)
    assert -1 <= first.min() <= first.max() <= 1


def test_two_labels_share_an_answer_and_three_have_one_each():
    assert answers_of(np.array([1, 0]), 1).tolist() == [[1], [0]]
    assert answers_of(np.array([2, 0]), 3).tolist() == [[0, 0, 1], [1, 0, 0]]


def test_the_batches_of_an_epoch_are_the_same_again_and_others_in_the_next(tmp_path):
    config, data = tiny_config(tmp_path), drawn_pictures()
    first, again, other = (list(disturbed_batches(config, data, epoch, 2)) for epoch in (3, 3, 4))
    for (batch, answers), (batch_again, answers_again) in zip(first, again, strict=True):
        np.testing.assert_array_equal(batch, batch_again)
        np.testing.assert_array_equal(answers, answers_again)
    assert (first[0][0] != other[0][0]).any()


def test_one_batch_is_made_ahead_and_no_more():
    made: list[int] = []
    ready = threading.Event()

    def batches() -> Iterator[tuple[int, int]]:
        for number in range(4):
            made.append(number)
            if number == 1:
                ready.set()
            yield number, number

    seen = one_ahead(batches())
    assert next(seen) == (0, 0)
    assert ready.wait(5)
    assert made == [0, 1]
    assert list(seen) == [(1, 1), (2, 2), (3, 3)]


def test_what_goes_wrong_while_a_batch_is_made_is_raised():
    def batches() -> Iterator[tuple[int, int]]:
        yield 0, 0
        raise OSError("the disk is gone")

    seen = one_ahead(batches())
    assert next(seen) == (0, 0)
    with pytest.raises(OSError, match="the disk is gone"):
        next(seen)
