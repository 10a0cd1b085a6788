"""The right pane: decision, bars, measures; nothing from outside becomes markup."""

import re

import pytest

from leukemia_app.bundles.reading import Decision, ScopeScore
from leukemia_app.bundles.spec import Label
from leukemia_app.evaluation import words
from leukemia_app.ui import text
from leukemia_app.ui.answer import Shown, Suggestion, answer, bars
from tests.readings import reading_of, referred, spec_of


def shown(reading=None, spec=None, **how: object) -> str:
    return answer(reading or reading_of(), spec or spec_of(), Shown(**how))


def test_the_decision_stands_first_with_its_probability_and_meaning():
    page = shown()
    assert re.search(
        r"<h2>Pro <span[^>]*>71\.3 %</span></h2><p>The model’s top class: meaning of Pro</p>", page
    )
    assert page.index("<h2>Pro") < page.index("<table")


def test_bars_are_on_a_fixed_scale_highest_first_with_one_decimal():
    page = bars(reading_of(), spec_of(), greyed=False)
    assert re.findall(r'class="s-number">([\d.]+)<', page) == ["71.3", "18.0", "8.7", "2.0"]
    assert re.findall(r'<span style="width:([\d.]+)%"', page) == ["71.30", "18.00", "8.70", "2.00"]


def test_every_label_is_told_with_its_meaning_under_its_bar():
    page = bars(reading_of(), spec_of(), greyed=False)
    assert re.findall("<small>([^<]+)</small>", page) == [
        "meaning of Pro", "meaning of Early", "meaning of Pre", "meaning of Benign",
    ]  # fmt: skip
    same = tuple(Label(name=name, meaning=name) for name in ("Benign", "Early", "Pre", "Pro"))
    assert "<small>" not in bars(reading_of(), spec_of(labels=same), greyed=False)


def test_the_threshold_is_a_line_with_its_word():
    page = bars(reading_of(), spec_of(), greyed=False)
    assert "--threshold:60.0%" in page
    assert "refers below 60" in page
    assert "(a default)" not in page
    assert "refers below" not in bars(reading_of(), spec_of(threshold=0), greyed=False)
    unmeasured = bars(reading_of(), spec_of(figures=()), greyed=False)
    assert "refers below 60 (a default)" in unmeasured


def test_the_row_of_the_decided_label_is_marked_not_the_largest():
    labels = (Label(name="hem", meaning="normal"), Label(name="all", meaning="blast"))
    spec = spec_of(labels=labels, positive_threshold=0.3)
    reading = reading_of(probabilities={"hem": 0.6, "all": 0.4},
                         decision=Decision(kind="label", label="all"))  # fmt: skip
    page = bars(reading, spec, greyed=False)
    assert page.index("s-top") > page.index(">hem<")
    assert "This model answers “all” from 30.0 % on, and “hem” below." in page


def test_out_of_scope_comes_first_and_folds_greyed_bars_away():
    reading = referred("This picture is unlike those the model learned from.",
                       scope=ScopeScore(score=2.0, limit=1.5))  # fmt: skip
    page = shown(reading)
    assert page.index("unlike those") < page.index("<details") < page.index("<table")
    assert "s-greyed" in page
    assert text.SHOW_ANYWAY in page
    assert "top class" not in page, "no class is named before the fold"


def test_another_referral_gives_its_reasons_the_top_class_and_open_bars():
    page = shown(referred("It is blurred.", "No white cell was found in the picture."))
    assert f"<h2>{words.REFER}</h2>" in page
    assert page.index("It is blurred.") < page.index("No white cell was found in")
    assert "The model’s top class is Pro (71.3 %)." in page
    assert "<details" not in page
    assert "s-greyed" not in page


def test_measures_are_told_in_words_and_numbers():
    page = shown(phrases=("scant cytoplasm (N:C 0.82)", "round nucleus, 1 lobe"))
    assert "Scant cytoplasm (N:C 0.82); round nucleus, 1 lobe." in page
    assert "<dt>area</dt><dd>2,310 px</dd>" in page
    assert "Main cell of 3 found" in page


def test_a_picture_without_cells_says_that_nothing_was_measured():
    assert words.NO_MEASURES in shown(reading_of(morphology=None, cells=0))


def test_remarks_time_and_device_are_shown():
    page = shown()
    assert "The picture was turned upright." in page
    assert "frame.png</span> · 0.12 s on CPU" in page


def test_every_download_is_one_click():
    assert re.findall(r'data-ask="save" data-value="(\w+)"', shown()) == [
        "json", "csv", "png", "html",
    ]  # fmt: skip


def test_a_better_suited_model_is_offered_not_taken():
    page = shown(suggestion=Suggestion(why="This looks like a single cell.", model="two"))
    assert "This looks like a single cell." in page
    assert 'data-ask="choose" data-value="two"' in page


def test_stages_are_pictures_with_their_names():
    page = shown(stages=(("picture", "data:a"), ("network input", "data:b")))
    assert '<img src="data:b" alt="network input"' in page


@pytest.mark.parametrize("evil", ["<b>x</b>", '"><script>1</script>', "a' onclick='x"])
def test_names_from_strangers_stay_text(evil: str):
    labels = (Label(name=evil, meaning=evil), Label(name="other", meaning=evil))
    reading = referred(
        evil, label=evil, file=evil, probabilities={evil: 0.7, "other": 0.3}, remarks=(evil,)
    )
    page = shown(reading, spec_of(labels=labels, title=evil), note=evil, phrases=(evil,))
    assert evil not in page


def test_no_forbidden_word_is_ever_said():
    said = (shown() + shown(referred())).lower()
    for word in ("diagnos", "confidence", "healthy", "positive for"):
        assert word not in said
