"""The report of a comparison as somebody opens or prints it: nothing is cut off, nothing faded."""

from dataclasses import replace
from pathlib import Path

import pytest

from leukemia_app.evaluation import compare_words
from leukemia_app.evaluation.compare import Comparison
from leukemia_app.evaluation.compare_report import compare_report
from tests.evaluation.compared_models import compared, reader

A4_PX = 687
"""The width of A4 between its margins of 14 mm, at 96 px an inch."""
SCREEN_PX = 1280


def comparison(n_models: int) -> Comparison:
    """Two models or more with names as long as those that are shipped, on eight pictures."""
    found = compared(reader("aaabaabb"), reader("bbbAaabb"))
    first, other = found.models.values()
    names = [f"all4-efficientnetb0-attention-{number}" for number in range(n_models)]
    models = {name: (first, other)[at % 2] for at, name in enumerate(names)}
    return replace(found, models=models)


@pytest.fixture
def report(chromium, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request):
    monkeypatch.setattr(compare_words, "FEW", 1)
    path = tmp_path / "report.html"
    path.write_text(
        compare_report(comparison(request.param), {}, data="set.zip", made_at="today"), "utf-8"
    )
    page = chromium.new_page(viewport={"width": SCREEN_PX, "height": 800})
    page.goto(path.as_uri())
    yield page
    page.close()


CUT_OFF = """[...document.querySelectorAll('.r-wide')]
  .filter((each) => each.scrollWidth > each.clientWidth)
  .map((each) => `${each.getAttribute('aria-label')}: ${each.scrollWidth} > ${each.clientWidth}`)"""


@pytest.mark.parametrize("report", [2, 6], indirect=True)
@pytest.mark.parametrize(("media", "width"), [("screen", SCREEN_PX), ("print", A4_PX)])
def test_no_column_is_cut_off(report, media: str, width: int):
    report.emulate_media(media=media)
    report.set_viewport_size({"width": width, "height": 800})
    assert report.evaluate(CUT_OFF) == []
    assert report.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("report", [2], indirect=True)
def test_the_last_class_of_a_table_of_differences_looks_like_the_others(report):
    first, *_, last = report.locator(".r-confusion tbody tr").first.locator("td").all()
    look = "(each) => [getComputedStyle(each).fontSize, each.getBoundingClientRect().width]"
    sizes = [each.evaluate(look) for each in (first, last)]
    assert sizes[0][0] == sizes[1][0]
    assert sizes[0][1] == pytest.approx(sizes[1][1], abs=2)
