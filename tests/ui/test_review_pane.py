"""The review of a run: what is shown, what each button and key asks for, and to whom."""

import base64
import csv
import io
import json
import re
import shutil
from html import unescape
from pathlib import Path

import pytest
from PIL import Image

from leukemia_app.data.corrections import Correction
from leukemia_app.errors import RunError
from leukemia_app.training.corrections import decide, decisions, standing
from leukemia_app.training.job_queue import JobQueue
from leukemia_app.ui import review_text as text
from leukemia_app.ui.bench import Bench
from leukemia_app.ui.review import Reviewed, keys_of, reviewed
from tests.reviewed_run import Made, make_run
from tests.ui.test_train_panes import HOSTILE, words_of
from tests.ui.training_bench import ADA, BOB, make_bench

RUN, WORST = "ward-7", "normal/4-0.png"


@pytest.fixture(autouse=True)
def nobody_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(JobQueue, "_start", lambda *_: None)


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return make_run(tmp_path, ADA)


@pytest.fixture
def bench(made: Made, tmp_path: Path) -> Bench:
    return make_bench(tmp_path)


def ask(bench: Bench, what: str = "review", owner: str = ADA, **value: object) -> Reviewed:
    return reviewed(bench, owner, RUN, what, json.dumps(value) if value else "")


def press(bench: Bench, pane: str, key: str) -> Reviewed:
    """What the button does that has that key, as the page's script would."""
    for button in re.findall(r"<button [^>]*>", pane):
        keys = re.search(r'data-keys="([^"]*)"', button)
        if keys and key in keys[1].split():
            assert " disabled" not in button
            what, value = (unescape(re.search(rf'data-{name}="([^"]*)"', button)[1])
                           for name in ("train", "value"))  # fmt: skip
            return reviewed(bench, ADA, RUN, what, value)
    raise AssertionError(f"no button has the key {key}")


def says(pane: str) -> str:
    return unescape(re.search(r'data-says="([^"]*)"', pane)[1])


# What is shown


def test_all_are_shown_first_with_the_most_wrong_in_front(bench: Bench):
    pane = ask(bench).pane
    assert says(pane) == "1 of 24: normal/4-0.png, label normal, the model said blast, 95.3 %"
    said = words_of(pane)
    assert "All 24, the most wrong first (3 wrong)" in said
    assert "0 of 24 decided" in said
    assert text.KEYS in said
    assert text.HONEST in said
    assert text.NOTHING_YET in said
    assert "review-again" not in pane


def test_the_picture_is_a_small_jpeg_without_what_a_camera_wrote(bench: Bench, made: Made):
    exif = Image.Exif()
    exif[0x010E] = "Patient Jane Doe"
    path = made.data.pictures / WORST
    Image.new("RGB", (900, 600), (200, 180, 200)).save(path, exif=exif)
    assert b"Jane" in path.read_bytes()
    (jpeg,) = re.findall(r'src="data:image/jpeg;base64,([^"]*)"', ask(bench).pane)
    assert b"Jane" not in base64.b64decode(jpeg)
    with Image.open(io.BytesIO(base64.b64decode(jpeg))) as image:
        assert (image.format, image.size) == ("JPEG", (320, 213))


def test_a_cell_of_the_table_chooses_the_pictures(bench: Bench):
    pane = ask(bench).pane
    cells = dict(re.findall(r'data-cell="(\d-\d)"[^>]*aria-label="([^"]*)"', pane))
    # 24 pictures: two normal ones called blast, one blast called normal.
    assert cells == {
        "0-0": "normal called normal: 10 pictures", "0-1": "normal called blast: 2 pictures",
        "1-0": "blast called normal: 1 picture", "1-1": "blast called blast: 11 pictures",
    }  # fmt: skip
    opened = ask(bench, cell="1-0").pane
    assert says(opened).startswith("1 of 1: blast/5-2.png")
    assert 'data-cell="1-0" data-value' in opened
    assert re.findall(r'data-cell="([^"]*)"[^>]*aria-pressed="true"', opened) == ["1-0"]


def test_the_table_and_the_pictures_may_be_of_one_part_alone(bench: Bench):
    pane = ask(bench).pane
    assert text.SHOWN[""] in words_of(pane)
    chosen = dict(re.findall(r'aria-pressed="(true|false)" data-part="([^"]*)"', pane))
    assert chosen == {"true": "", "false": "val"}
    for part, others in (("test", "validation part"), ("val", "test part")):
        pane = ask(bench, part=part).pane
        said = words_of(pane)
        assert text.SHOWN[part] in said
        assert "1 of 12" in says(pane)
        assert f"· {others}" not in said
        assert f'"part": "{part}"' in unescape(pane)
        cells = re.findall(r'aria-label="\w+ called \w+: (\d+) picture', pane)
        assert sum(map(int, cells)) == 12
        following = press(bench, pane, "ArrowRight").pane
        assert "2 of 12" in says(following)
        assert "of 24 decided" in said, "what was decided is counted over both"


