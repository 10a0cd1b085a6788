"""Real worker processes: started, watched, stopped, killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from leukemia_app.errors import RunError
from leukemia_app.training import jobs
from leukemia_app.training.run_folder import RunFolder
from tests.tiny_runs import draw_set, tiny_config

DEADLINE_S = 120
LONG = {"head_epochs": 0, "tune_epochs": 10_000}
"""A training that nobody waits for."""

Process = subprocess.Popen[bytes]
needs_proc = pytest.mark.skipif(not Path("/proc").is_dir(), reason="the system has no /proc")


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    draw_set(tmp_path / "set")
    made = RunFolder(path=tmp_path / "runs" / "long")
    made.create(tiny_config(tmp_path / "set", **LONG))
    return made


@pytest.fixture
def process(folder: RunFolder) -> Iterator[Process]:
    """A started worker; gone after the test whatever it did."""
    started = jobs.start(folder)
    yield started
    if started.poll() is None:
        os.killpg(started.pid, signal.SIGKILL)
        started.wait()


def a_process(code: str) -> Process:
    return subprocess.Popen([sys.executable, "-c", code], start_new_session=True)


def is_gone(process: Process) -> bool:
    """Whether no process of the worker's group is left."""
    try:
        os.killpg(process.pid, 0)
    except ProcessLookupError:
        return True
    return False


@needs_proc
def test_a_worker_trains_until_it_is_stopped_and_none_is_left(folder, process):
    began = time.monotonic()
    # On a busy machine a new process has no command line for a moment.
    while not jobs.is_running(folder):
        assert time.monotonic() - began < DEADLINE_S, folder.status()
        time.sleep(0.02)
    with pytest.raises(RunError, match=r"under way in process \d+; wait for it, or stop it first"):
        jobs.start(folder)
    kinds = []
    for event in jobs.follow(folder, process):
        kinds.append(event["kind"])
        if event["kind"] == "step":
            break
        assert time.monotonic() - began < DEADLINE_S, folder.status()
    assert kinds == ["prepare", "step"]
    assert folder.status()["state"] == "fine-tuning"
    began = time.monotonic()
    jobs.stop(folder, process)
    assert time.monotonic() - began < 5
    assert is_gone(process)
    assert folder.status()["state"] == "stopped"
    assert not jobs.is_running(folder)
    assert "Error" not in (folder.path / "output.txt").read_text()


def test_a_killed_worker_is_reported_as_interrupted(folder, process):
    events = jobs.follow(folder, process)
    os.killpg(process.pid, signal.SIGKILL)
    assert list(events) == []
    status = folder.status()
    assert status["state"] == "interrupted"
    assert "signal 9, often for want of memory" in status["reason"]
    assert "start the run again" in status["reason"]
    assert not jobs.is_running(folder)


def test_a_worker_that_does_not_listen_is_killed(folder, monkeypatch):
    monkeypatch.setattr(jobs, "STOP_SECONDS", 0.2)
    deaf = a_process("import time; time.sleep(600)")
    folder.set_state("preparing", pid=deaf.pid)
    jobs.stop(folder, deaf)
    assert is_gone(deaf)
    assert folder.status()["state"] == "stopped"


def test_a_stop_that_comes_too_late_leaves_the_run_done(folder):
    ended = a_process("pass")
    ended.wait()
    folder.set_state("done")
    jobs.stop(folder, ended)
    assert folder.status()["state"] == "done"


def test_a_worker_that_ends_with_an_error_of_its_own_points_to_its_output(folder):
    ended = a_process("raise SystemExit(3)")
    folder.set_state("preparing", pid=ended.pid)
    list(jobs.follow(folder, ended))
    assert "exit code 3, see output.txt" in folder.status()["reason"]


def test_events_from_before_are_left_out_and_the_last_ones_are_not_lost(folder):
    folder.add_event("old")
    code = (
        "import time; time.sleep(0.3); "
        f"open({str(folder.path / 'events.jsonl')!r}, 'a').write('{{\"kind\": \"last\"}}\\n')"
    )
    events = jobs.follow(folder, a_process(code))
    folder.add_event("new")
    folder.set_state("done")
    assert [event["kind"] for event in events] == ["new", "last"]
    assert folder.status()["state"] == "done"


@needs_proc
def test_another_process_with_the_same_number_does_not_keep_a_run_from_starting(folder):
    # After a restart of the machine the number belongs to something else: here, to this test.
    folder.set_state("fine-tuning", pid=os.getpid())
    assert not jobs.is_running(folder)


def test_a_process_that_is_gone_is_not_running(folder):
    ended = a_process("pass")
    ended.wait()
    folder.set_state("fine-tuning", pid=ended.pid)
    assert not jobs.is_running(folder)


def test_a_run_that_was_never_started_is_not_running(folder):
    assert not jobs.is_running(folder)


def test_an_old_stop_does_not_end_a_new_start(folder, monkeypatch):
    (folder.path / "stop").touch()
    monkeypatch.setattr(jobs, "WORKER", "tests.tiny_runs")
    process = jobs.start(folder)
    assert not folder.should_stop()
    assert folder.status()["pid"] == process.pid
    process.wait()


def test_the_worker_finds_the_app_from_any_folder(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    process = jobs.start(folder)
    for _ in jobs.follow(folder, process):
        jobs.stop(folder, process)
    assert folder.status()["state"] == "stopped"
