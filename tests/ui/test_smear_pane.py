"""The row of results and the summary below it."""

import re
from pathlib import Path

from leukemia_app.bundles.reading import Reading
from leukemia_app.evaluation import words
from leukemia_app.evaluation.results import Unread
from leukemia_app.ui.session import Case, Given, Session
from leukemia_app.ui.smear import smear
from tests.readings import reading_of, referred

LABELS = ("Benign", "Early", "Pre", "Pro")


def case(result: Reading | Unread) -> Case:
    given = Given(name=result.file, path=Path(result.file))
    return Case(given=given, result=result, thumbnail="data:small")


def pane(*results: Reading | Unread, opened: int = 0) -> str:
    cases = tuple(case(result) for result in results)
    return smear(Session(model="four", cases=cases, opened=opened), LABELS)


def test_a_single_picture_has_no_row():
    assert pane(reading_of()) == ""


def test_the_open_picture_is_marked_for_all_to_know():
    page = pane(reading_of(), reading_of(), reading_of(), opened=1)
    assert re.findall(r'data-value="(\d)" aria-current="true"', page) == ["1"]


def test_each_tile_says_its_decision_and_shows_its_top_bar():
    page = pane(reading_of(), referred())
    assert re.findall(r'class="s-word">([^<]+)<', page) == ["Pro", "Refer"]
    assert page.count("width:71.3%") == 2


def test_unread_files_are_named_with_what_to_do():
    unread = Unread(file="notes.jpg", kind="image", message="notes.jpg is no picture. Choose one.")
    page = pane(reading_of(), unread)
    assert "1 of 2 was not read." in page
    assert "<li>notes.jpg is no picture. Choose one.</li>" in page
    assert "Not read" in page


def test_the_summary_tells_share_interval_and_what_would_halve_it():
    # 1 of 1: Wilson's lower end is n/(n+z²) = 1/(1+3.8415) = .2065
    page = pane(reading_of(), referred())
    assert f"{words.ONE_SMEAR} Pro: 1 of 1 answered pictures, 100 %, 95 % interval 21–100" in page
    assert "1 of 2 was referred to an expert" in page
    assert "<td>1 of 1</td><td>100 %</td><td>21–100 %</td>" in page


def test_the_reader_says_whether_it_is_one_smear_which_it_is_unless_told_otherwise():
    page = pane(reading_of(), reading_of())
    assert re.findall(r'data-smear="(\w+)"( checked)?>', page) == [
        ("one", " checked"), ("several", ""),
    ]  # fmt: skip
    assert f'<p class="s-apart">{words.APART}</p>' in page


def test_no_summary_is_made_of_one_reading():
    unread = Unread(file="notes.jpg", kind="image", message="No picture.")
    assert "95 %" not in pane(reading_of(), unread)


def test_names_from_strangers_stay_text():
    evil = "<script>1</script>.png"
    unread = Unread(file=evil, kind="image", message=f"{evil} is no picture.")
    assert "<script" not in pane(reading_of(file=evil), unread)
