"""The Compare tab without a browser: who is compared, the columns, the votes, labelled sets."""

import random
import re
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from leukemia_app.data.archive import ZipLimits
from leukemia_app.errors import AppError, ImageError, SettingError
from leukemia_app.imaging.decode import Limits, encode_png
from leukemia_app.ui import beside_panes as panes
from leukemia_app.ui import beside_picker
from leukemia_app.ui import beside_text as text
from leukemia_app.ui.beside_desk import (
    BesideDesk,
    Board,
    Scored,
    seconds_disturbed,
    votes_csv_rows,
)
from leukemia_app.ui.beside_work import Progress
from leukemia_app.ui.intake import Piece
from leukemia_app.ui.session import Given
from tests.readings import spec_of
from tests.ui.instant import InstantLibrary, InstantPredictor, cell_spec, smear_pixels

Give = Callable[..., Given]


@pytest.fixture
def library() -> InstantLibrary:
    specs = (cell_spec("two", "hem", "all"), spec_of(), spec_of(id="other-four"))
    return InstantLibrary({spec.id: InstantPredictor(spec=spec) for spec in specs})


@pytest.fixture
def beside(library: InstantLibrary) -> BesideDesk:
    return BesideDesk(library=library, limits=Limits(), zips=ZipLimits(), keep_minutes=60,
                      dice=random.Random(3))  # noqa: S311  # fmt: skip


def sizes(board: Board) -> dict[str, int]:
    return dict.fromkeys(board.models, 1_000_000)


def drawn(beside: BesideDesk, board: Board) -> str:
    return panes.columns(board, beside.seen(board), beside.specs(board.models), sizes(board))


def picked(beside: BesideDesk, board: Board, problem: str = "") -> str:
    return beside_picker.picker(beside.entries(), board, beside.suggestion(board), problem)


def test_a_visitor_begins_with_two_models_of_the_same_labels(beside: BesideDesk):
    assert beside.start().models == ("four", "other-four")


def test_models_that_are_not_there_and_the_seventh_are_not_chosen(library: InstantLibrary):
    for number in range(6):
        spec = spec_of(id=f"more-{number}")
        library.predictors[spec.id] = InstantPredictor(spec=spec)
    desk = BesideDesk(library=library, limits=Limits(), zips=ZipLimits(), keep_minutes=60)
    board = desk.chosen(desk.start(), ["four", "nobody", "four"], "", False)
    assert board.models == ("four",)
    assert text.TOO_FEW in picked(desk, board)
    board = desk.chosen(board, [f"more-{number}" for number in range(6)] + ["four"], "", False)
    assert len(board.models) == 6
    assert board.note == text.TOO_MANY


def test_a_map_is_asked_for_where_labels_differ_and_suggested_where_known(beside: BesideDesk):
    board = beside.chosen(beside.start(), ["four", "two"], "", False)
    assert beside.labels(board) is None
    html = picked(beside, board)
    assert re.findall(r'data-beside-label="(\w+)" value="(\w+)"', html) == [
        ("hem", "other"), ("all", "leukemic"), ("Benign", "other"), ("Early", "leukemic"),
        ("Pre", "leukemic"), ("Pro", "leukemic"),
    ]  # fmt: skip
    assert text.MAP_SUGGESTED in html
    board = beside.chosen(board, ["four", "two"], beside.suggestion(board), False)
    labels = beside.labels(board)
    assert labels is not None
    assert labels.labels == ("other", "leukemic")
    assert "Stated: other = Benign, hem" in picked(beside, board)
    # other models need another map
    assert beside.chosen(board, ["four", "other-four"], board.given_map, False).given_map == ""


def test_a_map_that_cannot_be_used_is_said_beside_it(beside: BesideDesk):
    board = beside.chosen(beside.start(), ["four", "two"], "", False)
    board = replace(board, given_map="a = Benign")
    with pytest.raises(SettingError, match="two common labels"):
        beside.labels(board)
    html = picked(beside, board, "The label map needs more.")
    assert '<p class="b-problem" role="alert">The label map needs more.</p>' in html
    assert 'data-beside-label="Benign" value="a"' in html
    assert 'data-beside-label="Early" value=""' in html
    assert "data-beside-map" not in html