def test_a_picture_taken_back_is_shown_though_another_part_is_open(bench: Bench):
    first = ask(bench, part="val").pane
    press(bench, first, "x")
    pane = ask(bench, "review-undo", part="test").pane
    assert "undone" in says(pane)
    assert text.SHOWN[""] in words_of(pane)


@pytest.mark.parametrize("part", ["train", "x", "<b>"])
def test_a_part_that_is_none_shows_both(part: str, bench: Bench):
    assert says(ask(bench, part=part).pane).startswith("1 of 24")


@pytest.mark.parametrize("cell", ["7-7", "x", "../..", "<b>", "0-0-0"])
def test_a_cell_that_is_none_shows_all(cell: str, bench: Bench):
    assert says(ask(bench, cell=cell).pane).startswith("1 of 24")


@pytest.mark.parametrize("value", ["", "[", "7", "[]", '{"file": 7}', '{"cell": null}'])
def test_a_value_of_another_kind_shows_the_first(value: str, bench: Bench):
    assert says(reviewed(bench, ADA, RUN, "review", value).pane).startswith("1 of 24")


def test_a_run_without_answers_has_no_review(bench: Bench, made: Made):
    shutil.rmtree(made.run.path / "report")
    assert ask(bench).pane == ""


# Keys


def test_a_digit_decides_and_shows_the_next(bench: Bench, made: Made):
    pane = press(bench, ask(bench).pane, "2").pane
    assert standing(made.data) == {WORST: Correction(file=WORST, label="blast", run=RUN)}
    assert says(pane).startswith("normal/4-0.png: is blast. 2 of 24: normal/2-1.png")
    assert "1 of 24 decided: 1 relabelled, 0 dropped, 0 kept" in words_of(pane)
    assert "1 decided" in pane
    assert "review-again" in pane


@pytest.mark.parametrize("key", ["x", "Delete"])
def test_a_picture_is_dropped(key: str, bench: Bench, made: Made):
    press(bench, ask(bench).pane, key)
    assert standing(made.data)[WORST].label == ""
    back = ask(bench, file=WORST).pane
    assert "You dropped it." in words_of(back)


@pytest.mark.parametrize("key", ["u", "ctrl+z"])
def test_undo_takes_back_and_shows_the_picture_again(key: str, bench: Bench, made: Made):
    pane = press(bench, ask(bench).pane, "1").pane
    assert "1 kept" in words_of(pane)
    back = press(bench, pane, key).pane
    assert decisions(made.data) == ()
    assert says(back).startswith("normal/4-0.png: undone. 1 of 24: normal/4-0.png")


def test_undo_leaves_a_cell_that_the_picture_is_not_in(bench: Bench):
    press(bench, ask(bench, cell="1-0").pane, "1")
    pane = press(bench, ask(bench, cell="0-0").pane, "u").pane
    assert re.findall(r'data-cell="([^"]*)"[^>]*', pane)[-1] == "all"
    assert "blast/5-2.png" in says(pane)


@pytest.mark.parametrize(("there", "back"), [("ArrowRight", "ArrowLeft"), ("j", "k")])
def test_moving_is_there_and_back_and_ends_at_the_ends(there: str, back: str, bench: Bench):
    first = ask(bench).pane
    second = press(bench, first, there).pane
    assert says(second).startswith("2 of 24")
    assert press(bench, second, back).pane == first
    with pytest.raises(AssertionError):
        press(bench, first, back)


def test_deciding_on_the_last_picture_stays_there(bench: Bench):
    pane = press(bench, ask(bench, cell="1-0").pane, "1").pane
    assert "1 of 1: blast/5-2.png" in says(pane)
    assert "You said: normal." in words_of(pane)


# Saving and training again


def test_the_corrections_are_saved_as_a_table(bench: Bench):
    press(bench, press(bench, ask(bench).pane, "2").pane, "x")
    rows = list(csv.reader(io.StringIO(ask(bench, "review-save").table.decode())))
    assert rows == [["file", "label", "run"], [WORST, "blast", RUN], ["normal/2-1.png", "", RUN]]


def test_training_again_waits_in_line(bench: Bench, made: Made):
    press(bench, ask(bench).pane, "2")
    assert ask(bench, "review-again").run == "ward-7-2"
    assert bench.runs.waiting() == ("ward-7-2",)
    assert next(line.id for line in bench.list_runs(ADA)) == "ward-7-2"
    assert bench.list_runs(BOB) == ()


