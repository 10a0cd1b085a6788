"""The steps before a run: every state of the pictures, and no markup of strangers."""

import re
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from leukemia_app.training.data_folder import DataSource
from leukemia_app.training.estimate import Counts
from leukemia_app.training.presets import EFFORTS
from leukemia_app.ui import train_text as text
from leukemia_app.ui.bench import Plan, Wish
from leukemia_app.ui.data_sets import DataView
from leukemia_app.ui.samples import Samples
from leukemia_app.ui.settings_panes import Form
from leukemia_app.ui.train_panes import data_step, drop_step, model_step, split_step
from tests.tiny_runs import tiny_config

HOSTILE = '"><script>alert(1)</script>'
HEALTH: dict[str, Any] = {
    "group_level": "patient", "balance": "The classes are of one size.",
    "classes": [{"label": "hem", "raw_labels": ["normal", "NORMAL"]},
                {"label": "all", "raw_labels": ["blast"]}],
}  # fmt: skip


def view_of(**changes: Any) -> DataView:
    made = DataView(
        id="cells-1", source=DataSource(name="cells"), state="done", reason="", doing={},
        health=HEALTH, leak=None, is_measuring=False, home=Path("nowhere"), given=0.0,
    )  # fmt: skip
    return replace(made, **changes)


def plan_of(**changes: Any) -> Plan:
    counts = Counts(every=24, learn=16, check=4, test=4)
    return Plan(config=tiny_config(Path("nowhere"), **changes), counts=counts,
                seconds={"features": 30.0, "fine-tuning": 90.0}, basis="guessed")  # fmt: skip


