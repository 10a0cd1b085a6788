"""A picture of the visitor's own, as the settings show it."""

import cv2
import numpy as np
import pytest

from leukemia_app.imaging.decode import DEFAULT_LIMITS, encode_png
from leukemia_app.training.augment_kinds import KINDS
from leukemia_app.ui.samples import AUGMENT, MORE, Samples, samples
from tests.tiny_runs import drawn_cell, tiny_config


@pytest.fixture
def path(tmp_path):
    (tmp_path / "cell.png").write_bytes(encode_png(drawn_cell(1, 3)))
    return tmp_path / "cell.png"


def shown(path, folds, **changes) -> Samples:
    named = {name.replace("__", "."): value for name, value in changes.items()}
    preset = tiny_config(path.parent)
    return samples(path, preset, named, frozenset(folds), DEFAULT_LIMITS)


def first_tile(made: Samples) -> np.ndarray:
    file = np.frombuffer(made.strips["rotation"], np.uint8)
    return cv2.imdecode(file, cv2.IMREAD_COLOR)[:, :96]


def test_what_is_closed_is_not_computed(path):
    assert shown(path, ()) == Samples()
    assert shown(path, (MORE,)).strips == {}
    made = shown(path, (AUGMENT,))
    assert made.stages == ()
    assert set(made.strips) == set(KINDS)


def test_the_stages_follow_what_was_changed(path):
    assert [name for name, _ in shown(path, (MORE,)).stages] == ["picture", "network input"]
    made = shown(path, (MORE,), recipe__segmentation="stain", recipe__crop_margin=0.1)
    assert [name for name, _ in made.stages] == ["picture", "cells", "cropped", "network input"]


def test_the_strips_show_the_picture_as_the_network_sees_it(path):
    colour, grey = first_tile(shown(path, (AUGMENT,))), first_tile(
        shown(path, (AUGMENT,), recipe__colour="grey"))  # fmt: skip
    assert np.ptp(colour.astype(int), axis=2).max() > 40
    assert np.ptp(grey.astype(int), axis=2).max() < 12


def test_a_change_that_cannot_be_is_left_out(path):
    made = shown(path, (MORE, AUGMENT), recipe__crop_margin=0.1, augment__zoom=99)
    assert made == shown(path, (MORE, AUGMENT))


def test_made_up_names_cost_nothing(path, tmp_path, monkeypatch):
    tried = []
    monkeypatch.setattr(
        "leukemia_app.ui.samples.changed", lambda made, changes: tried.append(changes) or made
    )
    changes = {f"augment.{number}": 1 for number in range(1000)} | {"augment.zoom": 1}
    samples(path, tiny_config(tmp_path), changes, frozenset({AUGMENT}), DEFAULT_LIMITS)
    assert tried == [{"augment.zoom": 1}]


@pytest.mark.parametrize("content", [None, b"no picture"])
def test_a_picture_that_cannot_be_read_shows_nothing(content, tmp_path):
    path = tmp_path / "gone.png"
    if content is not None:
        path.write_bytes(content)
    assert shown(path, (MORE, AUGMENT)) == Samples()