def test_columns_stand_in_one_table_with_the_most_different_row_marked(
    beside: BesideDesk, give: Give
):
    board = beside.chosen(beside.start(), ["four", "two"], "", False)
    board = beside.shown(board, [give()])
    html = drawn(beside, board)
    assert text.NOT_COMPARED in html
    assert "own labels, %" in html
    board = beside.chosen(board, ["four", "two"], beside.suggestion(board), False)
    html = drawn(beside, board)
    # .1 of Benign, .1 + .2 + .3 … of the others; .1 of hem, .4 of all: both name “leukemic”
    assert "Both models name “leukemic” as the top class." in html
    assert "four reads a field; two reads one cell." in html
    assert html.count('<th scope="col">') == 3
    assert "1.0 MB" in html


def test_blind_columns_tell_no_name_before_the_vote(beside: BesideDesk, give: Give):
    board = beside.chosen(beside.start(), ["four", "other-four"], "", True)
    board = beside.shown(board, [give()])
    html = drawn(beside, board)
    assert "four" not in html
    assert "Model A" in html
    assert "MB" not in html  # a size would tell
    assert "field.png" not in html  # so may a file's name
    assert "Picture 1 of 1" in html
    assert "top class" not in html  # what the models agree on is told after the vote
    voted = beside.voted(board, "B")
    assert voted.is_told
    assert voted.votes[-1].chosen == board.order[1]
    html = drawn(beside, voted)
    assert f"You voted for {board.order[1]}." in html
    assert text.TALLY in html
    # a second vote on the same picture does not count
    assert beside.voted(voted, "A").votes == voted.votes
    assert votes_csv_rows(voted.votes)[1][:2] == ("field.png", board.order[1])


def test_a_vote_for_none_counts_and_the_next_picture_is_shuffled_anew(
    beside: BesideDesk, give: Give
):
    board = beside.chosen(beside.start(), ["four", "other-four"], "", True)
    board = beside.shown(board, [give("a.png"), give("b.png")])
    board = beside.voted(board, "none")
    assert board.votes[-1].chosen is None
    orders = {beside.opening(board, 1).order for _ in range(40)}
    assert orders == {("four", "other-four"), ("other-four", "four")}
    assert not beside.opening(board, 1).is_told
    assert beside.opening(board, 7) == board


def test_small_pictures_tell_on_which_the_models_agree(beside: BesideDesk, give: Give):
    bad = Given(name="lost.png", path=None, problem="It is larger than 5 MB.")
    board = beside.shown(beside.start(), [give("a.png"), bad])
    *_, (n, board) = beside.tiled(board)
    assert n == 2
    assert board.tiles[0].same_top is True
    assert "larger than 5 MB" in board.tiles[1].problem
    html = panes.strip(board)
    assert 'aria-current="true"' in html
    assert "lost.png" in html


def test_a_picture_that_was_deleted_meanwhile_is_told(beside: BesideDesk, give: Give):
    given = give()
    assert given.path is not None
    board = beside.shown(beside.start(), [given])
    given.path.unlink()
    with pytest.raises(ImageError, match="was deleted from the server after 60 minutes"):
        beside.seen(board)


def labelled_zip(folder: Path) -> Piece:
    path = folder / "upload.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for label in ("Benign", "Pro"):
            for number in range(3):
                pixels = smear_pixels(cells=2 + number, radius=6 + 2 * (label == "Pro"))
                archive.writestr(f"set/{label}/{number}.png", encode_png(pixels))
    return Piece(name="my set.zip", path=path)


def test_a_labelled_zip_is_scored_and_can_be_kept(beside: BesideDesk, tmp_path: Path):
    board = replace(beside.start(), pieces=(labelled_zip(tmp_path),))
    *told, scored = beside.scoring(board, disturbed=False)
    assert isinstance(told[0], Progress)
    assert isinstance(scored, Scored)
    assert scored.comparison.n == 6
    # every answer is “Pro”: half are right
    assert scored.comparison.models["four"].figure("accuracy").value == pytest.approx(0.5)
    assert seconds_disturbed(scored) > 0
    html = panes.scored_pane(scored, board, is_stale=False)
    assert "my set.zip" in html
    assert text.DISTURB in html
    assert "compare FOLDER --models four,other-four --out DIR" in html