def words_of(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def values_of(html: str, attribute: str) -> dict[str, str]:
    """Value of every input that has the attribute, by what the attribute says."""
    inputs = re.findall(rf'<input[^>]* {attribute}="([^"]*)"[^>]*>', html)
    found = re.findall(rf'<input[^>]*{attribute}="([^"]*)"[^>]* value="([^"]*)"', html)
    assert len(found) <= len(inputs)
    return {unescape(name): unescape(value) for name, value in found}


# Pictures


def test_what_may_be_given_is_said_before_it_is_given():
    said = words_of(drop_step(50, 4000))
    assert "up to 50 MB each" in said
    assert "4,000 MB" in said
    assert text.PRIVACY in said
    assert 'data-pick="folder"' in drop_step(50, 4000)


@pytest.mark.parametrize(
    ("doing", "words", "value"),
    [({"done": 6, "total": 24}, "Looking at the pictures: 6 of 24 pictures", 'value="0.250"'),
     ({"done": 0, "total": 0}, "Looking at the pictures: 0 of 0 pictures", None),
     ({}, "Looking at the pictures…", None)],
)  # fmt: skip
def test_a_check_says_how_far_it_is(doing, words, value):
    html = data_step(view_of(state="preparing", health=None, doing=doing), "", ())
    assert words in words_of(html)
    assert (value in html) if value else "value=" not in html.partition("<progress")[2][:40]
    assert 'data-live="1"' in html
    assert 'data-train="again"' not in html, "not while somebody is at it"
    assert 'data-train="forget"' in html, "the wrong pictures need not be waited for"


def test_a_check_that_waits_says_its_place():
    html = data_step(view_of(state="queued 3", health=None), "", ())
    assert "waiting, number 3 in line" in words_of(html)
    assert 'data-live="1"' in html


def test_a_finished_check_shows_its_page_in_a_frame_without_scripts():
    html = data_step(view_of(), f"<p>{HOSTILE}</p>", ())
    assert 'data-live="0"' in html
    assert ' sandbox title="cells"' in html
    assert HOSTILE not in html
    (page,) = re.findall(r'srcdoc="([^"]*)"', html)
    assert unescape(page) == f"<p>{HOSTILE}</p>"
    assert {'data-train="again"', 'data-train="forget"', 'data-train="new-data"'} <= set(
        re.findall(r'data-train="[^"]*"', html)
    )


def test_a_failed_check_says_why_and_offers_the_kinds_there_are():
    html = data_step(view_of(state="failed", health=None, reason="Two kinds."), "",
                     ("Original", "Segmented"))  # fmt: skip
    said = words_of(html)
    assert "Two kinds." in said
    assert text.CHOICE in said
    offered = re.findall(r'data-train="choice" data-value="([^"]*)"', html)
    assert offered == ["Original", "Segmented"]
    assert text.CHOICE not in words_of(data_step(view_of(state="failed", health=None), "", ()))


def test_every_raw_label_can_be_called_otherwise():
    source = DataSource(name="cells", aliases={"NORMAL": "calm", "debris": ""})
    html = data_step(view_of(source=source), "", ())
    assert values_of(html, "data-alias") == {
        "normal": "hem", "NORMAL": "calm", "blast": "all", "debris": "",
    }  # fmt: skip
    # what nobody chose is said
    said = words_of(html)
    assert text.RENAMED.format(names="“normal” as “hem” and “blast” as “all”") in said


def test_hostile_names_stay_text():
    source = DataSource(name=HOSTILE, aliases={HOSTILE: HOSTILE}, pattern=HOSTILE)
    health = HEALTH | {"classes": [{"label": HOSTILE, "raw_labels": [HOSTILE]}], "balance": HOSTILE}
    view = view_of(source=source, health=health, reason=HOSTILE, id=HOSTILE)
    wish = Wish(name=HOSTILE, backbone=HOSTILE, start=HOSTILE)
    for html in (
        data_step(view, HOSTILE, ()),
        data_step(replace(view, health=None, state="failed"), "", (HOSTILE,)),
        split_step(view), split_step(replace(view, leak={"sentence": HOSTILE})),
        model_step(view, wish, (HOSTILE,), plan_of(), HOSTILE),
    ):  # fmt: skip
        assert "<script" not in html
        assert '"><' not in re.sub(r'="[^"<>]*"', "", html).replace('""><', "")


# Split


def test_a_closed_split_says_only_its_name():
    assert words_of(split_step(view_of(health=None))) == "2 Split"


def test_the_split_shows_its_pattern_and_seed():
    source = DataSource(name="cells", pattern=r"^(P\d+)/", seed=7)
    found = values_of(split_step(view_of(source=source)), "data-source")
    assert found == {"pattern": r"^(P\d+)/", "seed": "7"}


def test_a_class_with_one_group_in_the_test_part_is_told_before_a_training():
    alone = HEALTH | {"split": {"alone": ["all", "hem"]}}
    said = words_of(split_step(view_of(health=alone)))
    assert "The test part has a single patient of each of these classes: all, hem." in said
    assert "single" not in words_of(split_step(view_of()))


def test_the_leak_is_offered_only_where_patients_are_known():
    assert 'data-train="leak"' in split_step(view_of())
    by_image = view_of(health=HEALTH | {"group_level": "image"})
    assert 'data-train="leak"' not in split_step(by_image)


def test_a_leak_that_is_measured_is_told():
    html = split_step(view_of(leak={"sentence": "It is 0.2."}))
    assert "It is 0.2." in words_of(html)
    assert 'data-train="leak"' not in html


def test_a_leak_that_is_being_measured_says_how_far_it_is():
    html = split_step(view_of(state="features", is_measuring=True, doing={"done": 1, "total": 4}))
    assert "Measuring the leak: 1 of 4 pictures" in words_of(html)


# Model


def test_a_closed_model_says_only_its_name():
    for view in (None, view_of(health=None)):
        assert words_of(model_step(view, Wish(), (), None, "")) == "3 Model"


def test_the_model_shows_what_was_chosen_and_the_starts_that_fit():
    wish = Wish(backbone="baseline_cnn", head="plain", start="imagenet", preset="thorough")
    html = model_step(view_of(), wish, ("imagenet", "none"), plan_of(), "")
    chosen = re.findall(r'<option value="([^"]*)" selected', html)
    assert chosen == ["baseline_cnn", "plain", "imagenet", "cell", "thorough"]
    (starts,) = re.findall(r'<select data-plan="start"[^>]*>(.*?)</select>', html)
    assert re.findall(r'value="([^"]*)"', starts) == ["imagenet", "none"]


def test_a_model_is_adapted_only_where_one_fits():
    def offered(starts: tuple[str, ...]) -> list[str]:
        html = model_step(view_of(), Wish(), starts, plan_of(), "")
        (presets,) = re.findall(r'<select data-plan="preset"[^>]*>(.*?)</select>', html)
        return re.findall(r'value="([^"]*)"', presets)

    assert offered(("imagenet", "none")) == ["quick", "balanced", "thorough"]
    assert offered(("bundle:four", "none"))[-1] == "adapt"


@pytest.mark.parametrize("preset", EFFORTS)
def test_a_network_from_nothing_has_no_known_features(preset: str):
    said = words_of(model_step(view_of(), Wish(start="none", preset=preset), (), plan_of(), ""))
    assert EFFORTS[preset].scratch_words in said
    known = words_of(model_step(view_of(), Wish(start="imagenet", preset=preset), (), None, ""))
    assert EFFORTS[preset].words in known


def test_the_time_is_told_by_phase_and_as_the_guess_it_is():
    html = model_step(view_of(), Wish(), ("none",), plan_of(), "")
    said = words_of(html)
    # 30 s + 90 s = 120 s
    assert "About 2 min" in said
    assert text.BASES["guessed"] in said
    assert "16 pictures to learn from, 4 to stop by, 4 to be scored on" in said
    assert f'data-train="measure" data-busy="{text.MEASURING_TIME}"' in html
    measured = model_step(view_of(), Wish(), (), replace(plan_of(), basis="measured"), "")
    assert text.BASES["measured"] in words_of(measured)
    assert 'data-train="measure"' not in measured


def test_the_settings_follow_where_there_are_any():
    form = Form(preset=plan_of().config, changes={}, folds=frozenset(), samples=Samples())
    html = model_step(view_of(), Wish(), (), None, "seed is -1; use 0 or more.", form)
    assert 'data-change="seed"' in html, "what is wrong can be put right"
    assert "data-change=" not in model_step(view_of(), Wish(), (), plan_of(), "")


def test_a_problem_is_said_instead_of_a_time():
    html = model_step(view_of(), Wish(), (), None, "seed is -1; use 0 or more.")
    assert "“Seed of the training” is -1; use 0 or more." in words_of(html)
    assert "About" not in words_of(html)
    assert re.search(r'data-train="begin"[^>]* disabled>', html)
    assert not re.search(
        r"<button[^>]* disabled>", model_step(view_of(), Wish(), (), plan_of(), "")
    )


def test_a_pattern_that_failed_the_check_can_be_mended():
    source = replace(view_of().source, pattern="(UID")
    found = split_step(view_of(health=None, state="failed", source=source))
    assert values_of(found, "data-source")["pattern"] == "(UID"
    assert 'data-train="again"' in found
