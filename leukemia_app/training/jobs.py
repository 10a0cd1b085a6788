"""Start a run's process, watch it and stop it; those who watch only read its folder."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from typing import Any

from leukemia_app.training.run_folder import RunFolder

STOP_SECONDS = 4.0
"""A worker that has not ended by then is killed: what counts is on disk since the last epoch."""
POLL_SECONDS = 0.2
ENDED = ("done", "stopped", "failed", "interrupted")


def start(folder: RunFolder) -> "subprocess.Popen[bytes]":
    """Start the worker in a process group of its own, beside which this process stays quick."""
    (folder.path / "stop").unlink(missing_ok=True)
    output = (folder.path / "output.txt").open("ab")
    return subprocess.Popen(
        [sys.executable, "-m", "leukemia_app.training.worker", str(folder.path)],
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def follow(folder: RunFolder, process: "subprocess.Popen[bytes]") -> Iterator[Mapping[str, Any]]:
    """The run's events as they come, until its process has ended; old ones are left out."""
    seen = sum(1 for _ in folder.events())
    while True:
        is_running = process.poll() is None
        events = list(folder.events())
        yield from events[seen:]
        seen = len(events)
        if not is_running:
            break
        time.sleep(POLL_SECONDS)
    if folder.status()["state"] not in ENDED:
        folder.set_state("interrupted", reason="The process ended without a word; resume the run.")


def stop(folder: RunFolder, process: "subprocess.Popen[bytes]") -> None:
    """End the worker within five seconds, in the middle of a step if need be."""
    (folder.path / "stop").touch()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        folder.set_state("stopped")
