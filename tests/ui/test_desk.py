"""What the desk does with pictures: all are answered, each failure stays its own."""

import itertools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from leukemia_app.errors import BundleError, ImageError
from leukemia_app.imaging.decode import Limits
from leukemia_app.ui import text
from leukemia_app.ui.desk import CHUNK, Desk, Done, Mismatch, Progress
from leukemia_app.ui.session import Given, Session
from tests.ui.instant import InstantLibrary, smear_pixels

Give = Callable[..., Given]


def read(desk: Desk, given: list[Given], session: Session | None = None, **how: bool) -> Session:
    *_, last = desk.read(session or desk.start(), given, **how)
    assert isinstance(last, Done)
    return last.session


def test_a_session_starts_with_the_model_for_fields(desk: Desk):
    assert desk.start().model == "four"


def test_without_a_model_for_fields_it_starts_with_one_for_cells(desk: Desk, library):
    del library.predictors["four"]
    assert desk.start().model == "two"


def test_without_models_reading_says_what_to_do(desk: Desk, library, give: Give):
    library.predictors.clear()
    with pytest.raises(ImageError, match="LEUKEMIA_MODELS"):
        list(desk.read(desk.start(), [give()]))


def test_a_broken_file_leaves_the_others_answered(desk: Desk, give: Give, tmp_path: Path):
    (tmp_path / "notes.jpg").write_text("no picture")
    notes = Given(name="notes.jpg", path=tmp_path / "notes.jpg")
    session = read(desk, [notes, give("a.png"), give("b.png")])
    assert [case.reading is not None for case in session.cases] == [False, True, True]
    failure = session.cases[0].failure
    assert failure is not None
    assert failure.kind == "image"
    assert "notes.jpg" in failure.message
    assert session.opened == 1, "the first picture that was read is open"


def test_a_picture_that_cannot_be_prepared_leaves_its_chunk_answered(desk: Desk, give: Give):
    session = read(desk, [give("a.png"), give("unpreparable.png"), give("b.png")])
    assert [case.reading is not None for case in session.cases] == [True, False, True]
    assert "unpreparable.png" in str(session.cases[1].failure)


def test_progress_counts_chunks_and_tells_the_time_left(library: InstantLibrary, give: Give):
    # every look at the clock is a quarter of a second later: one before the first chunk, two for
    # each of its eight pictures, one after it, which is 17 quarters or 4.25 s for 8 pictures
    ticks = itertools.count(step=0.25)
    desk = Desk(library=library, limits=Limits(), keep_minutes=60, clock=lambda: next(ticks))
    steps = list(desk.read(desk.start(), [give(f"{n}.png") for n in range(CHUNK + 2)]))
    # 8 of 10 took 4.25 s, so the 2 that are left take 4.25 / 8 * 2
    assert steps[:2] == [
        Progress(done=0, n=10, seconds_left=None),
        Progress(done=8, n=10, seconds_left=1.0625),
    ]


def test_adding_keeps_what_was_there_and_opens_the_new(desk: Desk, give: Give):
    first = read(desk, [give("a.png"), give("b.png")])
    both = read(desk, [give("c.png")], first, add=True)
    assert [case.given.name for case in both.cases] == ["a.png", "b.png", "c.png"]
    assert both.opened == 2
    assert [case.given.name for case in read(desk, [give("d.png")], both).cases] == ["d.png"]


def test_a_file_that_never_arrived_says_why(desk: Desk):
    session = read(desk, [Given(name="big.png", path=None, problem="It is too large.")])
    assert str(session.cases[0].result.to_dict()["error"]["message"]) == "big.png: It is too large."


def test_a_deleted_upload_says_when_it_was_deleted(desk: Desk, give: Give):
    session = read(desk, [give("a.png")])
    path = session.cases[0].given.path
    assert path is not None
    path.unlink()
    with pytest.raises(ImageError, match=r"“a\.png” was deleted .* after 60 minutes\. Give it"):
        desk.examine(session)


def test_a_picture_alone_is_examined_at_once(desk: Desk, give: Give):
    *_, done = desk.read(desk.start(), [give()])
    assert isinstance(done, Done)
    assert done.opened is not None
    assert done.session.readings == (done.opened.examination.reading,)


