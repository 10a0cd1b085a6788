"""Settings as controls: what they show, what is marked as changed, and the way back."""

import re
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from leukemia_app.training.augment import Augment
from leukemia_app.training.augment_kinds import KINDS
from leukemia_app.ui import settings_text as text
from leukemia_app.ui.samples import Samples
from leukemia_app.ui.settings_panes import Form, settings_folds
from leukemia_app.ui.train_settings import SETTINGS
from tests.tiny_runs import tiny_config

PRESET = replace(tiny_config(Path("nowhere")), augment=Augment(jpeg_quality=0))
HOSTILE = '"><script>alert(1)</script>'


def form_of(changes: dict[str, Any] | None = None, **more: Any) -> Form:
    values: dict[str, Any] = {
        "preset": PRESET, "changes": changes or {}, "folds": frozenset(), "samples": Samples(),
    }  # fmt: skip
    return Form(**(values | more))


def tags(html: str, name: str) -> list[str]:
    """The controls of a setting."""
    return re.findall(rf'<(?:input|select)[^>]*data-change="{re.escape(name)}"[^>]*>', html)


def marked(html: str) -> list[str]:
    return re.findall(r'data-change="([^"]*)" data-changed', html)


def test_every_setting_has_a_control_and_none_is_marked_at_first():
    html = settings_folds(form_of())
    for name in SETTINGS:
        if name not in ("augment.stain_gain_sd", "augment.stain_offset_sd"):
            assert tags(html, name), name
    assert marked(html) == []
    assert "s-changed" not in html
    assert "data-resets" not in html


@pytest.mark.parametrize(
    ("name", "kind"),
    [("recipe.colour", "<select"), ("recipe.denoise", "<select"), ("optimizer", "<select"),
     ("schedule", "<select"), ("precision", "<select"), ("balance", "<select"),
     ("tune_from", "<select"), ("recipe.segmentation", "<select"), ("seed", 'type="number"'),
     ("tune_rate", 'type="number"'), ("frozen_normalisation", 'type="checkbox"')],
)  # fmt: skip
def test_a_control_is_of_its_setting_s_kind(name, kind):
    (control,) = tags(settings_folds(form_of()), name)
    assert kind in control


def test_a_number_has_its_bounds_and_no_exponent():
    changes = {"tune_rate": 1e-5}
    (control,) = tags(settings_folds(form_of(changes)), "tune_rate")
    assert 'value="0.00001"' in control
    assert 'step="0.00001"' in control
    assert 'max="1"' in control
    (control,) = tags(settings_folds(form_of()), "recipe.crop_margin")
    assert 'value=""' in control
    assert "placeholder" in control


def test_a_change_is_marked_counted_and_can_be_taken_back():
    html = settings_folds(form_of({"tune_epochs": 9, "augment.zoom": 0.3, "augment.flip": False}))
    assert sorted(marked(html)) == ["augment.flip", "augment.zoom", "tune_epochs"]
    said = unescape(re.sub(r"<[^>]+>", " ", html))
    assert text.CHANGED_ONE in said
    assert text.CHANGED_MANY.format(n=2) in said
    assert text.RESET.format(value="2") in said, "the preset's epochs"
    assert 'data-resets="augment.flip augment.zoom"' in html.replace(
        "augment.zoom augment.flip", "augment.flip augment.zoom"
    )


def test_the_preset_s_own_value_is_no_change():
    html = settings_folds(form_of({"tune_epochs": 2, "baselines": []}))
    assert marked(html) == []


def test_a_change_that_cannot_be_is_shown_where_it_can_be_put_right():
    changes = {"seed": -1, "augment.zoom": "much", "recipe.colour": HOSTILE, "tune_rate": None}
    html = settings_folds(form_of(changes))
    assert 'value="-1"' in tags(html, "seed")[0]
    assert sorted(marked(html)) == ["augment.zoom", "recipe.colour", "seed", "tune_rate"]
    assert "<script" not in html


# The augmentation


def test_every_kind_has_a_switch():
    html = settings_folds(form_of())
    assert html.count('role="switch"') == len(KINDS)
    on, off = tags(html, "augment.zoom"), tags(html, "augment.cutout")
    assert " checked" in on[0]
    assert 'data-on="0.1"' in on[0]
    assert 'type="number"' in on[1]
    assert " checked" not in off[0]
    assert 'data-on="0.25"' in off[0], "the usual strength, where the preset has none"
    assert len(off) == 1, "the strength of what is off cannot be typed"


def test_what_is_switched_off_is_marked_at_its_switch_and_comes_back_as_the_preset_had_it():
    html = settings_folds(form_of({"augment.zoom": 0}))
    (switch,) = tags(html, "augment.zoom")
    assert 'data-changed="1"' in switch
    assert 'data-on="0.1" data-off="0"' in switch
    assert " checked" not in switch


def test_what_is_switched_on_is_marked_at_its_strength():
    switch, strength = tags(settings_folds(form_of({"augment.cutout": 0.4})), "augment.cutout")
    assert "data-changed" not in switch
    assert 'data-changed="1"' in strength
    assert 'value="0.4"' in strength


def test_a_strip_is_shown_of_each_kind_and_says_what_it_is():
    samples = Samples(strips=dict.fromkeys(KINDS, b"jpeg"))
    html = settings_folds(form_of(samples=samples, folds=frozenset({"augment"})))
    assert html.count('role="img"') == len(KINDS)
    assert html.count("<i></i>") == 6 * len(KINDS)
    assert text.tiles("blur", 5) in html
    assert text.NO_PICTURE not in html


def test_an_open_fold_stays_open_and_says_where_there_is_no_picture():
    html = settings_folds(form_of(folds=frozenset({"augment"})))
    assert 'data-fold="augment" data-drawn="1" open' in html
    assert re.search(r'data-fold="more">', html)
    assert text.NO_PICTURE in html


def test_the_stages_of_a_picture_are_named():
    samples = Samples(stages=(("picture", "data:a"), ("network input", "data:b")))
    html = settings_folds(form_of(samples=samples))
    assert text.PREPARED["network input"] in html
    assert 'src="data:b"' in html
