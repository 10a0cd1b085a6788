"""Runs as those who watch see them: the list, one run live, and only one's own."""

import json
import os
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from leukemia_app.errors import RunError
from leukemia_app.settings import Settings, TrainingLimits
from leukemia_app.training import jobs, locks, runs
from leukemia_app.training.config import About
from leukemia_app.training.job_queue import JobQueue
from leukemia_app.training.memory import Pulse, write_pulse
from leukemia_app.training.run_folder import RunFolder
from leukemia_app.training.runs import (
    Trace,
    checks_queue,
    curves,
    find_run,
    line_of,
    list_runs,
    look,
    new_run,
    read_on,
    runs_queue,
)
from tests.tiny_runs import tiny_config

ADA, BOB = "token:ada", "login:bob"


@pytest.fixture
def queue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> JobQueue:
    """A line in which nothing is ever started."""
    monkeypatch.setattr(JobQueue, "_start", lambda *_: None)
    return JobQueue(root=tmp_path / "runs", limits=TrainingLimits())


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    made = RunFolder(path=tmp_path / "runs" / "tiny")
    made.create(tiny_config(tmp_path))
    return made


@pytest.fixture
def worked_on(folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunFolder]:
    """A run that somebody is at work on."""
    monkeypatch.setattr(runs, "time_left", lambda events, config: 60.0 * len(events))
    folder.set_state("fine-tuning")
    lock = locks.take(folder.path / jobs.LOCK)
    assert lock is not None
    yield folder
    locks.release(lock)


# The list


def test_a_new_run_waits_under_a_name_of_its_own(queue, tmp_path):
    first, second = (new_run(queue, tiny_config(tmp_path), ADA) for _ in range(2))
    assert [folder.path.name for folder in (first, second)] == ["tiny", "tiny-2"]
    # The bundle would otherwise hide behind the first one's.
    assert second.config() == replace(tiny_config(tmp_path), id="tiny-2")
    assert second.owner() == ADA
    assert [(line.id, line.place) for line in list_runs(queue.root)] == [
        ("tiny-2", 2), ("tiny", 1)
    ]  # fmt: skip


def test_more_pictures_than_are_allowed_are_refused(queue, tmp_path):
    strict = JobQueue(root=queue.root, limits=TrainingLimits(images=5000))
    with pytest.raises(RunError, match=r"has 5,001 pictures, and 5,000 are allowed .* Leave some"):
        new_run(strict, tiny_config(tmp_path), n_images=5001)
    assert list_runs(queue.root) == ()
    assert new_run(strict, tiny_config(tmp_path), n_images=5000).path.is_dir()


def test_everybody_sees_their_own_runs_and_the_command_line_all(queue, tmp_path):
    for owner in (ADA, BOB, ""):
        new_run(queue, tiny_config(tmp_path), owner)
    assert {line.id for line in list_runs(queue.root)} == {"tiny", "tiny-2", "tiny-3"}
    assert [line.id for line in list_runs(queue.root, ADA)] == ["tiny"]
    assert [line.id for line in list_runs(queue.root, BOB)] == ["tiny-2"]
    assert list_runs(queue.root, "") == ()
    # Places count the others' too.
    assert list_runs(queue.root, BOB)[0].place == 2


def test_runs_of_the_command_line_are_shown_to_who_may_see_them_only(queue, folder, tmp_path):
    new_run(queue, tiny_config(tmp_path), ADA)
    assert [line.id for line in list_runs(queue.root, BOB)] == []
    with pytest.raises(RunError, match="There is no run 'tiny' of yours"):
        find_run(queue.root, "tiny", BOB)

    (line,) = list_runs(queue.root, BOB, with_commands=True)
    assert (line.id, line.is_from_commands) == ("tiny", True)
    assert find_run(queue.root, "tiny", BOB, with_commands=True).path == folder.path
    seen = list_runs(queue.root, ADA, with_commands=True)
    assert {line.id: line.is_from_commands for line in seen} == {"tiny": True, "tiny-2": False}
    with pytest.raises(RunError, match="There is no run 'tiny-2' of yours"):
        find_run(queue.root, "tiny-2", BOB, with_commands=True)


