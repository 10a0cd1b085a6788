"""A labelled set that is scored in the Compare tab: how far it is, and what a stop leaves."""

import threading
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from leukemia_app.bundles.reading import Reading
from leukemia_app.data.archive import ZipLimits
from leukemia_app.errors import DatasetError
from leukemia_app.evaluation.corruptions import EVERY
from leukemia_app.imaging.decode import Limits, encode_png
from leukemia_app.imaging.picture import Picture
from leukemia_app.ui import beside_panes as panes
from leukemia_app.ui import beside_text as text
from leukemia_app.ui.beside import BesideTab, Parts
from leukemia_app.ui.beside_desk import BesideDesk, Board, Scored
from leukemia_app.ui.beside_work import Progress, seconds_left
from leukemia_app.ui.examples import Shelf
from leukemia_app.ui.intake import Piece
from leukemia_app.ui.session import Given
from tests.readings import spec_of
from tests.ui.instant import InstantLibrary, InstantPredictor, cell_spec, smear_pixels

WAIT_S = 30
NAMES: dict[str, Any] = {name: name for name in Parts.__dataclass_fields__}
PARTS = Parts(**NAMES)
LABELS = spec_of().label_names


@dataclass(frozen=True, kw_only=True)
class GatedPredictor(InstantPredictor):
    """Answers as often as the gate lets it."""

    gate: threading.Semaphore
    asked: list[int] = field(default_factory=list)

    def read(self, pictures: Sequence[Picture], *, measure: bool = True) -> list[Reading]:
        assert self.gate.acquire(timeout=WAIT_S)
        self.asked.append(len(pictures))
        return super().read(pictures, measure=measure)


def desk_of(*predictors: InstantPredictor) -> BesideDesk:
    library = InstantLibrary({each.spec.id: each for each in predictors})
    return BesideDesk(library=library, limits=Limits(), zips=ZipLimits(), keep_minutes=60)


def tab_of(desk: BesideDesk, folder: Path) -> BesideTab:
    return BesideTab(desk=desk, shelf=Shelf([]), uploads=folder, max_file_mb=1, zip_mb=1)


@pytest.fixture
def desk() -> BesideDesk:
    return desk_of(*(InstantPredictor(spec=spec_of(id=id)) for id in ("four", "other-four")))


@pytest.fixture
def labelled(tmp_path: Path) -> Piece:
    """A zip of four classes, two pictures each."""
    path = tmp_path / "upload.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for at, label in enumerate(LABELS):
            for number in range(2):
                pixels = smear_pixels(cells=2 + number, radius=5 + at, side=48)
                archive.writestr(f"set/{label}/{number}.png", encode_png(pixels))
    return Piece(name="hard.zip", path=path)


def given(desk: BesideDesk, labelled: Piece) -> Board:
    return replace(desk.start(), pieces=(labelled,))


def scored(desk: BesideDesk, labelled: Piece) -> Board:
    board = given(desk, labelled)
    *_, found = desk.scoring(board, disturbed=False)
    assert isinstance(found, Scored)
    return replace(board, scored=found)


def test_progress_goes_on_with_every_disturbance_and_a_stop_takes_effect_within_one(
    labelled: Piece,
):
    gate = threading.Semaphore(2)
    first, other = (GatedPredictor(spec=spec_of(id=id), gate=gate) for id in ("four", "other-four"))
    desk = desk_of(first, other)
    before = set(threading.enumerate())
    work = desk.scoring(given(desk, labelled), disturbed=True)
    # plain, eight pictures by two models; the next disturbance waits at the gate
    step = next(step for step in work if isinstance(step, Progress) and step.done)
    assert (step.done, step.total) == (8, 8 * (1 + len(EVERY)))
    (thread,) = set(threading.enumerate()) - before
    work.close()
    gate.release(1000)
    thread.join(WAIT_S)
    assert not thread.is_alive()
    assert len(first.asked) == len(other.asked) == 2


def test_the_time_that_is_left_goes_by_the_pace_since_the_first_word():
    # 28 in the ten seconds after the first word, and 56 are left: 20 s
    assert seconds_left((100.0, 28, 112), (110.0, 56, 112)) == pytest.approx(20)
    # of one word alone, after the models were loaded, no pace is known
    assert seconds_left((100.0, 28, 112), (100.0, 28, 112)) is None
    assert seconds_left((100.0, 0, 112), (105.0, 0, 112)) is None


