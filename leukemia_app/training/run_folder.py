"""A run's folder: the only thing a worker and those who watch it share."""

import json
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from leukemia_app.errors import RunError
from leukemia_app.training.config import RunConfig


class Stopped(Exception):
    """Somebody asked for an end; the last whole epoch is on disk."""


@dataclass(frozen=True, kw_only=True)
class RunFolder:
    """Reads and writes one run; every file appears whole or not at all."""

    path: Path

    def create(self, config: RunConfig) -> None:
        """Lay out a new run.

        Raises:
            RunError: the folder already holds another run's configuration, or cannot be written.
        """
        if (self.path / "config.json").exists():
            if self.config() != config:
                raise RunError(f"{self.path} holds a run with other settings; use another folder.")
            return
        self.write_json("config.json", config.to_dict())
        self.set_state("queued")

    def config(self) -> RunConfig:
        """The run's configuration.

        Raises:
            RunError: config.json is missing or damaged.
        """
        try:
            values = json.loads((self.path / "config.json").read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise RunError(
                f"{self.path} holds no readable config.json; start a new run."
            ) from error
        return RunConfig.from_dict(values)

    def set_state(self, state: str, **details: object) -> None:
        """Say where the run is; `details` are plain values."""
        self.write_json("status.json", {"state": state, "time": time.time(), **details})

    def status(self) -> dict[str, Any]:
        """What `set_state` last said; `queued` where it never did.

        Raises:
            RunError: status.json is damaged.
        """
        path = self.path / "status.json"
        if not path.exists():
            return {"state": "queued"}
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            return {"state": values["state"], **values}
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
        path = self.path / "events.jsonl"
        if not path.exists():
            return [], 0
        with path.open("rb") as lines:
            lines.seek(start)
            whole, end, _ = lines.read().rpartition(b"\n")
        events = [event for line in whole.splitlines() if (event := _event(line)) is not None]
        return events, start + len(whole) + len(end)

    def write_json(self, name: str, values: object) -> None:
        """Replace a JSON file of the run: readers see the old one or the new, never half.

        Raises:
            RunError: it cannot be written.
        """
        target = self.path / name
        # The worker and those who stop it may both write the status.
        draft = target.with_name(f"{target.name}.{os.getpid()}.part")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            draft.write_text(json.dumps(values, indent=1), encoding="utf-8")
            draft.replace(target)
        except OSError as error:
            raise _unwritable(target, error) from error

    def should_stop(self) -> bool:
        """Whether somebody asked the run to stop."""
        return (self.path / "stop").exists()


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
