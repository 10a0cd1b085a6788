"""The page of a data set's health."""

import re

import pytest

from leukemia_app.data import health as health_module
from leukemia_app.evaluation import health_report as health_report_module
from leukemia_app.evaluation.health_report import headline, health_report

MADE = "2030-01-02"
OPEN = {"value": None, "low": None, "high": None}


def health(**changes):
    values = {
        "name": "my set", "n_found": 5, "n_read": 4, "layout": "class folders",
        "ignored": {"hidden files": 3}, "group_level": "patient", "n_groups": 3,
        "classes": [
            {"label": "a", "raw_labels": ["A"], "n_pictures": 3, "n_groups": 2,
             "shown": ["a/1.png", "a/2.png"]},
            {"label": "b", "raw_labels": ["b"], "n_pictures": 1, "n_groups": 1,
             "shown": ["b/1.png"]},
        ],
        "sizes": [{"columns": 40, "rows": 30, "n_pictures": 4}], "n_sizes": 1,
        "formats": {"PNG": 4},
        "problems": [{"file": "b/9.png", "reason": "b/9.png is empty."}],
        "flags": [{"file": "a/1.png", "label": "a", "kind": "blurred", "sentence": "It is soft.",
                   "refer": False}],
        "twins": [{"files": ["a/1.png", "b/1.png"], "labels": ["a", "b"], "groups": ["p", "q"],
                   "is_exact": True}],
        "giveaways": [{"what": "a black mark", "share_by_label": {"a": 1.0, "b": 0.0},
                       "differs": True, "sentence": "All of a have it."}],
        "balance": "Uneven.", "n_left_out": 2,
        "split": {"parts": {"train": {"n_pictures": 3, "n_groups": 2,
                                      "pictures_by_label": {"a": 3}},
                            "test": {"n_pictures": 1, "n_groups": 1,
                                     "pictures_by_label": {"b": 1}}},
                  "notes": ["train: 3.", "No patient stands in two parts."]},
        "controls": [{"name": "colour", "seen": "a colour histogram", "verdict": "red",
                      "sentence": "Colour tells.", "n_learn": 3, "n_test": 1, "n_test_groups": 1,
                      "auroc": {"value": 0.95, "low": 0.9, "high": 0.99},
                      "balanced_accuracy": {"value": 0.875, "low": 0.8, "high": 0.9},
                      "macro_f1": OPEN, "across": OPEN}],
        "notes": [{"level": "red", "text": "First."}, {"level": "amber", "text": "Second."},
                  {"level": "plain", "text": "Third."}],
    }  # fmt: skip
    return values | changes


def leak():
    return {
        "wish": {"backbone": "mobilenet", "start": "file:/secret/place.h5"},
        "group_level": "patient", "folds": 5, "n_pictures": 100, "n_test": 20,
        "image": {"value": 0.887, "low": 0.84, "high": 0.91},
        "group": {"value": 0.827, "low": 0.75, "high": 0.87}, "test": None,
        "sentence": "The leak is 0.060.",
    }  # fmt: skip


def words_of(page):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.partition("</style>")[2]))


def test_the_headline_counts_pictures_classes_and_groups():
    assert headline(health()) == "4 pictures of 2 classes in 3 patients, split by patient."
    assert headline(health(group_level="image")) == (
        "4 pictures of 2 classes, split image-level, optimistic."
    )


def test_everything_is_on_the_page():
    page = words_of(health_report(health(), {}, made_at=MADE))
    for told in (
        "my set", MADE, "not a diagnosis", "First.", "Second.", "Third.", "a (A)", "Uneven.",
        "a colour histogram alone", "0.950", "0.900–0.990", "0.875", "too good", "Colour tells.",
        "No patient stands in two parts.", "2 pictures stand in no part",
        "Exact copies, in two classes: a and b.", "blurred: 1", "It is soft.", "a black mark",
        "100 %", "40 × 30 px: 4", "PNG: 4", "hidden files: 3", "b/9.png is empty.",
        "5 found, 4 read",
    ):  # fmt: skip
        assert told in page, told


def test_notes_carry_their_weight():
    page = health_report(health(), {}, made_at=MADE)
    assert '<p class="r-warn h-red">First.</p>' in page
    assert '<p class="r-warn h-amber">Second.</p>' in page
    assert "<li>Third.</li>" in page


def test_pictures_lie_in_the_page_itself_and_missing_ones_are_said():
    page = health_report(health(), {"a/1.png": b"jpeg"}, made_at=MADE)
    assert "data:image/jpeg;base64,anBlZw==" in page
    assert "no picture" in page
    addresses = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert all(address.startswith(("data:", "#")) for address in addresses)
    assert "<script" not in page


@pytest.mark.parametrize("name", ['<img src=x onerror="x">', "a & b", "</style><script>x"])
def test_names_are_escaped(name):
    values = health(name=name, problems=[{"file": name, "reason": name}])
    values["classes"][0] |= {"label": name, "raw_labels": [name], "shown": [name]}
    values["twins"][0] |= {"files": [name, name], "labels": [name], "groups": [name, "x"]}
    values["notes"] = [{"level": "red", "text": name}]
    assert name not in health_report(values, {}, made_at=name).partition("</style>")[2]


def test_a_sound_set_says_so():
    page = words_of(health_report(
        health(problems=[], flags=[], twins=[], giveaways=[], controls=[], ignored={}), {},
        made_at=MADE,
    ))  # fmt: skip
    for told in ("Every picture can be read.", "No picture is blurred", "No two pictures",
                 "No scale bar", "Not measured"):  # fmt: skip
        assert told in page, told


def test_a_control_on_few_test_groups_is_shown_cross_validated_too():
    values = health()
    values["controls"][0]["across"] = {"value": 0.981, "low": 0.95, "high": 0.99}
    page = words_of(health_report(values, {}, made_at=MADE))
    assert "the same, cross-validated by group" in page
    assert "0.981" in page


def test_the_leak_stands_side_by_side_without_the_place_of_the_weights():
    page = health_report(health(), {}, made_at=MADE, leak=leak())
    told = words_of(page)
    assert "random split by picture" in told
    assert "0.887" in told
    assert "split by patient" in told
    assert "0.827" in told
    assert "The leak is 0.060." in told
    assert "secret" not in page


def test_the_test_part_is_shown_beside_the_leak():
    values = leak() | {"test": {"value": 0.736, "low": None, "high": None}}
    assert "0.736" in words_of(health_report(health(), {}, made_at=MADE, leak=values))


def test_the_page_shows_as_many_pictures_as_thumbnails_are_made_of():
    for name in ("MAX_FLAGS", "MAX_TWINS", "MAX_OF_TWINS"):
        assert getattr(health_report_module, name) == getattr(health_module, name)


def test_of_many_twins_and_faults_the_rest_is_named():
    many = [{"files": [f"{n}.png", f"{n}b.png"], "labels": ["a"], "groups": ["p"],
             "is_exact": False} for n in range(15)]  # fmt: skip
    flags = [{"file": f"f{n}.png", "label": "a", "kind": "dark", "sentence": "Dark.",
              "refer": True} for n in range(14)]  # fmt: skip
    page = health_report(health(twins=many, flags=flags), {}, made_at=MADE)
    assert "14.png = 14b.png" in page
    assert "3 more" in page
    assert "f13.png" in page
    assert "2 more" in page
