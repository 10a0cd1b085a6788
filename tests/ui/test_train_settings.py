"""The table of settings: all of it can be trained with, and nothing else can be changed."""

from pathlib import Path

import pytest

from leukemia_app.errors import RecipeError, RunError
from leukemia_app.networks.backbones import BACKBONES, BLOCKS
from leukemia_app.ui import settings_text as text
from leukemia_app.ui.train_settings import (
    SETTINGS,
    changed,
    choices_of,
    kept_changes,
    limits_of,
    value_of,
)
from tests.tiny_runs import tiny_config

CONFIG = tiny_config(Path("nowhere"))


@pytest.mark.parametrize("name", SETTINGS)
def test_every_setting_is_one_of_a_run_and_every_end_of_it_can_be_trained_with(name):
    backbone = CONFIG.backbone
    choices = choices_of(SETTINGS[name], backbone)
    if choices:
        # Numbers travel as numbers from the page's script.
        values = [int(each) if each.isdecimal() else each for each in choices]
    elif isinstance(value_of(CONFIG.to_dict(), name), bool):
        values = [True, False]
    else:
        least, most = limits_of(name, backbone)
        values = [least, most] if least else [most]
    segmented = {"recipe.segmentation": "stain"} if name.startswith("recipe.") else {}
    for value in values:
        made = changed(CONFIG, segmented | {name: value})
        assert value_of(made.to_dict(), name) == value


@pytest.mark.parametrize("name", ["recipe.side_px", "tune_rate", "augment.zoom", "seed",
                                  "head_arguments.dropout"])  # fmt: skip
def test_a_number_beyond_its_bounds_is_refused_by_name(name):
    _, most = limits_of(name, CONFIG.backbone)
    with pytest.raises((RunError, RecipeError), match=name):
        changed(CONFIG, {name: most * 2 if isinstance(most, int) else most + 1})


@pytest.mark.parametrize("name", ["data", "start", "id", "about.title", "external", "seeds"])
def test_what_is_no_setting_of_the_page_is_refused(name):
    with pytest.raises(RunError, match=f"'{name}' is no setting of a training that can be changed"):
        changed(CONFIG, {name: "/etc"})


def test_dropout_that_was_never_set_is_the_head_s_own():
    assert value_of(CONFIG.to_dict(), "head_arguments.dropout") == 0.3
    assert changed(CONFIG, {"head_arguments.dropout": 0.5}).head_arguments == {"dropout": 0.5}


@pytest.mark.parametrize("backbone", BACKBONES)
def test_the_blocks_are_the_backbone_s_and_say_how_much_is_tuned(backbone):
    found = choices_of(SETTINGS["tune_from"], backbone)
    blocks = BLOCKS[backbone]
    assert list(found) == ["", *blocks[1:], "normalisation"]
    assert found[blocks[-1]].endswith(f"(1 of {len(blocks)} blocks)")


def test_a_block_of_another_backbone_is_forgotten_and_all_else_kept():
    changes = {"tune_from": "conv_dw_9", "seed": 3}
    assert kept_changes(changes, "mobilenet") == changes
    assert kept_changes(changes, "vgg16") == {"seed": 3}
    assert kept_changes({"tune_from": ""}, "vgg16") == {"tune_from": ""}


def test_a_network_that_needs_large_pictures_says_so():
    assert limits_of("recipe.side_px", "inceptionv3") == (75, 1024)
    assert limits_of("recipe.side_px", "vgg16") == (32, 1024)


@pytest.mark.parametrize(
    ("kind", "values", "words"),
    # e^0.1 = 1.105, e^-0.1 = 0.905; e^0.175 = 1.191, e^-0.35 = 0.705
    [("zoom", {"zoom": 0.1}, "× 0.90 to 1.11"), ("brightness", {"brightness": 0.35},
                                                "× 0.70 to 1.19"),
     ("cutout", {"cutout": 0.25}, "a square of 25 % of the side"),
     ("rotation", {"rotation_degrees": 20}, "by up to 20° either way")],
)  # fmt: skip
def test_a_strength_is_told_in_words(kind, values, words):
    assert words in text.strength(kind, values)
