"""The tab's events: what each changes, and that nothing that fails is thrown at the visitor."""

import base64
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from leukemia_app.evaluation import words
from leukemia_app.ui import text
from leukemia_app.ui.classify import ClassifyTab
from leukemia_app.ui.desk import MAX_PICTURES, Desk
from leukemia_app.ui.examples import Example, Shelf
from leukemia_app.ui.session import Given, Session

NAMES = ("session", "chooser", "drop", "view", "gallery", "status", "answer", "smear", "saved")
PARTS: Any = SimpleNamespace(**{name: name for name in NAMES})


@pytest.fixture
def tab(desk: Desk, tmp_path: Path, give: Callable[..., Given]) -> ClassifyTab:
    cell = give("cell.png")
    assert cell.path is not None
    shelf = Shelf([example(cell.path)])
    return ClassifyTab(desk=desk, shelf=shelf, uploads=tmp_path, max_file_mb=50)


def example(path: Path) -> Example:
    return Example(
        name=path.name, path=path, caption="A cell", input="cell", label="all", thumbnail=""
    )


def ask(tab: ClassifyTab, event: str, session: Session | None = None, **data: object) -> list[Any]:
    """Every change that the event makes, in order, through the guard as on the page."""
    handler = tab._guarded(getattr(tab, event), PARTS)
    return list(handler(session, SimpleNamespace(**data)))


def uploaded(*given: Given) -> list[dict[str, str]]:
    return [{"name": each.name, "path": str(each.path)} for each in given]


def test_given_pictures_are_read_and_the_first_is_open(tab: ClassifyTab, give):
    *progress, last = ask(tab, "give", files=uploaded(give("a.png"), give("b.png")), mode="new")
    assert ["Read 0 of 2 pictures…" in step["status"] for step in progress] == [True]
    assert last["session"].opened == 0
    assert "a.png, 5 white cells" in last["view"]
    assert "<h2>Pro" in last["answer"]
    assert 'data-value="1"' in last["smear"]
    assert "s-slim" in last["drop"]


def test_the_answer_is_spoken_to_screen_readers(tab: ClassifyTab, give):
    last = ask(tab, "give", files=uploaded(give()), mode="new")[-1]
    assert "Answer. The model’s top class is Pro (40.0 %)." in last["status"]


def test_a_file_outside_the_uploads_is_never_opened(tab: ClassifyTab):
    files = [{"name": "passwd.png", "path": "/etc/passwd"}, {"name": "b.png", "path": "../x"}]
    last = ask(tab, "give", files=files, mode="new")[-1]
    assert all(case.given.path is None for case in last["session"].cases)
    assert text.not_sent() in last["answer"]


@pytest.mark.parametrize("files", [None, "x", [1, None], [{"path": 3}], [{}]])
def test_nonsense_from_the_browser_does_no_harm(tab: ClassifyTab, files: object):
    for step in ask(tab, "give", files=files, mode=7, n="many"):
        assert "reference" not in step.get("answer", "")


def test_a_file_over_the_limit_is_told_with_the_limit(tab: ClassifyTab):
    files = [{"name": "big.tif", "problem": "too_large"}]
    last = ask(tab, "give", files=files, mode="new")[-1]
    assert "big.tif: It is larger than 50 MB." in last["answer"]


def test_of_too_many_pictures_the_first_are_read_and_the_rest_is_owned_up_to(tab, give):
    files = uploaded(give()) * (MAX_PICTURES + 1)
    last = ask(tab, "give", files=files, mode="new", n=500)[-1]
    assert len(last["session"].cases) == MAX_PICTURES
    assert "500 pictures were given" in last["answer"]
    assert "python -m leukemia_app classify" in last["answer"]


def test_an_example_answers_by_a_model_that_knows_it(tab: ClassifyTab):
    last = ask(tab, "example", value="cell.png")[-1]
    assert last["session"].model == "two"
    assert "a single cell, so it was read by two." in last["answer"]


def test_an_unknown_example_changes_nothing(tab: ClassifyTab):
    assert ask(tab, "example", value="../secret.png") == []


def test_examples_that_came_later_are_shown_to_who_comes_later(tab: ClassifyTab, give):
    assert "gallery" not in tab.refreshed(PARTS, None), "the first ones came with the page"
    late = give("late.png").path
    tab.shelf.examples = (example(late),)
    assert 'data-value="late.png"' in tab.refreshed(PARTS, None)["gallery"]
    for name in ("late.png", "cell.png"):
        assert f"{name}, " in ask(tab, "example", value=name)[-1]["view"], "older pages still work"


