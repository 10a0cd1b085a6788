"""Start a run's process, watch it and stop it; those who watch only read its folder."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from leukemia_app.errors import RunError
from leukemia_app.training.run_folder import RunFolder

WORKER = "leukemia_app.training.worker"

STOP_SECONDS = 4.0
"""A worker that has not ended by then is killed: what counts is on disk since the last epoch."""
POLL_SECONDS = 0.2
ENDED = ("done", "stopped", "failed", "interrupted")


def start(folder: RunFolder) -> "subprocess.Popen[bytes]":
    """Start the worker in a process group of its own, beside which this process stays quick.

    Raises:
        RunError: a worker carries this run out already.
    """
    if is_running(folder):
        raise RunError(f"The run in {folder.path} is under way in process "
                       f"{folder.status()['pid']}; wait for it, or stop it first.")  # fmt: skip
    (folder.path / "stop").unlink(missing_ok=True)
    before = folder.status()
    with (folder.path / "output.txt").open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", WORKER, str(folder.path)],
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=os.environ | {"PYTHONPATH": _search_path()},
        )
    # The worker needs seconds until it can speak for itself.
    if folder.status() == before:
        folder.set_state("queued", pid=process.pid)
    return process


def _search_path() -> str:
    """The app first, wherever this process was started; then what was there."""
    root = str(Path(__file__).resolve().parents[2])
    return os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))


def is_running(folder: RunFolder) -> bool:
    """Whether the process that the status names is at work on this run.

    Numbers of processes are given again, so the process is asked for its command line; False where
    the system has no /proc that tells.
    """
    status = folder.status()
    if status["state"] in ENDED or "pid" not in status:
        return False
    try:
        line = Path(f"/proc/{status['pid']}/cmdline").read_bytes()
    except OSError:
        return False
    words = os.fsdecode(line).split("\0")
    return WORKER in words and any(Path(word).name == folder.path.name for word in words)


def follow(folder: RunFolder, process: "subprocess.Popen[bytes]") -> Iterator[Mapping[str, Any]]:
    """The run's events from now on as they come, until its process has ended."""
    _, seen = folder.events_from(0)
    return _events_until_end(folder, process, seen)


def _events_until_end(
    folder: RunFolder, process: "subprocess.Popen[bytes]", seen: int
) -> Iterator[Mapping[str, Any]]:
    while True:
        is_alive = process.poll() is None
        events, seen = folder.events_from(seen)
        yield from events
        if not is_alive:
            break
        time.sleep(POLL_SECONDS)
    if folder.status()["state"] not in ENDED:
        folder.set_state(
            "interrupted",
            reason=f"The process ended without a word ({_ending(process)}); start the run again: "
            "it goes on from the last epoch.",
        )


def _ending(process: "subprocess.Popen[bytes]") -> str:
    if process.returncode < 0:
        return f"signal {-process.returncode}, often for want of memory"
    return f"exit code {process.returncode}, see output.txt"


def stop(folder: RunFolder, process: "subprocess.Popen[bytes]") -> None:
    """End the worker within five seconds, in the middle of a step if need be."""
    (folder.path / "stop").touch()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        _kill(process)
    if folder.status()["state"] not in ENDED:
        folder.set_state("stopped")


def _kill(process: "subprocess.Popen[bytes]") -> None:
    if sys.platform == "win32":
        process.kill()
    else:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
