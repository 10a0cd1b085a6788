"""A worker whose jobs need no TensorFlow: `work.json` in the folder says what to pretend."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leukemia_app.settings import Settings
from leukemia_app.training import jobs, locks, worker
from leukemia_app.training.job_folder import JobFolder, Stopped
from leukemia_app.training.job_queue import QUEUE_LOCK

if TYPE_CHECKING:
    import pytest

NAME = "tests.light_worker"
CLOCK_SPEED = "CLOCK_SPEED"
"""How many seconds of the watchdog's go into one."""
TICK_S = 0.02
DEADLINE_S = 120


def lay_out(path: Path, **work: Any) -> JobFolder:
    """A folder with a job that pretends; `seconds` is how long it takes, 0.05 if not told."""
    folder = JobFolder(path=path)
    folder.write_json("work.json", work)
    folder.write_json("config.json", {})
    folder.set_state("queued")
    return folder


@contextmanager
def instead(monkeypatch: "pytest.MonkeyPatch") -> Iterator[None]:
    """Workers of this kind in place of real ones; those that this process started are awaited."""
    started: list[subprocess.Popen[bytes]] = []
    start = jobs.start

    def noted(folder: JobFolder, *, finish: bool = False) -> subprocess.Popen[bytes]:
        started.append(start(folder, finish=finish))
        return started[-1]

    monkeypatch.setattr(jobs, "WORKER", NAME)
    monkeypatch.setattr(jobs, "start", noted)
    yield
    for process in started:
        process.wait(DEADLINE_S)


def end_all(root: Path) -> None:
    """Leave nothing in line and nobody at work, whatever a test did."""
    if not root.is_dir():
        return
    with locks.locked(root / QUEUE_LOCK, DEADLINE_S):
        for path in root.glob("*/work.json"):
            folder = JobFolder(path=path.parent)
            folder.forget_stop()
            folder.set_state("stopped")
            wait_until(lambda folder=folder: _is_gone(folder))


def _is_gone(folder: JobFolder) -> bool:
    """Whether nobody works there; kills who does, who may only now have said its number."""
    if not jobs.is_running(folder):
        return True
    if (pid := jobs.worker_pid(folder)) is not None:
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
    return False


def wait_until(is_so: Callable[[], object]) -> None:
    """Wait, for long enough on any machine; fails where it never comes true."""
    until = time.monotonic() + DEADLINE_S
    while not is_so():
        assert time.monotonic() < until
        time.sleep(TICK_S)


def task(folder: JobFolder, finish: bool, _: Settings) -> Callable[[], None]:
    """What the pretended job does."""
    work = dict(folder.read_json("work.json") or {})
    return lambda: _finish(folder, work) if finish else _pretend(folder, work)


def _pretend(folder: JobFolder, work: dict[str, Any]) -> None:
    if work.get("child"):
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        folder.write_json("child.json", {"pid": child.pid})
    if work.get("best"):
        (folder.path / "best").mkdir(exist_ok=True)
        (folder.path / "best" / "weights.npz").write_bytes(b"weights")
    folder.set_state("fine-tuning")
    if work.get("error"):
        raise OSError(work["error"])
    until = time.monotonic() + work.get("seconds", 0.05)
    while time.monotonic() < until:
        if not work.get("silent"):
            folder.add_event("step", padding="x" * work.get("padding", 0))
        if folder.should_stop() and not work.get("deaf"):
            raise Stopped
        time.sleep(TICK_S)
    folder.set_state("done")


def _finish(folder: JobFolder, work: dict[str, Any]) -> None:
    folder.set_state("bundling")
    time.sleep(work.get("linger", TICK_S))
    folder.write_json("bundle/bundle.json", {})
    folder.set_state("stopped", has_bundle=True)


if __name__ == "__main__":
    # The next worker is of this kind, too.
    jobs.WORKER = NAME
    worker._task = task
    if speed := float(os.environ.get(CLOCK_SPEED, "0")):
        worker.Watchdog = partial(worker.Watchdog, clock=lambda: speed * time.monotonic())
    sys.exit(worker.main(sys.argv[1:]))