@pytest.mark.parametrize(
    ("progress", "disturbed", "said"),
    [
        (Progress(done=0, total=0, seconds_left=None), True, "Looking through hard.zip…"),
        (Progress(done=0, total=112, seconds_left=None), True, "Looking through hard.zip…"),
        (Progress(done=28, total=56, seconds_left=4.2), False,
         "Scored 28 of 56 pictures… About 4 s left."),
        (Progress(done=1260, total=2548, seconds_left=40), True,
         "Scored 1,260 of 2,548 pictures and disturbed copies… About 40 s left."),
        (Progress(done=56, total=56, seconds_left=0), False, "Working out the figures…"),
    ],
)  # fmt: skip
def test_the_page_says_how_far_it_is(progress: Progress, disturbed: bool, said: str):
    assert f"<p>{said}</p>" in panes.working(progress, "hard.zip", disturbed=disturbed)


def test_stopping_the_disturbances_leaves_the_comparison_that_was_there(
    desk: BesideDesk, labelled: Piece, tmp_path: Path
):
    board = scored(desk, labelled)
    pane, said = tab_of(desk, tmp_path).stopped(board)
    assert text.STOPPED_DISTURBED in pane
    assert "2 models on the same 8 pictures" in pane
    assert text.DISTURB in pane  # it can be asked for again
    assert "Stopped" not in said


def test_stopping_a_second_scoring_leaves_the_first_with_a_way_to_score_again(
    desk: BesideDesk, labelled: Piece, tmp_path: Path
):
    board = replace(scored(desk, labelled), models=("other-four", "four"))
    pane, _ = tab_of(desk, tmp_path).stopped(board)
    assert text.STOPPED_AGAIN in pane
    assert text.AGAIN in pane
    assert "2 models on the same 8 pictures" in pane


def test_stopping_a_first_scoring_keeps_the_set_to_be_scored(
    desk: BesideDesk, labelled: Piece, tmp_path: Path
):
    pane, _ = tab_of(desk, tmp_path).stopped(given(desk, labelled))
    assert text.STOPPED in pane
    assert 'data-beside="again"' in pane


def test_a_stop_without_a_set_offers_nothing(desk: BesideDesk, tmp_path: Path):
    pane, _ = tab_of(desk, tmp_path).stopped(None)
    assert text.STOPPED in pane
    assert "<button" not in pane


def test_an_error_leaves_the_comparison_that_was_there(
    desk: BesideDesk, labelled: Piece, tmp_path: Path
):
    board = scored(desk, labelled)
    labelled.path.unlink()
    tab = tab_of(desk, tmp_path)
    parts = SimpleNamespace(**{name: name for name in
                               ("board", "picker", "said", "strip", "pane", "saved")})  # fmt: skip
    asked = SimpleNamespace(disturbed=True)
    *_, last = tab._guarded(tab._score, parts)(board, asked)
    assert "not here any more" in last["pane"]
    assert "2 models on the same 8 pictures" in last["pane"]


def test_models_whose_labels_do_not_meet_are_not_scored(desk: BesideDesk, labelled: Piece):
    other = InstantPredictor(spec=cell_spec("two", "hem", "all"))
    desk = desk_of(other, *(desk.library.predictors[id] for id in ("four", "other-four")))
    board = desk.chosen(given(desk, labelled), ["four", "two"], "", False)
    tab = tab_of(desk, labelled.path.parent)
    with pytest.raises(DatasetError, match="in the table above"):
        next(tab._score(PARTS, board, SimpleNamespace()))


def test_what_was_scored_with_a_deleted_model_says_so(desk: BesideDesk, labelled: Piece):
    board = scored(desk, labelled)
    tab = tab_of(desk, labelled.path.parent)
    assert "pane" not in tab.refreshed(PARTS, board), "nothing has changed"

    del desk.library.predictors["other-four"]
    shown = tab.refreshed(PARTS, board)
    assert shown["board"].models == ("four",)
    assert "These figures are of four and other-four." in shown["pane"]


def test_columns_of_a_deleted_model_go(desk: BesideDesk, labelled: Piece):
    board = desk.shown(desk.start(), [Given(name="a.png", path=labelled.path)])
    tab = tab_of(desk, labelled.path.parent)
    del desk.library.predictors["other-four"]
    shown = tab.refreshed(PARTS, board)
    assert (shown["strip"], shown["pane"]) == ("", panes.empty())
    assert text.TOO_FEW in shown["picker"]
