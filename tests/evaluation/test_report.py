"""The printable page: all that was said, nothing that runs, nothing fetched from elsewhere."""

import re
from html.parser import HTMLParser

import numpy as np
import pytest

from leukemia_app.evaluation import words
from leukemia_app.evaluation.report import Illustrated, html_report
from leukemia_app.evaluation.results import Unread
from leukemia_app.imaging.decode import encode_png
from tests.readings import reading_of, referred, spec_of

PNG = encode_png(np.zeros((4, 4, 3), np.uint8))
MADE_AT = "21 November 2026, 15:00 UTC"


def report(*shown: Illustrated, **changes: object) -> str:
    return html_report(shown, spec_of(**changes), made_at=MADE_AT)


def one(**changes: object) -> str:
    shown = Illustrated(
        result=reading_of(**changes),
        outlined=PNG,
        mapped=PNG,
        map_words="Map for Pro.",
        phrases=("round nucleus",),
    )
    return report(shown)


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.opened: list[tuple[str, dict[str, str | None]]] = []
        self.balance = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.opened.append((tag, dict(attrs)))
        self.balance += tag not in ("img", "meta")

    def handle_endtag(self, tag: str) -> None:
        self.balance -= 1


def tags_of(page: str) -> Tags:
    tags = Tags()
    tags.feed(page)
    return tags


def test_one_picture_shows_decision_probabilities_measures_and_model():
    page = one()
    for said in ("Pro 71.3 %", "meaning of Pro", "71.3 %", "18.0 %", "8.7 %", "2.0 %",
                 "Round nucleus.", "0.82", "2,310 px", "The picture was turned upright.",
                 "Teaching.", "Patients.", "0.962–0.993", "574 in 17 runs", "test, by run",
                 "ab" * 32, "cd" * 32, "0.12 s on CPU", MADE_AT):  # fmt: skip
        assert said in page, said


def test_it_is_said_once_that_this_is_no_diagnosis():
    assert one().count(words.RESEARCH_USE) == 1


def test_a_referral_comes_with_its_reasons_and_the_top_class():
    page = report(Illustrated(result=referred("It is blurred.", "No cell was found.")))
    assert words.REFER in page
    assert "<li>It is blurred.</li><li>No cell was found.</li>" in page
    assert "The model’s top class is Pro (71.3 %)." in page


def test_a_model_without_maps_says_so():
    assert words.NO_MAP in report(Illustrated(result=reading_of(), outlined=PNG))


def test_a_picture_without_cells_says_that_nothing_was_measured():
    page = one(morphology=None, cells=0)
    assert words.NO_MEASURES in page
    assert "no white cell found" in page


def test_the_page_runs_nothing_and_fetches_nothing():
    tags = tags_of(one())
    assert {tag for tag, _ in tags.opened}.isdisjoint({"script", "link", "iframe", "a", "base"})
    sources = [attributes["src"] for _, attributes in tags.opened if attributes.get("src")]
    assert sources
    assert all(source.startswith("data:image/png;base64,") for source in sources)
    assert not re.search(r"https?:|url\(|@import", one())


def test_every_tag_is_closed():
    assert tags_of(one()).balance == 0
    several = report(Illustrated(result=reading_of()), Illustrated(result=referred()))
    assert tags_of(several).balance == 0


@pytest.mark.parametrize("evil", ["<script>alert(1)</script>.png", '"><img src=x onerror=y>'])
def test_names_from_strangers_stay_text(evil: str):
    unread = Unread(file=evil, kind="image", message=f"{evil} is no picture.")
    page = report(Illustrated(result=reading_of(file=evil)), Illustrated(result=unread))
    tags = tags_of(page)
    assert not any(tag == "script" or "onerror" in attributes for tag, attributes in tags.opened)
    assert tags.balance == 0


def test_several_pictures_show_their_summary_and_one_row_each():
    unread = Unread(file="notes.jpg", kind="image", message="notes.jpg is no picture.")
    page = report(
        Illustrated(result=reading_of(file="a.png"), thumbnail=PNG),
        Illustrated(result=referred("It is blurred.", file="b.png")),
        Illustrated(result=unread),
    )
    assert "Reading of 3 pictures" in page
    assert "Pro: 1 of 1 answered pictures, 100 %, 95 % interval 21–100 %." in page
    for file in ("a.png", "b.png", "notes.jpg"):
        assert f"<td>{file}</td>" in page
    assert "notes.jpg is no picture." in page


def test_the_summary_says_that_it_takes_all_as_one_smear():
    shown = [Illustrated(result=reading_of()), Illustrated(result=reading_of())]
    assert words.ONE_SMEAR in html_report(shown, spec_of(), made_at=MADE_AT)
    apart = html_report(shown, spec_of(), made_at=MADE_AT, one_smear=False)
    assert words.APART in apart
    assert words.SUMMARY_NOTE not in apart


def test_a_report_of_an_unread_file_alone_still_tells_why():
    page = report(Illustrated(result=Unread(file="x", kind="image", message="x is no picture.")))
    assert "x is no picture." in page
