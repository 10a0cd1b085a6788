"""The way in: what may be dropped, what happens to it, and an example to click."""

import html
import json
import re
from pathlib import Path

from leukemia_app.evaluation import words
from leukemia_app.ui.entrance import drop_zone, foot, gallery, page_head, status
from leukemia_app.ui.examples import Example


def zone(*, is_small: bool = False) -> str:
    return drop_zone(limit_mb=50, max_files=200, keep_minutes=45, is_small=is_small)


def example(name: str = "a.png", caption: str = "A drawn field", label: str | None = "Pro"):
    return Example(name=name, path=Path(name), caption=caption, input="field", label=label,
                   thumbnail="data:")  # fmt: skip


def test_the_head_says_once_what_the_page_is_not_and_where_it_computes():
    page = page_head("cpu")
    assert page.count(words.RESEARCH_USE) == 1
    assert "CPU" in page


def test_the_empty_zone_teaches_formats_limit_and_what_happens():
    page = zone()
    for said in ("JPEG, PNG, BMP, WebP or TIFF", "up to 50 MB each", "deleted after 45 minutes",
                 "Nothing is logged or sent on"):  # fmt: skip
        assert said in page, said


def test_the_small_zone_can_start_anew_or_add():
    assert re.findall(r'data-mode="(\w+)"', zone(is_small=True)) == ["new", "add"]


def test_the_script_gets_the_limits():
    found = re.search(r'data-limits="([^"]+)"', zone())
    assert found is not None
    limits = json.loads(html.unescape(found[1]))
    assert limits["limitBytes"] == 50_000_000
    assert limits["maxFiles"] == 200


def test_the_file_input_has_a_name_and_takes_many():
    assert re.search(r'<input type="file" multiple [^>]*aria-label="Choose pictures"', zone())


def test_examples_have_their_captions_as_names():
    page = gallery([example(caption='A "drawn" <field>')])
    assert 'alt="A &quot;drawn&quot; &lt;field&gt;"' in page
    assert "drawn example" in page


def test_an_example_is_asked_for_by_its_name():
    assert 'data-ask="example" data-value="all/a.png"' in gallery([example("all/a.png")])


def test_photographs_are_not_called_drawn():
    assert "drawn" not in gallery([example(caption="A field", label=None)])


def test_without_examples_there_is_no_gallery():
    assert gallery([]) == ""


def test_the_status_is_announced_politely():
    assert 'role="status" aria-live="polite"' in status("Reading…")


def test_the_foot_keeps_saying_what_happens_to_pictures():
    assert "deleted after 45 minutes" in foot(45)