def test_another_model_reads_the_same_pictures_and_keeps_the_open_one(tab: ClassifyTab, give):
    session = ask(tab, "give", files=uploaded(give("a.png"), give("b.png")), mode="new")[-1][
        "session"
    ].opening(1)
    last = ask(tab, "choose", session, value="two")[-1]
    assert last["session"].model == "two"
    assert last["session"].opened == 1
    assert {reading.model for reading in last["session"].readings} == {"two"}


def test_a_model_can_be_chosen_before_any_picture(tab: ClassifyTab):
    (only,) = ask(tab, "choose", value="two")
    assert only["session"].model == "two"
    assert '<option value="two" selected>' in only["chooser"]
    assert "answer" not in only, "the page goes on teaching"


def test_a_model_that_is_gone_is_said_in_words(tab: ClassifyTab):
    (only,) = ask(tab, "choose", value="gone")
    assert "The model gone is not here any more. Choose another one." in only["answer"]


def test_a_map_of_another_class_changes_the_picture_alone(tab: ClassifyTab, give):
    session = ask(tab, "give", files=uploaded(give()), mode="new")[-1]["session"]
    (only,) = ask(tab, "explain", session, value="Early")
    assert only.keys() == {"session", "view", "status"}
    assert only["view"].count(" checked> Early") == 1


def test_opening_another_picture_shows_it(tab: ClassifyTab, give):
    session = ask(tab, "give", files=uploaded(give("a.png"), give("b.png")), mode="new")[-1][
        "session"
    ]
    (only,) = ask(tab, "pick", session, value="1")
    assert "b.png, 5 white cells" in only["view"]
    assert "smear" not in only, "a long row is not sent again"


def test_an_unread_file_of_the_row_shows_why(tab: ClassifyTab, give, tmp_path: Path):
    (tmp_path / "notes.jpg").write_text("no picture")
    notes = Given(name="notes.jpg", path=tmp_path / "notes.jpg")
    session = ask(tab, "give", files=uploaded(give(), notes), mode="new")[-1]["session"]
    (only,) = ask(tab, "pick", session, value="1")
    assert text.FILE_UNREAD in only["answer"]
    assert only["view"] == ""


@pytest.mark.parametrize("event", ["pick", "explain", "save"])
def test_a_session_that_ended_says_why_and_what_to_do(tab: ClassifyTab, event: str):
    (only,) = ask(tab, event, None, value="0", strength=45, outline=True)
    assert "deleted from the server after 60 minutes. Give them again." in only["answer"]


def test_a_saved_file_goes_to_the_browser_only(tab: ClassifyTab, give):
    session = ask(tab, "give", files=uploaded(give("a.png")), mode="new")[-1]["session"]
    (only,) = ask(tab, "save", session, value="png", strength=45, outline=True)
    assert only["saved"]["name"] == "a.png"
    assert only.keys() == {"saved", "status"}


@pytest.mark.parametrize(("said", "name"), [(True, "smear-2-pictures"), (False, "2-pictures")])
def test_pictures_of_several_smears_are_not_saved_as_one(tab: ClassifyTab, give, said, name):
    files = uploaded(give("a.png"), give("b.png"))
    session = ask(tab, "give", files=files, mode="new")[-1]["session"]
    (only,) = ask(tab, "save", session, value="html", oneSmear=said)
    assert only["saved"]["name"] == f"{name}.html"
    report = base64.b64decode(only["saved"]["base64"]).decode()
    assert (words.ONE_SMEAR in report) == said
    assert (words.APART in report) != said


def test_what_nobody_expected_is_logged_with_a_reference_that_is_shown(
    tab: ClassifyTab, give, caplog, monkeypatch
):
    def broken(*_: object) -> None:
        raise RuntimeError("a secret detail")

    monkeypatch.setattr(Desk, "read", broken)
    (only,) = ask(tab, "give", files=uploaded(give()), mode="new")
    assert "a secret detail" not in only["answer"]
    (record,) = caplog.records
    reference = record.args[0]
    assert isinstance(reference, str)
    assert reference in only["answer"]


def test_a_model_that_was_deleted_meanwhile_is_chosen_no_more(tab: ClassifyTab, library):
    from tests.ui.instant import InstantPredictor, cell_spec

    library.predictors["late"] = InstantPredictor(spec=cell_spec("late", "a", "b"))
    session = replace(tab.desk.start(), model="late")
    assert "session" not in tab.looked_at(PARTS, session)
    del library.predictors["late"]
    shown = tab.looked_at(PARTS, session)
    assert shown["session"].model == tab.desk.start().model
    assert "late" not in shown["chooser"]


def test_a_new_bundle_appears_when_the_page_is_loaded_again(tab: ClassifyTab, library):
    from tests.ui.instant import InstantPredictor, cell_spec

    library.predictors["late"] = InstantPredictor(spec=cell_spec("late", "a", "b"))
    assert "late" in tab.refreshed(PARTS, None)["chooser"]
