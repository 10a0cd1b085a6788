"""A job's folder: the only thing a worker and those who watch it share."""

import json
import os
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from leukemia_app.errors import RunError

ENDED = ("done", "stopped", "failed", "interrupted")
"""States in which nothing is at work on a job any more."""
SPARE = "spare"
SPARE_BYTES = 65_536


class Stopped(Exception):
    """Somebody asked for an end; what counts is on disk."""


@dataclass(frozen=True, kw_only=True)
class StopWish:
    """What the one who stopped a job wants."""

    finish: bool = False
    """Whether the best so far should become a usable bundle."""
    reason: str = ""
    """Why, where it was not a person who asked."""


@dataclass(frozen=True, kw_only=True)
class JobFolder:
    """Reads and writes one job; every file appears whole or not at all."""

    path: Path

    def set_state(self, state: str, **details: object) -> None:
        """Say where the job is; `details` are plain values.

        Raises:
            RunError: it cannot be written.
        """
        self._write_surely("status.json", {"state": state, "time": time.time(), **details})

    def status(self) -> Mapping[str, Any]:
        """The state and its details; a folder without one is queued.

        Raises:
            RunError: status.json is damaged.
        """
        path = self.path / "status.json"
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            return {"state": str(values["state"]), **values}
        except FileNotFoundError:
            return {"state": "queued"}
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise RunError(f"{path} cannot be read ({error}); remove it to go on.") from error

    def add_event(self, kind: str, **numbers: object) -> None:
        """Append one line to events.jsonl.

        Raises:
            RunError: it cannot be written.
        """
        line = json.dumps({"time": round(time.time(), 3), "kind": kind, **numbers})
        path = self.path / "events.jsonl"
        try:
            with path.open("a", encoding="utf-8") as lines:
                lines.write(line + "\n")
        except OSError as error:
            raise _unwritable(path, error) from error

    def events(self) -> Iterator[Mapping[str, Any]]:
        """The events so far; a line that a crash cut short is left out."""
        return iter(self.events_from(0)[0])

    def events_from(self, start: int) -> tuple[list[Mapping[str, Any]], int]:
        """Events from that byte of the file on, and the byte after the last whole line."""
        try:
            with (self.path / "events.jsonl").open("rb") as lines:
                lines.seek(start)
                whole, end, _ = lines.read().rpartition(b"\n")
        except FileNotFoundError:
            return [], 0
        events = [event for line in whole.splitlines() if (event := _event(line)) is not None]
        return events, start + len(whole) + len(end)

    def end_cut_line(self) -> None:
        """Close a line that a crash cut short, so that the next event stands on its own.

        Raises:
            RunError: it cannot be written.
        """
        path = self.path / "events.jsonl"
        try:
            with path.open("ab+") as lines:
                if lines.tell():
                    lines.seek(-1, os.SEEK_END)
                    if lines.read(1) != b"\n":
                        lines.write(b"\n")
        except OSError as error:
            raise _unwritable(path, error) from error

    def read_json(self, name: str) -> Mapping[str, Any] | None:
        """A JSON object of the job; None where there is none that can be read."""
        try:
            values = json.loads((self.path / name).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return values if isinstance(values, Mapping) else None

    def write_json(self, name: str, values: object) -> None:
        """Replace a JSON file of the job: readers see the old one or the new, never half.

        Raises:
            RunError: it cannot be written.
        """
        target = self.path / name
        # The worker's threads and those who stop it may all write the status.
        draft = target.with_name(f"{target.name}.{os.getpid()}-{threading.get_ident()}.part")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            draft.write_text(json.dumps(values, indent=1), encoding="utf-8")
            draft.replace(target)
        except OSError as error:
            with suppress(OSError):
                draft.unlink()
            raise _unwritable(target, error) from error

    def keep_spare(self) -> None:
        """Keep some room, to be given up when the disk is full and a last word is to be written.

        Raises:
            RunError: it cannot be written.
        """
        path = self.path / SPARE
        try:
            path.write_bytes(bytes(SPARE_BYTES))
        except OSError as error:
            raise _unwritable(path, error) from error

    def give_up_spare(self) -> None:
        """Leave the room to others."""
        (self.path / SPARE).unlink(missing_ok=True)

    def _write_surely(self, name: str, values: object) -> None:
        try:
            self.write_json(name, values)
        except RunError:
            if not (self.path / SPARE).exists():
                raise
            self.give_up_spare()
            self.write_json(name, values)

    def should_stop(self) -> bool:
        """Whether somebody asked the job to stop."""
        return (self.path / "stop").exists()

    def ask_to_stop(self, wish: StopWish | None = None) -> None:
        """Leave word for the worker to stop; the last word counts.

        Raises:
            RunError: it cannot be written.
        """
        wish = wish or StopWish()
        self._write_surely("stop", {"finish": wish.finish, "reason": wish.reason})

    def stop_wish(self) -> StopWish | None:
        """What was asked for; None where nobody asked. A bare file `stop` is a plain stop."""
        if not self.should_stop():
            return None
        values = self.read_json("stop") or {}
        return StopWish(finish=values.get("finish") is True, reason=str(values.get("reason") or ""))

    def forget_stop(self) -> None:
        """Take back what was asked for."""
        (self.path / "stop").unlink(missing_ok=True)

    def owner(self) -> str:
        """Who may see the job, as `owners.py` writes it; empty: the command line alone."""
        return str((self.read_json("owner.json") or {}).get("owner") or "")


def _event(line: bytes) -> Mapping[str, Any] | None:
    """The event on a line; None where a crash cut one short and the next was put behind it."""
    try:
        event = json.loads(line)
    except ValueError:
        return None
    return event if isinstance(event, Mapping) else None


def _unwritable(path: Path, error: OSError) -> RunError:
    return RunError(
        f"{path} cannot be written ({error.strerror or error}). Make room or give leave to write "
        "there, then start the run again: it goes on where it was."
    )
