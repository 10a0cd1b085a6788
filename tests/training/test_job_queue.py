"""Jobs in line: their order, their limits, and nobody who decides twice."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from leukemia_app.errors import RunError
from leukemia_app.settings import TrainingLimits
from leukemia_app.training import job_queue as module
from leukemia_app.training import jobs, locks
from leukemia_app.training.job_folder import JobFolder
from leukemia_app.training.job_queue import QUEUE_LOCK, JobQueue, hand_on
from tests import light_worker
from tests.light_worker import DEADLINE_S, end_all, lay_out, wait_until

KILLS = int(os.environ.get("RANDOM_KILLS", "3"))
"""How often servers are killed at random moments; give a large number to look for rare faults."""


@pytest.fixture
def queue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[JobQueue]:
    """A line of jobs that need no TensorFlow; nobody is at work there after the test."""
    with light_worker.instead(monkeypatch):
        yield JobQueue(root=tmp_path / "runs", limits=TrainingLimits())
        end_all(tmp_path / "runs")


def limited(line: JobQueue, **limits: Any) -> JobQueue:
    return JobQueue(root=line.root, limits=TrainingLimits(**limits))


def add(queue: JobQueue, name: str = "job", **work: Any) -> JobFolder:
    def files(free: str) -> Mapping[str, object]:
        return {"work.json": work, "config.json": {"id": free}}

    return queue.add(name, files)


def state(folder: JobFolder) -> str:
    return jobs.standing(folder).state


def reach(folder: JobFolder, wanted: str) -> None:
    wait_until(lambda: state(folder) == wanted and jobs.is_running(folder) != (wanted in
               ("done", "stopped", "failed", "interrupted")))  # fmt: skip


def n_starts(folder: JobFolder) -> int:
    return [event["kind"] for event in folder.events()].count("start")


# In line


def test_jobs_go_one_after_another_in_the_order_in_which_they_came(queue):
    first, second, third = (add(queue, name) for name in ("c", "a", "b"))
    assert jobs.is_running(first)
    assert queue.waiting() == ("a", "b")
    assert state(second) == "queued"
    # Nobody looks again: the workers hand on by themselves.
    reach(third, "done")
    begun = [next(iter(folder.events()))["time"] for folder in (first, second, third)]
    assert begun == sorted(begun)
    assert [n_starts(folder) for folder in (first, second, third)] == [1, 1, 1]
    assert queue.waiting() == ()


def test_the_line_moves_on_without_a_server(queue):
    # A process adds two jobs and is gone before the first has ended.
    code = (
        "import sys; from pathlib import Path; from leukemia_app.settings import TrainingLimits; "
        "from leukemia_app.training import jobs; "
        "from leukemia_app.training.job_queue import JobQueue; "
        f"jobs.WORKER = {light_worker.NAME!r}; "
        "queue = JobQueue(root=Path(sys.argv[1]), limits=TrainingLimits()); "
        "[queue.add('job', lambda name: {'work.json': {'seconds': 0.3}, 'config.json': {}}) "
        "for _ in range(2)]"
    )
    subprocess.run([sys.executable, "-c", code, str(queue.root)], check=True, timeout=DEADLINE_S)
    for folder in queue.folders():
        reach(folder, "done")
    assert len(list(queue.folders())) == 2


def test_a_taken_name_gets_a_number(queue):
    waits = limited(queue, jobs=1)
    assert [add(waits, "x" * 80).path.name for _ in range(3)] == [
        "x" * 80, "x" * 76 + "-2", "x" * 76 + "-3"
    ]  # fmt: skip


def test_as_many_run_at_once_as_may(queue):
    two = limited(queue, jobs=2)
    folders = [add(two, seconds=600) for _ in range(3)]
    assert [jobs.is_running(folder) for folder in folders] == [True, True, False]


def test_the_line_has_an_end(queue):
    short = limited(queue, queue=1)
    add(short, seconds=600)
    add(short)
    with pytest.raises(RunError, match=r"The line is full: 1 of 1 runs that may wait \(LEUKEMIA"):
        add(short)
    assert len(list(queue.folders())) == 2


def test_where_training_is_off_nothing_starts(queue):
    off = limited(queue, is_on=False)
    with pytest.raises(RunError, match=r"Training is turned off here \(LEUKEMIA_TRAINING\)"):
        add(off)
    folder = lay_out(queue.root / "a")
    folder.set_state("queued", ticket=1)
    off.tend()
    assert state(folder) == "queued"
    queue.tend()
    reach(folder, "done")


def test_a_clock_that_goes_back_puts_nobody_in_front(queue, monkeypatch):
    add(queue, "a", seconds=600)
    add(queue, "b")
    with monkeypatch.context() as patch:
        patch.setattr(module.time, "time_ns", lambda: 1)
        add(queue, "c")
    assert queue.waiting() == ("b", "c")


def test_a_queue_that_nobody_has_used_is_empty(tmp_path):
    queue = JobQueue(root=tmp_path / "nowhere", limits=TrainingLimits())
    queue.tend()
    assert queue.waiting() == ()
    assert not queue.root.exists()


# Stopping and going on


def test_a_stop_in_the_line_takes_the_job_out(queue):
    first, second = add(queue, seconds=600), add(queue)
    queue.stop(second)
    assert state(second) == "stopped"
    assert queue.waiting() == ()
    assert jobs.is_running(first)
    assert n_starts(second) == 0


def test_a_stop_makes_the_best_so_far_a_model_and_then_the_next_goes(queue):
    first = add(queue, "a", seconds=600, best=True)
    wait_until(lambda: (first.path / "best").exists())
    second = add(queue, "b")
    began = time.monotonic()
    queue.stop(first)
    assert time.monotonic() - began < 5
    now = jobs.standing(first)
    assert now.is_finishing
    assert state(second) == "queued"
    reach(second, "done")
    assert state(first) == "stopped"
    assert first.status()["has_bundle"]
    assert [event["finish"] for event in first.events() if event["kind"] == "start"] == [
        False, True
    ]  # fmt: skip


def test_a_stop_without_a_model_makes_none(queue):
    folder = add(queue, seconds=600, best=True)
    reach(folder, "fine-tuning")
    queue.stop(folder, finish=False)
    assert state(folder) == "stopped"
    assert not jobs.is_running(folder)
    queue.finish(folder)
    reach(folder, "stopped")
    wait_until(lambda: folder.status().get("has_bundle"))


def test_a_stop_of_what_has_learned_nothing_makes_no_model(queue):
    folder = add(queue, seconds=600)
    reach(folder, "fine-tuning")
    queue.stop(folder)
    assert state(folder) == "stopped"
    assert not jobs.is_running(folder)
    with pytest.raises(RunError, match="job has nothing new to make a model of; resume it"):
        queue.finish(folder)


def test_the_last_job_can_be_stopped_too(queue):
    folder = add(queue, seconds=600, best=True, linger=600)
    reach(folder, "fine-tuning")
    queue.stop(folder)
    wait_until(lambda: folder.status()["state"] == "bundling")
    assert jobs.standing(folder).is_finishing
    queue.stop(folder)
    assert state(folder) == "stopped"
    assert not jobs.is_running(folder)
    assert not jobs.wants_finish(folder)


def test_whoever_looks_finishes_what_a_killed_server_has_stopped(queue):
    # The server died between the stop and the last job: its wish lies in the folder.
    queue.root.mkdir()
    folder = lay_out(queue.root / "a")
    (folder.path / "best").mkdir()
    (folder.path / "best" / "weights.npz").write_bytes(b"weights")
    folder.set_state("stopped")
    folder.write_json("stop", {"finish": True})
    queue.tend()
    assert jobs.is_running(folder)
    reach(folder, "stopped")
    assert (folder.path / "bundle" / "bundle.json").exists()
    queue.tend()
    assert not jobs.is_running(folder)


def test_a_stopped_job_is_resumed_at_the_end_of_the_line(queue):
    first = add(queue, "a", seconds=0.5)
    queue.stop(first)
    add(queue, "b", seconds=600)
    add(queue, "c")
    queue.submit(first)
    assert queue.waiting() == ("c", "a")
    assert not first.should_stop()


def test_what_is_under_way_or_done_is_not_resumed(queue):
    first, second = add(queue, "a", seconds=0.5), add(queue, "b", seconds=0.2)
    with pytest.raises(RunError, match="a is under way"):
        queue.submit(first)
    with pytest.raises(RunError, match="b waits already"):
        queue.submit(second)
    reach(second, "done")
    with pytest.raises(RunError, match="b is done; start a new run to train on"):
        queue.submit(second)
    with pytest.raises(RunError, match="b is done; stop it first"):
        queue.finish(second)
    # A data set may be checked as often as one likes.
    queue.submit(second, again=True)
    wait_until(lambda: n_starts(second) == 2)


def test_an_ended_job_is_not_stopped_again(queue):
    folder = add(queue)
    reach(folder, "done")
    queue.stop(folder)
    assert state(folder) == "done"


# Days


@pytest.mark.parametrize(
    ("owner", "days_ago", "is_gone"),
    [("token:ada", 31, True), ("token:ada", 29, False), ("login:ada", 31, False), ("", 31, False)],
)
def test_what_visitors_left_alone_for_too_long_is_deleted(queue, owner, days_ago, is_gone):
    folder = lay_out(queue.root / "a")
    folder.write_json("owner.json", {"owner": owner})
    folder.set_state("done")
    now = (folder.path / "status.json").stat().st_mtime + days_ago * 86_400
    queue.expire(now)
    assert folder.path.exists(), "without a limit everything stays"
    limited(queue, days=30).expire(now)
    assert folder.path.exists() != is_gone


@pytest.mark.parametrize("state", ["queued", "fine-tuning"])
def test_what_waits_or_is_under_way_does_not_grow_too_old(queue, state):
    folder = lay_out(queue.root / "a")
    folder.write_json("owner.json", {"owner": "token:ada"})
    folder.set_state(state, ticket=1)
    now = (folder.path / "status.json").stat().st_mtime + 31 * 86_400
    lock = locks.take(folder.path / jobs.LOCK) if state == "fine-tuning" else None
    limited(queue, days=30).expire(now)
    assert folder.path.exists()
    if lock is not None:
        locks.release(lock)


# What goes wrong


def test_a_killed_worker_is_written_down_and_the_next_goes(queue):
    first, second = add(queue, "a", seconds=600), add(queue, "b")
    reach(first, "fine-tuning")
    pid = jobs.worker_pid(first)
    assert pid is not None
    os.killpg(pid, signal.SIGKILL)
    # This process started the worker, so it notices without looking, and knows the signal.
    wait_until(lambda: first.status()["state"] == "interrupted")
    assert "signal 9, often for want of memory" in first.status()["reason"]
    reach(second, "done")
    queue.submit(first)
    wait_until(lambda: n_starts(first) == 2)


def test_a_worker_lost_with_its_server_is_written_down_by_the_next_one(queue):
    folder = lay_out(queue.root / "a")
    folder.set_state("features")
    folder.keep_spare()
    queue.tend()
    assert folder.status()["state"] == "interrupted"
    assert not (folder.path / "spare").exists()


def test_a_worker_that_cannot_even_begin_is_tried_once(queue, monkeypatch):
    monkeypatch.setattr(jobs, "WORKER", "no.such.module")
    folder = add(queue)
    wait_until(lambda: folder.status()["state"] == "interrupted")
    assert "exit code 1, see output.txt" in folder.status()["reason"]
    assert "ModuleNotFoundError" in (folder.path / "output.txt").read_text()


def test_a_job_that_cannot_be_started_does_not_hold_up_the_others(queue):
    queue.root.mkdir()
    broken, well = lay_out(queue.root / "a"), lay_out(queue.root / "b")
    (broken.path / "worker.lock").mkdir()
    for ticket, folder in enumerate((broken, well), start=1):
        folder.set_state("queued", ticket=ticket)
    limited(queue, jobs=2).tend()
    assert state(broken) == "failed"
    assert "cannot be started (Is a directory)" in jobs.standing(broken).reason
    reach(well, "done")


def test_a_damaged_status_stops_nobody_else(queue):
    broken = add(queue, "a")
    reach(broken, "done")
    (broken.path / "status.json").write_text("{")
    well = add(queue, "b")
    reach(well, "done")
    assert state(broken) == "failed"
    queue.submit(broken)
    wait_until(lambda: n_starts(broken) == 2)


def test_what_a_crash_left_half_done_is_swept_away_and_never_seen(queue):
    for name in (".draft-job", ".gone-job-1"):
        (queue.root / name).mkdir(parents=True)
        (queue.root / name / "status.json").write_text('{"state": "queued", "ticket": 1}')
    queue.tend()
    assert list(queue.folders()) == []
    add(queue)
    assert not list(queue.root.glob(".draft-*")) + list(queue.root.glob(".gone-*"))


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").touch()
    queue = JobQueue(root=tmp_path / "file", limits=TrainingLimits())
    with pytest.raises(RunError, match=r"file cannot be written \(.*\)\. Make room"):
        add(queue)


def test_a_queue_that_another_keeps_is_told(queue, monkeypatch):
    queue.root.mkdir()
    with monkeypatch.context() as patch, locks.locked(queue.root / QUEUE_LOCK, 0):
        patch.setattr(module, "WAIT_S", 0.05)
        queue.tend()
        with pytest.raises(RunError, match=r"Somebody else is at the queue in .*; try again"):
            add(queue)


# Overdue


def stuck(queue: JobQueue, monkeypatch: pytest.MonkeyPatch, **work: Any) -> JobFolder:
    """A job whose process stands still with all its threads, begun 10 minutes ago."""
    monkeypatch.setattr(jobs, "stop", partial(jobs.stop, patience_s=0.1))
    folder = add(queue, "a", seconds=600, **work)
    reach(folder, "fine-tuning")
    pid = jobs.worker_pid(folder)
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    began = time.time() - 600
    os.utime(folder.path / jobs.LOCK, (began, began))
    return folder


def test_a_worker_whose_watchdog_is_stuck_too_is_ended_by_the_queue(queue, monkeypatch):
    folder, second = stuck(queue, monkeypatch), add(queue, "b")
    limited(queue, minutes=5).tend()
    assert not jobs.is_running(folder)
    assert jobs.standing(folder).reason == (
        "The time limit of 5 min was reached. Resume it to train on."
    )
    reach(second, "done")


def test_its_best_so_far_is_made_a_model(queue, monkeypatch):
    folder = stuck(queue, monkeypatch, best=True)
    limited(queue, minutes=5).tend()
    reach(folder, "stopped")
    assert folder.status()["has_bundle"]


@pytest.mark.parametrize("minutes", [None, 10, 15])
def test_a_worker_that_is_within_its_time_or_just_past_it_is_left_alone(
    minutes, queue, monkeypatch
):
    folder = stuck(queue, monkeypatch)
    limited(queue, minutes=minutes).tend()
    assert jobs.is_running(folder)
    assert not folder.should_stop()


def test_the_last_job_of_a_run_has_no_time_limit(queue, monkeypatch):
    folder = add(queue, "a", seconds=600, best=True, linger=600)
    reach(folder, "fine-tuning")
    queue.stop(folder)
    wait_until(lambda: folder.status()["state"] == "bundling")
    os.utime(folder.path / jobs.LOCK, (1, 1))
    limited(queue, minutes=5).tend()
    assert jobs.standing(folder).is_finishing


# Deleting


def test_a_deleted_job_is_gone(queue):
    folder = add(queue)
    reach(folder, "done")
    queue.remove(folder)
    assert not folder.path.exists()
    assert not list(queue.root.glob(".gone-*"))


def test_what_is_under_way_is_not_deleted(queue):
    first, second = add(queue, "a", seconds=600), add(queue, "b")
    with pytest.raises(RunError, match="a is under way; stop it first"):
        queue.remove(first)
    queue.remove(second)
    assert queue.waiting() == ()


def test_what_is_not_there_cannot_be_deleted(queue):
    with pytest.raises(RunError, match=r"nowhere cannot be deleted \(No such file"):
        queue.remove(JobFolder(path=queue.root / "nowhere"))


# Handing on


def test_a_run_outside_any_queue_is_finished_after_its_time_limit(tmp_path, monkeypatch):
    with light_worker.instead(monkeypatch):
        folder = lay_out(tmp_path / "mine")
        (folder.path / "best").mkdir()
        (folder.path / "best" / "weights.npz").write_bytes(b"weights")
        folder.set_state("stopped")
        hand_on(folder, TrainingLimits(), 0)
        assert not jobs.is_running(folder)
        folder.write_json("stop", {"finish": True})
        hand_on(folder, TrainingLimits(), 0)
        reach(folder, "stopped")
        assert folder.status()["has_bundle"]
        assert not (tmp_path / QUEUE_LOCK).exists()


@pytest.mark.parametrize("deaf", [False, True])
def test_a_run_whose_time_is_up_makes_its_best_so_far_a_model_by_itself(deaf, queue, monkeypatch):
    monkeypatch.setenv("LEUKEMIA_TRAINING", "minutes=1")
    monkeypatch.setenv(light_worker.CLOCK_SPEED, "60")
    folder = lay_out(queue.root / "a", seconds=600, best=True, deaf=deaf)
    (queue.root / QUEUE_LOCK).touch()
    # Nobody watches: this is not the queue's own start.
    jobs.start(folder)
    wait_until(lambda: folder.status().get("has_bundle") and not jobs.is_running(folder))
    status = folder.status()
    assert status["state"] == "stopped"
    assert status["reason"].startswith("The time limit of 1 min was reached. Resume it")
    assert n_starts(folder) == 2


# Two who decide at once


RACER = (
    "import sys, time; from pathlib import Path; from leukemia_app.settings import TrainingLimits; "
    "from leukemia_app.training import jobs; from leukemia_app.training.job_queue import JobQueue; "
    f"jobs.WORKER = {light_worker.NAME!r}; "
    "queue = JobQueue(root=Path(sys.argv[1]), limits=TrainingLimits()); "
    "print('ready', flush=True); sys.stdin.readline(); "
    "[queue.tend(1) for _ in range(20)]"
)


def test_two_servers_never_start_the_same_job_nor_two_at_once(queue):
    queue.root.mkdir()
    folders = [lay_out(queue.root / name, seconds=600) for name in "ab"]
    for ticket, folder in enumerate(folders, start=1):
        folder.set_state("queued", ticket=ticket)
    racers = [
        subprocess.Popen([sys.executable, "-c", RACER, str(queue.root)], stdin=subprocess.PIPE,
                         stdout=subprocess.PIPE)
        for _ in range(2)
    ]  # fmt: skip
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == b"ready\n"
    for racer in racers:
        racer.communicate(b"\n", timeout=DEADLINE_S)
        assert racer.returncode == 0
    reach(folders[0], "fine-tuning")
    assert [n_starts(folder) for folder in folders] == [1, 0]


SERVER = (
    "import sys; from pathlib import Path; from leukemia_app.settings import TrainingLimits; "
    "from leukemia_app.training import jobs; from leukemia_app.training.job_queue import JobQueue; "
    f"jobs.WORKER = {light_worker.NAME!r}; "
    "queue = JobQueue(root=Path(sys.argv[1]), limits=TrainingLimits()); "
    "print('ready', flush=True)\n"
    "while True:\n"
    "    made = queue.add('job', lambda n: {'work.json': {'best': 1}, 'config.json': {}})\n"
    "    queue.stop(made) if len(queue.waiting()) % 2 else queue.tend()\n"
)


def test_servers_killed_at_any_moment_leave_every_job_whole(queue):
    queue.root.mkdir()
    moments = [0.37 * (kill * 0.618 % 1) for kill in range(KILLS)]
    for moment in moments:
        server = subprocess.Popen(
            [sys.executable, "-c", SERVER, str(queue.root)], stdout=subprocess.PIPE
        )
        with server.stdout as out:
            assert out.readline() == b"ready\n"
            time.sleep(moment)
            server.kill()
            server.wait()
        # Another server looks at what is there.
        queue.tend(DEADLINE_S)
        found = {folder: jobs.standing(folder) for folder in queue.folders()}
        assert sum(now.is_running for now in found.values()) <= 1
        assert "failed" not in {now.state for now in found.values()}
        assert not any(now.is_lost for now in found.values())
    for folder in queue.folders():
        if state(folder) == "queued":
            reach(folder, "done")
    assert max(n_starts(folder) for folder in queue.folders()) <= 2


# A full disk


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of one megabyte."""
    mount = shutil.which("mount")
    folder = tmp_path / "disk"
    folder.mkdir()
    if mount is None or os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    done = subprocess.run(
        [mount, "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], check=False,
        capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode:
        pytest.skip(f"this machine mounts no small disk: {done.stderr.strip()}")
    yield folder
    subprocess.run([shutil.which("umount") or "umount", "--lazy", str(folder)], check=True)


def fill(disk: Path) -> None:
    with suppress(OSError), (disk / "filler").open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))


