"""Jobs in line: one at a time by default, the rest in the order in which they came.

The folders are the queue. Whoever looks, a server, a command or a worker at its end, starts what
is next; a lock on the folder of all jobs keeps two of them from deciding at once.
"""

import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from leukemia_app.errors import RunError
from leukemia_app.settings import TrainingLimits
from leukemia_app.training import jobs, locks
from leukemia_app.training.job_folder import JobFolder, StopWish
from leukemia_app.training.jobs import Standing
from leukemia_app.training.owners import is_visitor
from leukemia_app.training.watchdog import time_is_up

QUEUE_LOCK = ".queue.lock"
STATUS = "status.json"
DAY_S = 86_400
WAIT_S = 10.0
"""Longer than any holder needs; the longest is a stop."""
OVERDUE_S = 60.0
"""How far past its time limit a worker is ended from outside; its own watchdog needs seconds."""
NAME_LENGTH = 76
"""Leaves room for a number behind the name of a bundle."""


@dataclass(frozen=True, kw_only=True)
class JobQueue:
    """The jobs of one folder."""

    root: Path
    """Holds a folder a job."""
    limits: TrainingLimits

    def folders(self) -> Iterator[JobFolder]:
        """Every job, those that have ended too."""
        if not self.root.is_dir():
            return
        for path in sorted(self.root.iterdir()):
            if not path.name.startswith(".") and (path / STATUS).exists():
                yield JobFolder(path=path)

    def waiting(self) -> tuple[str, ...]:
        """Names of the jobs that wait, the next one first."""
        return tuple(folder.path.name for folder in _in_line(self._standings()))

    def add(self, name: str, files: Callable[[str], Mapping[str, object]]) -> JobFolder:
        """A new job at the end of the line, under that name or the next free one.

        `files` gives the job's files, by name, for the name that it gets: text as it is, all else
        as JSON. The folder appears whole or not at all.

        Raises:
            RunError: training is off, too many wait, or the folder cannot be written.
        """
        with self._alone():
            self._require_room()
            self._sweep()
            free = _free_name(self.root, name)
            draft = JobFolder(path=self.root / f".draft-{free}")
            try:
                draft.path.mkdir(parents=True)
                for file, values in files(free).items():
                    if isinstance(values, str):
                        (draft.path / file).write_text(values, encoding="utf-8", newline="")
                    else:
                        draft.write_json(file, values)
                draft.set_state("queued", ticket=self._next_ticket())
                draft.path.rename(self.root / free)
            except OSError as error:
                raise RunError(
                    f"{self.root / free} cannot be written ({error.strerror or error})."
                ) from error
            finally:
                shutil.rmtree(draft.path, ignore_errors=True)
            self._tend()
        return JobFolder(path=self.root / free)

    def submit(self, folder: JobFolder, *, again: bool = False) -> None:
        """Put a job, laid out or ended before its end, at the end of the line.

        `again` takes a job that is done, too.

        Raises:
            RunError: it is under way, waits or is done; or as `add`.
        """
        name = folder.path.name
        with self._alone():
            now = jobs.standing(folder)
            if now.is_running:
                raise RunError(f"{name} is under way.")
            if now.is_waiting:
                raise RunError(f"{name} waits already.")
            if now.state == "done" and not again:
                raise RunError(f"{name} is done; start a new run to train on.")
            self._require_room()
            folder.forget_stop()
            folder.set_state("queued", ticket=self._next_ticket())
            self._tend()

    def stop(self, folder: JobFolder, *, finish: bool = True) -> None:
        """End a job within five seconds, or take it out of the line; one that has ended stays.

        With `finish` a short last job then makes the best so far a usable bundle, if there is any.

        Raises:
            RunError: its end cannot be written down, or it runs on another machine.
        """
        with self._alone():
            now = jobs.standing(folder)
            if now.is_running:
                # Who stops the last job, too, wants it to end.
                jobs.stop(folder, wish=StopWish(finish=finish and not now.is_finishing))
            elif now.is_waiting or now.state == "interrupted":
                if finish:
                    folder.ask_to_stop(StopWish(finish=True))
                folder.set_state("stopped")
            self._tend()

    def finish(self, folder: JobFolder) -> None:
        """Make the best so far of a run that ended before its end a usable bundle.

        Raises:
            RunError: it is under way, waits or is done, or learned nothing since its last model.
        """
        with self._alone():
            now = jobs.standing(folder)
            if now.is_running or now.is_waiting or now.state == "done":
                raise RunError(f"{folder.path.name} is {now.state}; stop it first.")
            if not jobs.can_finish(folder):
                raise RunError(f"{folder.path.name} has nothing new to make a model of; resume it.")
            folder.ask_to_stop(StopWish(finish=True))
            folder.set_state("stopped")
            self._tend()

    def remove(self, folder: JobFolder, *, end: bool = False) -> None:
        """Delete a job and all that it made; with `end` one that is under way is killed first.

        Raises:
            RunError: it is under way, does not end, or cannot be deleted.
        """
        gone = self.root / f".gone-{folder.path.name}-{time.time_ns()}"
        try:
            with self._alone():
                if jobs.is_running(folder):
                    if not end:
                        raise RunError(f"{folder.path.name} is under way; stop it first.")
                    # At once: what it would write down is deleted, and others wait for the line.
                    jobs.stop(folder, patience_s=0)
                # First out of sight: half a job is never seen.
                folder.path.rename(gone)
                self._tend()
            shutil.rmtree(gone)
        except OSError as error:
            raise RunError(
                f"{folder.path} cannot be deleted ({error.strerror or error})."
            ) from error

    def expire(self, now: float) -> None:
        """Delete what visitors have not used for as many days as the limits say; `now` in seconds.

        What waits or is under way stays, and so does what belongs to a login or to commands.
        """
        if self.limits.days is None:
            return
        oldest = now - self.limits.days * DAY_S
        for folder in self.folders():
            # One that is under way, or was just deleted, is left alone.
            with suppress(RunError, OSError):
                is_old = (folder.path / STATUS).stat().st_mtime < oldest
                if is_old and is_visitor(folder.owner()) and not jobs.standing(folder).is_waiting:
                    self.remove(folder)

    def tend(self, wait_s: float = 0.0) -> None:
        """Write down which workers are gone, and start what is next; nothing if another does."""
        if self.root.is_dir():
            with locks.locked(self.root / QUEUE_LOCK, wait_s) as is_ours:
                if is_ours:
                    self._tend()

    def _tend(self) -> None:
        found = self._standings()
        for folder, now in found:
            if now.is_lost:
                _write_down_loss(folder, None)
        if self._end_overdue(found):
            found = self._standings()
        if not self.limits.is_on:
            return
        n_running = sum(now.is_running for _, now in found)
        last_jobs = [folder for folder, now in found
                     if now.state == "stopped" and not now.is_running
                     and jobs.wants_finish(folder)]  # fmt: skip
        ready = [(folder, True) for folder in last_jobs]
        ready += [(folder, False) for folder in _in_line(found)]
        for folder, finish in ready[: max(0, self.limits.jobs - n_running)]:
            self._start(folder, finish)

    def _end_overdue(self, found: list[tuple[JobFolder, Standing]]) -> bool:
        """End a worker that nothing inside it could end; one at a look, as it may take seconds.

        One whose clock stood still while its machine slept hears it, and ends by itself.
        """
        minutes = self.limits.minutes
        if minutes is None:
            return False
        latest = time.time() - 60 * minutes - OVERDUE_S
        for folder, now in found:
            # One on another machine has no number here.
            if (now.is_running and not now.is_finishing and jobs.began(folder) < latest
                    and jobs.worker_pid(folder) is not None):  # fmt: skip
                with suppress(RunError):
                    jobs.stop(folder, wish=time_is_up(minutes))
                return True
        return False

    def _start(self, folder: JobFolder, finish: bool) -> None:
        ticket = jobs.standing(folder).ticket
        try:
            process = jobs.start(folder, finish=finish)
        except RunError as error:
            # One that cannot be started must not hold up the others. On a full disk this cannot be
            # written, and it keeps its place.
            with suppress(RunError):
                folder.set_state("failed", reason=str(error))
            return
        threading.Thread(target=self._see_off, args=(folder, process, ticket), daemon=True).start()

    def _see_off(
        self, folder: JobFolder, process: "subprocess.Popen[bytes]", ticket: int | None
    ) -> None:
        """Wait until the worker is gone: nothing is left of it, and the next one starts at once."""
        returncode = process.wait()
        with suppress(RunError, OSError):
            with self._alone():
                now = jobs.standing(folder)
                # One that could not even begin must not be started for ever.
                if now.is_lost or (now.is_waiting and now.ticket == ticket):
                    _write_down_loss(folder, returncode)
            self.tend(WAIT_S)

    def _standings(self) -> list[tuple[JobFolder, Standing]]:
        return [(folder, jobs.standing(folder)) for folder in self.folders()]

    def _require_room(self) -> None:
        if not self.limits.is_on:
            raise RunError("Training is turned off here (LEUKEMIA_TRAINING).")
        if self.limits.queue is None:
            return
        found = self._standings()
        n_waiting = sum(now.is_waiting for _, now in found)
        n_running = sum(now.is_running for _, now in found)
        if n_waiting + n_running >= self.limits.jobs + self.limits.queue:
            raise RunError(
                f"The line is full: {n_waiting} of {self.limits.queue} runs that may wait "
                "(LEUKEMIA_TRAINING). Try again when one has ended."
            )

    def _next_ticket(self) -> int:
        """Later than all that wait, whatever the clock says."""
        last = max(
            (now.ticket for _, now in self._standings() if now.ticket is not None), default=0
        )
        return max(last + 1, time.time_ns())

    def _sweep(self) -> None:
        """Delete what a process left that was killed in the middle; nobody else is at it now."""
        for kind in (".draft-*", ".gone-*"):
            for path in self.root.glob(kind):
                shutil.rmtree(path, ignore_errors=True)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            lock = locks.take(self.root / QUEUE_LOCK, WAIT_S)
        except OSError as error:
            raise RunError(
                f"{self.root} cannot be written ({error.strerror or error}). Make room or give "
                "leave to write there."
            ) from error
        if lock is None:
            raise RunError(f"Somebody else is at the queue in {self.root}; try again in a moment.")
        try:
            yield
        finally:
            locks.release(lock)


