"""Decisions by hand in a data set's folder: none is lost, each can be undone, runs tell them."""

import json
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leukemia_app.data.corrections import Change, Correction
from leukemia_app.data.manifest import Row
from leukemia_app.errors import DatasetError, RunError
from leukemia_app.training import corrections
from leukemia_app.training.corrections import (
    CORRECTIONS,
    DECISIONS,
    changes_in,
    decide,
    decisions,
    keep_changes,
    standing,
    take_along,
    undo,
)
from leukemia_app.training.data_folder import DataFolder
from leukemia_app.training.job_folder import JobFolder


@pytest.fixture
def data(tmp_path: Path) -> DataFolder:
    return DataFolder(path=tmp_path)


def said(file: str, label: str, run: str = "ward-7") -> Correction:
    return Correction(file=file, label=label, run=run)


def test_the_last_decision_about_a_picture_counts(data: DataFolder):
    for item in (said("a", "all"), said("b", ""), said("a", "hem", "other")):
        decide(data, item)
    assert standing(data) == {"a": said("a", "hem", "other"), "b": said("b", "")}
    assert DataFolder(path=data.path) == data
    assert decisions(DataFolder(path=data.path)) == decisions(data), "it is all in files"


def test_nothing_was_decided_where_there_is_no_file(data: DataFolder):
    assert decisions(data) == ()
    assert undo(data, "ward-7") is None
    assert not (data.path / DECISIONS).exists()


def test_undo_takes_back_the_last_of_that_run_alone(data: DataFolder):
    decide(data, said("a", "all"))
    decide(data, said("b", "all", "other"))
    assert undo(data, "ward-7") == said("a", "all")
    assert undo(data, "ward-7") is None
    assert decisions(data) == (said("b", "all", "other"),)


STEPS = st.lists(
    st.builds(said, st.sampled_from("abc"), st.sampled_from(("", "hem", "all")),
              st.sampled_from(("ward-7", "other"))),
    max_size=6,
)  # fmt: skip


@given(STEPS, STEPS)
@settings(max_examples=40, deadline=None)
def test_as_many_undos_bring_back_exactly_what_was(tmp_path_factory, before, after):
    data = DataFolder(path=tmp_path_factory.mktemp("data"))
    for item in before:
        decide(data, item)
    there = decisions(data)
    for item in after:
        decide(data, item)
    for item in reversed(after):
        assert undo(data, item.run) is not None
    assert decisions(data) == there


def test_two_tabs_lose_nothing_of_each_other(data: DataFolder):
    def tab(name: str) -> None:
        for number in range(20):
            decide(data, said(f"{name}{number}", "all", name))

    tabs = [threading.Thread(target=tab, args=(name,)) for name in "ab"]
    for each in tabs:
        each.start()
    for each in tabs:
        each.join()
    assert len(standing(data)) == 40


def test_a_line_that_a_crash_cut_short_costs_that_line_alone(data: DataFolder):
    decide(data, said("a", "all"))
    with (data.path / DECISIONS).open("a") as lines:
        lines.write('{"file": "b", "la')
    decide(data, said("c", ""))
    assert list(standing(data)) == ["a", "c"]


@pytest.mark.parametrize("line", ["[]", "7", '{"file": 7, "label": "a", "run": "r"}', "{}",
                                  '{"undo": true}', "\0"])  # fmt: skip
def test_lines_of_another_kind_are_left_out(line: str, data: DataFolder):
    decide(data, said("a", "all"))
    with (data.path / DECISIONS).open("a") as lines:
        lines.write(line + "\n")
    assert list(standing(data)) == ["a"]


def test_what_cannot_be_kept_is_said(data: DataFolder, monkeypatch):
    with pytest.raises(RunError, match="The decision cannot be kept"):
        decide(DataFolder(path=data.path / "gone"), said("a", "all"))
    monkeypatch.setattr(corrections, "WAIT_S", 0.0)
    with (
        corrections.locks.locked(data.path / corrections.LOCK, 1),
        pytest.raises(RunError, match="Another tab is still writing"),
    ):
        decide(data, said("a", "all"))
    decide(data, said("a", "all"))
    monkeypatch.setattr(corrections, "MAX_BYTES", 10)
    with pytest.raises(RunError, match="More decisions were made"):
        decide(data, said("b", "all"))
    assert list(standing(data)) == ["a"]


# What went into a run


CHANGE = Change(file="a", was="hem", label="all", group="P1", part="test", run="ward-7")
GONE = Change(file="b", was="hem", label="", group="P1", part="val", run="ward-7")
ROWS = [Row(file="a", label="all", group="P1", part="test")]


def test_a_run_takes_along_what_was_corrected_in_its_table_and_keeps_it(tmp_path: Path):
    table, run = JobFolder(path=tmp_path / "data"), JobFolder(path=tmp_path / "run")
    keep_changes(table, [CHANGE, GONE])
    (run.path).mkdir()
    groups = str(table.path / "manifest.csv")
    assert take_along(run, groups, ROWS) == (CHANGE, GONE)
    (run.path / "split.csv").touch()
    keep_changes(table, [])
    assert not (table.path / CORRECTIONS).exists()
    assert take_along(run, groups, ROWS) == (CHANGE, GONE), "the data set was checked again"


def test_changes_that_are_not_in_the_rows_are_not_told(tmp_path: Path):
    keep_changes(JobFolder(path=tmp_path), [CHANGE, GONE])
    rows = [Row(file="a", label="hem", group="P1"), Row(file="b", label="hem", group="P1")]
    run = JobFolder(path=tmp_path / "run")
    run.path.mkdir()
    assert take_along(run, str(tmp_path / "manifest.csv"), rows) == ()
    assert take_along(run, None, ROWS) == ()


@pytest.mark.parametrize("text", ["{", "[]", '{"changes": 7}'])
def test_a_damaged_list_of_changes_is_said(text: str, tmp_path: Path):
    (tmp_path / CORRECTIONS).write_text(text)
    with pytest.raises(DatasetError, match="checked again"):
        changes_in(tmp_path)


def test_decisions_hold_when_and_over_which_run(data: DataFolder):
    decide(data, said("a", "all"))
    told = json.loads((data.path / DECISIONS).read_text())
    assert told["time"] > 0
    assert told["run"] == "ward-7"
