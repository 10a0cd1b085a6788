"""Real worker processes: started, watched, stopped, killed."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from leukemia_app.errors import RunError
from leukemia_app.training import jobs, locks
from leukemia_app.training.job_folder import JobFolder, StopWish
from leukemia_app.training.memory import Pulse, write_pulse
from leukemia_app.training.run_folder import RunFolder
from tests import light_worker
from tests.light_worker import DEADLINE_S, end_all, lay_out, wait_until
from tests.tiny_runs import draw_set, tiny_config

LONG = {"head_epochs": 0, "tune_epochs": 10_000}
"""A training that nobody waits for."""

Process = subprocess.Popen[bytes]


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


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder for jobs that need no TensorFlow; nobody is at work there after the test."""
    with light_worker.instead(monkeypatch):
        yield tmp_path
        end_all(tmp_path)


def started(folder: JobFolder) -> Process:
    """A worker that has come to its work."""
    process = jobs.start(folder)
    wait_until(lambda: folder.status()["state"] == "fine-tuning")
    return process


def a_process(code: str) -> Process:
    return subprocess.Popen([sys.executable, "-c", code], start_new_session=True)


def is_gone(pid: int) -> bool:
    """Whether that process has ended; what nobody has cleared away yet does not count."""
    try:
        line = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return True
    return line.rpartition(")")[2].split()[0] in ("Z", "X")


# The real worker


@pytest.mark.slow
def test_a_worker_trains_until_it_is_stopped_and_none_is_left(folder, process):
    assert jobs.is_running(folder)
    with pytest.raises(RunError, match=r"under way in process \d+; wait for it, or stop it first"):
        jobs.start(folder)
    for event in jobs.follow(folder, process):
        if event["kind"] == "step":
            break
    assert [event["kind"] for event in folder.events()][:2] == ["start", "prepare"]
    assert folder.status()["state"] == "fine-tuning"
    began = time.monotonic()
    jobs.stop(folder, process)
    assert time.monotonic() - began < 5
    assert process.returncode is not None
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)
    assert folder.status()["state"] == "stopped"
    assert not jobs.is_running(folder)
    assert "Error" not in (folder.path / "output.txt").read_text()