def test_a_run_whose_owner_cannot_be_read_is_nobody_s(queue, tmp_path):
    folder = new_run(queue, tiny_config(tmp_path), ADA)
    (folder.path / "owner.json").write_text("{")
    assert list_runs(queue.root, BOB, with_commands=True) == ()


def test_a_run_of_somebody_else_is_no_run(queue, tmp_path):
    new_run(queue, tiny_config(tmp_path), ADA)
    assert find_run(queue.root, "tiny", ADA).path == queue.root / "tiny"
    assert find_run(queue.root, "tiny").path == queue.root / "tiny"
    for run_id, owner in (("tiny", BOB), ("tiny", ""), ("other", ADA)):
        with pytest.raises(RunError, match=rf"There is no run '{run_id}' of yours\. The list"):
            find_run(queue.root, run_id, owner)


@pytest.mark.parametrize("run_id", ["../runs/tiny", "/etc", ".", "..", "", "tiny/", "TINY"])
def test_a_name_that_leads_elsewhere_is_no_run(run_id, queue, tmp_path):
    new_run(queue, tiny_config(tmp_path))
    with pytest.raises(RunError, match="There is no run"):
        find_run(queue.root, run_id)


def test_a_line_says_what_the_run_is(queue, tmp_path):
    config = tiny_config(tmp_path, about=About(title="Two cells"))
    folder = new_run(queue, config)
    folder.set_state("done")
    (folder.path / "report").mkdir()
    folder.write_json("bundle/bundle.json", {})
    (line,) = list_runs(queue.root)
    assert (line.title, line.state, line.place) == ("Two cells", "done", None)
    assert line.network == "baseline_cnn + plain"
    assert line.labels == ("normal", "blast")
    assert line.data == str(tmp_path)
    assert (line.has_bundle, line.has_report) == (True, True)
    assert line.time >= line.made > 0


def test_the_newest_run_comes_first(queue, tmp_path):
    for number in range(3):
        made = new_run(queue, tiny_config(tmp_path))
        os.utime(made.path / "config.json", (number, number))
    assert [line.id for line in list_runs(queue.root)] == ["tiny-3", "tiny-2", "tiny"]


def test_a_damaged_run_is_listed_with_the_reason(queue, tmp_path):
    for broken in ("status.json", "config.json"):
        made = new_run(queue, tiny_config(tmp_path))
        (made.path / broken).write_text("{")
    config_less, status_less = list_runs(queue.root)
    assert (status_less.state, status_less.network) == ("failed", "baseline_cnn + plain")
    assert "status.json cannot be read" in status_less.reason
    assert "holds no readable config.json" in config_less.reason


def test_what_is_no_run_is_not_listed(queue, tmp_path):
    assert list_runs(tmp_path / "nowhere") == ()
    for name in ("cache", ".draft-tiny"):
        (queue.root / name).mkdir(parents=True)
    (queue.root / ".draft-tiny" / "config.json").write_text("{}")
    assert list_runs(queue.root) == ()


@pytest.mark.parametrize(
    ("state", "actions"),
    [("stopped", ("resume", "remove")), ("failed", ("resume", "remove")),
     ("interrupted", ("resume", "remove")), ("done", ("remove",))],
)  # fmt: skip
def test_what_can_be_done_depends_on_where_a_run_is(state, actions, folder):
    folder.set_state(state)
    assert list_runs(folder.path.parent)[0].actions == actions


def test_what_has_learned_can_be_made_a_model(folder):
    (folder.path / "best").mkdir()
    (folder.path / "best" / "weights.npz").touch()
    folder.set_state("stopped")
    assert list_runs(folder.path.parent)[0].actions == ("resume", "finish", "remove")


