"""What commands write: lines, one JSON array as it grows, and progress where somebody watches."""

import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

from leukemia_app.errors import SettingError

CLEAR_LINE = "\r\x1b[K"
PROGRESS_EVERY_S = 0.2


class Progress:
    """How far a long command is, on the terminal's last line; nothing in a pipe or a file."""

    def __init__(
        self, total: int, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Count to `total` on `stream`, standard error unless told otherwise."""
        self._total = total
        self._stream = stream or sys.stderr
        self._is_shown = self._stream.isatty() and total > 1
        self._clock = clock
        self._started = self._drawn = clock()
        self._done = 0

    def step(self) -> None:
        """One more is done."""
        self.reach(self._done + 1)

    def reach(self, done: int) -> None:
        """So many are done; of none it cannot be told how long the rest will take."""
        self._done = done
        now = self._clock()
        is_due = now - self._drawn >= PROGRESS_EVERY_S or done == self._total
        if self._is_shown and done and is_due:
            self._drawn = now
            self._stream.write(CLEAR_LINE + self._line(now - self._started))
            self._stream.flush()

    def clear(self) -> None:
        """Leave the terminal's line free for something else."""
        if self._is_shown:
            self._stream.write(CLEAR_LINE)
            self._stream.flush()

    def _line(self, spent_s: float) -> str:
        left_s = spent_s / self._done * (self._total - self._done)
        return f"{self._done:,} of {self._total:,}, {duration(left_s)} left"


def duration(seconds: float) -> str:
    """Seconds in words a person reads: `40 s`, `3 min`, `2 h 5 min`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


@contextmanager
def without_native_notes() -> Iterator[None]:
    """Standard error closed to native code: LiteRT greets there at every start."""
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


class JsonArray:
    """A JSON array on standard output, written item by item, one a line; empty without items."""

    def __init__(self, stream: TextIO | None = None) -> None:
        """Write to `stream`, standard output unless told otherwise."""
        self._stream = stream or sys.stdout
        self._is_empty = True

    def add(self, item: Mapping[str, Any]) -> None:
        """Write one more object."""
        # Every line ends at once: on a terminal, progress is drawn over an unfinished one.
        comma = "" if self._is_empty else ","
        self._is_empty = False
        self._stream.write(comma + json.dumps(item, ensure_ascii=False, allow_nan=False) + "\n")

    def __enter__(self) -> "JsonArray":
        """Open the array."""
        self._stream.write("[\n")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        """Close the array, so that it can be read also after a failure half way."""
        self._stream.write("]\n")


def write_line(text: str = "") -> None:
    """One line on standard output."""
    sys.stdout.write(f"{text}\n")


def write_json(value: Any) -> None:
    """One value on standard output, indented."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def write_whole(path: Path, text: str) -> None:
    """A text file that takes its name only when all is written.

    Raises:
        SettingError: it cannot be written.
    """
    part = path.with_name(f"{path.name}.part")
    try:
        part.write_text(text, encoding="utf-8", newline="")
        part.replace(path)
    except OSError as error:
        raise SettingError(
            f"{path} cannot be written ({error.strerror}). Choose another place."
        ) from error
    finally:
        part.unlink(missing_ok=True)


def write_table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    """Columns as wide as their widest cell, the last one free."""
    lines = [heads, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(heads))]
    for line in lines:
        padded = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        write_line("  ".join(padded).rstrip())