@pytest.mark.slow
def test_the_worker_finds_the_app_from_any_folder(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    process = jobs.start(folder)
    for _ in jobs.follow(folder, process):
        jobs.stop(folder, process)
    assert folder.status()["state"] == "stopped"


# Starting


def test_a_worker_carries_its_job_to_the_end(root):
    folder = lay_out(root / "a")
    process = jobs.start(folder)
    kinds = [event["kind"] for event in jobs.follow(folder, process)]
    assert kinds[0] == "start"
    assert "step" in kinds
    assert process.returncode == 0
    assert jobs.standing(folder).state == "done"
    assert not (folder.path / "spare").exists()


def test_the_lock_is_the_worker_s_from_the_first_moment(root):
    # Not even Python has started by then.
    folder = lay_out(root / "a", seconds=600)
    process = jobs.start(folder)
    assert jobs.is_running(folder)
    assert jobs.worker_pid(folder) in (process.pid, None)
    assert jobs.standing(folder).state in ("starting", "fine-tuning")
    with pytest.raises(RunError, match="under way"):
        jobs.start(folder)


def test_a_second_worker_leaves_the_first_alone(root):
    folder = lay_out(root / "a", seconds=600)
    started(folder)
    status = folder.status()
    second = subprocess.run(
        [sys.executable, "-m", light_worker.NAME, str(folder.path)], timeout=DEADLINE_S,
        env=os.environ | {"PYTHONPATH": jobs._search_path()}, check=False,
    )  # fmt: skip
    assert second.returncode == 3
    assert folder.status() == status
    assert jobs.is_running(folder)


def test_a_worker_that_is_started_by_hand_takes_the_lock(root):
    folder = lay_out(root / "a", seconds=600)
    by_hand = subprocess.Popen(
        [sys.executable, "-m", light_worker.NAME, str(folder.path)], start_new_session=True,
        env=os.environ | {"PYTHONPATH": jobs._search_path()},
    )  # fmt: skip
    wait_until(lambda: folder.status()["state"] == "fine-tuning")
    assert jobs.worker_pid(folder) == by_hand.pid
    jobs.stop(folder, by_hand)


def test_a_worker_steps_back_behind_everybody_else(root):
    folder = lay_out(root / "a", seconds=600)
    process = started(folder)
    assert os.getpriority(os.PRIO_PROCESS, process.pid) >= 10
    own = Path(f"/proc/{process.pid}")
    if own.is_dir():
        assert int((own / "oom_score_adj").read_text()) >= 800
    if (own / "autogroup").exists():
        # In a session of its own, its niceness counts for nothing without this.
        assert (own / "autogroup").read_text().split()[-1] == "10"


def test_an_old_stop_does_not_end_a_new_start(root):
    folder = lay_out(root / "a")
    folder.ask_to_stop()
    process = jobs.start(folder)
    list(jobs.follow(folder, process))
    assert folder.status()["state"] == "done"


def test_a_folder_that_is_not_there_cannot_be_started(tmp_path):
    with pytest.raises(RunError, match=r"nowhere cannot be started \(No such file or directory\)"):
        jobs.start(JobFolder(path=tmp_path / "nowhere"))


# Stopping


def test_a_stop_takes_along_what_the_worker_started(root):
    folder = lay_out(root / "a", seconds=600, child=True)
    process = started(folder)
    child = (folder.read_json("child.json") or {})["pid"]
    jobs.stop(folder, process)
    wait_until(lambda: is_gone(child))
    assert folder.status()["state"] == "stopped"
    assert folder.should_stop()


def test_a_worker_that_does_not_listen_is_gone_within_five_seconds(root):
    folder = lay_out(root / "a", seconds=600, deaf=True, child=True)
    process = started(folder)
    child = (folder.read_json("child.json") or {})["pid"]
    began = time.monotonic()
    jobs.stop(folder, process, StopWish(reason="because"))
    assert time.monotonic() - began < 5
    assert process.returncode == -signal.SIGKILL
    wait_until(lambda: is_gone(child))
    assert folder.status()["state"] == "stopped"
    assert folder.status()["reason"] == "because"


def test_a_worker_that_hangs_altogether_is_killed(root, monkeypatch):
    # Not even its watchdog can move.
    folder = lay_out(root / "a", seconds=600)
    process = started(folder)
    os.killpg(process.pid, signal.SIGSTOP)
    began = time.monotonic()
    jobs.stop(folder)
    assert time.monotonic() - began < 5
    process.wait()
    assert folder.status()["state"] == "stopped"


def test_who_did_not_start_it_can_stop_it_too(root):
    # The server that started it is gone; another one has only the folder.
    folder = lay_out(root / "a", seconds=600)
    process = started(folder)
    jobs.stop(JobFolder(path=folder.path))
    process.wait()
    assert folder.status()["state"] == "stopped"
    assert jobs.worker_pid(folder) is None


def test_a_stop_that_comes_too_late_leaves_the_job_done(root):
    folder = lay_out(root / "a")
    process = jobs.start(folder)
    list(jobs.follow(folder, process))
    jobs.stop(folder, process)
    assert folder.status()["state"] == "done"


def test_a_worker_elsewhere_is_not_killed_by_its_number(root, monkeypatch):
    # Another machine's worker has the lock of a shared disk: here its number is somebody else's.
    monkeypatch.setattr(jobs, "STOP_SECONDS", 0.1)
    monkeypatch.setattr(jobs, "KILL_SECONDS", 0.1)
    folder = lay_out(root / "a")
    folder.set_state("fine-tuning")
    bystander = a_process("import time; time.sleep(600)")
    lock = locks.take(folder.path / jobs.LOCK)
    assert lock is not None
    jobs._sign(lock, bystander.pid, False)
    try:
        assert jobs.worker_pid(folder) is None
        with pytest.raises(RunError, match=r"does not end\. If it was started on another machine"):
            jobs.stop(folder)
        assert bystander.poll() is None
    finally:
        locks.release(lock)
        bystander.kill()
        bystander.wait()


# Where a job is


def test_a_killed_worker_is_interrupted_and_says_so(root):
    folder = lay_out(root / "a", seconds=600)
    process = started(folder)
    write_pulse(folder, Pulse(time=1.0, memory_mb=3100, peak_mb=3200, free_mb=40))
    events = jobs.follow(folder, process)
    os.killpg(process.pid, signal.SIGKILL)
    list(events)
    now = jobs.standing(folder)
    assert now.state == "interrupted"
    assert not now.is_lost
    assert now.reason == (
        "The process ended without a word (signal 9, often for want of memory). It last held "
        "3,100 MB of memory, and 40 MB were free. Resume it: it goes on from what is on disk."
    )


def test_who_was_not_there_sees_that_a_worker_is_lost(root):
    # As after a restart of the machine: the status still says what the worker said last.
    folder = lay_out(root / "a")
    folder.set_state("fine-tuning", pid=os.getpid())
    now = jobs.standing(folder)
    assert (now.state, now.is_lost, now.is_running) == ("interrupted", True, False)
    assert "it was killed, or the machine was switched off" in now.reason
    assert folder.status()["state"] == "fine-tuning"


def test_a_worker_that_ends_with_an_error_of_its_own_points_to_its_output(root):
    folder = lay_out(root / "a")
    folder.set_state("preparing")
    ended = a_process("raise SystemExit(3)")
    list(jobs.follow(folder, ended))
    assert "exit code 3, see output.txt" in folder.status()["reason"]


def test_a_run_that_was_never_started_can_be_resumed(root):
    now = jobs.standing(lay_out(root / "a"))
    assert (now.state, now.is_lost) == ("interrupted", False)
    assert now.reason == "It was laid out, but never started. Resume it."


def test_a_damaged_status_is_a_failure_of_that_job_alone(root):
    folder = lay_out(root / "a")
    (folder.path / "status.json").write_text("{")
    now = jobs.standing(folder)
    assert now.state == "failed"
    assert "status.json cannot be read" in now.reason
    # It can be started all the same, and then speaks for itself.
    list(jobs.follow(folder, jobs.start(folder)))
    assert jobs.standing(folder).state == "done"


@pytest.mark.parametrize("text", ["", "many words", "-7"])
def test_a_damaged_lock_file_names_nobody(text, root):
    folder = lay_out(root / "a")
    lock = locks.take(folder.path / jobs.LOCK)
    assert lock is not None
    (folder.path / jobs.LOCK).write_text(text)
    assert jobs.is_running(folder)
    assert jobs.worker_pid(folder) is None
    locks.release(lock)


def test_a_worker_that_was_just_started_is_not_taken_for_lost(root, monkeypatch):
    # Between the look at the lock and the look at the status.
    folder = lay_out(root / "a")
    folder.set_state("starting")
    looks = iter([False, True])
    with monkeypatch.context() as patch:
        patch.setattr(jobs, "is_running", lambda folder: next(looks))
        assert jobs.standing(folder).state == "starting"


# Following


def test_events_from_before_are_left_out_and_the_last_ones_are_not_lost(root):
    folder = lay_out(root / "a")
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


# The best so far


def with_best(folder: JobFolder) -> JobFolder:
    (folder.path / "best").mkdir()
    (folder.path / "best" / "weights.npz").write_bytes(b"weights")
    return folder


def test_what_has_learned_can_be_finished_until_it_is(root):
    folder = lay_out(root / "a")
    assert not jobs.can_finish(folder)
    with_best(folder)
    assert jobs.can_finish(folder)
    folder.write_json("bundle/bundle.json", {})
    assert not jobs.can_finish(folder)
    later = time.time() + 10
    os.utime(folder.path / "best" / "weights.npz", (later, later))
    assert jobs.can_finish(folder)


@pytest.mark.parametrize("config", [{"folds": 5}, {"split": "image"}, None])
def test_what_makes_no_bundle_cannot_be_finished(config, root):
    folder = with_best(lay_out(root / "a"))
    (folder.path / "config.json").write_text(json.dumps(config))
    assert not jobs.can_finish(folder)


@pytest.mark.parametrize(
    ("state", "wish", "wants"),
    [("stopped", StopWish(finish=True), True), ("stopped", StopWish(), False),
     ("stopped", None, False), ("done", StopWish(finish=True), False)],
)  # fmt: skip
def test_only_a_stopped_run_wants_its_best_so_far_made_a_bundle(state, wish, wants, root):
    folder = with_best(lay_out(root / "a"))
    folder.set_state(state)
    if wish:
        folder.ask_to_stop(wish)
    assert jobs.wants_finish(folder) is wants


def test_the_last_job_makes_the_best_so_far_a_bundle(root):
    folder = with_best(lay_out(root / "a"))
    folder.set_state("stopped", reason="The time limit was reached.")
    process = jobs.start(folder, finish=True)
    assert jobs.standing(folder).is_finishing
    assert jobs.standing(folder).state != "stopped"
    list(jobs.follow(folder, process))
    assert process.returncode == 1
    status = folder.status()
    assert (status["state"], status["has_bundle"]) == ("stopped", True)
    # Why it was stopped is still told.
    assert status["reason"] == "The time limit was reached."
    assert (folder.path / "bundle" / "bundle.json").exists()
