"""Pictures of a data set read one after the other, two at a time, however many there are."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from leukemia_app.data.health import Problem
from leukemia_app.errors import ImageError
from leukemia_app.imaging.decode import DEFAULT_LIMITS, Limits, read_picture
from leukemia_app.imaging.picture import Picture
from leukemia_app.training.events import Report
from leukemia_app.training.job_folder import Stopped

THREADS = 2
AHEAD = 8
"""Pictures that may wait for whoever takes the results: memory does not grow with the set."""
Made = TypeVar("Made")


def _say_nothing(kind: str, **numbers: object) -> None:
    """For those whom nobody watches."""


@dataclass(frozen=True, kw_only=True)
class PictureReader:
    """Reads the pictures of one folder, and says how far it is."""

    folder: Path
    limits: Limits = DEFAULT_LIMITS
    report: Report = _say_nothing
    """Gets events with `done` and `total`."""
    should_stop: Callable[[], bool] = lambda: False

    def each(
        self,
        files: Sequence[str],
        make: Callable[[str, Picture], Made],
        kind: str,
        **details: object,
    ) -> Iterator[Made | Problem]:
        """What `make` makes of each picture, in order; a `Problem` for each that cannot be read.

        A file that was deleted meanwhile is a problem like any other. An event of `kind` with
        `details` follows each.

        Raises:
            Stopped: somebody asked for an end.
        """

        def one(file: str) -> Made | Problem:
            try:
                return make(file, read_picture(self.folder / file, self.limits))
            except ImageError as error:
                return Problem(file=file, reason=str(error))

        waiting: deque[Future[Made | Problem]] = deque()
        n_done = 0
        with ThreadPoolExecutor(THREADS) as pool:
            try:
                for number in range(len(files) + AHEAD):
                    if self.should_stop():
                        raise Stopped
                    if number < len(files):
                        waiting.append(pool.submit(one, files[number]))
                    if number >= AHEAD and waiting:
                        yield waiting.popleft().result()
                        n_done += 1
                        self.report(kind, **details, done=n_done, total=len(files))
            finally:
                for future in waiting:
                    future.cancel()

    def all(
        self,
        files: Sequence[str],
        make: Callable[[str, Picture], Made],
        kind: str,
        **details: object,
    ) -> tuple[list[Made], list[Problem]]:
        """What `each` gives, apart: what was made, and the problems."""
        made: list[Made] = []
        problems: list[Problem] = []
        for item in self.each(files, make, kind, **details):
            if isinstance(item, Problem):
                problems.append(item)
            else:
                made.append(item)
        return made, problems
