"""What is said of a setting, in the words of the form and not of a file."""

import pytest

from leukemia_app.errors import AppError
from leukemia_app.training.config import RunConfig
from leukemia_app.ui.settings_names import in_form_words, title_of, value_words
from leukemia_app.ui.train_settings import SETTINGS, changed
from tests.tiny_runs import tiny_config


@pytest.mark.parametrize(
    ("name", "value", "title", "words"),
    [("recipe.side_px", 160, "Side of the input", "160"),
     ("augment.rotation_degrees", 180.0, "Rotation: up to, °", "180"),
     ("augment.flip", False, "Mirror", "off"),
     ("keep_start", True, "Start kept where no epoch is better", "on"),
     ("balance", "none", "Weights of classes and patients", "each picture counts the same"),
     ("tune_from", "", "Tuned from this block on", "the first: the whole network"),
     ("tune_from", "conv_dw_9", "Tuned from this block on", "conv_dw_9"),
     ("recipe.crop_margin", None, "Crop to the cell, room round it", "no crop: keep the scale"),
     ("steps_per_epoch", None, "Steps of an epoch", "each picture once"),
     ("baselines", [], "Classical models", "none"), ("baselines", ["svc", "lda"], None, "svc, lda"),
     ("tune_rate", 0.0001, "Learning rate of tuning", "0.0001"),
     ("something.new", 1, "something: new", "1")],
)  # fmt: skip
def test_a_setting_and_its_value_go_by_the_words_of_the_form(name, value, title, words):
    assert title is None or title_of(name) == title
    assert value_words(name, value) == words


def test_every_setting_of_the_form_has_a_title():
    assert all(title_of(name) for name in SETTINGS)


PARTS_AND_PLACES = {"id", "about", "data", "groups", "group_level", "labels", "recipe", "augment",
                    "outside", "external", "figures_from", "head_arguments"}  # fmt: skip


@pytest.mark.parametrize("field", sorted({*RunConfig.__dataclass_fields__} - PARTS_AND_PLACES))
def test_every_setting_that_can_differ_between_runs_has_a_title_of_its_own(field):
    assert title_of(field) != field.replace("_", " ")


@pytest.mark.parametrize(
    ("changes", "said"),
    [({"recipe.side_px": 8}, "“Side of the input” is 8; use 32 to 1024."),
     ({"tune_epochs": -1}, "“Epochs of tuning” is -1; use 0 to 10000."),
     ({"recipe.blank_background": True}, "“Segmentation” is 'none', but “Crop to the cell, room "
      "round it” or “Background black” needs a cell; choose a segmentation method."),
     ({"augment.zoom": 3}, "“Zoom: strength” is 3; use 0 to 1."),
     ({"head_arguments.dropout": 2}, "“Dropout before the answer” is 2; use 0 to 0.9.")],
)  # fmt: skip
def test_what_cannot_be_used_is_refused_in_the_words_of_the_form(changes, said, tmp_path):
    with pytest.raises(AppError) as refused:
        changed(tiny_config(tmp_path), changes)
    assert in_form_words(str(refused.value)) == said


def test_a_sentence_about_no_setting_stays():
    for sentence in ("my_file.png is cut short.", "There is one class only.", "id is 'x'; use y."):
        assert in_form_words(sentence) == sentence
