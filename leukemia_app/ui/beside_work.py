"""Work of minutes in a thread of its own, told and stopped by whoever waits for it. No Gradio."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import TypeVar

from leukemia_app.training.job_folder import Stopped

LOOK_S = 0.3
"""How often the work is looked at, in seconds."""
Result = TypeVar("Result")
Tell = Callable[[int, int], None]
"""Told how many are done, and of how many."""
Told = tuple[float, int, int]
"""When a word of progress was given, how many were done, and of how many."""


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far the work is."""

    done: int
    total: int
    """0 before anything was told."""
    seconds_left: float | None


def watched(
    work: Callable[[Tell], Result], clock: Callable[[], float]
) -> Iterator[Progress | Result]:
    """How far `work` is, as it tells, then what came of it; what it raises is raised here.

    Closing the generator stops the work at its next word of progress.
    """
    told: SimpleQueue[Told] = SimpleQueue()
    done: list[Result | BaseException] = []
    stop = threading.Event()

    def tell(n: int, total: int) -> None:
        told.put((clock(), n, total))
        if stop.is_set():
            raise Stopped

    def carry_out() -> None:
        try:
            done.append(work(tell))
        except BaseException as error:  # noqa: BLE001 handed to who waits for it
            done.append(error)

    thread = threading.Thread(target=carry_out, daemon=True)
    thread.start()
    first: Told | None = None
    try:
        yield Progress(done=0, total=0, seconds_left=None)
        while thread.is_alive():
            if (latest := _latest(told)) is not None:
                first = first if first is not None and first[1] else latest
                _, n, total = latest
                yield Progress(done=n, total=total, seconds_left=seconds_left(first, latest))
    finally:
        stop.set()
    thread.join()
    (found,) = done
    if isinstance(found, BaseException):
        raise found
    yield found


def seconds_left(first: Told, latest: Told) -> float | None:
    """How long the rest will take at the pace since the first word of something done."""
    (started, n_first, _), (now, n, total) = first, latest
    if n == n_first:
        return None
    return (now - started) / (n - n_first) * (total - n)


def _latest(told: SimpleQueue[Told]) -> Told | None:
    """The last word of progress, waited for a moment; None without one."""
    latest = None
    try:
        latest = told.get(timeout=LOOK_S)
        while not told.empty():
            latest = told.get_nowait()
    except Empty:
        return latest
    return latest