def test_decoding_counts_into_the_time(desk: Desk, give: Give):
    for count in (1, 2):
        (reading, *_) = read(desk, [give()] * count).readings
        assert reading.ms["decode"] > 0
        assert "model" in reading.ms


def test_a_picture_alone_that_cannot_be_prepared_says_why(desk: Desk, give: Give):
    failure = read(desk, [give("unpreparable.png")]).cases[0].failure
    assert failure is not None
    assert "unpreparable.png cannot be segmented" in failure.message


def test_a_file_over_the_limit_is_refused_by_name(library: InstantLibrary, give: Give):
    desk = Desk(library=library, limits=Limits(max_bytes=50), keep_minutes=60)
    failure = read(desk, [give("a.png")]).cases[0].failure
    assert failure is not None
    assert "a.png" in failure.message


def test_examining_maps_the_class_asked_for(desk: Desk, give: Give):
    session = read(desk, [give()])
    opened = desk.examine(replace(session, label="Early"))
    assert opened is not None
    assert opened.examination.explanation is not None
    assert opened.examination.explanation.label == "Early"


def test_a_class_of_another_model_falls_back_to_the_top_one(desk: Desk, give: Give):
    opened = desk.examine(replace(read(desk, [give()]), label="basophil"))
    assert opened is not None
    assert opened.examination.explanation is not None
    assert opened.examination.explanation.label == "Pro"


def test_nothing_is_examined_where_nothing_was_read(desk: Desk):
    assert desk.examine(desk.start()) is None
    assert desk.examine(read(desk, [Given(name="x", path=None, problem="p")])) is None


def mismatch(desk: Desk, session: Session) -> Mismatch | None:
    opened = desk.examine(session)
    assert opened is not None
    return desk.mismatch(session, opened)


def test_a_lone_cell_given_to_a_field_model_suggests_the_cell_model(desk: Desk, give: Give):
    session = read(desk, [give("cell.png", smear_pixels(cells=1, radius=30))])
    assert mismatch(desk, session) == Mismatch(expects="field", suited="two")


def test_many_cells_given_to_a_cell_model_suggest_the_field_model(desk: Desk, give: Give):
    session = read(desk, [give()], replace(desk.start(), model="two"))
    assert mismatch(desk, session) == Mismatch(expects="cell", suited="four")


def test_a_mismatch_is_told_also_where_no_other_model_is_there(desk: Desk, library, give: Give):
    del library.predictors["two"], library.predictors["kinds"]
    session = read(desk, [give("cell.png", smear_pixels(cells=1, radius=30))])
    assert mismatch(desk, session) == Mismatch(expects="field", suited=None)


def test_a_fitting_picture_suggests_nothing(desk: Desk, give: Give):
    assert mismatch(desk, read(desk, [give()])) is None


def test_an_empty_picture_suggests_nothing(desk: Desk, give: Give):
    empty = give("empty.png", np.full((64, 64, 3), 230, np.uint8))
    assert mismatch(desk, read(desk, [empty])) is None


@pytest.mark.parametrize(
    ("model", "kind", "label", "chosen"),
    [
        ("four", "field", "Pro", "four"),
        ("four", "cell", "all", "two"),
        ("four", "cell", "monocyte", "kinds"),
        ("two", "cell", "monocyte", "kinds"),
        ("two", "cell", "tissue", "two"),
        ("kinds", "field", "tissue", "four"),
        ("two", None, None, "two"),
    ],
)
def test_an_example_is_read_by_a_model_that_knows_it(desk: Desk, model, kind, label, chosen):
    session = desk.for_example(Session(model=model), kind, label)
    assert session.model == chosen
    assert bool(session.note) == (model != chosen), "a change is owned up to, nothing else is"


def test_a_change_of_the_model_says_why(desk: Desk):
    other_kind = desk.for_example(Session(model="four"), "cell", "all")
    assert other_kind.note == text.switched("cell", "two")
    other_label = desk.for_example(Session(model="two"), "cell", "monocyte")
    assert other_label.note == text.without_label("two", "monocyte", "kinds")


def test_a_model_that_is_gone_is_an_error_in_words(desk: Desk, give: Give):
    with pytest.raises(BundleError, match="No model has the id 'gone'"):
        list(desk.read(Session(model="gone"), [give()]))