def test_what_cannot_be_done_is_said_beside_the_picture(bench: Bench):
    pane = ask(bench, "review-again", file="normal/2-1.png").pane
    assert 'role="alert"' in pane
    assert "Nothing has been corrected" in words_of(pane)
    assert "2 of 24" in says(pane)


# Hostile values, and pictures of others


@pytest.mark.parametrize("file", ["../../../etc/passwd", "/etc/passwd", "normal/../groups.csv",
                                  "normal/0-0.png", "", HOSTILE])  # fmt: skip
def test_only_pictures_that_the_run_was_scored_on_can_be_decided(file, bench: Bench, made: Made):
    # normal/0-0.png is there, but in the training part: the run said nothing about it.
    pane = ask(bench, "review-decide", file=file, label="blast").pane
    assert "is no picture that ward-7 was scored on" in words_of(pane)
    assert HOSTILE not in pane
    assert decisions(made.data) == ()


@pytest.mark.parametrize("label", ["martian", "Blast", " blast", HOSTILE, "x" * 100_000])
def test_only_labels_of_the_run_can_be_given(label: str, bench: Bench, made: Made):
    pane = ask(bench, "review-decide", file=WORST, label=label).pane
    assert "is no label of ward-7" in words_of(pane)
    assert HOSTILE not in pane
    assert decisions(made.data) == ()


def test_somebody_else_s_run_is_none(bench: Bench, made: Made):
    for what in ("review", "review-decide", "review-undo", "review-again", "review-save"):
        with pytest.raises(RunError, match="There is no run"):
            ask(bench, what, BOB, file=WORST, label="blast")
    assert decisions(made.data) == ()


def test_pictures_of_somebody_else_are_neither_shown_nor_decided(bench: Bench, made: Made):
    made.data.write_json("owner.json", {"owner": BOB})
    pane = ask(bench).pane
    assert "data:image" not in pane
    assert text.GONE in words_of(pane)
    assert "review-decide" not in pane
    for what in ("review-decide", "review-undo", "review-again", "review-save"):
        assert text.GONE in words_of(ask(bench, what, file=WORST, label="blast").pane)
    assert decisions(made.data) == ()


def test_a_deleted_data_set_and_pictures_elsewhere_are_said(bench: Bench, made: Made):
    shutil.copytree(made.data.path, made.data.path.parent.parent / "elsewhere" / "cells")
    shutil.rmtree(made.data.path)
    assert text.GONE in words_of(ask(bench).pane)
    place = made.data.path.parent.parent / "elsewhere" / "cells" / "pictures"
    made.run.write_json("config.json", made.run.config().to_dict() | {"data": str(place)})
    assert text.GONE in words_of(ask(bench).pane), "not among the data sets of the page"


def test_a_picture_that_is_a_way_out_or_none_is_not_shown(bench: Bench, made: Made, tmp_path):
    path = made.data.pictures / WORST
    outside = tmp_path / "outside.png"
    shutil.copy(path, outside)
    path.unlink()
    path.symlink_to(outside)
    pane = ask(bench).pane
    assert "data:image" not in pane
    assert text.UNREADABLE in words_of(pane)
    path.unlink()
    assert text.UNREADABLE in words_of(ask(bench).pane)
    path.write_bytes(b"x")
    assert text.UNREADABLE in words_of(ask(bench).pane)
    assert "review-decide" in ask(bench).pane, "it can still be dropped"


def test_a_split_made_anew_is_said(bench: Bench, made: Made):
    table = made.data.path / "manifest.csv"
    table.write_text(table.read_text().replace(",val", ",train"))
    assert text.ANEW in words_of(ask(bench).pane)


def test_hostile_names_stay_text(bench: Bench, made: Made):
    name = "normal/<img src=x onerror=alert(1)>.png"
    for path in (made.run.path / "split.csv", made.data.path / "manifest.csv"):
        path.write_text(path.read_text().replace(WORST, name))
    pane = ask(bench).pane
    assert name in says(pane)
    assert "<img src=x" not in pane
    decide(made.data, Correction(file=name, label=HOSTILE, run=RUN))
    assert HOSTILE not in ask(bench).pane


@pytest.mark.parametrize(
    ("labels", "keys"),
    [(("0", "1"), ("0", "1")), (("hem", "all"), ("1", "2")), (("1", "b"), ("1", "2"))],
)
def test_labels_that_are_digits_are_their_own_keys(labels, keys):
    assert keys_of(labels) == keys
