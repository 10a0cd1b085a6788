"""The drawn panes and the files to keep: what is shown is what is saved."""

import base64
import io
import json
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from leukemia_app.ui.desk import Desk, Done, Mismatch, Opened
from leukemia_app.ui.panes import Drawing, draw_answer, draw_view, drawn, phrases, save
from leukemia_app.ui.session import Given, Session
from tests.readings import spec_of

AS_SHOWN = Drawing(strength=0.5, outlined=True)


@pytest.fixture
def one(desk: Desk, give: Callable[..., Given]) -> tuple[Session, Opened]:
    *_, done = desk.read(desk.start(), [give("my field.png")])
    assert isinstance(done, Done)
    assert done.opened is not None
    return done.session, done.opened


def kept(kind: str, one: tuple[Session, Opened], drawing: Drawing = AS_SHOWN):
    made = save(kind, *one, spec_of(), drawing)
    assert made is not None
    return made


def test_both_panes_show_the_reading(one: tuple[Session, Opened]):
    session, opened = one
    view = draw_view(opened, spec_of())
    assert "my field.png, 5 white cells outlined" in view
    assert "Only 25 % of the map lies inside the cells" in view
    page = draw_answer(opened, spec_of(), session)
    assert "<h2>Pro" in page
    assert 'alt="network input"' in page


def test_a_picture_of_another_kind_is_told_with_a_model_where_there_is_one(one):
    session, opened = one
    two = draw_answer(opened, spec_of(), session, Mismatch(expects="field", suited="two"))
    assert "This looks like a single cell; the model expects a field of a smear." in two
    assert 'data-value="two"' in two
    none = draw_answer(opened, spec_of(), session, Mismatch(expects="cell", suited=None))
    assert "This looks like a field of several cells; the model expects one cell." in none
    assert 'data-ask="choose"' not in none


def test_the_main_cell_is_the_one_described(one: tuple[Session, Opened]):
    _, opened = one
    described = " ".join(phrases(opened))
    assert "diameter" in described
    assert "N:C" in described


def test_json_is_the_command_lines_array(one: tuple[Session, Opened]):
    made = kept("json", one)
    assert (made.name, made.type) == ("my field.json", "application/json")
    (found,) = json.loads(made.content)
    assert found["file"] == "my field.png"
    assert found["probabilities"] == pytest.approx(dict(one[0].readings[0].probabilities))


def test_csv_opens_as_unicode_in_spreadsheets(one: tuple[Session, Opened]):
    made = kept("csv", one)
    assert made.content.startswith(b"\xef\xbb\xbffile,model,")


def test_the_png_is_the_picture_as_shown_at_full_size_without_metadata(one):
    _, opened = one
    made = kept("png", one)
    image = Image.open(io.BytesIO(made.content))
    assert image.info == {}
    expected = drawn(opened, opened.picture.pixels, AS_SHOWN)
    assert np.array_equal(np.asarray(image), expected)
    assert not np.array_equal(expected, opened.picture.pixels)


def test_without_map_and_outline_the_png_is_the_picture(one: tuple[Session, Opened]):
    image = Image.open(io.BytesIO(kept("png", one, Drawing(strength=0, outlined=False)).content))
    assert np.array_equal(np.asarray(image), one[1].picture.pixels)


def test_the_report_shows_the_one_picture_in_full(one: tuple[Session, Opened]):
    page = kept("html", one).content.decode()
    assert "Reading of my field.png" in page
    assert page.count("<figure>") == 2


def test_a_file_of_several_pictures_is_named_for_all(desk: Desk, give: Callable[..., Given]):
    *_, done = desk.read(desk.start(), [give("a.png"), give("b.png")])
    assert isinstance(done, Done)
    session = done.session
    made = save("json", session, None, spec_of(), AS_SHOWN)
    assert made is not None
    assert made.name == "smear-2-pictures.json"
    assert len(json.loads(made.content)) == 2
    report = save("html", session, None, spec_of(), AS_SHOWN)
    assert report is not None
    assert "Reading of 2 pictures" in report.content.decode()


def test_an_unknown_kind_or_a_missing_picture_makes_nothing(one: tuple[Session, Opened]):
    session, _ = one
    assert save("exe", session, None, spec_of(), AS_SHOWN) is None
    assert save("png", session, None, spec_of(), AS_SHOWN) is None


def test_a_file_name_cannot_leave_the_folder_it_is_saved_to(desk: Desk, give):
    *_, done = desk.read(desk.start(), [give("a.png")])
    assert isinstance(done, Done)
    session = done.session
    case = session.cases[0]
    evil = Given(name="../..\\x\r\n:y.png", path=case.given.path)
    strange = session.with_cases([type(case)(given=evil, result=case.result)])
    made = save("json", strange, None, spec_of(), AS_SHOWN)
    assert made is not None
    assert not set(made.name) & set("/\\\r\n:")


def test_the_page_gets_the_bytes_as_base64(one: tuple[Session, Opened]):
    made = kept("json", one)
    assert base64.b64decode(made.to_dict()["base64"]) == made.content
