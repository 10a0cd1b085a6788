"""The left pane: layers, controls, and an honest word where there is no map."""

import numpy as np

from leukemia_app.evaluation import words
from leukemia_app.imaging.layers import Contours
from leukemia_app.ui.viewer import MapView, PictureView, outlines, viewer

SQUARE = np.array([[1.0, 2.0], [5.0, 2.0], [5.0, 6.0]])
NOTHING = Contours(rows=10, columns=20, count=0, main=(), others=(), nuclei=())
ONE_CELL = Contours(rows=10, columns=20, count=1, main=(SQUARE,), others=(), nuclei=(SQUARE,))


def view_of(**changes: object) -> str:
    values = {
        "name": "frame.png", "uri": "data:picture", "rows": 10, "columns": 20,
        "contours": ONE_CELL, "labels": ("Benign", "Pro"),
        "map": MapView(uri="data:map", label="Pro", share_inside_cells=0.123),
    }  # fmt: skip
    return viewer(PictureView(**(values | changes)))


def test_the_frame_has_the_picture_and_its_proportions():
    page = view_of()
    assert "--ratio:2.0000" in page
    assert 'src="data:picture" alt="frame.png, 1 white cell outlined"' in page
    assert 'class="s-heat" draggable="false" src="data:map"' in page


def test_the_share_inside_the_cells_is_told_in_per_cent():
    mostly = MapView(uri="data:map", label="Pro", share_inside_cells=0.876)
    assert "88 % of the map lies inside the cells: where the score reacts" in view_of(map=mostly)


def test_a_score_that_reacts_mostly_to_the_background_is_told_so():
    assert "Only 12 % of the map lies inside the cells: the score reacts mostly" in view_of()


def test_a_model_without_a_map_says_so_and_offers_none():
    page = view_of(map=None)
    assert words.NO_MAP in page
    assert "s-heat" not in page
    assert "data-strength" not in page
    assert 'type="radio"' not in page


def test_without_cells_there_is_no_share_and_no_outline():
    shown = MapView(uri="data:map", label="Pro", share_inside_cells=None)
    page = view_of(contours=NOTHING, map=shown)
    assert "No white cell was found" in page
    assert "%" not in page.split("s-hint")[1]
    assert "data-outline" not in page
    assert "<svg" not in page
    assert "0 white cells" in page


def test_an_empty_map_is_called_empty():
    shown = MapView(uri="data:map", label="Pro", share_inside_cells=None)
    assert "The map is empty" in view_of(map=shown)


def test_each_class_can_be_asked_for_and_the_shown_one_is_chosen():
    page = view_of()
    assert 'value="Benign" data-wait' in page
    assert page.count(" checked> Pro") == 1
    assert " checked> Benign" not in page


def test_the_slider_has_a_name_for_screen_readers():
    assert 'aria-label="Strength of the map over the picture"' in view_of()


def test_outlines_are_paths_in_picture_coordinates():
    drawn = outlines(ONE_CELL)
    assert 'viewBox="0 0 20 10"' in drawn
    assert 'class="s-main" d="M1.0 2.0L5.0 2.0L5.0 6.0Z"' in drawn
    assert 'class="s-nucleus"' in drawn
    assert 's-other"' not in drawn


def test_names_from_strangers_stay_text():
    evil = '"><script>1</script>'
    page = view_of(name=evil, labels=(evil, "x"))
    assert "<script" not in page