def test_figures_of_models_chosen_before_say_whose_they_are(beside: BesideDesk, tmp_path: Path):
    board = replace(beside.start(), pieces=(labelled_zip(tmp_path),))
    *_, scored = beside.scoring(board, disturbed=False)
    assert isinstance(scored, Scored)
    html = panes.scored_pane(scored, board, is_stale=True)
    assert text.AGAIN in html
    assert "These figures are of four and other-four." in html
    assert text.DISTURB not in html, "it would disturb the models that are chosen now"


def test_the_command_line_is_told_what_was_stated(beside: BesideDesk, tmp_path: Path):
    stated = "calm = Benign, hem; ill = Early, Pre, Pro, all"
    board = replace(beside.start(), pieces=(labelled_zip(tmp_path),))
    board = beside.chosen(board, ["four", "two"], "", False)
    board = beside.chosen(board, ["four", "two"], stated, False)
    *_, scored = beside.scoring(board, disturbed=True)
    assert isinstance(scored, Scored)
    html = panes.scored_pane(scored, board, is_stale=False)
    options = f"--models four,two --map &#x27;{stated}&#x27; --corruptions --out DIR"
    assert options in html


def test_a_folder_is_scored_as_it_was_dropped(beside: BesideDesk, tmp_path: Path):
    pieces = []
    for label in ("Benign", "Pro"):
        for number in range(2):
            path = tmp_path / f"{label}{number}"
            path.write_bytes(encode_png(smear_pixels(cells=3 + number)))
            pieces.append(Piece(name=f"smears/{label}/{number}.png", path=path))
    board = replace(beside.start(), pieces=tuple(pieces))
    *_, scored = beside.scoring(board, disturbed=False)
    assert isinstance(scored, Scored)
    assert scored.name == "smears"
    assert scored.comparison.n == 4


def test_what_cannot_be_scored_says_why(beside: BesideDesk, tmp_path: Path):
    board = replace(beside.start(), pieces=(labelled_zip(tmp_path),))
    other = beside.chosen(board, ["four", "two"], "", False)
    with pytest.raises(SettingError, match="different labels"):
        list(beside.scoring(other, disturbed=False))
    small = replace(beside, most_pictures=5)
    with pytest.raises(AppError, match="has 6 pictures, and this server takes 5"):
        list(small.scoring(board, disturbed=False))
    board.pieces[0].path.unlink()
    with pytest.raises(ImageError, match="not here any more"):
        list(beside.scoring(board, disturbed=False))


def test_labels_of_a_set_that_no_model_knows_can_be_stated(beside: BesideDesk, tmp_path: Path):
    pieces = []
    for label in ("clear", "Pro"):
        path = tmp_path / f"{label}.png"
        path.write_bytes(encode_png(smear_pixels(cells=3)))
        pieces.append(Piece(name=f"smears/{label}/1.png", path=path))
    board = replace(beside.start(), pieces=tuple(pieces))
    *_, scored = beside.scoring(board, disturbed=False)
    assert isinstance(scored, Scored)
    assert (scored.comparison.n, scored.comparison.unmapped) == (1, {"clear": 1})

    board = replace(board, strangers=("clear",))
    html = picked(beside, board)
    assert "<details" in html
    assert " open" in html
    assert text.MAP_STRANGERS in html
    assert re.findall(r'data-beside-label="(\w+)" value="(\w*)"', html) == [
        ("Benign", "Benign"), ("Early", "Early"), ("Pre", "Pre"), ("Pro", "Pro"), ("clear", ""),
    ]  # fmt: skip
    # after a scoring it is an offer, no demand
    assert " open" not in picked(beside, replace(board, scored=scored))

    stated = "Benign = Benign, clear; Early = Early; Pre = Pre; Pro = Pro"
    board = beside.chosen(board, board.models, stated, False)
    *_, scored = beside.scoring(board, disturbed=False)
    assert isinstance(scored, Scored)
    assert scored.comparison.n == 2


def test_closing_a_scoring_stops_its_work(beside: BesideDesk, tmp_path: Path):
    board = replace(beside.start(), pieces=(labelled_zip(tmp_path),))
    work = beside.scoring(board, disturbed=True)
    next(work)
    work.close()
    with pytest.raises(StopIteration):
        next(work)
