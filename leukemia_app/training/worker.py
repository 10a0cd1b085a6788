"""The process of one job: `python -m leukemia_app.training.worker FOLDER [--finish]`.

What lies in the folder says what is to be done: config.json a training, dataset.json a data check.
"""

import argparse
import logging
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from leukemia_app.errors import AppError, RunError
from leukemia_app.settings import Settings
from leukemia_app.training import jobs, locks
from leukemia_app.training.job_folder import ENDED, JobFolder, Stopped
from leukemia_app.training.job_queue import hand_on
from leukemia_app.training.watchdog import Watchdog, end_process, memory_words

log = logging.getLogger(__name__)

ENVIRONMENT = {
    "KERAS_BACKEND": "tensorflow",
    "TF_CPP_MIN_LOG_LEVEL": "2",
    # Resuming must end with the weights of an uninterrupted run.
    "TF_DETERMINISTIC_OPS": "1",
    # A page beside a training needs some of a GPU's memory.
    "TF_FORCE_GPU_ALLOW_GROWTH": "true",
}
THREADS = ("TF_NUM_INTRAOP_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
"""How the libraries are told how many threads to use, where it is not said."""
EXIT_CODES = {"done": 0, "stopped": 1, "failed": 2}
BUSY = 3
"""Exit code where another worker is at work on the job."""
NO_MODEL = "The best so far could not be made a model. "
NICE = 10
OOM_SCORE = 800
HAND_ON_S = 10.0


def main(arguments: Sequence[str]) -> int:
    """Carry out the job as a process of its own; 0 done, 1 stopped, 2 failed, 3 another does."""
    parser = argparse.ArgumentParser(prog=f"python -m {jobs.WORKER}")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--finish", action="store_true", help="make a bundle of the best so far")
    parser.add_argument("--lock", type=int, help="descriptor of the lock that was passed on")
    given = parser.parse_args(arguments)
    folder = JobFolder(path=given.folder)
    lock = jobs.hold(folder, given.lock, finish=given.finish)
    if lock is None:
        return BUSY
    step_back()
    logging.basicConfig(filename=folder.path / "log.txt", level=logging.INFO)
    code = work(folder, finish=given.finish, lock=lock)
    _let_go(folder, lock, HAND_ON_S)
    return code


def work(folder: JobFolder, *, finish: bool = False, lock: int | None = None) -> int:
    """Carry out the job in the folder up to its last word; 0 done, 1 stopped, 2 failed.

    With a `lock` it is watched: it then ends this process if it must.

    Raises:
        RunError: the last word cannot be written.
    """
    watchdog = None
    # The run itself was stopped, whatever became of its best so far.
    failure, prefix = ("stopped", NO_MODEL) if finish else ("failed", "")
    try:
        earlier = _begin(folder, finish)
        settings = Settings.from_environment(os.environ)
        _set_environment(settings)
        if lock is not None:
            watchdog = Watchdog(
                folder=folder, minutes=None if finish else settings.training.minutes,
                end=partial(_end_now, folder, lock),
            )  # fmt: skip
            watchdog.start()
        _task(folder, finish, settings)()
        state, reason = ("stopped", earlier) if finish else ("done", "")
    except Stopped:
        wish = folder.stop_wish()
        state, reason = "stopped", wish.reason if wish else ""
    except AppError as error:
        state, reason = failure, prefix + str(error)
    except Exception as error:
        log.exception("the job broke")
        state, reason = failure, prefix + _in_words(error)
    if watchdog is not None:
        watchdog.rest()
    _say_last(folder, state, reason)
    return EXIT_CODES[state]


def _begin(folder: JobFolder, finish: bool) -> str:
    """Say that the work begins; why the job was stopped before comes back."""
    before = _status(folder)
    # A run that is done stays done.
    if before.get("state") != "done":
        folder.set_state("finishing" if finish else "starting", pid=os.getpid())
    folder.end_cut_line()
    folder.keep_spare()
    # Time between two of these was not spent on the job.
    folder.add_event("start", finish=finish)
    return str(before.get("reason") or "")


def _set_environment(settings: Settings) -> None:
    """Keras and the libraries under it read their environment when they are imported."""
    for name, value in (ENVIRONMENT | dict.fromkeys(THREADS, str(settings.threads))).items():
        os.environ.setdefault(name, value)
    if settings.device == "cpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = "-1"


def _task(folder: JobFolder, finish: bool, settings: Settings) -> Callable[[], None]:
    """What is to be done, by what lies in the folder.

    Raises:
        RunError: nothing that is known.
    """
    if (folder.path / "config.json").exists():
        from leukemia_app.bundles.device import find_device
        from leukemia_app.training.run import carry_out
        from leukemia_app.training.run_folder import RunFolder

        if settings.device == "gpu":
            # Refused now rather than trained for days where nobody wanted it.
            find_device("gpu")
        return partial(carry_out, RunFolder(path=folder.path), finish=finish)
    if (folder.path / "dataset.json").exists():
        from leukemia_app.data.archive import ZipLimits
        from leukemia_app.training.data_check import check_dataset
        from leukemia_app.training.data_folder import DataFolder

        data = DataFolder(path=folder.path)
        return partial(check_dataset, data, data.add_event, data.should_stop,
                       zips=ZipLimits.of(settings))  # fmt: skip
    raise RunError(
        f"{folder.path} holds neither config.json nor dataset.json, so there is nothing to do; "
        "start a new run."
    )


def _say_last(folder: JobFolder, state: str, reason: str) -> None:
    """Write how the job ended, unless it said so itself.

    Raises:
        RunError: it cannot be written.
    """
    said = _status(folder)
    details = {"reason": reason} if reason else {}
    if said.get("state") not in ENDED:
        folder.set_state(state, **details)
    elif reason and not said.get("reason"):
        folder.set_state(
            **{name: value for name, value in said.items() if name != "time"} | details
        )
    folder.give_up_spare()


def _status(folder: JobFolder) -> Mapping[str, Any]:
    """What the status says; nothing where it cannot be read."""
    try:
        return folder.status()
    except RunError:
        return {}


def _end_now(folder: JobFolder, lock: int) -> None:
    """The watchdog's last act, while the first thread is still inside a step."""
    _let_go(folder, lock, 0.0)
    end_process()


def _let_go(folder: JobFolder, lock: int, wait_s: float) -> None:
    """Give the lock back and start what is next; where that fails, whoever looks next does it."""
    locks.release(lock)
    with suppress(AppError, OSError):
        hand_on(folder, Settings.from_environment(os.environ).training, wait_s)


def step_back() -> None:
    """Leave the machine to those who wait for an answer: a page beside a training stays quick."""
    if sys.platform == "win32":
        return
    # In absolute terms: a worker that another worker starts must not fall twice.
    os.setpriority(os.PRIO_PROCESS, 0, max(NICE, os.getpriority(os.PRIO_PROCESS, 0)))
    # Linux shares its time between sessions first, where this is on, and a worker has its own.
    _write_own("autogroup", NICE)
    # Where memory ends, the system is to choose the worker, never the server.
    _write_own("oom_score_adj", OOM_SCORE)


def _write_own(name: str, value: int) -> None:
    with suppress(OSError):
        Path("/proc/self", name).write_text(str(value), encoding="ascii")


def _in_words(error: Exception) -> str:
    """What to tell of an error that no room foresaw."""
    if isinstance(error, OSError):
        where = f"{error.filename} cannot" if error.filename else "A file of the run cannot"
        return (
            f"{where} be read or written ({error.strerror or error}). Mend that, or make room on "
            "the disk, then start the run again: it goes on from the last epoch."
        )
    # TensorFlow has an error of its own for it, which is not named here.
    if isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError":
        return memory_words()
    return f"The run broke: {error} (log.txt says where)."


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