def test_a_full_disk_fails_one_run_with_words_and_leaves_the_others(small_disk, monkeypatch):
    queue = JobQueue(root=small_disk / "runs", limits=TrainingLimits())
    with light_worker.instead(monkeypatch):
        earlier = add(queue, "earlier")
        reach(earlier, "done")
        before = {path: path.read_bytes() for path in earlier.path.iterdir() if path.is_file()}
        folder = add(queue, "full", seconds=600, padding=20_000)
        wait_until(lambda: not jobs.is_running(folder))
        status = folder.status()
        assert status["state"] == "failed"
        assert "cannot be written (No space left on device). Make room" in status["reason"]
        assert {path: path.read_bytes() for path in before} == before
        fill(small_disk)
        with pytest.raises(RunError, match="No space left on device"):
            add(queue, "third")
        assert [item.path.name for item in queue.folders()] == ["earlier", "full"]
        (small_disk / "filler").unlink()
        folder.write_json("work.json", {})
        (folder.path / "events.jsonl").unlink()
        queue.submit(folder)
        reach(folder, "done")
        end_all(queue.root)


def test_a_worker_can_be_stopped_on_a_full_disk(small_disk, monkeypatch):
    queue = JobQueue(root=small_disk / "runs", limits=TrainingLimits())
    with light_worker.instead(monkeypatch):
        folder = add(queue, "a", seconds=600, silent=True)
        reach(folder, "fine-tuning")
        fill(small_disk)
        began = time.monotonic()
        queue.stop(folder)
        assert time.monotonic() - began < 5
        assert not jobs.is_running(folder)
        # The spare room was given up for these words.
        assert folder.status()["state"] == "stopped"
        end_all(queue.root)
