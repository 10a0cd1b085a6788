"""Methods by name, the main cell, and the mask that is written."""

import tracemalloc

import numpy as np
import pytest

from leukemia_app.errors import RecipeError
from leukemia_app.imaging import segment as segment_module
from leukemia_app.imaging.recipe import CHOICES
from leukemia_app.imaging.segment import METHODS, Segmentation, main_cell, segment, to_mask


def test_recipes_may_ask_for_every_method():
    assert CHOICES["segmentation"] == METHODS


def test_none_finds_nothing():
    found = segment(np.full((20, 30, 3), 90, np.uint8), "none")
    assert (found.cells.shape, found.cells.dtype, found.count, found.main) == (
        (20, 30), np.int32, 0, 0,
    )  # fmt: skip
    assert not found.nucleus.any()


def test_an_unknown_method_is_refused_with_the_known_ones():
    with pytest.raises(RecipeError, match="is 'otsu'; use one of none, clahe_otsu, stain"):
        segment(np.zeros((20, 20, 3), np.uint8), "otsu")


def test_main_cell_is_the_nearer_of_two_alike():
    cells = np.zeros((40, 40), np.int32)
    cells[2:10, 2:10] = 1
    cells[18:26, 18:26] = 2
    assert main_cell(cells) == 2


def test_main_cell_is_no_speck_in_the_middle():
    cells = np.zeros((40, 40), np.int32)
    cells[20, 20] = 1
    # centroid 7.5 px or 0.19 sides from the middle: 144 px · exp(-(0.19/0.25)²) = 82 > 1
    cells[6:18, 14:26] = 2
    assert main_cell(cells) == 2


def test_main_cell_of_an_empty_picture_is_0():
    assert main_cell(np.zeros((5, 5), np.int32)) == 0


def test_main_cell_is_the_same_however_many_rows_are_looked_at_together(monkeypatch):
    cells = np.random.default_rng(3).integers(0, 9, (50, 40), dtype=np.int32)
    at_once = main_cell(cells)
    monkeypatch.setattr(segment_module, "ROWS_AT_ONCE", 7)
    assert main_cell(cells) == at_once > 0


def test_main_cell_that_fills_the_picture_takes_no_more_than_a_few_rows_of_memory():
    # Places of all 2,048² pixels at once would be 16 bytes each, 67 MB; of 64 rows 2 MB.
    cells = np.ones((2_048, 2_048), np.int32)
    tracemalloc.start()
    assert main_cell(cells) == 1
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_bytes < 30_000_000


def test_mask_tells_background_cytoplasm_and_nucleus():
    cells = np.array([[0, 1, 1, 2]], np.int32)
    nucleus = np.array([[False, False, True, True]])
    found = Segmentation(cells=cells, nucleus=nucleus, main=1, method="stain")
    assert to_mask(found).tolist() == [[0, 128, 255, 255]]
    assert to_mask(found).dtype == np.uint8
