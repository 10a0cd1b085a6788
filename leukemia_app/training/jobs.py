"""Start a job's process, watch it and end it; those who watch only read its folder.

A worker holds the lock on its folder's `worker.lock` from before it begins until it is gone,
however it goes: whether one is at work needs no number of a process, which may be given again.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from leukemia_app.errors import RunError
from leukemia_app.training import locks
from leukemia_app.training.job_folder import ENDED, JobFolder, StopWish
from leukemia_app.training.memory import last_pulse

WORKER = "leukemia_app.training.worker"
LOCK = "worker.lock"
"""Locked by the worker; holds the number of its process."""
PID_WIDTH = 32
FINISHING = "finish"
STOP_SECONDS = 4.0
"""A worker that has not ended by then is killed: what counts is on disk since the last epoch."""
KILL_SECONDS = 0.9
"""What the system may take to clear away a killed process."""
POLL_SECONDS = 0.05
FOLLOW_SECONDS = 0.2
LOCK_SECONDS = 0.5
"""Those who only look hold the lock for a moment, too."""
NEVER_STARTED = "It was laid out, but never started. Resume it."


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Where a job really is: what its folder says, checked against its process."""

    state: str
    reason: str = ""
    """Why it ended, and what to do; empty where there is nothing to say."""
    time: float = 0.0
    """When it came into this state, in seconds since 1970."""
    ticket: int | None = None
    """Its place in line: a lower number is earlier; None where it does not wait."""
    is_running: bool = False
    """Whether a process is at work on it."""
    is_finishing: bool = False
    """Whether that process only makes the best so far a bundle."""
    is_lost: bool = False
    """Whether its worker is gone and its folder does not say so yet."""

    @property
    def is_waiting(self) -> bool:
        """Whether it stands in the queue."""
        return self.ticket is not None and not self.is_running


def start(folder: JobFolder, *, finish: bool = False) -> "subprocess.Popen[bytes]":
    """Start the worker in a session of its own, so that it outlives this process.

    With `finish` it makes a usable bundle of the best so far instead of training on.

    Raises:
        RunError: a worker is at work on this job already, or none can be started.
    """
    try:
        lock = locks.take(folder.path / LOCK, LOCK_SECONDS)
        if lock is None:
            raise RunError(
                f"{folder.path} is under way in process {worker_pid(folder)}; wait for it, or stop "
                "it first."
            )
        try:
            return _start(folder, lock, finish)
        finally:
            locks.release(lock)
    except OSError as error:
        raise RunError(
            f"{folder.path} cannot be started ({error.strerror or error}). Mend that, or make "
            "room on the disk, then start it again."
        ) from error


def _start(folder: JobFolder, lock: int, finish: bool) -> "subprocess.Popen[bytes]":
    folder.forget_stop()
    # Before the process: later, the number goes where this was, also on a full disk.
    _sign(lock, 0, finish)
    command = [sys.executable, "-m", WORKER, str(folder.path), *(["--finish"] if finish else [])]
    keep: dict[str, Any] = {}
    if sys.platform != "win32":
        # The child has the lock from its first moment: no second worker can come between.
        command += ["--lock", str(lock)]
        keep = {"pass_fds": (lock,)}
    with (folder.path / "output.txt").open("ab") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
            start_new_session=True, env=os.environ | {"PYTHONPATH": _search_path()}, **keep,
        )  # fmt: skip
    _sign(lock, process.pid, finish)
    return process


def _sign(lock: int, pid: int, finish: bool) -> None:
    text = f"{pid} {FINISHING if finish else ''}".ljust(PID_WIDTH).encode()
    if sys.platform == "win32":
        os.lseek(lock, 0, os.SEEK_SET)
        os.write(lock, text)
    else:
        # Parent and child share the place of the next byte, so it is named.
        os.pwrite(lock, text, 0)


def _search_path() -> str:
    """The app first, wherever this process was started; then what was there."""
    root = str(Path(__file__).resolve().parents[2])
    return os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))


def hold(folder: JobFolder, lock: int | None, *, finish: bool) -> int | None:
    """The lock for the worker itself, which may have it from its parent; None: another works."""
    if lock is None:
        lock = locks.take(folder.path / LOCK, LOCK_SECONDS)
        if lock is None:
            return None
    elif not locks.hold(lock):
        return None
    os.set_inheritable(lock, False)
    _sign(lock, os.getpid(), finish)
    return lock


def is_running(folder: JobFolder) -> bool:
    """Whether a process is at work on this job."""
    return locks.is_held(folder.path / LOCK)


def worker_pid(folder: JobFolder) -> int | None:
    """The process at work on this job; None where there is none, or not on this machine."""
    if not is_running(folder):
        return None
    pid, _ = _signature(folder)
    return pid if pid > 0 and _is_worker_of(pid, folder) else None


def began(folder: JobFolder) -> float:
    """When the last process that worked on this job began, in seconds since 1970.

    Raises:
        FileNotFoundError: none has.
    """
    return (folder.path / LOCK).stat().st_mtime


def _signature(folder: JobFolder) -> tuple[int, bool]:
    """Number of the last process that worked on this job, and whether it was to finish it."""
    try:
        pid, *task = (folder.path / LOCK).read_text(encoding="ascii").split()
        return int(pid), FINISHING in task
    except (OSError, ValueError):
        return 0, False


def _is_worker_of(pid: int, folder: JobFolder) -> bool:
    """Whether that process carries out this job; True where the system has no /proc to ask."""
    if not Path("/proc/self").exists():
        return True
    try:
        line = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
    words = os.fsdecode(line).split("\0")
    return WORKER in words and any(Path(word).name == folder.path.name for word in words)


