"""The report of a comparison: what it shows, and that strangers' names stay text."""

import re
from html.parser import HTMLParser

import pytest

from leukemia_app.evaluation import compare_report as module
from leukemia_app.evaluation import compare_words
from leukemia_app.evaluation.baseline_row import Baseline
from leukemia_app.evaluation.compare_report import compare_report, shown_files
from leukemia_app.evaluation.measures import UNDEFINED, Interval
from tests.evaluation.compared_models import compared, reader


class Balance(HTMLParser):
    """Counts open tags."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag not in ("meta", "img", "input", "br", "path", "circle", "rect"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in ("path", "circle", "rect"):
            assert self.open.pop() == tag


@pytest.fixture(autouse=True)
def _enough(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight pictures count as enough, but where a test is of few."""
    if "few" not in request.node.name:
        monkeypatch.setattr(compare_words, "FEW", 1)


def test_of_few_pictures_curves_are_left_out_and_it_is_said():
    page = page_of()
    assert "8 pictures are few" in page
    assert re.findall(r"<h2>(.*?)</h2>", page) == [
        "Figures", "Is one better than another?", "Pictures on which they are farthest apart",
        "The models",
    ]  # fmt: skip


def page_of(**changes: object) -> str:
    found = compared(reader("aaabaabb"), reader("bbbAaabb"), reader("babababa"))
    return compare_report(found, {}, data="wards.zip", made_at="today", **changes)


def test_every_section_is_there_and_every_tag_is_closed():
    page = page_of()
    balance = Balance()
    balance.feed(page)
    assert balance.open == []
    heads = re.findall(r"<h2>(.*?)</h2>", page)
    assert heads == [
        "Figures", "Is one better than another?", "Trade-offs and calibration",
        "Coverage against risk", "Where their answers differ",
        "Pictures on which they are farthest apart",
        "The models",
    ]  # fmt: skip


def test_the_best_within_their_interval_are_bold():
    page = page_of()
    figures = page[page.index("r-sortable") : page.index("Is one better")]
    accuracy = [row.split("<td")[1] for row in figures.split("<tr>")[2:]]
    # x 7/8, whose interval reaches 1, is the best; z is wrong on every second picture
    assert ["<b>" in cell for cell in accuracy] == [True, True, False]


def test_how_many_comparisons_there_are_is_said():
    page = page_of()
    assert "3 pairs by 4 figures are 12 differences" in page
    assert "raised for 3 pairs" in page


def test_differences_of_confusion_tables_are_signed():
    page = page_of()
    # of four a: x calls 4 so, y 1 … 3
    assert "4 → " in page
    assert "−" in page


def test_the_colours_of_differing_answers_have_a_key():
    page = page_of()
    differ = page[page.index("Where their answers differ") : page.index("farthest apart")]
    key = re.search(r'<ul class="r-key">(.*?)</ul>', differ)
    assert key is not None
    assert re.findall(r"</i>(.*?)</li>", key[1]) == ["first-named better", "first-named worse"]


def test_how_many_of_all_pictures_are_listed_is_said(monkeypatch: pytest.MonkeyPatch):
    # x and y differ on all eight
    found = compared(reader("aabbaabb"), reader("bbaabbaa"))
    assert "farthest apart of" not in compare_report(found, {}, data="wards.zip", made_at="today")
    monkeypatch.setattr(module, "MOST_SHOWN", 3)
    page = compare_report(found, {}, data="wards.zip", made_at="today")
    assert "The 3 farthest apart of 8 pictures." in page


def test_the_same_differences_everywhere_have_no_interval_in_the_table():
    page = compare_report(
        compared(reader("aabbaabb"), reader("babababa")), {}, data="wards.zip", made_at="today"
    )
    pairs = page[page.index("Is one better") : page.index("Trade-offs")]
    assert "<td>−0.500</td>" in pairs
    assert "<small>" not in pairs


def test_disagreements_name_the_pictures_to_be_shown():
    found = compared(reader("aabbaabb"), reader("aabbbabb"))
    assert shown_files(found)[0] == "a/4.png"
    page = compare_report(found, {"a/4.png": b"jpeg"}, data="wards.zip", made_at="today")
    assert "data:image/jpeg;base64,anBlZw==" in page


def test_names_from_strangers_stay_text():
    found = compared(reader("aabbaabb"), reader("babababa"), name="<b>x</b>")
    page = compare_report(found, {}, data="wards.zip", made_at="today")
    assert "<b>x</b>.png" not in page
    assert "&lt;b&gt;x&lt;/b&gt;" in page


def test_classical_models_stand_in_a_table_of_their_own():
    row = Baseline(
        name="svc", features="pixels", accuracy=Interval(value=0.5, low=0.4, high=0.6),
        balanced_accuracy=Interval(value=0.51, low=None, high=None), auroc=UNDEFINED,
        macro_f1=UNDEFINED, seconds=4.2,
    )  # fmt: skip
    page = page_of(classical={"run seven": [row]})
    table = page[page.index("Classical models") :]
    for each in ("SVC (RBF kernel)", "run seven", "0.500", "0.400–0.600", "4.2"):
        assert each in table


def test_nothing_but_the_models_is_shown_where_every_picture_was_learned_from():
    found = compared(reader("aabbaabb", seen=range(8)), reader("babababa"))
    page = compare_report(found, {}, data="wards.zip", made_at="today")
    assert re.findall(r"<h2>(.*?)</h2>", page) == ["The models"]
    assert "No picture is left" in page


@pytest.mark.parametrize("given", ["one = a; two = b, c"])
def test_a_stated_map_is_told(given: str):
    found = compared(reader("aabbaabb"), reader("aacbaabc", labels="abc"), given=given)
    page = compare_report(found, {}, data="wards.zip", made_at="today")
    assert f"The labels meet as you stated: {given}." in page


def test_the_report_names_what_was_given():
    page = compare_report(compared(reader("aabbaabb"), reader("babababa")), {}, data="<ward>.zip",
                          made_at="today")  # fmt: skip
    assert "Comparison on &lt;ward&gt;.zip · today" in page
