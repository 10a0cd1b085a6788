"""Going through a run's answers: what is shown first, and the same training on corrected rows."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leukemia_app.data.corrections import Corrected, Correction
from leukemia_app.data.manifest import read_manifest, write_manifest
from leukemia_app.errors import DatasetError, RunError
from leukemia_app.settings import TrainingLimits
from leukemia_app.training.config import RunConfig
from leukemia_app.training.corrections import CORRECTIONS, changes_in, decide, undo
from leukemia_app.training.data_folder import MANIFEST, SOURCE
from leukemia_app.training.job_queue import JobQueue
from leukemia_app.training.results import ANSWERS_FILE, PREDICTIONS_FILE, split_rows
from leukemia_app.training.review import (
    Answer,
    answers_of,
    corrected_rows,
    is_corrected,
    is_split_anew,
    train_again,
)
from leukemia_app.training.run_folder import RunFolder
from tests.reviewed_run import Made, make_run


@pytest.fixture(autouse=True)
def nobody_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(JobQueue, "_start", lambda *_: None)


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return make_run(tmp_path)


@pytest.fixture
def queue(made: Made) -> JobQueue:
    return JobQueue(root=made.run.path.parent, limits=TrainingLimits())


def say(made: Made, file: str, label: str, run: str = "ward-7") -> None:
    decide(made.data, Correction(file=file, label=label, run=run))


def said_of(made: Made) -> tuple[Answer, ...]:
    return answers_of(made.run, split_rows(made.run))


def corrected(made: Made) -> Corrected:
    return corrected_rows(made.run, split_rows(made.run) or (), made.data)


def is_anew(made: Made) -> bool:
    return is_split_anew(split_rows(made.run) or (), made.data)


def change_config(run: RunFolder, **values: object) -> None:
    run.write_json("config.json", run.config().to_dict() | values)


# What the run said


def test_the_most_wrong_comes_first_whatever_its_part(made: Made):
    # Worked by hand: P(label) = 1/(1+e^3) = 0.047, 1/(1+e^2) = 0.119, 1/(1+e^1) = 0.269.
    answers = said_of(made)
    assert [(item.file, item.part, item.predicted) for item in answers[:3]] == [
        ("normal/4-0.png", "test", "blast"), ("normal/2-1.png", "val", "blast"),
        ("blast/5-2.png", "test", "normal"),
    ]  # fmt: skip
    assert [round(item.label_probability, 3) for item in answers[:3]] == [0.047, 0.119, 0.269]
    assert answers[0].probability == pytest.approx(0.953, abs=1e-3)
    assert len(answers) == 24
    assert all(item.is_right for item in answers[3:])


def test_what_was_served_goes_before_the_network_s_own_logits(made: Made):
    np.savez(
        made.run.path / ANSWERS_FILE, true=[0], predicted=[1], probabilities=[[0.4, 0.6]],
        referred=[False], groups=["g"], files=["normal/4-0.png"], reasons=[""],
    )  # fmt: skip
    test = [item for item in said_of(made) if item.part == "test"]
    assert [(item.file, item.probability) for item in test] == [("normal/4-0.png", 0.6)]


def test_a_run_that_kept_nothing_has_no_answers(made: Made):
    (made.run.path / PREDICTIONS_FILE).write_bytes(b"x")
    assert said_of(made) == ()
    (made.run.path / "split.csv").unlink()
    assert said_of(made) == ()


def test_numbers_of_rows_that_are_not_there_give_no_answers(made: Made):
    with np.load(made.run.path / PREDICTIONS_FILE) as arrays:
        kept = dict(arrays)
    np.savez(made.run.path / PREDICTIONS_FILE, **(kept | {"check_rows": kept["check_rows"] + 99}))
    assert {item.part for item in said_of(made)} == {"test"}


# The corrected rows


FILES = st.sampled_from(("normal/4-0.png", "blast/5-2.png", "normal/2-1.png", "blast/0-0.png"))


@given(st.lists(st.tuples(FILES, st.sampled_from(("normal", "blast", ""))), max_size=5))
@settings(max_examples=15, deadline=None)
def test_corrections_move_nothing_and_undone_ones_leave_no_trace(tmp_path_factory, wishes):
    made = make_run(tmp_path_factory.mktemp("state"))
    part = {row.file: row.part for row in made.rows}
    for file, label in wishes:
        say(made, file, label)
    found = corrected(made)
    assert all(part[row.file] == row.part for row in found.rows)
    for _ in wishes:
        undo(made.data, "ward-7")
    assert corrected(made).rows == made.rows


def test_rows_that_the_run_did_not_use_stay_out(made: Made):
    rows = [replace(row, part="") if row.file == "blast/0-0.png" else row for row in made.rows]
    write_manifest(made.run.path / "split.csv", rows)
    assert len(corrected(made).rows) == 35


def test_a_class_that_was_renamed_since_is_found_by_its_alias(made: Made):
    source = replace(made.data.source(), aliases={"malignant": "blast"})
    made.data.write_json(SOURCE, source.to_dict())
    say(made, "normal/4-0.png", "malignant")
    (change,) = corrected(made).changes
    assert change.label == "blast"


def test_a_split_that_was_made_anew_is_noticed(made: Made):
    assert not is_anew(made)
    write_manifest(made.data.path / MANIFEST,
                   [replace(row, part="train") for row in made.rows])  # fmt: skip
    assert is_anew(made)
    (made.data.path / MANIFEST).unlink()
    (made.run.path / "split.csv").unlink()
    assert not is_anew(made)


# The same training again


def test_the_same_training_waits_in_line_on_corrected_rows(made: Made, queue: JobQueue):
    say(made, "normal/4-0.png", "blast")
    say(made, "blast/0-0.png", "")
    say(made, "blast/5-2.png", "blast")
    write_manifest(made.data.path / MANIFEST, [replace(row, part="train") for row in made.rows])
    again = train_again(queue, made.run, made.data, "token:ada")
    assert again.path.name == "ward-7-2"
    assert again.owner() == "token:ada"
    assert queue.waiting() == ("ward-7-2",)
    old, new = made.run.config(), again.config()
    table = again.path / MANIFEST
    assert new == replace(old, id="ward-7-2", groups=str(table))
    rows = {row.file: row for row in read_manifest(Path(new.data), table).rows}
    assert rows["normal/4-0.png"] == replace(
        next(row for row in made.rows if row.file == "normal/4-0.png"), label="blast"
    )
    assert "blast/0-0.png" not in rows
    assert len(rows) == 35
    assert {row.file: row.part for row in made.rows if row.file in rows} == {
        file: row.part for file, row in rows.items()
    }
    assert [(each.file, each.part, each.was, each.label, each.run)
            for each in changes_in(again.path)] == [
        ("blast/0-0.png", "train", "blast", "", "ward-7"),
        ("normal/4-0.png", "test", "normal", "blast", "ward-7"),
    ]  # fmt: skip


def test_a_share_of_the_training_part_is_not_taken_twice(made: Made, queue: JobQueue):
    change_config(made.run, fraction=0.5)
    say(made, "normal/4-0.png", "blast")
    assert train_again(queue, made.run, made.data, "").config().fraction == 1.0


def test_a_third_training_begins_from_the_labels_as_they_were(made: Made, queue: JobQueue):
    say(made, "normal/4-0.png", "blast")
    say(made, "blast/0-0.png", "")
    second = train_again(queue, made.run, made.data, "")
    # Its own split, as its worker would write it.
    rows = read_manifest(Path(second.config().data), second.path / MANIFEST).rows
    write_manifest(second.path / "split.csv", rows)
    assert not is_corrected(second, rows, made.data)
    with pytest.raises(RunError, match="Nothing has been corrected since this run began"):
        train_again(queue, second, made.data, "")
    undo(made.data, "ward-7")
    undo(made.data, "ward-7")
    assert is_corrected(second, rows, made.data)
    third = train_again(queue, second, made.data, "")
    assert read_manifest(Path(third.config().data), third.path / MANIFEST).rows == made.rows
    assert changes_in(third.path) == ()


def test_nothing_corrected_is_nothing_to_train_again(made: Made, queue: JobQueue):
    with pytest.raises(RunError, match="Nothing has been corrected"):
        train_again(queue, made.run, made.data, "")
    say(made, "normal/4-0.png", "normal")
    with pytest.raises(RunError, match="Nothing has been corrected"):
        train_again(queue, made.run, made.data, "")
    assert queue.waiting() == ()


@pytest.mark.parametrize(
    ("values", "why"),
    [({"folds": 3, "fold": 1}, "is a fold or a random image split"),
     ({"split": "image"}, "is a fold or a random image split")],
)  # fmt: skip
def test_runs_for_their_figures_alone_are_not_trained_again(values, why, made, queue):
    change_config(made.run, **values)
    say(made, "normal/4-0.png", "blast")
    with pytest.raises(RunError, match=why):
        train_again(queue, made.run, made.data, "")


@pytest.mark.parametrize(
    ("drops", "why"),
    [(lambda row: row.part == "train" and row.label == "blast", "No picture of blast is left"),
     (lambda row: row.part == "val", "left in the validation part"),
     (lambda row: row.part == "test", "left in the test part")],
)  # fmt: skip
def test_too_little_that_is_left_is_said_before_the_training(drops, why, made, queue):
    for row in filter(drops, made.rows):
        say(made, row.file, "")
    with pytest.raises(RunError, match=why):
        train_again(queue, made.run, made.data, "")


def test_pictures_that_are_gone_are_said(made: Made, queue: JobQueue):
    say(made, "normal/4-0.png", "blast")
    (made.data.pictures / "blast" / "0-0.png").unlink()
    with pytest.raises(RunError, match=r"1 pictures of the run are not here any more \(blast/0-0"):
        train_again(queue, made.run, made.data, "")


def test_a_run_without_a_split_or_with_damaged_changes_is_refused(made: Made, queue: JobQueue):
    say(made, "normal/4-0.png", "blast")
    (made.run.path / CORRECTIONS).write_text("{")
    with pytest.raises(DatasetError, match="what was corrected by hand is not known"):
        train_again(queue, made.run, made.data, "")
    (made.run.path / "split.csv").unlink()
    with pytest.raises(RunError, match="kept no split"):
        train_again(queue, made.run, made.data, "")


def test_the_files_of_a_new_run_are_json_but_its_table(made: Made, queue: JobQueue):
    say(made, "normal/4-0.png", "blast")
    again = train_again(queue, made.run, made.data, "")
    for path in again.path.glob("*.json"):
        json.loads(path.read_text())
    values = json.loads((again.path / "config.json").read_text())
    assert RunConfig.from_dict(values).id == again.path.name