def test_a_run_that_waits_or_works_can_be_stopped(queue, tmp_path, worked_on):
    new_run(queue, tiny_config(tmp_path))
    assert {line.id: line.actions for line in list_runs(queue.root)} == {
        "tiny": ("stop",), "tiny-2": ("stop",)
    }  # fmt: skip


def test_trainings_and_data_checks_stand_in_two_lines(tmp_path):
    settings = Settings.from_environment(
        {"LEUKEMIA_STATE_DIR": str(tmp_path), "LEUKEMIA_TRAINING": "queue=3"}
    )
    assert runs_queue(settings).root == tmp_path / "runs"
    assert checks_queue(settings).root == tmp_path / "datasets"
    assert runs_queue(settings).limits.queue == 3


# One run, live


def test_only_what_is_new_is_read(folder, monkeypatch):
    folder.add_event("epoch", epoch=1, loss=0.9)
    first = read_on(folder)
    folder.add_event("epoch", epoch=2, loss=0.5)
    asked = []
    events_from = RunFolder.events_from
    with monkeypatch.context() as patch:
        patch.setattr(
            RunFolder, "events_from",
            lambda self, start: asked.append(start) or events_from(self, start),
        )  # fmt: skip
        second = read_on(folder, first)
        assert read_on(folder, second) == second
    assert asked == [first.offset, second.offset]
    assert curves(second, "epoch").values == {"loss": (0.9, 0.5)}
    assert read_on(folder) == second


def test_a_run_without_events_has_empty_curves(folder):
    assert read_on(folder) == Trace()
    view = look(folder, Trace())
    assert (view.head.epochs, view.tune.epochs, view.best, view.left_out) == ((), (), None, ())
    assert view.doing == {}


def test_a_folder_that_another_run_has_taken_is_read_from_its_start(folder):
    for epoch in (1, 2, 3):
        folder.add_event("epoch", epoch=epoch, loss=1.0)
    before = read_on(folder)
    (folder.path / "events.jsonl").unlink()
    folder.add_event("epoch", epoch=1, loss=0.5)
    assert curves(read_on(folder, before), "epoch").values == {"loss": (0.5,)}


def test_curves_are_by_epoch_and_a_repeated_epoch_counts_once(folder):
    # Killed after the third epoch was told, before it was kept: it came twice.
    for epoch, loss in ((1, 0.9), (2, 0.8), (3, 0.7), (3, 0.6), (4, float("nan"))):
        folder.add_event("epoch", epoch=epoch, epochs=5, loss=loss, best=True)
    folder.add_event("epoch", epoch=5, loss=0.4, val_loss=0.5)
    found = curves(read_on(folder), "epoch")
    assert found.epochs == (1, 2, 3, 4, 5)
    assert found.values == {
        "loss": (0.9, 0.8, 0.6, None, 0.4), "val_loss": (None, None, None, None, 0.5)
    }  # fmt: skip


def test_of_many_steps_in_a_row_the_first_and_the_last_are_kept(folder):
    for step in range(100):
        folder.add_event("step", step=step)
    folder.add_event("epoch", epoch=1)
    trace = read_on(folder)
    for step in range(100, 200):
        folder.add_event("step", step=step)
        trace = read_on(folder, trace)
    assert [(event["kind"], event.get("step")) for event in trace.events] == [
        ("step", 0), ("step", 99), ("epoch", None), ("step", 100), ("step", 199)
    ]  # fmt: skip