def hand_on(folder: JobFolder, limits: TrainingLimits, wait_s: float) -> None:
    """What a worker does last: start what is next, so that the line moves on without a server.

    Raises:
        RunError: the next one cannot be started.
    """
    root = folder.path.parent
    if (root / QUEUE_LOCK).exists():
        JobQueue(root=root, limits=limits).tend(wait_s)
    elif jobs.wants_finish(folder):
        jobs.start(folder, finish=True)


def _in_line(found: list[tuple[JobFolder, Standing]]) -> list[JobFolder]:
    waiting = [(now.ticket, folder) for folder, now in found if now.is_waiting]
    return [folder for _, folder in sorted(waiting, key=lambda pair: (pair[0], pair[1].path))]


def _write_down_loss(folder: JobFolder, returncode: int | None) -> None:
    """Say that the worker is gone, unless a new one has come since we looked."""
    lock = locks.take(folder.path / jobs.LOCK)
    if lock is None:
        return
    try:
        with suppress(RunError):
            jobs.declare_lost(folder, returncode)
    finally:
        locks.release(lock)


def _free_name(root: Path, name: str) -> str:
    names = (name if number == 1 else f"{name[:NAME_LENGTH]}-{number}" for number in count(1))
    return next(free for free in names if not (root / free).exists())