def standing(folder: JobFolder) -> Standing:
    """Where the job is; a status that cannot be read is a failure of this job alone."""
    # In this order: a worker says its last word before it lets go of the lock.
    is_held = is_running(folder)
    try:
        status = folder.status()
    except RunError as error:
        return Standing(state="failed", reason=str(error), is_running=is_held)
    state, ticket = status["state"], _number(status.get("ticket"))
    is_live = state not in ENDED and (state != "queued" or ticket is None)
    if is_live and not is_held:
        # Started since the first look?
        is_held = is_running(folder)
    reason = str(status.get("reason") or "")
    is_lost = is_live and not is_held and state != "queued"
    if is_live and not is_held:
        reason = lost_words(folder) if is_lost else NEVER_STARTED
        state = "interrupted"
    elif state == "queued" and is_held:
        state = "starting"
    is_finishing = is_held and _signature(folder)[1]
    if state == "stopped" and is_finishing:
        state = "finishing"
    return Standing(
        state=state, reason=reason, time=float(_number(status.get("time")) or 0),
        ticket=int(ticket) if ticket is not None and state == "queued" else None,
        is_running=is_held, is_finishing=is_finishing, is_lost=is_lost,
    )  # fmt: skip


def _number(value: object) -> float | int | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def lost_words(folder: JobFolder, returncode: int | None = None) -> str:
    """What to tell of a worker that is gone without a last word; `returncode` as Popen gives it."""
    if returncode is None:
        how = "it was killed, or the machine was switched off"
    elif returncode < 0:
        how = f"signal {-returncode}, often for want of memory"
    else:
        how = f"exit code {returncode}, see output.txt"
    pulse = last_pulse(folder)
    seen = "" if pulse is None else f" {pulse.in_words()}"
    return (
        f"The process ended without a word ({how}).{seen} Resume it: it goes on from what is on "
        "disk."
    )


def declare_lost(folder: JobFolder, returncode: int | None = None) -> None:
    """Write down that the worker is gone without a last word.

    Raises:
        RunError: it cannot be written.
    """
    folder.set_state("interrupted", reason=lost_words(folder, returncode))
    folder.give_up_spare()


def follow(folder: JobFolder, process: "subprocess.Popen[bytes]") -> Iterator[Mapping[str, Any]]:
    """The job's events from now on as they come, until nobody is at work on it any more."""
    _, seen = folder.events_from(0)
    return _events_until_end(folder, process, seen)


def _events_until_end(
    folder: JobFolder, process: "subprocess.Popen[bytes]", seen: int
) -> Iterator[Mapping[str, Any]]:
    while True:
        is_alive = _is_alive(folder, process)
        events, seen = folder.events_from(seen)
        yield from events
        if not is_alive:
            break
        time.sleep(FOLLOW_SECONDS)
    if folder.status()["state"] not in ENDED:
        declare_lost(folder, process.returncode)


def stop(
    folder: JobFolder,
    process: "subprocess.Popen[bytes] | None" = None,
    wish: StopWish | None = None,
    *,
    patience_s: float = STOP_SECONDS,
) -> None:
    """End the worker within five seconds, in the middle of a step if need be; none is left.

    `process` is named by those who started it themselves. `patience_s` is how long it may take to
    end by itself before it is killed.

    Raises:
        RunError: its end cannot be written down, or it runs on another machine.
    """
    is_own = process is not None and process.poll() is None
    pid = process.pid if process is not None and is_own else worker_pid(folder)
    try:
        folder.ask_to_stop(wish)
    except RunError:
        # The disk is full: a worker that cannot be told can still be ended.
        patience_s = 0.0
    _await_end(folder, process, patience_s)
    if pid is not None:
        # Also where it ended by itself: whatever it had started goes with it.
        _kill_group(pid)
    if not _await_end(folder, process, KILL_SECONDS):
        raise RunError(
            f"{folder.path} does not end. If it was started on another machine, stop it there."
        )
    if standing(folder).state not in ("done", "stopped", "failed"):
        # What it wrote last does not say so: it was killed.
        folder.set_state("stopped", **({"reason": wish.reason} if wish and wish.reason else {}))
    folder.give_up_spare()


def _await_end(
    folder: JobFolder, process: "subprocess.Popen[bytes] | None", patience_s: float
) -> bool:
    until = time.monotonic() + patience_s
    while _is_alive(folder, process):
        if time.monotonic() >= until:
            return False
        time.sleep(POLL_SECONDS)
    return True


def _is_alive(folder: JobFolder, process: "subprocess.Popen[bytes] | None") -> bool:
    # Both are asked: poll() also clears away what is left of a child.
    own = process is not None and process.poll() is None
    return own or is_running(folder)


def _kill_group(pid: int) -> None:
    """Kill the worker and all that it started; nothing where they are gone."""
    try:
        if sys.platform == "win32":
            os.kill(pid, signal.SIGTERM)
        else:
            os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def wants_finish(folder: JobFolder) -> bool:
    """Whether a run was stopped, and waits for its best so far to be made a bundle."""
    wish = folder.stop_wish()
    return (
        wish is not None and wish.finish and can_finish(folder)
        and standing(folder).state == "stopped"
    )  # fmt: skip


def can_finish(folder: JobFolder) -> bool:
    """Whether there are weights of which a bundle can be made, later than its last one."""
    config = folder.read_json("config.json")
    if config is None or config.get("folds") or config.get("split", "given") != "given":
        return False
    learned = [path.stat().st_mtime for path in (folder.path / "best").glob("*.npz")]
    bundle = folder.path / "bundle" / "bundle.json"
    made = bundle.stat().st_mtime if bundle.exists() else 0.0
    return max(learned, default=0.0) > made