def test_a_view_shows_how_far_the_run_is(worked_on):
    before = time.time()
    worked_on.add_event("start", finish=False)
    worked_on.add_event("left out", reason="a.png cannot be read.")
    worked_on.add_event("epoch", epoch=1, epochs=3, loss=0.9, val_loss=0.8, best=True)
    worked_on.add_event("epoch", epoch=2, epochs=3, loss=0.7, val_loss=0.9, best=False)
    worked_on.add_event("step", epoch=3, step=7, steps=9)
    worked_on.add_event("left out", reason="b.png cannot be read.")
    pulse = Pulse(time=1.0, memory_mb=500, peak_mb=600, free_mb=9000)
    write_pulse(worked_on, pulse)
    view = look(worked_on, read_on(worked_on))
    assert view.line.state == "fine-tuning"
    assert view.doing == {"kind": "step", "epoch": 3, "step": 7, "steps": 9}
    assert view.best is not None
    assert (view.best["epoch"], view.best["val_loss"]) == (1, 0.8)
    assert view.left_out == ("a.png cannot be read.", "b.png cannot be read.")
    assert view.memory == pulse
    assert view.started == pytest.approx(before, abs=60)
    assert view.seconds_left == 360
    json.dumps(asdict(view), allow_nan=False)


def test_events_of_the_training_say_nothing_of_the_last_job(worked_on):
    worked_on.add_event("start", finish=False)
    worked_on.add_event("step", epoch=2, epochs=12, step=17, steps=192)
    worked_on.set_state("finishing")
    (worked_on.path / jobs.LOCK).write_text("1 finish")
    view = look(worked_on, read_on(worked_on))
    assert (view.line.is_finishing, view.doing, view.seconds_left) == (True, {}, None)
    worked_on.add_event("start", finish=True)
    worked_on.add_event("evaluate", done=3, total=43)
    view = look(worked_on, read_on(worked_on))
    assert view.doing == {"kind": "evaluate", "done": 3, "total": 43}
    assert view.seconds_left == 240


def test_a_run_that_has_ended_has_no_time_left_and_holds_no_memory(folder):
    folder.add_event("start", finish=False)
    folder.set_state("stopped")
    write_pulse(folder, Pulse(time=1.0, memory_mb=500, peak_mb=600, free_mb=9000))
    view = look(folder, read_on(folder))
    assert (view.seconds_left, view.memory, view.started) == (None, None, None)


def test_a_run_whose_time_cannot_be_told_is_shown_all_the_same(worked_on, monkeypatch):
    monkeypatch.undo()
    worked_on.add_event("plan", of="another version")
    assert look(worked_on, read_on(worked_on)).seconds_left is None
    (worked_on.path / "config.json").write_text("{")
    view = look(worked_on, read_on(worked_on))
    assert view.seconds_left is None
    assert "holds no readable config.json" in view.line.reason


def test_numbers_that_json_has_not_are_none(folder):
    folder.add_event("epoch", epoch=1, loss=float("inf"), best=True)
    view = look(folder, read_on(folder))
    assert view.doing["loss"] is None
    assert view.best is not None
    assert view.best["loss"] is None


def test_a_waiting_run_knows_its_place(queue, tmp_path):
    folders = [new_run(queue, tiny_config(tmp_path)) for _ in range(3)]
    assert [look(folder, Trace()).line.place for folder in folders] == [1, 2, 3]
    assert [line_of(folder).place for folder in folders] == [1, 2, 3]


def test_several_runs_are_compared_by_their_curves(folder, tmp_path):
    other = RunFolder(path=folder.path.with_name("other"))
    other.create(tiny_config(tmp_path))
    for run, loss in ((folder, 0.9), (other, 0.4)):
        run.add_event("head", epoch=1, epochs=1, loss=loss)
    found = [look(run, read_on(run)) for run in (folder, other)]
    assert [view.head.values["loss"] for view in found] == [(0.9,), (0.4,)]


def test_many_runs_are_listed_without_reading_their_events(queue, tmp_path, monkeypatch):
    new_run(queue, tiny_config(tmp_path)).add_event("step")
    monkeypatch.setattr(RunFolder, "events_from", None)
    assert len(list_runs(queue.root)) == 1
